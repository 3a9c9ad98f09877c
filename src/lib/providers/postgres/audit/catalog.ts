import type {AuditTable} from '../../../ports/audit.ts';
import {type Column, nameSql} from './column-hash.ts';

/** A column of a key: what a text is cast to, and what it is compared by. */
export type KeyColumn = Column & {readonly cast: string; readonly equals: string};

/** A table as the catalog has it. `histogram` = values of the only key column that cut the table into equal parts, as the planner knows them. */
export type CatalogTable = AuditTable & {
  readonly schema: string;
  readonly relation: string;
  readonly partitioned: boolean;
  readonly all: readonly Column[];
  /** Each key column, with its base type and its operator of equality as SQL reads them. */
  readonly keyColumns: readonly KeyColumn[];
  readonly histogram: readonly string[];
  /** How well the order of the key is the order on disk, -1 to 1; null = the planner does not know. */
  readonly correlation: number | null;
  /** What is scanned, without the indexes: itself, or its partitions. Pages of 8 KiB. */
  readonly heaps: readonly {readonly schema: string; readonly relation: string; readonly pages: number}[];
};

/* Domains are told by what they are made of. A NOT NULL that was never validated is worth nothing. A generated column that is not stored has nothing
   of its own. Tables of extensions are theirs. Rows are estimated as the planner does, by what there were on a page and how many pages there are now: a table
   that was looked at when it was empty may have been filled since. */
export const CATALOG = `
with recursive made_of(domain, base) as (
  select oid, typbasetype from pg_type where typtype = 'd'
  union all select m.domain, t.typbasetype from made_of m join pg_type t on t.oid = m.base where t.typtype = 'd'),
base as (select m.domain, m.base from made_of m join pg_type t on t.oid = m.base where t.typtype <> 'd'),
tables as (
  select c.oid, n.nspname as schema, c.relname as relation, c.relkind = 'p' as partitioned, c.relpersistence as persistence
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'p') and not c.relispartition and c.relpersistence <> 't'
    and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_(toast|temp)'
    and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
heaps as (
  select t.oid as owner, h.oid, n.nspname as schema, h.relname as relation, h.reltuples, h.relpages, pg_relation_size(h.oid) / 8192 as pages, pg_table_size(h.oid) as bytes
  from tables t
  cross join lateral (select t.oid as relid where not t.partitioned union all
    select p.relid from pg_partition_tree(case when t.partitioned then t.oid end) p where p.isleaf) l
  join pg_class h on h.oid = l.relid join pg_namespace n on n.oid = h.relnamespace)
select t.schema as "schema", t.relation as "relation", t.partitioned as "partitioned", t.persistence as "persistence",
  coalesce((select sum(case when h.reltuples >= 0 and h.relpages > 0 then h.reltuples / h.relpages * h.pages else h.pages * 50 end) from heaps h where h.owner = t.oid), 0)::float8 as "rows",
  coalesce((select sum(h.bytes) from heaps h where h.owner = t.oid), 0)::float8 as "bytes",
  coalesce((select json_agg(json_build_array(h.schema, h.relation, h.pages) order by h.oid) from heaps h where h.owner = t.oid), '[]') as "heaps",
  (select json_agg(json_build_array(a.attname, b.typname, bn.nspname,
      not a.attnotnull or exists (select from pg_constraint k where k.conrelid = t.oid and k.contype = 'n' and k.conkey = array[a.attnum] and not k.convalidated))
      order by a.attname collate "C")
    from pg_attribute a join pg_type o on o.oid = a.atttypid
    left join base d on d.domain = o.oid join pg_type b on b.oid = coalesce(d.base, o.oid) join pg_namespace bn on bn.oid = b.typnamespace
    where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated <> 'v') as "columns",
  (select json_agg(json_build_array(a.attname, opn.nspname, op.oprname) order by k.n)
    from pg_index i cross join unnest(i.indkey::int2[], i.indclass::oid[]) with ordinality as k(attnum, class, n)
    join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
    join pg_opclass oc on oc.oid = k.class
    join pg_amop am on am.amopfamily = oc.opcfamily and am.amopstrategy = 3 and am.amoplefttype = oc.opcintype and am.amoprighttype = oc.opcintype
    join pg_operator op on op.oid = am.amopopr join pg_namespace opn on opn.oid = op.oprnamespace
    where i.indrelid = t.oid and i.indisprimary and i.indisvalid and k.n <= i.indnkeyatts) as "key",
  (select json_build_array(s.histogram_bounds::text, s.correlation) from pg_stats s
    join pg_index i on i.indrelid = t.oid and i.indisprimary and i.indnkeyatts = 1
    join pg_attribute a on a.attrelid = t.oid and a.attnum = i.indkey[0]
    where s.schemaname = t.schema and s.tablename = t.relation and s.attname = a.attname and s.inherited = t.partitioned) as "stats"
from tables t order by t.schema collate "C", t.relation collate "C"`;

/** A row of CATALOG. `columns`: name, base type, its schema, nullable. `key`: name, operator of equality with its schema. */
export type CatalogRow = {
  readonly schema: string;
  readonly relation: string;
  readonly partitioned: boolean;
  readonly persistence: string;
  readonly rows: number;
  readonly bytes: number;
  readonly heaps: readonly (readonly [string, string, number])[];
  readonly columns: readonly (readonly [string, string, string, boolean])[] | null;
  readonly key: readonly (readonly [string, string, string])[] | null;
  readonly stats: readonly [string | null, number | null] | null;
};

/** What the catalog says of a table, in our own words. */
export function toTable(row: CatalogRow, name: string): CatalogTable {
  const columns = row.columns ?? [];
  const all = columns.map(([column, type, schema, nullable]): Column => {
    return {name: column, type, builtin: schema === 'pg_catalog', nullable};
  });
  const keyColumns = (row.key ?? []).flatMap(([column, operators, operator]): KeyColumn[] => {
    const own = all.find((each) => each.name === column);
    const [, type = '', schema = ''] = columns.find(([each]) => each === column) ?? [];
    const sql = {cast: `${nameSql(schema)}.${nameSql(type)}`, equals: `operator(${nameSql(operators)}.${operator})`};
    return own === undefined ? [] : [{...own, ...sql}];
  });
  return {
    ...{name, schema: row.schema, relation: row.relation, partitioned: row.partitioned, rows: row.rows, bytes: row.bytes},
    key: row.key?.map(([column]) => column) ?? null,
    lacks: lacks(row),
    columns: all.map((column) => `${column.name} ${column.type}`),
    ...{all, keyColumns},
    histogram: boundsOf(row.stats?.[0] ?? null),
    correlation: row.stats?.[1] ?? null,
    heaps: row.heaps.map(([schema, relation, pages]) => ({schema, relation, pages})),
  };
}

function lacks({key, persistence}: CatalogRow): string | null {
  if (persistence === 'u') return 'it is unlogged, and so is not replicated';
  return key === null ? 'it has no primary key' : null;
}

/** The bounds of a histogram of integers, which is all that is cut by it. */
export const boundsOf = (text: string | null): readonly string[] =>
  text !== null && /^\{-?\d+(,-?\d+)*\}$/.test(text) ? text.slice(1, -1).split(',') : [];
