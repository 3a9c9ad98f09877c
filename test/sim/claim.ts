import {isRegionctlError, leaseHeld, messageOf, refused, unavailable} from '../../src/lib/errors.ts';
import {EXIT} from '../../src/lib/exit-codes.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Abilities} from '../../src/lib/ports/store.ts';
import {askEach, type Cluster, limitsOf, type Node, nodesOf, pollUntil, send} from './cluster.ts';
import type {Backend, Server} from './server.ts';
import type {Statement} from './session.ts';

/** How long a standby that is being promoted is waited for. */
const CALM_MS = 5000;
/** How long a claim waits for members that are slower than the first. */
const GRACE_MS = 300;

type Holder = {readonly pid: number; readonly application: string};
/** It is ours, over the connection of this backend. */
type Taken = {readonly over: Backend};
type Asked = Awaited<ReturnType<typeof askEach<Taken | Holder>>>;

/** The claim as the real provider takes it: a lock of the session on every reachable member, statement by statement. */
export function createClaim(cluster: Cluster): Abilities['claim'] {
  return {
    claim: (ctx, members) => claimAll(cluster, ctx, members),
    evict: (ctx, members) => {
      cluster.evicts = true;
      return claimAll(cluster, ctx, members);
    },
    held: (ctx) => isHeld(cluster, ctx),
    holders: async (ctx, members) => {
      const asked = await askEach(nodesOf(cluster, members), (node) =>
        node.session.ask('who holds the lock', (server, backend) => nameOf(server, backend), limitsOf(ctx)),
      );
      return Object.fromEntries(asked.flatMap(({node, value}) => (value === undefined ? [] : [[node.name, value] as const])));
    },
    release: async (ctx) => {
      await askEach(ours(cluster), (node) => unlock(ctx, node));
      cluster.claims.clear();
      cluster.claimed = false;
      cluster.wanted = [];
      cluster.evicts = false;
    },
  };
}

const nameOf = ({lockedBy}: Server, backend: Backend): string | null =>
  lockedBy === null || lockedBy === backend ? null : lockedBy.application;

/** A statement that changes something: on a claimed store over the very connection that holds the claim, or not at all. */
export async function act<T>(cluster: Cluster, ctx: Ctx, node: Node, label: string, statement: Statement<T>): Promise<T> {
  if (!cluster.claimed || cluster.claimGranted || cluster.unbound) return send(cluster, ctx, node, label, statement, null);
  return send(cluster, ctx, node, label, statement, holdsNow(cluster, node) ?? (await claimLate(cluster, ctx, node)));
}

function holdsNow(cluster: Cluster, node: Node): Backend | null {
  const held = cluster.claims.get(node.name);
  return held !== undefined && node.session.backend === held ? held : null;
}

export async function claimMember(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (cluster.claims.size > 0) await demandHeld(cluster, ctx, node);
  const taken = await takeCalm(cluster, ctx, node);
  if ('pid' in taken) throw heldElsewhere(node, taken);
  cluster.claims.set(node.name, taken.over);
}

/** A member that came back without us counts only if another one's claim was held all along. */
async function claimLate(cluster: Cluster, ctx: Ctx, node: Node): Promise<Backend> {
  await demandHeld(cluster, ctx, node);
  const again = holdsNow(cluster, node);
  if (again !== null) return again;
  const taken = await takeCalm(cluster, ctx, node);
  if ('pid' in taken) throw heldElsewhere(node, taken);
  if (!(await isHeld(cluster, ctx))) {
    await unlock(ctx, node);
    throw notClaimed(node);
  }
  cluster.claims.set(node.name, taken.over);
  return taken.over;
}

async function claimAll(cluster: Cluster, ctx: Ctx, members?: readonly string[]): Promise<readonly string[]> {
  const nodes = nodesOf(cluster, members);
  const asked = await askPromptly(cluster, nodes, (node) => takeOrSucceed(cluster, ctx, node));
  const taken = asked.flatMap(({node, value}) => (value !== undefined && 'over' in value ? [{node, over: value.over}] : []));
  const giveBack = () =>
    askEach(
      taken.flatMap((each) => (cluster.claims.has(each.node.name) ? [] : [each.node])),
      (each) => unlock(ctx, each),
    );
  for (const {node, value} of asked) {
    if (value === undefined || 'over' in value) continue;
    await giveBack();
    throw heldElsewhere(node, value);
  }
  if (taken.length === 0)
    throw unavailable('unreachable', `No member could be claimed. ${asked.map(({error}) => messageOf(error)).join(' ')}`);
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

/** Answers over whose connection it is ours now, else who has it. */
async function take(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  const name = sessionName(ctx);
  const taken = await node.session.ask(
    'try lock',
    (server, backend) => tryLock(server, backend, name, cluster.claimGranted),
    limitsOf(ctx),
  );
  if (taken !== null) return {over: taken};
  const holder = await node.session.ask('who holds the lock', ({lockedBy}) => lockedBy, limitsOf(ctx));
  return holder === null ? {pid: 0, application: 'gone meanwhile'} : {pid: holder.pid, application: holder.application};
}

function tryLock(server: Server, backend: Backend, name: string, granted: boolean): Backend | null {
  if (granted) return backend;
  backend.application = name;
  if (server.lockedBy === null) server.lockedBy = backend;
  return server.lockedBy === backend ? backend : null;
}

/** A session of the same run belongs to a process that ended: the lease lets only one process run it. */
async function takeOrSucceed(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  const taken = await take(cluster, ctx, node);
  const evicts = 'pid' in taken && (cluster.evicts || taken.application === sessionName(ctx));
  return evicts ? evictThenTake(cluster, ctx, node) : taken;
}

async function evictThenTake(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  let last: Taken | Holder | null = null;
  await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () => {
    last = await take(cluster, ctx, node);
    if ('over' in last) return true;
    const {pid} = last;
    if (pid > 0) await node.session.ask('terminate backend', (server) => terminate(server, pid), limitsOf(ctx));
    return null;
  });
  return last ?? {pid: 0, application: 'not asked'};
}

