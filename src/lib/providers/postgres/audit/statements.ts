import type {AuditSlice} from '../../../ports/audit.ts';
import {quoteLiteral} from '../sql.ts';
import type {CatalogTable} from './catalog.ts';
import {type Column, type Form, hashSql, nameSql, printSql} from './column-hash.ts';

/**
 * What all members' copies of a table have in common, and how it is read. `ordered`: in the order of its integer key; `scattered`: its keys are dealt
 * out to buckets by their hash, for every other key.
 */
export type Shape = {
  readonly key: CatalogTable['keyColumns'];
  readonly all: readonly Column[];
  readonly form: Form;
  readonly order: 'ordered' | 'scattered';
};

/** A member's copy of a table, as SQL: not what inherits from it, unless that is a partition. */
export const fromSql = ({schema, relation, partitioned}: CatalogTable): string =>
  `${partitioned ? '' : 'only '}${nameSql(schema)}.${nameSql(relation)} x`;

/** The one key column of an ordered table, as a number of 64 bits. */
const orderedKey = ({key}: Shape): string => `x.${nameSql(key[0]?.name ?? '')}::pg_catalog.int8`;

/** The place of a key among the buckets: another hash than that of the rows, or rows of one bucket would be alike. */
const scatter = ({key, form}: Shape): string => `pg_catalog.hashint8extended(${hashSql(key, form)}, 40503)`;

/** Which chunk of a slice a row is in. */
function chunkSql(shape: Shape, slice: AuditSlice): string {
  return shape.order === 'ordered' ? `(${orderedKey(shape)} >> ${slice.width})` : `(${scatter(shape)} & ${slice.width})`;
}

/** Which rows are in a slice. Of a scattered table a slice is one part of `to` by other bits of the same hash. */
function sliceSql(shape: Shape, {from, to}: AuditSlice): readonly string[] {
  if (shape.order === 'ordered') {
    const key = `x.${nameSql(shape.key[0]?.name ?? '')}`;
    return [...(from === null ? [] : [`${key} >= ${BigInt(from)}`]), ...(to === null ? [] : [`${key} < ${BigInt(to)}`])];
  }
  const [part, parts] = [BigInt(from ?? '0'), BigInt(to ?? '1')];
  return parts === 1n ? [] : [`(${scatter(shape)} >> 40) & ${parts - 1n} = ${part}`];
}

