import type {Client} from 'pg';
import {unavailable} from '../../errors.ts';
import type {Abilities} from '../../ports/store.ts';
import type {Position} from '../../snapshot/position.ts';
import {type Cluster, type Node, nodeOf} from './cluster.ts';
import {destroy, endClient, openClient} from './connect.ts';
import {lineageOf, readFacts} from './facts.ts';
import {placeError} from './session.ts';
import {quoteIdent} from './sql.ts';

/** What a row-by-row comparison reads, and the names of the tables that it cannot compare because they have no primary key. */
export type PostgresDigest = Abilities['digest'] & {skipped(member: string, signal: AbortSignal): Promise<readonly string[]>};

const PAGE = 2000;
const CATCH_UP_MS = 5000;
/** Every table of users, named as SQL reads it, and whether it has a primary key. */
export const TABLES = `
select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as "name", exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary) as "keyed"
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and c.relpersistence = 'p' and n.nspname not in ('pg_catalog', 'information_schema') and n.nspname !~ '^pg_toast'`;
const KEY = `
select a.attname as "column" from pg_index i cross join unnest(i.indkey::int2[]) with ordinality as k(attnum, n)
join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum where i.indrelid = to_regclass($1) and i.indisprimary order by k.n`;
/** A row's text depends on these: the same everywhere, or equal rows would differ. */
export const SAME_TEXT = `select set_config('timezone', 'UTC', false), set_config('datestyle', 'ISO, YMD', false), set_config('intervalstyle', 'iso_8601', false),
  set_config('extra_float_digits', '1', false), set_config('bytea_output', 'hex', false), set_config('search_path', 'pg_catalog', false),
  set_config('lc_monetary', 'C', false), set_config('lc_numeric', 'C', false), set_config('xmloption', 'content', false)`;

/** The digest of the row `x`, as SQL. */
export const ROW_SUM = `encode(sha256(convert_to((x.*)::text, 'UTF8')), 'hex')`;

/** The key of the row `x` as one text, as SQL. */
export function keyText(columns: readonly string[]): string {
  const names = columns.map((column) => `x.${quoteIdent(column)}`);
  return names.length === 1 ? `${names[0]}::text` : `json_build_array(${names.map((name) => `${name}::text`).join(', ')})::text`;
}

/** Digests of every row of the tables that have a primary key. */
export function createDigest(cluster: Cluster): PostgresDigest {
  const list = async (member: string, signal: AbortSignal, keyed: boolean): Promise<readonly string[]> => {
    const rows = await nodeOf(cluster, member).session.rows<{name: string; keyed: boolean}>(TABLES, [], {signal});
    return rows.filter((row) => row.keyed === keyed).map(({name}) => name);
  };
  return {
    tables: (member, signal) => list(member, signal, true),
    skipped: (member, signal) => list(member, signal, false),
    rows: (member, table, at, signal) => rowsOf(cluster, nodeOf(cluster, member), table, at, signal),
  };
}

/** Rows in the order of their key's bytes, out of one snapshot at or past `at`, on a connection of its own. Only a page is held at a time. */
async function* rowsOf(
  cluster: Cluster,
  node: Node,
  table: string,
  at: Position,
  signal: AbortSignal,
): AsyncGenerator<{key: string; sum: string}> {
  await awaitPosition(cluster, node, at, signal);
  const client = await openClient(node.place, 1000, () => undefined, 600_000).catch((error: unknown) =>
    Promise.reject(placeError(node.place, error)),
  );
  const cut = (): void => destroy(client);
  signal.addEventListener('abort', cut, {once: true});
  try {
    await begin(client, node, table);
    for (;;) {
      const page = await ask<{key: string; sum: string}>(client, node, `fetch ${PAGE} from digest`, []);
      yield* page;
      if (page.length < PAGE) return;
    }
  } finally {
    signal.removeEventListener('abort', cut);
    await endClient(client);
  }
}

async function begin(client: Client, node: Node, table: string): Promise<void> {
  await ask(client, node, SAME_TEXT, []);
  const columns = await ask<{column: string}>(client, node, KEY, [table]);
  if (columns.length === 0)
    throw unavailable('no-key', `${table} on ${node.name} is missing or has no primary key: its rows cannot be compared.`);
  const key = keyText(columns.map(({column}) => column));
  await ask(client, node, 'begin transaction isolation level repeatable read, read only', []);
  // `table` is the server's own quoted name, looked up by the key query above: a text that is none has no key.
  const select = `select ${key} as "key", ${ROW_SUM} as "sum" from only ${table} x order by (${key}) collate "C"`;
  await ask(client, node, `declare digest no scroll cursor for ${select}`, []);
}

async function ask<Row>(client: Client, node: Node, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
  try {
    // The first page sorts the whole table.
    const query = {text, values: [...values], query_timeout: 600_000};
    return (await client.query<Row & Record<string, unknown>>(query)).rows;
  } catch (error) {
    throw placeError(node.place, error);
  }
}

/** "Idle" is not "caught up": the member must have replayed the position that the comparison is made at. */
async function awaitPosition(cluster: Cluster, node: Node, at: Position, signal: AbortSignal): Promise<void> {
  const end = cluster.clock.now() + CATCH_UP_MS;
  for (;;) {
    const facts = await readFacts(node, {signal});
    const {applied, timeline} = facts;
    const lineage = lineageOf(cluster, node, facts);
    if (lineage !== at.lineage)
      throw unavailable('other-lineage', `${node.name} belongs to another lineage (${lineage}, expected ${at.lineage}).`);
    if (timeline >= at.epoch && BigInt(applied) >= BigInt(at.offset)) return;
    if (cluster.clock.now() >= end) {
      throw unavailable(
        'not-caught-up',
        `${node.name} has replayed ${applied} bytes of the stream on timeline ${timeline}, ${at.offset} on ${at.epoch} are needed.`,
      );
    }
    await cluster.clock.sleep(10, signal);
  }
}
