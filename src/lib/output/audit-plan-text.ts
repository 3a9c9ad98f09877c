import {grouped} from './audit-text.ts';
import {formatBytes} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

/** The document of `consistency audit --explain`. */
export type AuditPlanView = {
  readonly store: string;
  readonly regions: readonly string[];
  readonly lost: readonly {readonly region: string; readonly reason: string}[];
  readonly tables: readonly {
    readonly table: string;
    readonly rows: number;
    readonly bytes: number;
    readonly says: string;
    readonly code: string | null;
  }[];
  readonly skipped: readonly {readonly table: string; readonly reason: string}[];
};

/** `consistency audit --explain` for people: what would be read in each region, and how. */
export function auditPlanText({store, regions, lost, tables, skipped}: AuditPlanView, {columns, paint}: TextOptions): string {
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const sum = `An audit of ${store} would read about ${grouped(rows)} rows, ${formatBytes(bytes)} in each of ${regions.join(', ')}, and write nothing there.`;
  return joined([
    ...indented(sum, columns, 0),
    ...tables.flatMap(({table, rows: count, bytes: size, says, code}) =>
      code === null
        ? indented(`${table}: ${grouped(count)} rows, ${formatBytes(size)}, ${says}`, columns)
        : indented(`${table}: ${says}`, columns).map(paint.unknown),
    ),
    ...skipped.flatMap(({table, reason}) => indented(`not compared: ${table}, ${reason}`, columns)),
    ...lost.flatMap(({region, reason}) => indented(`${region} cannot be read: ${reason}`, columns).map(paint.unknown)),
  ]);
}
