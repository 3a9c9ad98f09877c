import {isNotOurs, isRegionctlError, messageOf, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities, Proof} from '../../ports/store.ts';
import {act, demandHeld, forgetClaim} from './claim.ts';
import {type Cluster, limitsOf, type Node, nodeOf, only, pollUntil} from './cluster.ts';
import {durableOf, readFacts} from './facts.ts';
import {type Hba, hasKept, readHba, whereAllowed, writeClosed} from './hba.ts';
import {lift} from './lift.ts';
import {loginIsRefused} from './refused-login.ts';
import {reload} from './settings.ts';
import {hasStall, isStalled, STALL_LEAKS, stall} from './stall.ts';
import {isDenied} from './trouble.ts';
import {writeOut} from './write-out.ts';

const CLOSE_MS = 5000;
const ANSWER_MS = 500;
/** How long sessions that were told to end are waited for before everything is looked at again. */
const GONE_MS = 500;

/* Who could still write: clients, and walsenders that are connected to a database, which take SQL too. A backend that has not logged in yet and
   was started after the configuration was loaded meets the closed file; one from before may still get in. */
const OTHERS = `a.pid <> pg_backend_pid() and (a.backend_type = 'client backend' or (a.backend_type = 'walsender' and a.datid is not null))
  and (a.usename is not null or a.backend_start < pg_conf_load_time())`;
const OURS = `a.usename = session_user and a.application_name like 'regionctl%'`;
export const FOREIGN = `select count(*)::int as "others", (count(*) filter (where a.usename = session_user))::int as "sameRole"
from pg_stat_activity a where ${OTHERS} and (${OURS}) is not true`;
/* Whoever waits for standbys in this moment is ended waiting: nobody has told its client that its commit is there. A transaction that is being
   prepared waits too, and is not committed. One that was prepared before is committed in a session that has no id of its own, and counts as open
   until the wait is over: which ones it may be is told here, and which it was afterwards. */
/* Ids are shown without their upper half: the one that is meant is the nearest to where ids are now. Open ones may be past the snapshot's end. */
const NOW = 'pg_snapshot_xmax(pg_current_snapshot())::text::int8';
const HALF = '2147483648';
const FULL = (xid: string): string =>
  `(select ${NOW} + (((${xid}::text::int8 - ${NOW}) % 4294967296 + 4294967296 + ${HALF}) % 4294967296) - ${HALF})::text`;
const WAITS = `coalesce(a.wait_event = 'SyncRep', false)`;
const OWN_ID = `case when (select count(*) from pg_prepared_xacts p where p.transaction = a.backend_xid) = 0 then ${FULL('a.backend_xid')} end`;
const PREPARED = `case when a.backend_xid is null then array(select ${FULL('p.transaction')} from pg_prepared_xacts p) end`;
/* A client may have its wait cancelled, and is told then: it is looked at once more right before its session is ended. */
export const TERMINATE = `select case when t.waits then ${OWN_ID} end as "own", case when t.waits then ${PREPARED} end as "prepared", pg_terminate_backend(a.pid)
from pg_stat_activity a cross join lateral (select ${WAITS} and coalesce(n.wait_event = 'SyncRep', false) as waits from pg_stat_get_activity(a.pid) n) t
where ${OTHERS} and (${OURS}) is not true`;
const WAITING = `select ${OWN_ID} as "id" from pg_stat_activity a where ${WAITS} and a.backend_xid is not null`;
const COMMITTED = `select id::text as "id" from unnest($1::text[]::xid8[]) as x(id) where pg_xact_status(id) = 'committed'`;
export const WORKERS = `select distinct backend_type as "type" from pg_stat_activity where backend_type like 'logical replication%apply%' or backend_type like 'logical replication%worker%'`;
/* Asked at once: clients write for as long as it takes to close. */
const BEFORE = `select pg_is_in_recovery() as "recovering", f.*,
  (select coalesce(rolpassword like 'SCRAM-SHA-256$%', false) from pg_authid where rolname = session_user) as "scram" from (${FOREIGN}) f`;

