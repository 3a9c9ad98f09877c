import {createHash} from 'node:crypto';
import {isRegionctlError, leaseHeld, messageOf, refused, unavailable} from '../../errors.ts';
import {EXIT} from '../../exit-codes.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities} from '../../ports/store.ts';
import {askEach, type Cluster, limitsOf, type Node, nodesOf, only, pollUntil} from './cluster.ts';
import type {Connection} from './session.ts';
import {isDenied} from './trouble.ts';

/** How long a claim waits for members that are slower than the first. */
const GRACE_MS = 300;

/** What holds a claim on a member: our own session, another's, or nobody. */
type Holder = {readonly pid: number; readonly mine: boolean; readonly application: string; readonly since: string};

/** The two halves of the advisory lock: ours in general, and this store's. Both positive, so that pg_locks shows them as they are. */
export function lockKeys(store: string): readonly [number, number] {
  const half = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0) >>> 1;
  return [half('regionctl'), half(`regionctl/${store}`)];
}

/** Whether a lock with the keys $1 and $2 is held by this very session, as SQL. */
export const CLAIMED_BY_US = `exists (select from pg_locks l where l.locktype = 'advisory' and l.granted and l.pid = pg_backend_pid()
  and l.database = (select oid from pg_database where datname = current_database()) and l.classid::bigint = $1 and l.objid::bigint = $2 and l.objsubid = 2)`;

const TAKE = `select ${CLAIMED_BY_US} or pg_try_advisory_lock($1::int, $2::int) as "taken", set_config('application_name', $3, false)`;
const HOLDER = `
select l.pid as "pid", l.pid = pg_backend_pid() as "mine", coalesce(a.application_name, '') as "application", coalesce(a.backend_start::text, '') as "since"
from pg_locks l left join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 2 and l.classid::bigint = $1 and l.objid::bigint = $2
  and l.database = (select oid from pg_database where datname = current_database())`;

/** The claim: a session advisory lock on every reachable member. It works on standbys too, and ends with the session. */
export function createClaim(cluster: Cluster): Abilities['claim'] {
  return {
    claim: (ctx, members) => claimAll(cluster, ctx, members),
    evict: (ctx, members) => {
      cluster.evicts = true;
      return claimAll(cluster, ctx, members);
    },
    held: (ctx) => isHeld(cluster, ctx),
    holders: (ctx, members) => readHolders(cluster, ctx, members),
    release: (ctx) => release(cluster, ctx),
  };
}

/**
 * A statement that changes something. On a claimed store it goes over the very connection that holds the claim, or not at all: whoever has been
 * evicted, or slept while another came, changes nothing any more. A member without our claim is claimed first. Throws `claim-lost`,
 * `not-claimed` or `lease-held`; then nothing was sent.
 */
export async function act<Row>(
  cluster: Cluster,
  ctx: Ctx,
  node: Node,
  sql: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  if (!cluster.claimed) return node.session.rows<Row>(sql, values, limitsOf(ctx));
  const on = holdsNow(cluster, node) ?? (await claimLate(cluster, ctx, node));
  return node.session.rows<Row>(sql, values, {...limitsOf(ctx), on});
}

/** The connection that holds our claim on a member, as long as it is open. */
function holdsNow(cluster: Cluster, node: Node): Connection | null {
  const held = cluster.claims.get(node.name);
  return held !== undefined && node.session.connection() === held ? held : null;
}

/** Takes the claim on one member, for one that was started again since the others were claimed. Held by another = lease-held. */
export async function claimMember(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (cluster.claims.size > 0) await demandHeld(cluster, ctx, node);
  const taken = await takeCalm(cluster, ctx, node);
  if ('pid' in taken) throw heldElsewhere(cluster, node, taken);
  cluster.claims.set(node.name, taken.over);
}

/**
 * Takes the claim on a member that did not answer when the others were claimed, or whose connection broke. It counts only if another member's
 * claim was held all along, asked after taking this one: whoever had come in between would have had to get past that one.
 */
async function claimLate(cluster: Cluster, ctx: Ctx, node: Node): Promise<Connection> {
  // Asked first, too: one that was evicted must not evict in turn.
  await demandHeld(cluster, ctx, node);
  const again = holdsNow(cluster, node);
  if (again !== null) return again;
  const taken = await takeCalm(cluster, ctx, node);
  if ('pid' in taken) throw heldElsewhere(cluster, node, taken);
  if (!(await isHeld(cluster, ctx))) {
    await unlock(cluster, ctx, node);
    throw notClaimed(cluster, node);
  }
  cluster.claims.set(node.name, taken.over);
  return taken.over;
}