const where = (conditions: readonly string[]): string => (conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`);

/** Pages of one heap, from one on and below another. */
export type Pages = {readonly schema: string; readonly relation: string; readonly from: number; readonly to: number | null};

const pagesSql = ({from, to}: Pages): readonly string[] => [`x.ctid >= '(${from},0)'`, ...(to === null ? [] : [`x.ctid < '(${to},0)'`])];

/** Where a statement reads: the table itself, or some pages of one of its heaps. */
const place = (table: CatalogTable, pages: Pages | null): string =>
  pages === null ? fromSql(table) : `only ${nameSql(pages.schema)}.${nameSql(pages.relation)} x`;

/**
 * What is scanned of a table, without the indexes, as it is now: schema, name, pages of 8 KiB, and whether it is still kept where the snapshot that
 * is open knows it. Where it is not, it was written anew since by something that snapshots do not see through (TRUNCATE, ALTER TABLE).
 */
export function heapsSql({schema, relation, partitioned}: CatalogTable): string {
  const own = `${quoteLiteral(`${nameSql(schema)}.${nameSql(relation)}`)}::pg_catalog.regclass`;
  const leaves = partitioned ? `(select relid from pg_catalog.pg_partition_tree(${own}) where isleaf)` : `(select ${own} as relid)`;
  return `select n.nspname, c.relname, pg_catalog.pg_relation_size(c.oid) / 8192, pg_catalog.pg_relation_filenode(c.oid) is not distinct from c.relfilenode
    from ${leaves} l join pg_catalog.pg_class c on c.oid = l.relid join pg_catalog.pg_namespace n on n.oid = c.relnamespace order by c.oid`;
}

/**
 * What a table is made of, as one digest: what changes all that its rows show, or which rows they are, and leaves their transaction ids as they were. Another table
 * under its name, partitions that came or went, a column that was dropped and made again, labels of an enum, the parts of a composite type.
 */
export function buildSql({schema, relation, partitioned}: CatalogTable): string {
  const own = `${quoteLiteral(`${nameSql(schema)}.${nameSql(relation)}`)}::pg_catalog.regclass`;
  const leaves = partitioned ? `(select relid from pg_catalog.pg_partition_tree(${own}))` : `(select ${own} as relid)`;
  const all = (what: string, from: string): string =>
    `(select pg_catalog.string_agg(pg_catalog.concat_ws(':', ${what}), ',' order by ${what}) from ${from})`;
  const columns = 'a.attrelid, a.attnum, a.attname, a.atttypid, a.attisdropped';
  return `select pg_catalog.hashtextextended(pg_catalog.concat_ws('/',
    (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()),
    ${all('c.oid, c.relfilenode', `${leaves} l join pg_catalog.pg_class c on c.oid = l.relid`)},
    ${all(columns, `pg_catalog.pg_attribute a where a.attrelid = ${own} and a.attnum > 0`)},
    ${all('e.oid, e.enumlabel', 'pg_catalog.pg_enum e')},
    ${all(columns, `pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid where c.relkind = 'c'`)}) collate pg_catalog."C", 0)`;
}

/** Digests of a slice: chunk, rows, sum of their hashes. */
export function digestSql(table: CatalogTable, shape: Shape, slice: AuditSlice, pages: Pages | null): string {
  const conditions = where([...sliceSql(shape, slice), ...(pages === null ? [] : pagesSql(pages))]);
  const sums = `pg_catalog.count(*), pg_catalog.sum(${hashSql(shape.all, shape.form)})`;
  return `select ${chunkSql(shape, slice)}, ${sums} from ${place(table, pages)}${conditions} group by 1`;
}

/** What happened in a slice since a transaction id: chunk, rows, whether the youngest is as young. */
export function activitySql(table: CatalogTable, shape: Shape, slice: AuditSlice, since: string): string {
  const young = `pg_catalog.min(pg_catalog.age(x.xmin)) <= (select pg_catalog.age('${BigInt(since) & 0xffffffffn}'::pg_catalog.xid))`;
  return `select ${chunkSql(shape, slice)}, pg_catalog.count(*), ${young} from ${fromSql(table)}${where(sliceSql(shape, slice))} group by 1`;
}

/** The rows of some chunks, to be selected from: of an ordered table each chunk is found by the index. */
function inChunks(table: CatalogTable, shape: Shape, slice: AuditSlice, chunks: readonly string[]): string {
  const ids = chunks.map((id) => BigInt(id));
  const conditions = sliceSql(shape, slice);
  if (shape.order === 'scattered') {
    return `from ${fromSql(table)}${where([...conditions, `${chunkSql(shape, slice)} = any('{${ids.join(',')}}'::pg_catalog.int8[])`])}`;
  }
  const key = `x.${nameSql(shape.key[0]?.name ?? '')}`;
  const width = BigInt(slice.width);
  // A bound beyond the largest key would be no number of 64 bits: the last key of the chunk is one.
  const ends = ids.map((id) => `(${int8(id << width)},${int8((id << width) + (1n << width) - 1n)})`);
  const columns = ['x.xmin', ...shape.all.map(({name}) => `x.${nameSql(name)}`)].join(', ');
  const between = where([...conditions, `${key} between c.first and c.last`]);
  return `from (values ${ends.join(',')}) c(first, last) cross join lateral (select ${columns} from ${fromSql(table)}${between} offset 0) x`;
}

/** Without the quotes the least of them would be a number of another type. */
const int8 = (value: bigint): string => `'${value}'::pg_catalog.int8`;

/** Digests of some chunks of a slice. */
export function againSql(table: CatalogTable, shape: Shape, slice: AuditSlice, chunks: readonly string[]): string {
  const sums = `pg_catalog.count(*), pg_catalog.sum(${hashSql(shape.all, shape.form)})`;
  return `select ${chunkSql(shape, slice)}, ${sums} ${inChunks(table, shape, slice, chunks)} group by 1`;
}

/** Key, hash and writing transaction of every row of some chunks. */
export function rowsSql(table: CatalogTable, shape: Shape, slice: AuditSlice, chunks: readonly string[]): string {
  return `select ${keySql(shape)}, ${hashSql(shape.all, shape.form)}, x.xmin ${inChunks(table, shape, slice, chunks)}`;
}

/** The key of a row as one text: what its only column prints, or a JSON array of what they print. */
export function keySql({key}: Shape): string {
  const names = key.map(printSql);
  return names.length === 1 ? (names[0] ?? '') : `pg_catalog.json_build_array(${names.join(', ')})::pg_catalog.text`;
}

/** Where a row is: texts that are not the same may be the same key, which is then found for each of them. */
const SPOT = 'pg_catalog.concat(x.tableoid, x.ctid)';

/** Key, hash, writing transaction and place of the rows with some keys; one parameter for each key column, a list of texts. */
export function hashesSql(table: CatalogTable, shape: Shape): string {
  return `select ${keySql(shape)}, ${hashSql(shape.all, shape.form)}, x.xmin, ${SPOT} ${byKeys(table)}`;
}

function byKeys(table: CatalogTable): string {
  const {keyColumns: key} = table;
  const lists = key.map((_, index) => `$${index + 1}::pg_catalog.text[]`).join(', ');
  const names = key.map((_, index) => `k${index}`);
  const same = key.map(({name, cast, equals}, index) => `x.${nameSql(name)} ${equals} k.${names[index]}::${cast}`);
  return `from unnest(${lists}) k(${names.join(', ')}) join ${fromSql(table)} on ${same.join(' and ')}`;
}

/** The lists of parameters that `hashesSql` and `versionsSql` take. */
export function keyLists({key}: {readonly key: readonly unknown[]}, keys: readonly string[]): readonly (readonly string[])[] {
  if (key.length === 1) return [keys];
  const parsed = keys.map((each) => JSON.parse(each) as string[]);
  return key.map((_, index) => parsed.map((values) => values[index] ?? ''));
}

/** A value longer than this stands for itself by its digest: one row can be as large as a gigabyte. */
const LONGEST = 8192;

/**
 * The rows with some keys: key, hash, writing transaction, place, when it was committed, the replication origin that it came by, and every column as the server prints it.
 * `stamps` = the server keeps commit times.
 */
export function versionsSql(table: CatalogTable, shape: Shape, whole: readonly string[], stamps: boolean): string {
  const printed = shape.all.map((column) => {
    const text = printSql(column);
    if (whole.includes(column.name)) return text;
    const digest = `pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(${text}, 'UTF8')), 'hex')`;
    return `case when pg_catalog.length(${text}) > ${LONGEST} then pg_catalog.concat('sha256:', ${digest}, ' of ', pg_catalog.length(${text}), ' characters') else ${text} end`;
  });
  const committed = stamps
    ? `(select pg_catalog.to_char(s."timestamp" at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') from pg_catalog.pg_xact_commit_timestamp_origin(x.xmin) s), (select o.roname from pg_catalog.pg_xact_commit_timestamp_origin(x.xmin) s join pg_catalog.pg_replication_origin o on o.roident = s.roident)`
    : 'null, null';
  return `select ${keySql(shape)}, ${hashSql(shape.all, shape.form)}, x.xmin, ${SPOT}, ${committed}, ${printed.join(', ')} ${byKeys(table)}`;
}