/** Fencing of a primary: by what its host sees, else by closing it to everybody but us. */
export function createFence(cluster: Cluster): Abilities['fence'] {
  return {
    fence: async (ctx, member, how) => {
      const node = nodeOf(cluster, member);
      const before = how?.untold === true ? await readUntold(ctx, node) : null;
      const {untold, ...made} = await fence(cluster, ctx, node, {keepRunning: how?.keepRunning === true, lossless: how?.lossless === true});
      // Only where nothing but its host ended them, who waited is what was seen before.
      return {...made, ...(before === null ? {} : {untold: untold ?? before})};
    },
    writeOut: (ctx, member) =>
      writeOut(ctx, nodeOf(cluster, member)).then(
        () => true,
        (error: unknown) => {
          if (isDenied(error) || (isRegionctlError(error) && error.code === 'timeout')) return false;
          throw error;
        },
      ),
    prove: (ctx, member) => prove(cluster, ctx, nodeOf(cluster, member)),
    lift: (ctx, member, when) => lift(cluster, ctx, nodeOf(cluster, member), when),
    open: async (ctx, member) => {
      const node = nodeOf(cluster, member);
      if (await hasStall(ctx, node)) return false;
      const hba = await whereAllowed(() => readHba(cluster, ctx, node));
      return hba === null || (!hba.closed && !(await hasKept(ctx, node, hba)));
    },
  };
}

/**
 * Stopped already = proof. Else closed over SQL, then stopped by its host, if it has one: a clean stop ships everything to the standbys and
 * lets the server follow later without a rebuild. What cannot be had is told with its reason.
 */
type How = {readonly keepRunning: boolean; readonly lossless: boolean};

async function fence(cluster: Cluster, ctx: Ctx, node: Node, {keepRunning, lossless}: How): Promise<Proof> {
  const reasons: string[] = [];
  const found = async (): Promise<Proof | null> =>
    (await isStopped(ctx, node, reasons)) ? {...proof(cluster, 'stopped', {survivesRestart: false}), found: true} : null;
  // What is to be kept running most likely runs: clients wait while its host is asked.
  const before = keepRunning ? null : await found();
  if (before !== null) return before;
  const closed = await closeOrStall(cluster, ctx, node, {reasons, lossless});
  const tight = closed?.by === 'file';
  // Behind a fence with leaks a server is better stopped.
  if (closed !== null && keepRunning && (tight || node.host === null)) return closed.proof;
  const after = closed === null && keepRunning ? await found() : null;
  if (after !== null) return after;
  if (await stop(cluster, ctx, node, reasons))
    return {...proof(cluster, 'stopped', {survivesRestart: tight}), ...seenBefore(closed?.proof)};
  if (closed !== null) return closed.proof;
  throw refused('fence-impossible', `${node.name} cannot be fenced. ${reasons.join(' ')}`, {
    suggestions: ['Seal the standbys, run a fencing hook, or stop the server by hand and run again.'],
  });
}

/** What was read while it still ran. */
function seenBefore(closed: Proof | undefined): Pick<Proof, 'position' | 'untold'> {
  const {position, untold} = closed ?? {};
  return {...(position === undefined ? {} : {position}), ...(untold === undefined ? {} : {untold})};
}

/** Closed by its file of access rules; where that may not be written, made to wait for ever with every commit. null = neither, with the reasons. */
async function closeOrStall(
  cluster: Cluster,
  ctx: Ctx,
  node: Node,
  {reasons, lossless}: {reasons: string[]; lossless: boolean},
): Promise<{proof: Proof; by: 'file' | 'settings'} | null> {
  try {
    return {proof: await close(cluster, ctx, node, lossless), by: 'file'};
  } catch (error) {
    if (isNotOurs(error)) throw error;
    reasons.push(`Not closed: ${messageOf(error)}`);
    if (!isDenied(error)) return null;
  }
  try {
    await stall(cluster, ctx, node);
    return {proof: await stalledProof(cluster, ctx, node), by: 'settings'};
  } catch (error) {
    if (isNotOurs(error)) throw error;
    reasons.push(`Not made to wait with every commit: ${messageOf(error)}`);
    return null;
  }
}

