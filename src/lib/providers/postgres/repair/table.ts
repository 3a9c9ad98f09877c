import {refused} from '../../../errors.ts';
import {type Column, nameSql, printSql} from '../audit/column-hash.ts';
import type {Rows} from '../audit/reader.ts';

/** A column of a table whose rows are written. `generated` = it is made of others; `always` = an identity that takes a value only when a row is made. */
export type OwnColumn = Column & {readonly generated: boolean; readonly always: boolean};

/** A table whose rows are written, as one member has it. `all` in the order in which a row as one value has them. */
export type OwnTable = {
  readonly name: string;
  /** The table as SQL reads it, and as what rows are read from: not what inherits from it, unless that is a partition. */
  readonly sql: string;
  readonly from: string;
  readonly all: readonly OwnColumn[];
  readonly key: readonly {readonly name: string; readonly cast: string; readonly equals: string}[];
  /** The database takes any bytes for text (SQL_ASCII): those that are no UTF-8 reach us as U+FFFD, and are lost. */
  readonly rawText: boolean;
};

/** One table: each column with its base type, and its place and operator of equality in the primary key. */
export const TABLE = `
with recursive made_of(domain, base) as (
  select oid, typbasetype from pg_type where typtype = 'd'
  union all select m.domain, t.typbasetype from made_of m join pg_type t on t.oid = m.base where t.typtype = 'd'),
base as (select m.domain, m.base from made_of m join pg_type t on t.oid = m.base where t.typtype <> 'd'),
keys as (
  select k.attnum, k.n, opn.nspname, op.oprname from pg_index i
  cross join unnest(i.indkey::int2[], i.indclass::oid[]) with ordinality as k(attnum, class, n)
  join pg_opclass oc on oc.oid = k.class
  join pg_amop am on am.amopfamily = oc.opcfamily and am.amopstrategy = 3 and am.amoplefttype = oc.opcintype and am.amoprighttype = oc.opcintype
  join pg_operator op on op.oid = am.amopopr join pg_namespace opn on opn.oid = op.oprnamespace
  where i.indrelid = to_regclass($1) and i.indisprimary and i.indisvalid and k.n <= i.indnkeyatts)
select cn.nspname, c.relname, c.relkind = 'p', a.attname, b.typname, bn.nspname, a.attgenerated <> '', a.attidentity = 'a', k.n, k.nspname, k.oprname,
  current_setting('server_encoding') = 'SQL_ASCII'
from pg_class c join pg_namespace cn on cn.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid join pg_type o on o.oid = a.atttypid
left join base d on d.domain = o.oid join pg_type b on b.oid = coalesce(d.base, o.oid) join pg_namespace bn on bn.oid = b.typnamespace
left join keys k on k.attnum = a.attnum
where c.oid = to_regclass($1) and c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped order by a.attnum`;

/** What TABLE answers. Throws `not-comparable` when there is no such table, or it has no primary key. */
export function toOwnTable(member: string, name: string, rows: Rows): OwnTable {
  const [first] = rows;
  if (first === undefined) throw refused('not-comparable', `${member} has no table ${name}.`);
  const all = rows.map(([, , , column, type, schema, generated, always]): OwnColumn => {
    return {
      ...{name: column ?? '', type: type ?? '', builtin: schema === 'pg_catalog', nullable: true},
      generated: generated === 't',
      always: always === 't',
    };
  });
  const key = rows
    .filter((row) => row[8] !== null)
    .toSorted((a, b) => Number(a[8]) - Number(b[8]))
    .map(([, , , column, type, schema, , , , operators, operator]) => ({
      name: column ?? '',
      cast: `${nameSql(schema ?? '')}.${nameSql(type ?? '')}`,
      equals: `operator(${nameSql(operators ?? '')}.${operator ?? '='})`,
    }));
  if (key.length === 0) throw refused('not-comparable', `${name} has no primary key on ${member}, so its rows cannot be told apart.`);
  const sql = `${nameSql(first[0] ?? '')}.${nameSql(first[1] ?? '')}`;
  return {name, sql, from: `${first[2] === 't' ? '' : 'only '}${sql}`, all, key, rawText: first[11] === 't'};
}

/** The columns that a row has of its own. */
export const ownColumns = ({all}: OwnTable): readonly OwnColumn[] => all.filter(({generated}) => !generated);

/** What a row prints, of the row `x`, in the order of `ownColumns`. */
export const printed = (table: OwnTable): string => ownColumns(table).map(printSql).join(', ');
