import {readingAgeMs} from '../operate/lag-verdict.ts';
import type {LagWatchView, LinkNow} from '../operate/lag-watch.ts';
import {changeSays} from '../output/lag-lines.ts';
import {linkName} from '../output/lag-text.ts';
import {cut, wrap} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import {formatAge, formatBytes, formatMs, formatTime, NOT_MEASURED} from '../output/units.ts';
import type {MessageReading, SubscriptionReading} from '../ports/store.ts';
import type {LagRow} from '../replication/lag.ts';
import {LEAST_MS} from './lag-columns.ts';
import {linkKey} from './lag-list.ts';
import type {Page} from './line-view.tsx';
import {sparkline} from './sparkline.ts';

const MOST_CHANGES = 8;
const LABEL = 16;

/** What a figure is called, and what it says. */
type Entry = readonly [label: string, says: string];

/** All about one link, as lines of at most `columns`: its reason, each figure with its unit and how old it is, its breaker, percentiles and last changes. */
export function lagDetail(
  link: LinkNow,
  view: LagWatchView,
  {columns, windowMs}: {readonly columns: number; readonly windowMs: number},
): Page {
  const {row, at, breaker} = link;
  const entries: readonly (readonly Entry[])[] = [
    distanceEntries(row),
    percentileEntries(link, windowMs, columns),
    [['breaker', `${breaker.reason}; since ${formatTime(breaker.since)} (${formatAge(Date.parse(breaker.since), view.at)})`]],
    sourceEntries(row),
    ...(row.subscription === undefined ? [] : [subscriptionEntries(row.subscription)]),
    ...(row.messages === undefined ? [] : [messageEntries(row.messages)]),
  ];
  const lines = [
    `${row.kind}, ${row.engine}; every figure was read ${formatAge(at - row.ageMs, view.at)} (${formatTime(at - row.ageMs)})`,
    ...wrap(row.reason, columns),
    ...entries.flatMap((group) => ['', ...group.flatMap((entry) => entryLines(entry, columns))]),
    ...changeLines(link, view),
  ];
  const read = readingAgeMs(link, view.at) < 1000 ? '' : `, read ${formatAge(at - row.ageMs, view.at)}`;
  return {title: `${linkName(row)}  ${row.state}${read}`, lines: lines.map((line) => cut(line, columns))};
}

function entryLines([label, says]: Entry, columns: number): readonly string[] {
  const room = Math.max(1, columns - LABEL);
  // Broken lines have no columns of their own: blanks would be lost.
  const [first = '', ...others] = textWidth(says) <= room ? [says] : wrap(says, room);
  return [`${label.padEnd(LABEL)}${first}`, ...others.map((line) => `${''.padEnd(LABEL)}${line}`)];
}

const inSeconds = (seconds: number | null): string => formatMs(seconds === null ? null : seconds * 1000);
const known = (value: number | string | null): string => (value === null ? NOT_MEASURED : String(value));

const RPO = {true: 'RPO met', false: 'RPO missed', null: 'no RPO, or not known whether it is met'} as const;

function distanceEntries(row: LagRow): readonly Entry[] {
  const behind: Entry = ['behind', `${inSeconds(row.seconds).padEnd(12)}${RPO[String(row.withinRpo) as keyof typeof RPO]}`];
  if (row.messages !== undefined) return [behind];
  const stage = (bytes: number | null, seconds: number | null) =>
    `${formatBytes(bytes).padEnd(12)}${seconds === null ? 'how long it takes is not known' : `the latest log took ${inSeconds(seconds)}`}`;
  return [
    behind,
    ['to send', formatBytes(row.sendBytes)],
    ['to write', stage(row.writeBytes, row.writeSeconds)],
    ['to flush', `${stage(row.flushBytes, row.flushSeconds)}; a promotion would lose this`],
    ['to replay', stage(row.replayBytes, row.replaySeconds)],
    [
      'runway',
      row.runwayBytes === null ? 'no limit, or not known' : `${formatBytes(row.runwayBytes)} may still be written before it is too late`,
    ],
  ];
}