/** What can be seen on the member now, without touching it. */
export async function prove(cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof | null> {
  const [stopped, closed] = await Promise.all([isStopped(ctx, node, []), proveClosed(cluster, ctx, node)]);
  return stopped ? proof(cluster, 'stopped', {survivesRestart: false}) : closed;
}

async function proveClosed(cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof | null> {
  try {
    const hba = await whereAllowed(() => readHba(cluster, ctx, node));
    if (hba?.closed !== true) return (await isStalled(ctx, node)) ? await stalledProof(cluster, ctx, node) : null;
    if (!(await loginIsRefused(node.place, ctx.signal))) return null;
    const {others} = await countForeign(ctx, node);
    return others > 0 ? null : await closedProof(cluster, ctx, node);
  } catch {
    // What cannot be looked at is not proven.
    return null;
  }
}

async function isStopped(ctx: Ctx, node: Node, reasons: string[]): Promise<boolean> {
  if (node.host === null) {
    reasons.push('Not stopped: the fleet file gives no control over its host.');
    return false;
  }
  try {
    const {running, detail} = await node.host.status(ctx.signal);
    if (running !== false) reasons.push(`Not stopped: its host says ${detail}.`);
    return running === false && !(await answersAllTheSame(ctx, node, reasons));
  } catch (error) {
    reasons.push(`Not stopped: ${messageOf(error)}`);
    return false;
  }
}

/** A host can be wrong about which server is at an address: one that answers SQL is not stopped, whatever the host says. */
async function answersAllTheSame(ctx: Ctx, node: Node, reasons: string[]): Promise<boolean> {
  const facts = await readFacts(node, {...limitsOf(ctx), timeoutMs: ANSWER_MS}).catch(() => null);
  if (facts !== null) reasons.push('Not stopped: its host says so, but it answers.');
  return facts !== null;
}

async function stop(cluster: Cluster, ctx: Ctx, node: Node, reasons: string[]): Promise<boolean> {
  if (node.host === null) return false;
  await demandHeld(cluster, ctx, node);
  const former = forgetClaim(cluster, node);
  try {
    await node.host.stop(ctx.signal);
    const {running, detail} = await node.host.status(ctx.signal);
    if (running === false) return true;
    reasons.push(`Its host was told to stop it and says ${detail}.`);
  } catch (error) {
    reasons.push(`Its host could not stop it: ${messageOf(error)}`);
  }
  if (former !== undefined) cluster.claims.set(node.name, former);
  return false;
}

async function close(cluster: Cluster, ctx: Ctx, node: Node, lossless: boolean): Promise<Proof> {
  const before = only(await node.session.rows<Before>(BEFORE, [], limitsOf(ctx)), node);
  if (before.recovering) throw refused('not-a-primary', `${node.name} is a standby, so there is nothing to fence on it.`);
  if (!before.scram) throw refused('own-role', `closing would lock out our own role ${cluster.user}, which has no SCRAM-SHA-256 password.`);
  if (before.sameRole > 0) throw refused('own-role', sharedRole(cluster, node, before.sameRole));
  await writeClosed(cluster, ctx, node, await readHba(cluster, ctx, node));
  await reload(cluster, ctx, node);
  let hba: Hba | null = null;
  let left = {others: -1, sameRole: 0};
  const untold = new Set<string>();
  const prepared = new Set<string>();
  const endOthers = async (): Promise<void> => {
    for (const ended of await act<Ended>(cluster, ctx, node, TERMINATE)) {
      if (ended.own !== null) untold.add(ended.own);
      for (const id of ended.prepared ?? []) prepared.add(id);
    }
  };
  // At once where what is written from here on is lost. Who comes back before the file is in force is ended once more below.
  if (!lossless) await endOthers();
  const done = await pollUntil(cluster, ctx, {forMs: CLOSE_MS, everyMs: 5}, async () => {
    hba = await readHba(cluster, ctx, node);
    if (!hba.closed || !(await loginIsRefused(node.place, ctx.signal))) return null;
    left = await countForeign(ctx, node);
    // They may log in again at any time: the file that shuts out everybody else lets our own role in.
    if (left.sameRole > 0) throw refused('own-role', sharedRole(cluster, node, left.sameRole));
    // Nobody is let in any more, so it is only waited for those who are in.
    const gone = await pollUntil(cluster, ctx, {forMs: GONE_MS, everyMs: 1}, async () => {
      await endOthers();
      left = await countForeign(ctx, node);
      return left.others === 0 ? true : null;
    });
    if (gone === null) return null;
    return stayedEmpty(cluster, ctx, node);
  });
  if (done === null) throw unavailable('not-closed', closeFailure(node, hba, left.others));
  const second = prepared.size === 0 ? [] : await node.session.rows<{id: string}>(COMMITTED, [[...prepared]], limitsOf(ctx));
  return {...done, untold: [...untold, ...second.map(({id}) => id)]};
}

type Before = {readonly recovering: boolean; readonly scram: boolean; readonly sameRole: number};

/** A session that was ended: the transaction that it waited for; or it may have been the second half of one of these. */
type Ended = {readonly own: string | null; readonly prepared: readonly string[] | null};

/** The proof, if none reappears: two more looks, before and after what it rests on was read. */
async function stayedEmpty(cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof | null> {
  const before = await countForeign(ctx, node);
  const closed = await closedProof(cluster, ctx, node);
  const after = await countForeign(ctx, node);
  return before.others + after.others === 0 ? closed : null;
}

/** What waits for standbys, without second halves; null = it could not be asked. */
async function readUntold(ctx: Ctx, node: Node): Promise<readonly string[] | null> {
  const rows = await node.session.rows<{id: string | null}>(WAITING, [], limitsOf(ctx)).catch(() => null);
  return rows?.flatMap(({id}) => id ?? []) ?? null;
}

async function countForeign(ctx: Ctx, node: Node): Promise<{others: number; sameRole: number}> {
  return only(await node.session.rows<{others: number; sameRole: number}>(FOREIGN, [], limitsOf(ctx)), node);
}

/** The position is read after the last session was gone: nothing is acknowledged past it. */
async function closedProof(cluster: Cluster, ctx: Ctx, node: Node, more: readonly string[] = []): Promise<Proof> {
  const workers = await node.session.rows<{type: string}>(WORKERS, [], limitsOf(ctx));
  const leaks = workers.map(({type}) => `a ${type} runs on ${node.name} and writes what it is sent`);
  const position = durableOf(await readFacts(node, limitsOf(ctx)));
  return {...proof(cluster, 'closed', {survivesRestart: true, leaks: [...more, ...leaks]}), position};
}

/** Sessions come back, and what they commit waits: nothing is acknowledged past the position but by the leaks. */
const stalledProof = (cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof> => closedProof(cluster, ctx, node, STALL_LEAKS);

const sharedRole = (cluster: Cluster, node: Node, sessions: number): string =>
  `${sessions} sessions that are not ours use our own role ${cluster.user} on ${node.name}: closing could not shut them out. Give regionctl a role of its own.`;

function closeFailure(node: Node, hba: Hba | null, others: number): string {
  if (hba?.error) return `${node.name} cannot read its pg_hba file: ${hba.error}.`;
  if (others > 0) return `${node.name} still had ${others} sessions of others ${CLOSE_MS} ms after it was closed.`;
  return `${node.name} still let others log in ${CLOSE_MS} ms after its pg_hba file was closed.`;
}

const proof = (cluster: Cluster, kind: 'stopped' | 'closed', more: {survivesRestart: boolean; leaks?: readonly string[]}): Proof => ({
  kind,
  at: new Date(cluster.clock.wall()).toISOString(),
  survivesRestart: more.survivesRestart,
  leaks: more.leaks ?? [],
});
