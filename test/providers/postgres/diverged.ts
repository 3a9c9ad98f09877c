import {readFileSync} from 'node:fs';
import type pg from 'pg';
import type {Ctx} from '../../../src/lib/plan/action.ts';
import {eventually} from '../../servers/embedded.ts';
import {type FullStore, testCtx} from './open-store.ts';

/** What both kinds of test servers can do. */
export type Machine = {
  readonly name: string;
  connect(options?: pg.ClientConfig): Promise<pg.Client>;
  sql<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
};

/** One line of rows.ndjson. */
export type Line = {readonly table: string; readonly key: string | null; readonly row: Readonly<Record<string, unknown>>};

/** Enough for a copy or a rewind on a busy machine. */
export const ctx = (): Ctx => testCtx('run-1', 60_000);

/** Tables with keys of every shape, and one without. */
export async function createTables(primary: Machine): Promise<void> {
  await primary.sql(
    `create table orders (id bigint primary key, note text, amount numeric, at timestamptz default '2026-01-01 10:00:00.123456+02', doc jsonb, raw bytea)`,
  );
  await primary.sql('create table "odd ""name" (k text, "Ä b" int, x text, primary key (k, "Ä b"))');
  await primary.sql('create table no_key (x int, y text)');
  await primary.sql('create table times (at timestamptz primary key, span interval)');
  await primary.sql('create table untouched (id int primary key)');
  // More than is read by one statement.
  await primary.sql(`insert into orders (id, note) select g, rpad('before ' || g, 1000, '.') from generate_series(1, 6000) g`);
  await primary.sql(`insert into no_key values (1, 'same'), (2, 'other')`);
  await primary.sql('insert into untouched select generate_series(1, 3000)');
}

/** The standby is promoted while the primary goes on. What `old` alone wrote since is what `ownLines` says. */
export async function goSeparateWays(store: FullStore, old: Machine, next: Machine): Promise<void> {
  const {claim, seal, promote} = store.abilities;
  // Begun before they part, and committed after: also what a savepoint wrote, and what was prepared.
  const early = await old.connect({database: 'orders'});
  await early.query('begin');
  await early.query(`insert into orders (id, note) values (-1, 'begun before')`);
  await early.query('savepoint s');
  await early.query(`insert into orders (id, note) values (-2, 'in a savepoint')`);
  await early.query('release s');
  await old.sql(`begin; insert into orders (id, note) values (-3, 'prepared before'); prepare transaction 'p'`);
  const rolledBack = await old.connect({database: 'orders'});
  await rolledBack.query('begin');
  await rolledBack.query(`insert into orders (id, note) values (-4, 'rolled back')`);
  await old.sql(`insert into no_key values (3, 'shared')`);
  await eventually(async () => (await next.sql('select 1 from no_key where x = 3')).length === 1);

  await claim.claim(ctx());
  const from = (await seal.seal(ctx(), [next.name]))[next.name];
  if (from === undefined) throw new Error('not sealed');
  await early.query('commit');
  await old.sql(`commit prepared 'p'`);
  await rolledBack.query('rollback');
  for (const client of [early, rolledBack]) await client.end();
  await old.sql(`insert into orders (id, note, amount, doc, raw)
    select g, 'own ' || g || E'\\n"é\u{1F600}', 12345678901234567890.12345678901234567890, '{"a": 1e3, "b": [null, "x"]}', '\\x00ff' from generate_series(10001, 10500) g`);
  await old.sql(`update orders set note = 'changed alone' where id between 1 and 5`);
  await old.sql('delete from orders where id = 6');
  await old.sql(`insert into orders (id, note) values (20001, 'the same on both sides')`);
  await old.sql(`insert into "odd ""name" values ('a', 1, 'x'), ('\u{1F600}', 2, null)`);
  await old.sql(`insert into no_key values (1, 'same'), (4, 'own')`);
  await old.sql(`insert into times values ('2026-03-01 12:00:00.000001+00', '1 mon 2 days 03:04:05.6'), ('infinity', null)`);

  await promote.promote(ctx(), next.name, {from, until: performance.now() + 1000});
  await next.sql(`insert into orders (id, note) select g, 'new ' || g from generate_series(30001, 30100) g`);
  await next.sql(`update orders set note = 'changed over there' where id in (1, 7)`);
  await next.sql('delete from orders where id = 8');
  await next.sql(`insert into orders (id, note) values (20001, 'the same on both sides')`);
  await next.sql(`insert into no_key values (5, 'over there')`);
}

/** How many lines of each table `old` alone holds. */
export const OWN: Readonly<Record<string, number>> = {
  'public."odd ""name"': 2,
  'public.no_key': 2,
  'public.orders': 500 + 5 + 3,
  'public.times': 2,
};

/** What the lines must be: read from the member itself. */
export async function ownLines(old: Machine): Promise<readonly string[]> {
  const own: Readonly<Record<string, string>> = {
    'public."odd ""name"': `select json_build_array(x.k, x."Ä b"::text)::text as key, to_jsonb(x.*)::text as row from "odd ""name" x`,
    'public.no_key': `(select null as key, to_jsonb(x.*)::text as row from no_key x where x.x = 1 limit 1) union all select null, to_jsonb(x.*)::text from no_key x where x.x = 4`,
    'public.orders': `select id::text as key, to_jsonb(x.*)::text as row from orders x where id < 0 or id between 1 and 5 or id between 10001 and 10500`,
    'public.times': 'select at::text as key, to_jsonb(x.*)::text as row from times x',
  };
  const lines: string[] = [];
  for (const [table, sql] of Object.entries(own)) {
    const client = await old.connect({database: 'orders', options: '-c timezone=UTC -c intervalstyle=iso_8601'});
    try {
      const {rows} = await client.query<{key: string | null; row: string}>(sql);
      for (const {key, row} of rows) lines.push(`{"table":${JSON.stringify(table)},"key":${JSON.stringify(key)},"row":${row}}`);
    } finally {
      await client.end();
    }
  }
  return lines.toSorted();
}

export const linesOf = (file: string): readonly string[] => readFileSync(file, 'utf8').trimEnd().split('\n').filter(Boolean).toSorted();

export function countByTable(lines: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const {table} = JSON.parse(line) as Line;
    counts[table] = (counts[table] ?? 0) + 1;
  }
  return counts;
}