const notClaimed = (cluster: Cluster, node: Node) =>
  refused('not-claimed', `${cluster.store} is not claimed by this run any more, so nothing is done to ${node.name}.`);

/** What is told to a host goes past the claim: it is asked about right before. Throws `not-claimed`. */
export async function demandHeld(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (cluster.claimed && !(await isHeld(cluster, ctx))) throw notClaimed(cluster, node);
}

/** Forgets a member whose server is about to be stopped on purpose: losing that session is no loss of the claim. */
export function forgetClaim(cluster: Cluster, node: Node): Connection | undefined {
  const held = cluster.claims.get(node.name);
  cluster.claims.delete(node.name);
  cluster.wanted = cluster.wanted.filter((name) => name !== node.name);
  return held;
}

async function claimAll(cluster: Cluster, ctx: Ctx, members?: readonly string[]): Promise<readonly string[]> {
  const nodes = nodesOf(cluster, members);
  const asked = await askPromptly(cluster, nodes, (node) => takeOrSucceed(cluster, ctx, node));
  const taken = asked.flatMap(({node, value}) => (value !== undefined && 'over' in value ? [{node, over: value.over}] : []));
  const giveBack = () =>
    askEach(
      taken.flatMap((each) => (cluster.claims.has(each.node.name) ? [] : [each.node])),
      (each) => unlock(cluster, ctx, each),
    );
  for (const {node, value, error} of asked) {
    if (value !== undefined ? 'over' in value : isSilent(error)) continue;
    await giveBack();
    throw value === undefined ? error : heldElsewhere(cluster, node, value as Holder);
  }
  if (taken.length === 0) {
    const why = asked.map(({error}) => messageOf(error)).join(' ');
    throw unavailable('unreachable', `No member of ${cluster.store} could be claimed. ${why}`);
  }
  // However long that takes: one that is told to promote is no member to pass over.
  const calm = await askEach(
    taken.map(({node}) => node),
    (node) => awaitCalm(cluster, ctx, node),
  );
  const busy = calm.find(({error}) => isNotCalm(error));
  if (busy !== undefined) {
    await giveBack();
    throw busy.error;
  }
  for (const {node, over} of taken) cluster.claims.set(node.name, over);
  cluster.claimed = true;
  cluster.wanted = nodes.map(({name}) => name);
  return taken.map(({node}) => node.name);
}

/** It is ours, over this connection. */
type Taken = {readonly over: Connection};
type Asked = Awaited<ReturnType<typeof askEach<Taken | Holder>>>;

/**
 * Asks them all at once. When one has answered, the others have a moment left: a member that is gone must not hold up the run. One that comes late
 * belongs to the claim like the others: it is asked about, and released, with them.
 */
async function askPromptly(cluster: Cluster, nodes: readonly Node[], ask: (node: Node) => Promise<Taken | Holder>): Promise<Asked> {
  const done = new AbortController();
  const answered = new Map<Node, Asked[number]>();
  const each = nodes.map(async (node) => {
    const [asked] = await askEach([node], ask);
    if (asked !== undefined) answered.set(node, asked);
    if (asked?.error !== undefined) throw asked.error;
  });
  const all = Promise.allSettled(each);
  await Promise.race([all, Promise.any(each).then(() => cluster.clock.sleep(GRACE_MS, done.signal))]).catch(() => all);
  done.abort();
  return nodes.flatMap((node) => answered.get(node) ?? []);
}

/** Answers over which connection it is ours now, else who has it. */
async function take(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  const keys = lockKeys(cluster.store);
  let over: Connection | null = null;
  const tell = (connection: Connection): void => {
    over = connection;
  };
  const limits = {...limitsOf(ctx), tell};
  const {taken} = only(await node.session.rows<{taken: boolean}>(TAKE, [...keys, sessionName(ctx)], limits), node);
  if (taken && over !== null) return {over};
  const [holder] = await node.session.rows<Holder>(HOLDER, keys, limitsOf(ctx));
  return holder ?? {pid: 0, mine: false, application: 'gone meanwhile', since: ''};
}

/** A session of the same run belongs to a process that ended: the lease lets only one process run it. Its server may not have noticed yet. */
async function takeOrSucceed(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  const taken = await take(cluster, ctx, node);
  const evicts = 'pid' in taken && (cluster.evicts || taken.application === sessionName(ctx));
  return evicts ? evictThenTake(cluster, ctx, node) : taken;
}

