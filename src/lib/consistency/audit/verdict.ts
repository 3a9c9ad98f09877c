import type {KeyClass, LostMember, TableResult, TableVerdict} from './model.ts';

/** What an audit came to. `equal` only when every row of every table was compared in every region. */
export type AuditVerdict = TableVerdict;

/** Keys by what is wrong with them. */
export type Counts = Readonly<Record<KeyClass, number>>;

/** What the tables of an audit came to together: a list that was cut, then what differs, then what is not known. Nothing compared = unknown. */
export function verdictOf(tables: readonly TableResult[], lost: readonly LostMember[]): AuditVerdict {
  const has = (verdict: TableVerdict): boolean => tables.some((table) => table.verdict === verdict);
  if (has('truncated')) return 'truncated';
  if (has('diverged')) return 'diverged';
  return has('unknown') || lost.length > 0 || tables.length === 0 ? 'unknown' : 'equal';
}

/** How many keys are listed under each class. */
export function countsOf(tables: readonly TableResult[]): Counts {
  const counts = {missing: 0, extra: 0, stale: 0, concurrent: 0, conflicting: 0};
  for (const {divergent} of tables) for (const {class: kind} of divergent) counts[kind]++;
  return counts;
}

/** Share of all rows that were compared in every region. What was never opened counts with the rows that it was thought to have. */
export function coveredOf(tables: readonly TableResult[], expected: ReadonlyMap<string, number>): number {
  const size = ({table, rows}: TableResult): number => Math.max(rows, expected.get(table) ?? 0, 1);
  const whole = tables.reduce((sum, table) => sum + size(table), 0);
  if (tables.every(({covered}) => covered === 1)) return tables.length === 0 ? 0 : 1;
  return Math.min(0.999, tables.reduce((sum, table) => sum + size(table) * table.covered, 0) / Math.max(1, whole));
}

/** Share of the compared rows that are the same everywhere: the worst that the tables allow. null = no row was compared. */
export function accuracyOf(tables: readonly TableResult[]): number | null {
  const known = tables.flatMap(({rows, accuracy}) => (accuracy === null ? [] : [{rows, accuracy}]));
  const rows = known.reduce((sum, table) => sum + table.rows, 0);
  if (rows === 0) return known.length === 0 ? null : 1;
  return known.reduce((sum, table) => sum + table.rows * table.accuracy, 0) / rows;
}