/** What a former holder sent last may still be under way: a standby that is told to promote is waited for. */
async function takeCalm(cluster: Cluster, ctx: Ctx, node: Node): Promise<Taken | Holder> {
  const taken = await takeOrSucceed(cluster, ctx, node);
  if ('over' in taken) await awaitCalm(cluster, ctx, node);
  return taken;
}

const isNotCalm = (error: unknown): boolean => isRegionctlError(error) && error.code === 'not-calm';

async function awaitCalm(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (cluster.claimGranted) return;
  const look = () => isCalm(ctx, node);
  if ((await pollUntil(cluster, ctx, {forMs: CALM_MS, everyMs: 5}, async () => ((await look()) ? true : null))) === true) return;
  throw unavailable('not-calm', `It cannot be told whether ${node.name} is being promoted.`);
}

function terminate(server: Server, pid: number): void {
  for (const backend of [...server.backends]) if (backend.pid === pid) server.end(backend);
}

/** Still ours on every claimed member that can be reached; what broke is taken again as long as another was held all along. */
async function isHeld(cluster: Cluster, ctx: Ctx): Promise<boolean> {
  if (cluster.claimGranted) return true;
  const asked = await askEach(ours(cluster), (node) =>
    node.session.ask(
      'lock is mine',
      (server, backend) => server.lockedBy === backend && backend === cluster.claims.get(node.name),
      limitsOf(ctx),
    ),
  );
  const lost = asked.filter(({value}) => value === false);
  if (!asked.some(({value}) => value === true)) return false;
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
  if ('pid' in taken || (await isCalm(ctx, node))) return taken;
  await unlock(ctx, node);
  throw unavailable('not-calm', `${node.name} is busy.`);
}

const isCalm = (ctx: Ctx, node: Node): Promise<boolean> => node.session.ask('is it calm?', ({promoting}) => !promoting, limitsOf(ctx));

/** Right before a promotion: every member that belongs to the claim and answers. */
export async function claimRest(cluster: Cluster, ctx: Ctx): Promise<void> {
  if (!cluster.claimed || cluster.claimGranted) return;
  const rest = ours(cluster).filter((node) => holdsNow(cluster, node) === null);
  const asked = await askEach(rest, (node) => claimLate(cluster, ctx, node));
  for (const {error} of asked) if (error !== undefined && !isSilent(error)) throw error;
}

const isSilent = (error: unknown): boolean => isRegionctlError(error) && error.exit === EXIT.unavailable && error.code !== 'not-calm';

const ours = (cluster: Cluster): readonly Node[] => nodesOf(cluster, [...new Set([...cluster.wanted, ...cluster.claims.keys()])]);

const notClaimed = (node: Node) =>
  refused('not-claimed', `The store is not claimed by this run any more, so nothing is done to ${node.name}.`);

/** Asked right before a host is told anything. */
export async function demandHeld(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (cluster.claimed && !(await isHeld(cluster, ctx))) throw notClaimed(node);
}

/** Forgets a member whose server is about to be stopped on purpose. */
export function forgetClaim(cluster: Cluster, node: Node): Backend | undefined {
  const held = cluster.claims.get(node.name);
  cluster.claims.delete(node.name);
  cluster.wanted = cluster.wanted.filter((name) => name !== node.name);
  return held;
}

/** As the real one: it tells of the run, so that whoever goes on with it knows its own dead predecessor. */
const sessionName = ({runId}: Ctx): string => `regionctl ${runId}`;

function unlock(ctx: Ctx, node: Node): Promise<void> {
  return node.session.ask(
    'unlock',
    (server, backend) => {
      if (server.lockedBy === backend) server.lockedBy = null;
    },
    limitsOf(ctx),
  );
}

const heldElsewhere = (node: Node, {application}: Holder) =>
  leaseHeld(`The store is claimed on ${node.name} by another session: ${application}.`);

/** Sets something in the files, has them read again, and waits until it is in force. */
export async function setSetting(
  cluster: Cluster,
  ctx: Ctx,
  node: Node,
  set: {readonly name: string; readonly write: (server: Server) => void; readonly inForce: (server: Server) => boolean},
): Promise<void> {
  await act(cluster, ctx, node, `alter system ${set.name}`, set.write);
  await reload(cluster, ctx, node);
  const seen = await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 5}, async () =>
    (await node.session.ask(`show ${set.name}`, set.inForce, limitsOf(ctx))) ? true : null,
  );
  if (seen === null) throw unavailable('not-in-force', `${node.name} did not take ${set.name} within 2 s.`);
}

export async function reload(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  await act(cluster, ctx, node, 'reload', (server) => server.reload());
}
