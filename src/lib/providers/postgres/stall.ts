import type {Client} from 'pg';
import {refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import {act} from './claim.ts';
import {type Cluster, limitsOf, type Node, only, pollUntil} from './cluster.ts';
import {destroy, endClient, openClient} from './connect.ts';
import {reload} from './settings.ts';
import {quoteIdent, quoteLiteral} from './sql.ts';
import {formatSyncNames, parseSyncNames} from './sync-names.ts';

/* What can be done to a primary whose pg_hba file may not be written: every new transaction is read-only by default, and a commit that is not waits
   for two standbys that do not exist. What the settings were before is kept in the name of the second of them: it is there as long as they are. */

/** By these a stalled primary may acknowledge a write all the same. */
export const STALL_LEAKS = ['synchronous_commit=local', 'synchronous_commit=off', 'cancelled commits'] as const;

const NOBODY = 'regionctl_fence';
const KEPT = 'before=';
const NAMES = 'synchronous_standby_names';
const COMMIT = 'synchronous_commit';
const READ_ONLY = 'default_transaction_read_only';
const STALL_MS = 5000;
const PROBE_MS = 1000;

/** What was set by ALTER SYSTEM before; null = nothing. */
type Before = Readonly<Record<typeof NAMES | typeof COMMIT | typeof READ_ONLY, string | null>>;

const BEFORE = `select name as "name", setting as "value", source as "source", coalesce(sourcefile like '%postgresql.auto.conf', false) as "altered"
from pg_settings where name in ('${NAMES}', '${COMMIT}', '${READ_ONLY}')`;
/* A role or database that asks for less than the server's own setting is not held up by it. */
const LESSER = `select coalesce('role ' || r.rolname, 'database ' || d.datname, 'every role') as "who", c.setting as "setting"
from pg_db_role_setting s cross join unnest(s.setconfig) c(setting) left join pg_roles r on r.oid = s.setrole left join pg_database d on d.oid = s.setdatabase
where lower(c.setting) ~ '^${COMMIT}=(off|local|false|no|0)$'`;
/* Sessions from before the settings, and senders, which let waiting commits go by what they have read. */
const EARLIER = `from pg_stat_activity a where a.pid <> pg_backend_pid() and a.backend_type in ('client backend', 'walsender')
  and (a.usename = session_user and a.application_name like 'regionctl%' and a.backend_type = 'client backend') is not true
  and a.backend_start < $1::timestamptz`;

/** Whether a member's settings are those of a stall. */
export async function hasStall(ctx: Ctx, node: Node): Promise<boolean> {
  return (await readStall(ctx, node)) !== null;
}

/**
 * Makes every commit of a primary wait for ever, and ends the sessions and senders that do not know it yet. Throws `not-stalled` when one of
 * them stays, or when a commit of our own is acknowledged all the same.
 */
export async function stall(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  await refuseLesser(ctx, node);
  await setAll(cluster, ctx, node, (await readStall(ctx, node)) ?? (await readBefore(ctx, node)));
  const {now} = only(await node.session.rows<{now: string}>('select clock_timestamp()::text as "now"', [], limitsOf(ctx)), node);
  await reload(cluster, ctx, node);
  let why = `${node.name} did not load its settings within ${STALL_MS} ms`;
  const done = await pollUntil(cluster, ctx, {forMs: STALL_MS, everyMs: 10}, async () => {
    const loaded = await loadedStall(node, now);
    if (loaded === null) return null;
    await act(cluster, ctx, node, `select pg_terminate_backend(a.pid) ${EARLIER}`, [loaded]);
    const left = await countEarlier(ctx, node, loaded);
    why = `${left} sessions of ${node.name} are from before its settings`;
    if (left > 0) return null;
    why = `${node.name} acknowledges a commit all the same`;
    return (await commitWaits(cluster, ctx, node)) ? true : null;
  });
  if (done === null) throw unavailable('not-stalled', `${why}.`);
}

/** Looks again, without touching anything: the settings are in force for whoever logs in now, and nobody is left from before. */
export async function isStalled(ctx: Ctx, node: Node): Promise<boolean> {
  if (!(await hasStall(ctx, node))) return false;
  const loaded = await loadedStall(node);
  if (loaded === null || (await countEarlier(ctx, node, loaded)) > 0) return false;
  return (await lesser(ctx, node)).length === 0;
}

/** Sets what was set before. The names come last, because they hold what that was: a process that ends in between can go on. */
export async function endStall(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const before = await readStall(ctx, node);
  if (before === null) return;
  for (const name of [READ_ONLY, COMMIT, NAMES] as const) await alter(cluster, ctx, node, name, before[name]);
  await reload(cluster, ctx, node);
  const gone = await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () => ((await loadedStall(node)) === null ? true : null));
  if (gone === null) throw unavailable('not-in-force', `${node.name} did not load its former settings within 2 s.`);
}

/** What the settings were before the stall; null = they are no stall. */
async function readStall(ctx: Ctx, node: Node): Promise<Before | null> {
  const [row] = await node.session.rows<{value: string}>(`select current_setting('${NAMES}') as "value"`, [], limitsOf(ctx));
  return keptIn(row?.value ?? '');
}

