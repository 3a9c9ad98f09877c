import type {SlotRow, SlotState, SlotsDocument} from '../replication/slots.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

const MEANINGS: Readonly<Record<SlotRow['verdict'], Meaning>> = {
  healthy: 'good',
  degraded: 'warning',
  recovering: 'warning',
  unhealthy: 'critical',
  unknown: 'unknown',
};
/** What is well needs no sentence. */
const QUIET: ReadonlySet<SlotState> = new Set<SlotState>(['ok', 'copy']);
/** Below this width what can be read from the other columns is left out. */
const WIDE = 110;

/** `replication slots` for people: what keeps log for whom, how much, and how long it can. */
export function slotsText(document: SlotsDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const head = indented(`replication slots at ${formatTime(document.at)}`, columns, 0);
  if (document.stores.length === 0)
    return joined([
      ...head,
      ...indented(
        document.only === null ? 'No store of this fleet keeps log in slots.' : `The store ${document.only} keeps no log in slots.`,
        columns,
      ),
    ]);
  if (document.slots.length === 0) return joined([...head, ...indented(`No member of ${document.stores.join(', ')} has a slot.`, columns)]);
  const wide = columns >= WIDE;
  const [titles = '', ...lines] = table(
    columnsFor(wide),
    document.slots.map((row) => slotCells(row, wide, paint)),
    columns,
  );
  const remarks = document.slots.filter(({state}) => !QUIET.has(state));
  return joined([
    ...head,
    paint.muted(titles),
    ...lines,
    ...remarks.flatMap(({store, member, slot, reason}) =>
      indented(`${store} ${member}${slot === null ? '' : `/${slot}`}: ${reason}`, columns),
    ),
  ]);
}

function columnsFor(wide: boolean): readonly Column[] {
  const right = {align: 'right', shrink: false} as const;
  return [
    {title: 'store'},
    {title: 'member'},
    {title: 'slot'},
    ...(wide ? [{title: 'kind', shrink: false}] : []),
    {title: 'for'},
    {title: 'state', shrink: false},
    {title: 'retains', ...right},
    ...(wide
      ? [
          {title: 'left', ...right},
          {title: 'rate', ...right},
        ]
      : []),
    {title: 'runway', ...right},
    ...(wide ? [{title: 'unused for', ...right}] : []),
    {title: 'age', ...right},
  ];
}

function slotCells(row: SlotRow, wide: boolean, paint: Paint): Cell[] {
  const {bytesPerSecond: rate} = row;
  const inMs = (seconds: number | null): string => formatMs(seconds === null ? null : seconds * 1000);
  return [
    row.store,
    row.member,
    row.slot ?? NOT_MEASURED,
    ...(wide ? [row.kind ?? NOT_MEASURED] : []),
    row.keptFor ?? NOT_MEASURED,
    {text: row.state, paint: paint[MEANINGS[row.verdict]]},
    formatBytes(row.retainedBytes),
    ...(wide ? [formatBytes(row.safeBytes), rate === null ? NOT_MEASURED : `${formatBytes(rate)}/s`] : []),
    inMs(row.runwaySeconds),
    ...(wide ? [inMs(row.inactiveSeconds)] : []),
    formatMs(row.ageMs),
  ];
}
