import {createHash} from 'node:crypto';
import {leaseHeld, messageOf, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities} from '../../ports/store.ts';
import {askEach, type Cluster, limitsOf, type Node, only, pollUntil} from './cluster.ts';

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
    claim: (ctx, members) => claimAll(cluster, ctx, takeOrSucceed, members),
    evict: (ctx) => claimAll(cluster, ctx, evictThenTake),
    held: (ctx) => isHeld(cluster, ctx),
    release: (ctx) => release(cluster, ctx),
  };
}

/** Takes the claim on one member, for one that joined after the others were claimed. Held by another = lease-held. */
export async function claimMember(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const holder = await take(cluster, ctx, node);
  if (holder !== null) throw heldElsewhere(cluster, node, holder);
  cluster.claims.add(node.name);
}

/**
 * Takes the claim on a member that did not answer when the others were claimed and came back without us. It counts only if another member's
 * claim was held all along, asked after taking this one: whoever had come in between would have had to get past that one.
 */
export async function claimLate(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const holder = await take(cluster, ctx, node);
  if (holder !== null) throw heldElsewhere(cluster, node, holder);
  if (await isHeld(cluster, ctx)) cluster.claims.add(node.name);
  else await unlock(cluster, ctx, node);
}

/** Forgets a member whose server is about to be stopped on purpose: losing that session is no loss of the claim. */
export const forgetClaim = (cluster: Cluster, node: Node): boolean => cluster.claims.delete(node.name);

type Take = (cluster: Cluster, ctx: Ctx, node: Node) => Promise<Holder | null>;

async function claimAll(cluster: Cluster, ctx: Ctx, how: Take, members?: readonly string[]): Promise<readonly string[]> {
  const nodes = [...cluster.nodes.values()].filter(({name}) => members === undefined || members.includes(name));
  const asked = await askPromptly(cluster, nodes, (node) => how(cluster, ctx, node));
  const other = asked.find(({value}) => value !== undefined && value !== null);
  const taken = asked.filter(({value}) => value === null).map(({node}) => node);
  if (other?.value) {
    await askEach(
      taken.filter((node) => !cluster.claims.has(node.name)),
      (node) => unlock(cluster, ctx, node),
    );
    throw heldElsewhere(cluster, other.node, other.value);
  }
  if (taken.length === 0) {
    const why = asked.map(({error}) => messageOf(error)).join(' ');
    throw unavailable('unreachable', `No member of ${cluster.store} could be claimed. ${why}`);
  }
  for (const node of taken) cluster.claims.add(node.name);
  return taken.map(({name}) => name);
}

type Asked = Awaited<ReturnType<typeof askEach<Holder | null>>>;

/** Asks them all at once. When one has answered, the others have a moment left: a member that is gone must not hold up the run. */
async function askPromptly(cluster: Cluster, nodes: readonly Node[], ask: (node: Node) => Promise<Holder | null>): Promise<Asked> {
  const done = new AbortController();
  const answered = new Map<Node, Asked[number]>();
  const each = nodes.map(async (node) => {
    const [asked] = await askEach([node], ask);
    if (asked !== undefined) answered.set(node, asked);
    // One that comes late belongs to the claim like the others: it is asked about and released with them.
    if (done.signal.aborted && asked?.value === null && cluster.claims.size > 0) cluster.claims.add(node.name);
    if (asked?.error !== undefined) throw asked.error;
  });
  const all = Promise.allSettled(each);
  await Promise.race([all, Promise.any(each).then(() => cluster.clock.sleep(GRACE_MS, done.signal))]).catch(() => all);
  done.abort();
  return nodes.flatMap((node) => answered.get(node) ?? []);
}

/** Answers null when it is ours now, else who has it. */
async function take(cluster: Cluster, ctx: Ctx, node: Node): Promise<Holder | null> {
  const keys = lockKeys(cluster.store);
  const {taken} = only(await node.session.rows<{taken: boolean}>(TAKE, [...keys, sessionName(ctx)], limitsOf(ctx)), node);
  if (taken) return null;
  const [holder] = await node.session.rows<Holder>(HOLDER, keys, limitsOf(ctx));
  return holder ?? {pid: 0, mine: false, application: 'gone meanwhile', since: ''};
}

/** A session of the same run belongs to a process that ended: the lease lets only one process run it. Its server may not have noticed yet. */
async function takeOrSucceed(cluster: Cluster, ctx: Ctx, node: Node): Promise<Holder | null> {
  const holder = await take(cluster, ctx, node);
  return holder !== null && holder.application === sessionName(ctx) ? evictThenTake(cluster, ctx, node) : holder;
}

/** A former holder may take it back as soon as it is free, so ending its session and taking the lock are tried together. */
async function evictThenTake(cluster: Cluster, ctx: Ctx, node: Node): Promise<Holder | null> {
  let last: Holder | null = null;
  await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () => {
    last = await take(cluster, ctx, node);
    if (last === null) return true;
    if (last.pid > 0) await node.session.rows('select pg_terminate_backend($1::int)', [last.pid], limitsOf(ctx));
    return null;
  });
  return last;
}

/**
 * Still ours on every claimed member that can be reached. A member whose session broke is taken again, as long as another member's claim
 * was held all along: whoever had come in between would have had to get past that one.
 */
async function isHeld(cluster: Cluster, ctx: Ctx): Promise<boolean> {
  const keys = lockKeys(cluster.store);
  const nodes = [...cluster.nodes.values()].filter(({name}) => cluster.claims.has(name));
  const asked = await askEach(nodes, async (node) => {
    const {mine} = only(await node.session.rows<{mine: boolean}>(`select ${CLAIMED_BY_US} as "mine"`, keys, limitsOf(ctx)), node);
    return mine;
  });
  const lost = asked.filter(({value}) => value === false);
  if (!asked.some(({value}) => value === true)) return false;
  const again = await askEach(
    lost.map(({node}) => node),
    (node) => take(cluster, ctx, node),
  );
  return again.every(({value, error}) => value === null || error !== undefined);
}

async function release(cluster: Cluster, ctx: Ctx): Promise<void> {
  const nodes = [...cluster.nodes.values()].filter(({name}) => cluster.claims.has(name));
  // A member that cannot be reached has lost our session with the lock.
  await askEach(nodes, (node) => unlock(cluster, ctx, node));
  cluster.claims.clear();
}

const sessionName = ({runId}: Ctx): string => `regionctl ${runId}`.slice(0, 63);

const unlock = (cluster: Cluster, ctx: Ctx, node: Node) =>
  node.session.rows(
    `select pg_advisory_unlock($1::int, $2::int), set_config('application_name', 'regionctl', false)`,
    lockKeys(cluster.store),
    limitsOf(ctx),
  );

const heldElsewhere = (cluster: Cluster, node: Node, {pid, application, since}: Holder) =>
  leaseHeld(
    `Store ${cluster.store} is claimed on ${node.name} by another session: ${application || 'without a name'}, process ${pid}, since ${since || 'an unknown time'}.`,
    {
      suggestions: ['Wait for it to end, or let this run evict it.'],
    },
  );
