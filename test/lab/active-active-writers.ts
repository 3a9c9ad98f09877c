import pg from 'pg';
import type {LabUnderTest} from './lab-under-test.ts';

/** The tables of the mode with what orders their rows. */
export const TABLES = {orders: 'id', profiles: 'id', likes: 'post', members: 'team'} as const;
export const REGIONS = ['us-east', 'eu-west', 'ap'] as const;

/** Numbers from 0 up to, not including, 1 that are the same in each run (mulberry32). */
export function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A session of the service's role, or of the superuser, past every fault. */
export async function sessionOf(
  lab: Pick<LabUnderTest, 'record' | 'secret'>,
  region: string,
  user: 'app' | 'regionctl' = 'app',
): Promise<pg.Client> {
  const port = lab.record.regions.find(({name}) => name === region)?.direct.postgres;
  const client = new pg.Client({host: '127.0.0.1', port, user, password: lab.secret(user), database: 'orders', query_timeout: 20_000});
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const INSERT = `insert into orders (id, ref, item, quantity, region) overriding system value values ($1, $2, $3, 1, 'nobody')`;
const UPSERT = `${INSERT} on conflict (id) do update set item = excluded.item, deleted = false`;
const SET = 'update orders set item = $2 where id = $1';

/** What is done with a few keys of the four tables: each makes another one conflict with it somewhere. */
const WRITES: readonly ((key: number, value: string) => readonly [string, readonly unknown[]])[] = [
  (key, value) => [UPSERT, [key, `ref-${key}`, value]],
  (key, value) => [SET, [key, value]],
  (key, value) => [SET, [key, value]],
  (key) => ['delete from orders where id = $1', [key]],
  (key, value) => ['select write_profile($1, $2)', [`p${key}`, JSON.stringify(value)]],
  (key) => ['delete from profiles where id = $1', [`p${key}`]],
  (key) => ['select like_post($1)', [`post${key}`]],
  (key) => ['select unlike_post($1)', [`post${key}`]],
  (key, value) => ['select add_member($1, $2)', [`team${key}`, `m${value.length % 7}`]],
  (key, value) => ['select remove_member($1, $2)', [`team${key}`, `m${value.length % 7}`]],
  (key) => ['delete from members where team = $1', [`team${key}`]],
];

/** One client's share of conflicting writes; answers how many the server refused, by SQLSTATE. */
export async function writeAtRandom(client: pg.Client, {writes, keys, seed}: {writes: number; keys: number; seed: number}) {
  const next = dice(seed);
  const refused: Record<string, number> = {};
  for (let done = 0; done < writes; done += 1) {
    const write = WRITES[Math.floor(next() * WRITES.length)];
    const [text, values] = write?.(900_001 + Math.floor(next() * keys), 'x'.repeat(1 + Math.floor(next() * 20))) ?? ['select 1', []];
    await client.query(text, [...values]).catch((error: {code?: string}) => {
      refused[error.code ?? 'none'] = (refused[error.code ?? 'none'] ?? 0) + 1;
    });
  }
  return refused;
}

/** All rows of the four tables as this region has them, and nothing about who wrote them into it. */
export async function stateOf(client: pg.Client): Promise<string> {
  const parts = Object.entries(TABLES).map(
    ([table, key]) => `(select coalesce(string_agg(t::text, E'\\n' order by t.${key}), '') from ${table} t)`,
  );
  const {rows} = await client.query<{state: string}>(`select ${parts.join(" || E'\\n--\\n' || ")} as state`);
  return rows[0]?.state ?? '';
}

/** Errors and conflicts that the subscriptions of a region have counted. */
export async function troubles(client: pg.Client): Promise<{errors: number; conflicts: number}> {
  const {rows} = await client.query<{errors: string; conflicts: string}>(`
    select sum(apply_error_count + sync_error_count) as errors, sum(confl_insert_exists + confl_update_origin_differs + confl_update_exists
      + confl_update_missing + confl_delete_origin_differs + confl_delete_missing + confl_multiple_unique_conflicts) as conflicts
    from pg_stat_subscription_stats`);
  return {errors: Number(rows[0]?.errors), conflicts: Number(rows[0]?.conflicts)};
}
