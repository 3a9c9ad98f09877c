import type {FileHandle} from 'node:fs/promises';
import {unavailable} from '../../errors.ts';
import {only} from './cluster.ts';
import {keyText, ROW_SUM, SAME_TEXT, TABLES} from './digest.ts';
import type {SideSession} from './side-session.ts';
import {quoteIdent, quoteLiteral} from './sql.ts';

/** The two that are compared, and which transactions of the member count: null = it is not known, so every row does. */
export type RowJob = {readonly member: SideSession; readonly upstream: SideSession; readonly committed: string | null};

/** What was kept. `left` = tables that could not be looked at, each with its reason. */
export type KeptRows = {
  readonly rows: number;
  readonly tables: readonly string[];
  readonly looked: number;
  readonly left: readonly string[];
};

/** So much of a table is read by one statement: 4 MB. Rows are fetched in fewer still, because one may be large. */
const PAGES = 512;
const KEYS = 1000;
const ROWS = 50;

/* A key's own operator: that of its index, which may be of another schema. */
const KEY = `
select a.attname as "column", quote_ident(n.nspname) as "schema", o.oprname as "operator"
from pg_index i cross join unnest(i.indkey::int2[], i.indclass::oid[]) with ordinality as k(attnum, opclass, n)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
join pg_opclass c on c.oid = k.opclass
join pg_amop m on m.amopfamily = c.opcfamily and m.amopstrategy = 3 and m.amoplefttype = c.opcintype and m.amoprighttype = c.opcintype
join pg_operator o on o.oid = m.amopopr join pg_namespace n on n.oid = o.oprnamespace
where i.indrelid = to_regclass($1) and i.indisprimary order by k.n`;
const SIZE = `select coalesce(pg_relation_size(to_regclass($1)) / current_setting('block_size')::int, 0)::float8 as "pages"`;
const SNAPSHOT = 'begin transaction isolation level repeatable read, read only';

type KeyColumn = {readonly column: string; readonly schema: string; readonly operator: string};
type Candidate = {readonly key: string; readonly lookup: string; readonly sum: string};

/**
 * Writes every row that the member holds and the upstream does not, or holds differently, as one line of JSON each. Tables are read piece by
 * piece, and keys are looked up in the upstream's own index: neither a table nor a list of its rows is ever held whole.
 */
export async function keepRows(job: RowJob, handle: FileHandle): Promise<KeptRows> {
  for (const {rows} of [job.member, job.upstream]) await rows(SAME_TEXT);
  await job.member.rows(SNAPSHOT);
  const named = await job.member.rows<{name: string; keyed: boolean}>(TABLES);
  const tables: string[] = [];
  const left: string[] = [];
  let rows = 0;
  for (const {name, keyed} of named.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!keyed && job.committed === null) {
      left.push(`${name} has no primary key, so its rows could not be compared`);
      continue;
    }
    const kept = keyed ? await keepKeyed(job, name, handle) : await keepKeyless(job, name, handle);
    rows += kept;
    if (kept > 0) tables.push(name);
  }
  await job.member.rows('commit');
  return {rows, tables, looked: named.length - left.length, left};
}

async function keepKeyed(job: RowJob, table: string, handle: FileHandle): Promise<number> {
  const {member, upstream, committed} = job;
  const [key, there] = await Promise.all([member.rows<KeyColumn>(KEY, [table]), upstream.rows<KeyColumn>(KEY, [table])]);
  const comparable = JSON.stringify(key) === JSON.stringify(there);
  const columns = key.map(({column}) => column);
  const lookup = `jsonb_build_object(${columns.map((column) => `${quoteLiteral(column)}, x.${quoteIdent(column)}`).join(', ')})::text`;
  const select = `${keyText(columns)} as "key", ${lookup} as "lookup", ${ROW_SUM} as "sum"`;
  let kept = 0;
  for await (const page of pagesOf<Candidate>(member, table, select, committed)) {
    for (let at = 0; at < page.length; at += KEYS) {
      const candidates = page.slice(at, at + KEYS);
      const held = comparable ? await sumsOf(upstream, table, key, candidates) : new Map<string, string>();
      const own = candidates.filter((each) => held.get(each.key) !== each.sum);
      kept += await writeRows(job, table, key, own, handle);
    }
  }
  return kept;
}

/** What was written behind the fork is kept without comparing: nothing tells which row of the other side it would be. */
async function keepKeyless({member, committed}: RowJob, table: string, handle: FileHandle): Promise<number> {
  let kept = 0;
  for await (const page of pagesOf<{row: string}>(member, table, `to_jsonb(x.*)::text as "row"`, committed)) {
    await handle.write(page.map(({row}) => line(table, null, row)).join(''));
    kept += page.length;
  }
  return kept;
}

/** The rows of a table, one stretch of its pages after the other. */
async function* pagesOf<Row>(
  session: SideSession,
  table: string,
  select: string,
  committed: string | null,
): AsyncGenerator<readonly Row[]> {
  const {pages} = only(await session.rows<{pages: number}>(SIZE, [table]), session.node);
  const counts = committed === null ? '' : ' and x.xmin::text::bigint <@ $3::int8multirange';
  // `table` is the server's own quoted name.
  const sql = `select ${select} from only ${table} x where x.ctid >= $1::tid and x.ctid < $2::tid${counts}`;
  for (let first = 0; first < pages; first += PAGES) {
    const range = [`(${first},0)`, `(${first + PAGES},0)`];
    const rows = await session.rows<Row>(sql, committed === null ? range : [...range, committed]);
    if (rows.length > 0) yield rows;
  }
}

async function sumsOf(
  session: SideSession,
  table: string,
  key: readonly KeyColumn[],
  of: readonly Candidate[],
): Promise<ReadonlyMap<string, string>> {
  const select = `${keyText(key.map(({column}) => column))} as "key", ${ROW_SUM} as "sum"`;
  const rows = await session.rows<{key: string; sum: string}>(byKey(table, key, select), [jsonList(of)]);
  return new Map(rows.map((row) => [row.key, row.sum]));
}

async function writeRows(
  {member}: RowJob,
  table: string,
  key: readonly KeyColumn[],
  of: readonly Candidate[],
  handle: FileHandle,
): Promise<number> {
  const select = `${keyText(key.map(({column}) => column))} as "key", to_jsonb(x.*)::text as "row"`;
  for (let at = 0; at < of.length; at += ROWS) {
    const batch = of.slice(at, at + ROWS);
    const rows = await member.rows<{key: string; row: string}>(byKey(table, key, select), [jsonList(batch)]);
    if (rows.length !== batch.length)
      throw unavailable(
        'not-found',
        `${rows.length} of ${batch.length} rows of ${table} were found again by their keys on ${member.node.name}.`,
      );
    await handle.write(rows.map((each) => line(table, each.key, each.row)).join(''));
  }
  return of.length;
}

/** Keys go as JSON and come back as what their columns are, so that the index on them serves. */
function byKey(table: string, key: readonly KeyColumn[], select: string): string {
  const on = key.map(({column, schema, operator}) => `x.${quoteIdent(column)} operator(${schema}.${operator}) r.${quoteIdent(column)}`);
  return `select ${select} from jsonb_populate_recordset(null::${table}, $1::jsonb) r join only ${table} x on ${on.join(' and ')}`;
}

const jsonList = (of: readonly Candidate[]): string => `[${of.map(({lookup}) => lookup).join(',')}]`;

/** `row` is JSON already: reading and writing it again would round its numbers. */
const line = (table: string, key: string | null, row: string): string =>
  `{"table":${JSON.stringify(table)},"key":${JSON.stringify(key)},"row":${row}}\n`;
