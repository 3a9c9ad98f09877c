import type {HistoryDocument, HistoryEntry, HistoryRegion} from '../health/history.ts';
import type {Meaning} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatAge, formatMs, formatTime} from './units.ts';
import {indented, joined, type TextOptions, verdictCell} from './verdict-cell.ts';

/** What is older tells of then, not of now. */
const STALE_MS = 5 * 60_000;

const COLUMNS: readonly Column[] = [
  {title: 'when', shrink: false},
  {title: 'region', shrink: false},
  {title: 'from', shrink: false},
  {title: 'to', shrink: false},
  {title: 'for', align: 'right'},
];

const ALARM: Readonly<Record<HistoryEntry['action'], Meaning>> = {
  alarm: 'critical',
  warn: 'warning',
  tell: 'warning',
  clear: 'good',
  none: 'unknown',
};

/** `health history` for people: how each region stands, then its changes, oldest first, each with its reason: the last one is the newest. */
export function historyText(document: HistoryDocument, options: TextOptions): string {
  const {columns, paint, now} = options;
  const stands = table(
    [{shrink: false}, {shrink: false}, {}],
    document.regions.map((region) => standCells(region, options)),
    columns,
  );
  const since = `no change was noted since ${formatTime(document.since)}, ${formatAge(Date.parse(document.since), now)}`;
  if (document.entries.length === 0) return joined([...stands, '', ...indented(since, columns, 0)]);
  const [title = '', ...lines] = table(
    COLUMNS,
    document.entries.map((entry) => entryCells(entry, options)),
    columns,
  );
  const changes = lines.flatMap((line, index) => [line, ...whyLines(document.entries[index], options)]);
  return joined([...stands, '', paint.muted(title), ...changes]);
}

function standCells({region, verdict, since, flappingSince, lookedAt, changes}: HistoryRegion, {paint, now}: TextOptions): Cell[] {
  const name: Cell = {text: region, paint: paint.strong};
  if (verdict === null || since === null) return [name, {text: 'nothing is known of it yet', paint: paint.muted}, ''];
  const flaps = flappingSince === null ? '' : `, flapping since ${formatTime(flappingSince)}`;
  const age = lookedAt === null ? 0 : now - Date.parse(lookedAt);
  const seen = lookedAt === null || age < STALE_MS ? '' : `, last looked at ${formatAge(Date.parse(lookedAt), now)}`;
  const says = `since ${formatTime(since)}, ${formatAge(Date.parse(since), now)}; ${changes} change${changes === 1 ? '' : 's'} shown${flaps}${seen}`;
  return [name, verdictCell(verdict, paint), {text: says, paint: flaps === '' && seen === '' ? paint.muted : paint.warning}];
}

/** That all is well again needs no reason. */
function whyLines(entry: HistoryEntry | undefined, {columns, paint}: TextOptions): string[] {
  return entry === undefined || entry.to === 'healthy' ? [] : indented(entry.reason, columns, 4).map(paint.muted);
}

function entryCells({at, region, from, to, action, lastedMs}: HistoryEntry, {paint}: TextOptions): Cell[] {
  const was: Cell = from === null ? {text: 'not known', paint: paint.muted} : {text: from, paint: paint.muted};
  return [formatTime(at), region, was, {text: to, paint: paint[ALARM[action]]}, formatMs(lastedMs)];
}
