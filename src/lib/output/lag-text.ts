import {type DrainEventView, drainSays, type HeldView, heldSays} from './drain-lines.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** What this text needs of a link in the `replication lag` document. Bytes and seconds: null = not to be had. */
export type LagLinkRow = {
  readonly store: string;
  readonly link?: string;
  readonly from: string;
  readonly to: string;
  readonly state: 'streaming' | 'catching-up' | 'idle' | 'stalled' | 'broken' | 'unknown';
  readonly sendBytes: number | null;
  readonly writeBytes: number | null;
  readonly flushBytes: number | null;
  readonly replayBytes: number | null;
  readonly seconds: number | null;
  readonly ageMs: number | null;
  readonly runwayBytes: number | null;
  readonly withinRpo: boolean | null;
  readonly code: string;
  readonly reason: string;
  readonly messages?: LagMessages;
  readonly breaker?: {readonly state: 'closed' | 'warn' | 'open'; readonly since: string; readonly reason: string};
  readonly percentiles?: LagPercentiles;
};

/** How a link was over a time. In ms; null = there was no sample. */
export type LagPercentiles = {
  readonly since: string;
  readonly samples: number;
  readonly unseen: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

/** What waits on a link of messages; null = not to be had. */
export type LagMessages = {
  readonly depth: number | null;
  readonly unacknowledged: number | null;
  readonly consumers: number | null;
  readonly redelivered: number | null;
  readonly deadLettered: number | null;
  readonly publishedPerSecond: number | null;
  readonly movedPerSecond: number | null;
};

/** The `replication lag` document. */
export type LagView = {
  readonly at: string;
  readonly links: readonly LagLinkRow[];
  readonly unread: readonly {readonly store: string; readonly reason: string}[];
  readonly drains?: readonly HeldView[];
  readonly drained?: readonly DrainEventView[];
};

/** Below this width only the whole way, to replay, is shown: names and figures that are cut help nobody. */
const WIDE = 110;

const STATES: Readonly<Record<LagLinkRow['state'], Meaning>> = {
  streaming: 'good',
  idle: 'good',
  'catching-up': 'warning',
  stalled: 'critical',
  broken: 'critical',
  unknown: 'unknown',
};

/**
 * `replication lag` for people: how far each link is behind in bytes or messages and in seconds, and how old that reading is. Columns that no link
 * has anything for are left out.
 */
export function lagText(document: LagView, options: TextOptions): string {
  const {columns, paint} = options;
  const head = `replication lag at ${formatTime(document.at)}`;
  const unread = document.unread.flatMap(({store, reason}) => indented(unreadSays(store, reason), columns).map(paint.unknown));
  if (document.links.length === 0)
    return joined([...indented(head, columns, 0), ...(unread.length === 0 ? indented('no replication link', columns) : unread)]);
  const shown: Shown = {
    wide: columns >= WIDE,
    bytes: document.links.some(({messages}) => messages === undefined),
    messages: document.links.some(({messages}) => messages !== undefined),
  };
  const [titles = '', ...lines] = table(
    columnsFor(shown),
    document.links.map((link) => linkRow(link, shown, paint)),
    columns,
  );
  const remarks = document.links.filter(({state, withinRpo}) => withinRpo !== true || STATES[state] !== 'good');
  return joined([
    ...indented(head, columns, 0),
    paint.muted(titles),
    ...lines,
    ...remarks.flatMap((link) => indented(`${linkName(link)}: ${link.reason}`, columns)),
    ...document.links.flatMap((link) => (link.messages === undefined ? [] : indented(countsSay(link, link.messages), columns))),
    ...document.links.flatMap((link) => breakerLines(link, options)),
    ...unread,
    ...drainLines(document, options),
    ...percentileLines(document.links, options),
  ]);
}

/** That the links of a store could not be read, and why. */
export function unreadSays(store: string, reason: string): string {
  return `${store} could not be read: ${reason}`;
}

/** A breaker that is closed is what everybody expects. */
function breakerLines(link: LagLinkRow, {columns, paint}: TextOptions): readonly string[] {
  const {breaker} = link;
  if (breaker === undefined || breaker.state === 'closed') return [];
  const meaning = breaker.state === 'open' ? paint.critical : paint.warning;
  const says = `breaker of ${linkName(link)} ${breaker.reason} (since ${formatTime(breaker.since)})`;
  return indented(says, columns).map(meaning);
}

/** What was done now, and what has been held off for longer. */
function drainLines({drains = [], drained = []}: LagView, {columns, paint}: TextOptions): readonly string[] {
  const isNew = ({route, region}: HeldView): boolean => drained.some((event) => event.route === route && event.region === region);
  return [
    ...drained.flatMap((event) => {
      const says = indented(`${event.route}: ${drainSays(event)}`, columns);
      return event.what === 'returned' ? says : says.map(event.what === 'failed' ? paint.critical : paint.warning);
    }),
    ...drains.filter((row) => !isNew(row)).flatMap((row) => indented(heldSays(row), columns).map(paint.warning)),
  ];
}

function percentileLines(links: readonly LagLinkRow[], {columns, paint}: TextOptions): readonly string[] {
  const known = links.flatMap((link) => (link.percentiles === undefined ? [] : [{link, at: link.percentiles}]));
  const [first] = known;
  if (first === undefined) return [];
  const right = {align: 'right', shrink: false} as const;
  const titles = ['p50', 'p95', 'p99', 'max', 'samples', 'unseen'].map((title) => ({title, ...right}));
  const [head = '', ...lines] = table(
    [{title: 'link'}, ...titles],
    known.map(({link, at}) => [
      linkName(link),
      ...[at.p50Ms, at.p95Ms, at.p99Ms, at.maxMs].map(formatMs),
      String(at.samples),
      String(at.unseen),
    ]),
    columns,
  );
  return ['', ...indented(`lag since ${formatTime(first.at.since)}, as far as it was looked at`, columns, 0), paint.muted(head), ...lines];
}

/** Which columns there are. */
type Shown = {readonly wide: boolean; readonly bytes: boolean; readonly messages: boolean};

type LinkNames = Pick<LagLinkRow, 'store' | 'link' | 'from' | 'to'>;

const nameOf = ({store, link}: Pick<LinkNames, 'store' | 'link'>): string => (link === undefined ? store : `${store}/${link}`);

/** Names one link: its store, its own name where it has one, and its two members. */
export const linkName = (link: LinkNames): string => `${nameOf(link)} ${link.from} → ${link.to}`;

/** What has no column of its own: it matters to whoever looks for the reason. */
function countsSay(link: LagLinkRow, messages: LagMessages): string {
  const {unacknowledged, consumers, redelivered, deadLettered, publishedPerSecond, movedPerSecond} = messages;
  const count = (value: number | null): string => (value === null ? NOT_MEASURED : String(value));
  const rate = (value: number | null): string => (value === null ? NOT_MEASURED : `${value.toFixed(1)}/s`);
  return [
    `${nameOf(link)}: in ${rate(publishedPerSecond)}`,
    `out ${rate(movedPerSecond)}`,
    `unacknowledged ${count(unacknowledged)}`,
    `consumers ${count(consumers)}`,
    `redelivered ${count(redelivered)}`,
    `dead letters ${count(deadLettered)}`,
  ].join(', ');
}

function columnsFor({wide, bytes, messages}: Shown): readonly Column[] {
  const right = {align: 'right', shrink: false} as const;
  const stages = [
    ...(messages ? ['messages'] : []),
    ...(bytes ? (wide ? ['to send', 'to write', 'to flush', 'to replay'] : ['to replay']) : []),
  ];
  const runway = wide && bytes ? ['runway'] : [];
  return [
    {title: 'store'},
    {title: 'from → to', shrink: false},
    {title: 'state', shrink: false},
    ...[...stages, 'behind', ...runway, 'age'].map((title) => ({title, ...right})),
    {title: 'RPO', shrink: false},
  ];
}

function linkRow(link: LagLinkRow, {wide, bytes, messages}: Shown, paint: Paint): Cell[] {
  const stages = !bytes ? [] : wide ? [link.sendBytes, link.writeBytes, link.flushBytes, link.replayBytes] : [link.replayBytes];
  return [
    nameOf(link),
    `${link.from} → ${link.to}`,
    {text: link.state, paint: paint[STATES[link.state]]},
    ...(messages ? [String(link.messages?.depth ?? NOT_MEASURED)] : []),
    ...stages.map(formatBytes),
    formatMs(link.seconds === null ? null : link.seconds * 1000),
    ...(wide && bytes ? [formatBytes(link.runwayBytes)] : []),
    formatMs(link.ageMs),
    rpoCell(link.withinRpo, paint),
  ];
}

/** Whether an RPO is kept: a word of its own for what is not known. */
export function rpoCell(within: boolean | null, paint: Paint): Cell {
  if (within === null) return {text: 'unknown', paint: paint.unknown};
  return within ? {text: 'met', paint: paint.good} : {text: 'missed', paint: paint.critical};
}
