import type {RowTexts} from '../../../ports/repair.ts';
import {nameSql} from '../audit/column-hash.ts';
import {type OwnTable, ownColumns, printed} from './table.ts';

/**
 * The rows with some keys, one list of texts for each key column: the place of the key in the lists, where the row is, and what it prints. `lock` = nobody
 * else writes them until the transaction ends.
 */
export function findSql(table: OwnTable, lock: boolean): string {
  const lists = table.key.map((_, index) => `$${index + 1}::pg_catalog.text[]`).join(', ');
  const names = table.key.map((_, index) => `k${index}`).join(', ');
  const same = table.key.map(({name, cast, equals}, index) => `x.${nameSql(name)} ${equals} k.k${index}::${cast}`).join(' and ');
  return `select k.n, x.ctid, x.tableoid, ${printed(table)} from unnest(${lists}) with ordinality k(${names}, n)
    join ${table.from} x on ${same} order by k.n${lock ? ' for update of x' : ''}`;
}

/** What rows print that are given as one text each: as the member would store them, by the input functions of the columns. Writes nothing. */
export const printSqlOf = (table: OwnTable): string =>
  `select ${printed(table)} from unnest($1::pg_catalog.text[]) with ordinality u(v, n)
    cross join lateral (select (u.v::${table.sql}).*) x order by u.n`;

/** Makes rows, given as one text each. */
export function insertSql(table: OwnTable): string {
  const columns = ownColumns(table).map(({name}) => nameSql(name));
  return `insert into ${table.sql} (${columns.join(', ')}) overriding system value
    select ${columns.map((column) => `(s.r).${column}`).join(', ')}
    from (select u.v::${table.sql} as r from unnest($1::pg_catalog.text[]) u(v) offset 0) s`;
}

/** Sets some columns of rows: places, tables and the rows, given as one text each. A row that is locked stays where it is. */
export function updateSql(table: OwnTable, columns: readonly string[]): string {
  const sets = columns.map((column) => `${nameSql(column)} = (s.r).${nameSql(column)}`).join(', ');
  return `update ${table.from} x set ${sets} from (select u.t, u.o, u.v::${table.sql} as r
      from unnest($1::pg_catalog.tid[], $2::pg_catalog.oid[], $3::pg_catalog.text[]) u(t, o, v) offset 0) s
    where x.ctid = s.t and x.tableoid = s.o`;
}

/** Removes rows: places and tables. */
export const deleteSql = (table: OwnTable): string =>
  `delete from ${table.from} x using unnest($1::pg_catalog.tid[], $2::pg_catalog.oid[]) u(t, o) where x.ctid = u.t and x.tableoid = u.o`;

/** A row as one text that the type of the table reads. What the row does not have is NULL. */
export function rowText({all}: OwnTable, row: RowTexts): string {
  const fields = all.map(({name, generated}) => {
    const value = generated || !Object.hasOwn(row, name) ? null : (row[name] ?? null);
    return value === null ? '' : `"${value.replaceAll('\\', '\\\\').replaceAll('"', '""')}"`;
  });
  // A row of one column that is NULL would be read as a row of none.
  return `(${fields.join(',')})`;
}
