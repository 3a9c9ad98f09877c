import {leaseHeld, messageOf, unavailable} from '../../src/lib/errors.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Abilities} from '../../src/lib/ports/store.ts';
import {askEach, type Cluster, limitsOf, type Node, pollUntil} from './cluster.ts';
import type {Backend, Server} from './server.ts';

/** How long a claim waits for members that are slower than the first. */
const GRACE_MS = 300;

type Holder = {readonly pid: number; readonly application: string};
type Take = (cluster: Cluster, ctx: Ctx, node: Node) => Promise<Holder | null>;
type Asked = Awaited<ReturnType<typeof askEach<Holder | null>>>;

/** The claim as the real provider takes it: a lock of the session on every reachable member, statement by statement. */
export function createClaim(cluster: Cluster): Abilities['claim'] {
  return {
    claim: (ctx, members) => claimAll(cluster, ctx, takeOrSucceed, members),
    evict: (ctx) => claimAll(cluster, ctx, evictThenTake),
    held: (ctx) => isHeld(cluster, ctx),
    release: async (ctx) => {
      await askEach(claimed(cluster), (node) => unlock(ctx, node));
      cluster.claims.clear();
    },
  };
}

export async function claimMember(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const holder = await take(cluster, ctx, node);
  if (holder !== null) throw heldElsewhere(node, holder);
  cluster.claims.add(node.name);
}

/** A member that came back without us counts only if another one's claim was held all along. */
export async function claimLate(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const holder = await take(cluster, ctx, node);
  if (holder !== null) throw heldElsewhere(node, holder);
  if (await isHeld(cluster, ctx)) cluster.claims.add(node.name);
  else await unlock(ctx, node);
}

async function claimAll(cluster: Cluster, ctx: Ctx, how: Take, members?: readonly string[]): Promise<readonly string[]> {
  const nodes = [...cluster.nodes.values()].filter(({name}) => members === undefined || members.includes(name));
  const asked = await askPromptly(cluster, nodes, (node) => how(cluster, ctx, node));
  const other = asked.find(({value}) => value !== undefined && value !== null);
  const taken = asked.filter(({value}) => value === null).map(({node}) => node);
  if (other?.value) {
    await askEach(
      taken.filter((node) => !cluster.claims.has(node.name)),
      (node) => unlock(ctx, node),
    );
    throw heldElsewhere(other.node, other.value);
  }
  if (taken.length === 0)
    throw unavailable('unreachable', `No member could be claimed. ${asked.map(({error}) => messageOf(error)).join(' ')}`);
  for (const node of taken) cluster.claims.add(node.name);
  return taken.map(({name}) => name);
}

async function askPromptly(cluster: Cluster, nodes: readonly Node[], ask: (node: Node) => Promise<Holder | null>): Promise<Asked> {
  const done = new AbortController();
  const answered = new Map<Node, Asked[number]>();
  const each = nodes.map(async (node) => {
    const [asked] = await askEach([node], ask);
    if (asked !== undefined) answered.set(node, asked);
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
  if (cluster.claimGranted) return null;
  const name = sessionName(ctx);
  const taken = await node.session.ask('try lock', (server, backend) => tryLock(server, backend, name), limitsOf(ctx));
  if (taken) return null;
  const holder = await node.session.ask('who holds the lock', ({lockedBy}) => lockedBy, limitsOf(ctx));
  return holder === null ? {pid: 0, application: 'gone meanwhile'} : {pid: holder.pid, application: holder.application};
}

function tryLock(server: Server, backend: Backend, name: string): boolean {
  backend.application = name;
  if (server.lockedBy === null) server.lockedBy = backend;
  return server.lockedBy === backend;
}

/** A session of the same run belongs to a process that ended: the lease lets only one process run it. */
async function takeOrSucceed(cluster: Cluster, ctx: Ctx, node: Node): Promise<Holder | null> {
  const holder = await take(cluster, ctx, node);
  return holder !== null && holder.application === sessionName(ctx) ? evictThenTake(cluster, ctx, node) : holder;
}

async function evictThenTake(cluster: Cluster, ctx: Ctx, node: Node): Promise<Holder | null> {
  let last: Holder | null = null;
  await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () => {
    last = await take(cluster, ctx, node);
    if (last === null) return true;
    const {pid} = last;
    if (pid > 0) await node.session.ask('terminate backend', (server) => terminate(server, pid), limitsOf(ctx));
    return null;
  });
  return last;
}

function terminate(server: Server, pid: number): void {
  for (const backend of [...server.backends]) if (backend.pid === pid) server.end(backend);
}

/** Still ours on every claimed member that can be reached; what broke is taken again as long as another was held all along. */
async function isHeld(cluster: Cluster, ctx: Ctx): Promise<boolean> {
  if (cluster.claimGranted) return true;
  const asked = await askEach(claimed(cluster), (node) =>
    node.session.ask('lock is mine', (server, backend) => server.lockedBy === backend, limitsOf(ctx)),
  );
  const lost = asked.filter(({value}) => value === false);
  if (!asked.some(({value}) => value === true)) return false;
  const again = await askEach(
    lost.map(({node}) => node),
    (node) => take(cluster, ctx, node),
  );
  return again.every(({value, error}) => value === null || error !== undefined);
}

const claimed = (cluster: Cluster): readonly Node[] => [...cluster.nodes.values()].filter(({name}) => cluster.claims.has(name));

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
