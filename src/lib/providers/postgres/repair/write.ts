import type {RowChange, RowStand, RowTexts} from '../../../ports/repair.ts';
import type {RepairSession} from './session.ts';
import {deleteSql, insertSql, rowText, updateSql} from './statements.ts';
import {type OwnTable, ownColumns} from './table.ts';

/** A row as it was found, and where: it is locked, so that it stays there. */
export type Found = {readonly ctid: string; readonly tableoid: string; readonly row: RowTexts};

type Update = {readonly at: Found; readonly to: RowTexts; readonly columns: readonly string[]};

/** Writes what is at `from`: deletes first, and rows that are made last, so that none of them stands in the way of another. */
export async function writeFound(
  session: RepairSession,
  table: OwnTable,
  changes: readonly RowChange[],
  {found, stands}: {readonly found: ReadonlyMap<number, Found>; readonly stands: readonly RowStand[]},
): Promise<void> {
  const deletes: Found[] = [];
  const updates: Update[] = [];
  const inserts: RowTexts[] = [];
  changes.forEach(({to}, index) => {
    if (stands[index] !== 'from') return;
    const at = found.get(index);
    const columns = at === undefined || to === null ? [] : changed(table, at.row, to);
    const isMadeAnew = columns.some((name) => table.all.some((column) => column.name === name && column.always));
    if (at !== undefined && to !== null && !isMadeAnew) updates.push({at, to, columns});
    if (at !== undefined && (to === null || isMadeAnew)) deletes.push(at);
    if (to !== null && (at === undefined || isMadeAnew)) inserts.push(to);
  });
  if (deletes.length > 0) await session.rows(deleteSql(table), places(deletes));
  for (const some of Object.values(Object.groupBy(updates, ({columns}) => JSON.stringify(columns)))) {
    const [first] = some ?? [];
    if (some === undefined || first === undefined) continue;
    const texts = some.map(({to}) => rowText(table, to));
    await session.rows(updateSql(table, first.columns), [...places(some.map(({at}) => at)), texts]);
  }
  if (inserts.length > 0) await session.rows(insertSql(table), [inserts.map((row) => rowText(table, row))]);
}

const places = (found: readonly Found[]): readonly (readonly string[])[] => [
  found.map(({ctid}) => ctid),
  found.map(({tableoid}) => tableoid),
];

const changed = (table: OwnTable, from: RowTexts, to: RowTexts): readonly string[] =>
  ownColumns(table).flatMap(({name}) => (from[name] === to[name] ? [] : [name]));
