import type {Meaning, Paint} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatBytes, formatMs, formatTime} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** What this text needs of a link in the `replication lag` document. Bytes and seconds: null = not to be had. */
export type LagLinkRow = {
  readonly store: string;
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
};

/** The `replication lag` document. */
export type LagView = {readonly at: string; readonly links: readonly LagLinkRow[]};

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

/** `replication lag` for people: how far each link is behind in bytes and in seconds, and how old that reading is. */
export function lagText(document: LagView, options: TextOptions): string {
  const {columns, paint} = options;
  const head = `replication lag at ${formatTime(document.at)}`;
  if (document.links.length === 0) return joined([...indented(head, columns, 0), ...indented('no replication link', columns)]);
  const wide = columns >= WIDE;
  const [titles = '', ...lines] = table(
    columnsFor(wide),
    document.links.map((link) => linkRow(link, wide, paint)),
    columns,
  );
  const remarks = document.links.filter(({state, withinRpo}) => withinRpo !== true || STATES[state] !== 'good');
  return joined([
    ...indented(head, columns, 0),
    paint.muted(titles),
    ...lines,
    ...remarks.flatMap(({store, from, to, reason}) => indented(`${store} ${from} → ${to}: ${reason}`, columns)),
  ]);
}

function columnsFor(wide: boolean): readonly Column[] {
  const right = {align: 'right', shrink: false} as const;
  const stages = wide ? ['to send', 'to write', 'to flush', 'to replay'] : ['to replay'];
  const runway = wide ? ['runway'] : [];
  return [
    {title: 'store'},
    {title: 'from → to', shrink: false},
    {title: 'state', shrink: false},
    ...[...stages, 'behind', ...runway, 'age'].map((title) => ({title, ...right})),
    {title: 'RPO', shrink: false},
  ];
}

function linkRow(link: LagLinkRow, wide: boolean, paint: Paint): Cell[] {
  const stages = wide ? [link.sendBytes, link.writeBytes, link.flushBytes, link.replayBytes] : [link.replayBytes];
  return [
    link.store,
    `${link.from} → ${link.to}`,
    {text: link.state, paint: paint[STATES[link.state]]},
    ...stages.map(formatBytes),
    formatMs(link.seconds === null ? null : link.seconds * 1000),
    ...(wide ? [formatBytes(link.runwayBytes)] : []),
    formatMs(link.ageMs),
    rpoCell(link.withinRpo, paint),
  ];
}

/** Whether an RPO is kept: a word of its own for what is not known. */
export function rpoCell(within: boolean | null, paint: Paint): Cell {
  if (within === null) return {text: 'unknown', paint: paint.unknown};
  return within ? {text: 'met', paint: paint.good} : {text: 'missed', paint: paint.critical};
}