function sourceEntries({sync, senderTimeline, receiverTimeline, heardUpstreamAgoMs, conflicts, slot}: LagRow): readonly Entry[] {
  const words: readonly Entry[] = [
    ['heard upstream', heardUpstreamAgoMs === null ? NOT_MEASURED : `${formatMs(heardUpstreamAgoMs)} before the reading`],
    ['sync', known(sync)],
    ['timelines', `sender ${known(senderTimeline)}, receiver ${known(receiverTimeline)}`],
    ['conflicts', conflicts === null ? NOT_MEASURED : `${conflicts} queries cancelled on the receiver`],
  ];
  if (slot === null) return [...words, ['slot', 'none, or not known']];
  const {name, active, status, invalidated, retainedBytes, safeBytes} = slot;
  const left = safeBytes === null ? '' : `, ${formatBytes(safeBytes)} left`;
  const lost = invalidated === null ? '' : `, given up: ${invalidated}`;
  return [
    ...words,
    [
      'slot',
      `${name}: ${active ? 'active' : 'inactive'}, ${status ?? 'status not known'}, retains ${formatBytes(retainedBytes)}${left}${lost}`,
    ],
  ];
}

function subscriptionEntries({
  name,
  enabled,
  tables,
  applyErrors,
  syncErrors,
  skipping,
  conflicts,
  origin,
}: SubscriptionReading): readonly Entry[] {
  const kinds = Object.entries(conflicts ?? {}).filter(([, count]) => count > 0);
  const counts = conflicts === null ? 'not counted by this version' : kinds.map(([kind, count]) => `${kind} ${count}`).join(', ') || 'none';
  return [
    ['subscription', `${name}: ${enabled ? 'enabled' : 'disabled'}, origin ${origin}`],
    ['', `tables: ${tables.ready} ready, ${tables.copying} copying; errors: ${known(applyErrors)} applying, ${known(syncErrors)} copying`],
    ['', `conflicts: ${counts}${skipping === null ? '' : `; skips the transaction at ${skipping}`}`],
  ];
}

function messageEntries(messages: MessageReading): readonly Entry[] {
  const {carrier, queue, flow, depth, unacknowledged, oldestAgeSeconds, ageBasis, consumers, redelivered, deadLettered} = messages;
  const rate = (value: number | null): string => (value === null ? NOT_MEASURED : `${value.toFixed(1)}/s`);
  return [
    ['carrier', `${carrier}: ${flow ?? 'not known'}, from the queue ${queue}`],
    [
      'messages',
      `${known(depth)} wait, ${known(unacknowledged)} of them unacknowledged; the oldest for ${inSeconds(oldestAgeSeconds)}${ageBasis === 'estimate' ? ' (estimate)' : ''}`,
    ],
    ['', `in ${rate(messages.publishedPerSecond)}, out ${rate(messages.movedPerSecond)}, consumers ${known(consumers)}`],
    ['', `redelivered ${known(redelivered)}, dead letters ${known(deadLettered)}`],
  ];
}

function percentileEntries({percentiles, history}: LinkNow, windowMs: number, columns: number): readonly Entry[] {
  const {since, samples, unseen, p50Ms, p95Ms, p99Ms, maxMs} = percentiles;
  const blind = unseen === 0 ? '' : `, ${unseen} look${unseen === 1 ? '' : 's'} without a lag`;
  return [
    ['lag', `p50 ${formatMs(p50Ms)}   p95 ${formatMs(p95Ms)}   p99 ${formatMs(p99Ms)}   largest ${formatMs(maxMs)}`],
    [
      '',
      `of ${samples} sample${samples === 1 ? '' : 's'} since ${formatTime(since)} (${formatMs(windowMs)})${blind}; the last ${history.length}, × = not known:`,
    ],
    ['', sparkline(history, Math.min(Math.max(1, columns - LABEL), history.length), LEAST_MS)],
  ];
}

function changeLines(link: LinkNow, {changes}: LagWatchView): readonly string[] {
  const own = changes.filter((change) => linkKey(change) === linkKey(link.row));
  return ['', 'changes while watching', ...own.slice(-MOST_CHANGES).map((change) => `  ${formatTime(change.at)}  ${changeSays(change)}`)];
}
