import type {TableAudit} from '../../ports/audit.ts';
import type {SliceRecord} from './audit-table.ts';

/**
 * The slices from the beginning of a table on that follow one another: what comes after a gap, such as a line of a log that cannot be read, is worth nothing,
 * since nobody would ever read what lies in the gap.
 */
export function chained(table: Pick<TableAudit, 'next'>, slices: readonly SliceRecord[]): readonly SliceRecord[] {
  const end = slices.findIndex(({slice}, index) => table.next(slices[index - 1]?.slice ?? null, null)?.from !== slice.from);
  return end === -1 ? slices : slices.slice(0, end);
}

/** Whether slices hold every possible key of a table. */
export function isWhole(table: Pick<TableAudit, 'next'>, slices: readonly SliceRecord[]): boolean {
  const last = slices.at(-1);
  return last !== undefined && chained(table, slices).length === slices.length && table.next(last.slice, null) === null;
}

/** Whether all slices begin and end where others do, as far as they go. */
export function isPartOf(some: readonly SliceRecord[], others: readonly SliceRecord[]): boolean {
  return some.every(({slice}, index) => JSON.stringify(slice) === JSON.stringify(others[index]?.slice));
}