function keptIn(names: string): Before | null {
  const [nobody, kept] = parseSyncNames(names)?.of ?? [];
  if (nobody !== NOBODY || kept?.startsWith(KEPT) !== true) return null;
  return JSON.parse(kept.slice(KEPT.length)) as Before;
}

async function readBefore(ctx: Ctx, node: Node): Promise<Before> {
  const rows = await node.session.rows<{name: string; value: string; source: string; altered: boolean}>(BEFORE, [], limitsOf(ctx));
  const own = rows.find(({source}) => /user|database|session|client/.test(source));
  if (own !== undefined)
    throw refused('own-setting', `our own role on ${node.name} has a ${own.name} of its own, so the server's could not be put back.`);
  const value = (name: string): string | null => rows.find((row) => row.name === name && row.altered)?.value ?? null;
  return {[NAMES]: value(NAMES), [COMMIT]: value(COMMIT), [READ_ONLY]: value(READ_ONLY)};
}

/** The names first: with them it is on record what was before. */
async function setAll(cluster: Cluster, ctx: Ctx, node: Node, before: Before): Promise<void> {
  await alter(cluster, ctx, node, NAMES, formatSyncNames({need: 2, of: [NOBODY, `${KEPT}${JSON.stringify(before)}`]}));
  await alter(cluster, ctx, node, COMMIT, 'on');
  await alter(cluster, ctx, node, READ_ONLY, 'on');
}

async function alter(cluster: Cluster, ctx: Ctx, node: Node, name: string, value: string | null): Promise<void> {
  const to = value === null ? `reset ${quoteIdent(name)}` : `set ${quoteIdent(name)} = ${quoteLiteral(value)}`;
  await act(cluster, ctx, node, `alter system ${to}`);
}

async function refuseLesser(ctx: Ctx, node: Node): Promise<void> {
  const [first] = await lesser(ctx, node);
  if (first === undefined) return;
  throw refused('lesser-commit', `${first.who} on ${node.name} has ${first.setting}: its commits would not wait.`);
}

function lesser(ctx: Ctx, node: Node): Promise<readonly {who: string; setting: string}[]> {
  return node.session.rows<{who: string; setting: string}>(LESSER, [], limitsOf(ctx));
}

async function countEarlier(ctx: Ctx, node: Node, loaded: string): Promise<number> {
  return only(await node.session.rows<{n: number}>(`select count(*)::int as "n" ${EARLIER}`, [loaded], limitsOf(ctx)), node).n;
}

/** When the postmaster loaded the settings that are in force for whoever logs in now; null = they are no stall, or loaded before `since`. */
async function loadedStall(node: Node, since = '-infinity'): Promise<string | null> {
  const sql = `select pg_conf_load_time()::text as "at", pg_conf_load_time() >= $1::timestamptz as "fresh", current_setting('${NAMES}') as "names",
    current_setting('${COMMIT}') = 'on' and current_setting('${READ_ONLY}') = 'on' as "both"`;
  return onNewLogin(node, async (client) => {
    const {at, fresh, names, both} = only((await client.query<Loaded>(sql, [since])).rows, node);
    return fresh && both && keptIn(names) !== null ? at : null;
  });
}

type Loaded = {readonly at: string; readonly fresh: boolean; readonly names: string; readonly both: boolean};

/**
 * A commit of our own must wait as everybody's would: only the checkpointer tells the others that there is anything to wait for. It writes one
 * message to the log that nobody reads, and is ended waiting.
 */
async function commitWaits(cluster: Cluster, ctx: Ctx, node: Node): Promise<boolean> {
  return onNewLogin(node, async (client) => {
    const {pid} = only((await client.query<{pid: number}>('select pg_backend_pid() as "pid"')).rows, node);
    await client.query('begin read write');
    await client.query(`select pg_logical_emit_message(true, 'regionctl', 'fence')`);
    let acknowledged = false;
    // It ends when its session does.
    client.query({text: 'commit', query_timeout: 60_000} as {text: string}).then(
      () => (acknowledged = true),
      () => undefined,
    );
    const sql = `select coalesce(wait_event = 'SyncRep', false) as "waits" from pg_stat_activity where pid = $1::int`;
    const seen = await pollUntil(cluster, ctx, {forMs: PROBE_MS, everyMs: 5}, async () => {
      const [row] = await node.session.rows<{waits: boolean}>(sql, [pid], limitsOf(ctx));
      return acknowledged ? 'acknowledged' : row?.waits === true ? 'waits' : null;
    });
    await node.session.rows('select pg_terminate_backend($1::int)', [pid], limitsOf(ctx));
    return seen === 'waits' && !acknowledged;
  });
}

async function onNewLogin<T>(node: Node, work: (client: Client) => Promise<T>): Promise<T> {
  const client = await openClient(node.place, 1000, () => undefined);
  try {
    return await work(client);
  } catch (error) {
    destroy(client);
    throw error;
  } finally {
    await endClient(client);
  }
}