/** A former holder may take it back as soon as it is free, so ending its session and taking the lock are tried together. */
async function evictThenTake(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  let last: Taken | Holder | null = null;
  await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () => {
    last = await take(cluster, ctx, node);
    if ('over' in last) return true;
    if (last.pid > 0) await node.session.rows('select pg_terminate_backend($1::int)', [last.pid], limitsOf(ctx));
    return null;
  });
  return last ?? {pid: 0, mine: false, application: 'not asked', since: ''};
}

/**
 * What a former holder sent last may still be under way: a standby that it told to promote looks like any other until it has begun, and nobody
 * gives such an order any more once the claim is ours. The order is a file until the startup process, waiting for more of the log, takes it up; from
 * then on that process neither waits nor replays for long.
 */
const CALM = (ordered: string): string => `
with seen as materialized (select pg_is_in_recovery() as recovering, ${ordered} as ordered)
select s.recovering as "recovering", s.ordered as "ordered", exists (select from pg_stat_activity a where a.backend_type = 'startup' and not s.ordered
  and (a.wait_event in ('RecoveryWalStream', 'RecoveryRetrieveRetryInterval', 'RecoveryPause', 'RecoveryApplyDelay') or a.wait_event like 'RecoveryConflict%')) as "waits",
  coalesce(pg_last_wal_replay_lsn()::text, '') as "applied" from seen s`;
const ORDERED = `exists (select from pg_stat_file('promote', true) where size is not null)`;
type Calm = {readonly recovering: boolean; readonly ordered: boolean; readonly waits: boolean; readonly applied: string};

async function takeCalm(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  const taken = await takeOrSucceed(cluster, ctx, node);
  if ('over' in taken) await awaitCalm(cluster, ctx, node);
  return taken;
}

/** Throws `not-calm`. */
async function awaitCalm(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (await isCalm(cluster, ctx, node, CALM_MS)) return;
  throw unavailable('not-calm', `It cannot be told whether ${node.name} is being promoted: it was busy with its log for ${CALM_MS} ms.`);
}

const isNotCalm = (error: unknown): boolean => isRegionctlError(error) && error.code === 'not-calm';

/** How long a standby that neither waits for its log nor gets on with it is looked at. */
const CALM_MS = 5000;
const LOOK_MS = 10;
/** Where nobody was evicted nobody was at work a moment ago: one that is only busy is not waited for longer. */
const BUSY_MS = 500;
/** One that gets on with its log for so long, in so many looks, has not been told to promote: the end of a promotion replays next to nothing. */
const REPLAYS_MS = 100;
const REPLAYS_LOOKS = 4;

async function isCalm(cluster: Cluster, ctx: Ctx, node: Node, forMs: number): Promise<boolean> {
  const began = ctx.now();
  const seen = new Set<string>();
  const calm = await pollUntil(cluster, ctx, {forMs, everyMs: LOOK_MS}, async () => {
    const {recovering, ordered, waits, applied} = await lookCalm(ctx, node);
    if (!recovering || waits) return true;
    if (ordered) return null;
    seen.add(applied);
    const passed = ctx.now() - began;
    const replays = seen.size >= REPLAYS_LOOKS && passed >= REPLAYS_MS;
    return replays || (!cluster.evicts && passed >= BUSY_MS) ? true : null;
  });
  return calm === true;
}

async function lookCalm(ctx: Ctx, node: Node): Promise<Calm> {
  const ask = async (ordered: string): Promise<Calm> => only(await node.session.rows<Calm>(CALM(ordered), [], limitsOf(ctx)), node);
  try {
    return await ask(ORDERED);
  } catch (error) {
    // Without the right to see files an order shows only once it was taken up.
    if (isDenied(error)) return ask('false');
    throw error;
  }
}

/**
 * Claims every member that belongs to the claim and answers, and waits until it is calm: right before a promotion, since a member that was passed
 * over could be about to be promoted by who was evicted. Throws what keeps one from it.
 */
export async function claimRest(cluster: Cluster, ctx: Ctx): Promise<void> {
  if (!cluster.claimed) return;
  const rest = ours(cluster).filter((node) => holdsNow(cluster, node) === null);
  const asked = await askEach(rest, (node) => claimLate(cluster, ctx, node));
  for (const {error} of asked) if (error !== undefined && !isSilent(error)) throw error;
}

/** It did not answer; anything else is an answer, and no reason to pass a member over. */
const isSilent = (error: unknown): boolean => isRegionctlError(error) && error.exit === EXIT.unavailable && !ANSWERS.has(error.code);
const ANSWERS: ReadonlySet<string> = new Set(['not-calm', 'privilege', 'sql', 'auth']);

/** Who has it on each member that answers; null = nobody, or we. */
async function readHolders(cluster: Cluster, ctx: Ctx, members?: readonly string[]): Promise<Readonly<Record<string, string | null>>> {
  const asked = await askEach(nodesOf(cluster, members), async (node) => {
    const [holder] = await node.session.rows<Holder>(HOLDER, lockKeys(cluster.store), limitsOf(ctx));
    return holder === undefined || holder.mine ? null : holderText(holder);
  });
  return Object.fromEntries(asked.flatMap(({node, value}) => (value === undefined ? [] : [[node.name, value] as const])));
}

/**
 * Still ours on every member that belongs to the claim and can be reached. One whose session broke, or that was late, is taken now, as long as
 * another member's claim was held all along: whoever had come in between would have had to get past that one. One that is not calm is left out for now.
 */
async function isHeld(cluster: Cluster, ctx: Ctx): Promise<boolean> {
  const nodes = ours(cluster);
  const asked = await askEach(nodes, (node) => isKept(cluster, ctx, node));
  const lost = asked.filter(({value}) => value === false);
  if (!asked.some(({value}) => value === true)) return false;
  // What we had comes first: when another has it, nobody is evicted where we were late.
  const had = ({node}: {readonly node: Node}): boolean => cluster.claims.has(node.name);
  return (
    (await takeAll(cluster, ctx, lost.filter(had), take)) &&
    takeAll(
      cluster,
      ctx,
      lost.filter((each) => !had(each)),
      takeOrSucceed,
    )
  );
}

/** false = another has one of them. */
async function takeAll(cluster: Cluster, ctx: Ctx, lost: readonly {readonly node: Node}[], how: typeof take): Promise<boolean> {
  const again = await askEach(
    lost.map(({node}) => node),
    (node) => takeAgain(cluster, ctx, node, how),
  );
  for (const {node, value} of again) if (value !== undefined && 'over' in value) cluster.claims.set(node.name, value.over);
  return again.every(({value}) => value === undefined || 'over' in value);
}

async function takeAgain(cluster: Cluster, ctx: Ctx, node: Node, how: typeof take): Promise<Taken | Holder> {
  const taken = await how(cluster, ctx, node);
  if ('pid' in taken || (await isCalm(cluster, ctx, node, 0))) return taken;
  await unlock(cluster, ctx, node);
  throw unavailable('not-calm', `${node.name} is busy with its log.`);
}

const ours = (cluster: Cluster): readonly Node[] => nodesOf(cluster, [...new Set([...cluster.wanted, ...cluster.claims.keys()])]);

/** Whether the lock is held still, and by the connection that took it. */
async function isKept(cluster: Cluster, ctx: Ctx, node: Node): Promise<boolean> {
  let over: Connection | null = null;
  const tell = (connection: Connection): void => {
    over = connection;
  };
  const limits = {...limitsOf(ctx), tell};
  const asked = await node.session.rows<{mine: boolean}>(`select ${CLAIMED_BY_US} as "mine"`, lockKeys(cluster.store), limits);
  return only(asked, node).mine && over === cluster.claims.get(node.name);
}

async function release(cluster: Cluster, ctx: Ctx): Promise<void> {
  const nodes = ours(cluster);
  // A member that cannot be reached has lost our session with the lock.
  await askEach(nodes, (node) => unlock(cluster, ctx, node));
  cluster.claims.clear();
  cluster.claimed = false;
  cluster.wanted = [];
  cluster.evicts = false;
}

const sessionName = ({runId}: Ctx): string => `regionctl ${runId}`.slice(0, 63);

const unlock = (cluster: Cluster, ctx: Ctx, node: Node) =>
  node.session.rows(
    `select pg_advisory_unlock($1::int, $2::int), set_config('application_name', 'regionctl', false)`,
    lockKeys(cluster.store),
    limitsOf(ctx),
  );

const holderText = ({pid, application, since}: Holder): string =>
  `${application || 'a session without a name'}, process ${pid}, since ${since || 'an unknown time'}`;

const heldElsewhere = (cluster: Cluster, node: Node, holder: Holder) =>
  leaseHeld(`Store ${cluster.store} is claimed on ${node.name} by another session: ${holderText(holder)}.`, {
    suggestions: ['Wait for it to end; or, if its operator is gone for good, take over with --override unclaimed --reason "…".'],
  });
