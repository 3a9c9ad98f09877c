import {messageOf, refused, unavailable} from '../../src/lib/errors.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Abilities, Proof} from '../../src/lib/ports/store.ts';
import {act, claimMember, demandHeld, forgetClaim, reload} from './claim.ts';
import {askEach, type Cluster, type Facts, factsOf, limitsOf, type Node, nodeOf, pollUntil, primariesOf, readFacts} from './cluster.ts';
import type {Server} from './server.ts';

const CLOSE_MS = 5000;
const ANSWER_MS = 500;

/** Fencing as the real provider does it: by what its host sees, else by closing the server to everybody but us. */
export function createFence(cluster: Cluster): Abilities['fence'] {
  return {
    fence: async (ctx, member, how) => {
      const node = nodeOf(cluster, member);
      const untold =
        how?.untold === true
          ? await node.session.ask('read who waits', ({commits}) => commits.untold, limitsOf(ctx)).catch(() => null)
          : null;
      return {...(await fence(cluster, ctx, node, how?.keepRunning === true)), ...(untold === null ? {} : {untold})};
    },
    prove: (ctx, member) => prove(cluster, ctx, nodeOf(cluster, member)),
    lift: (ctx, member, when) => lift(cluster, ctx, nodeOf(cluster, member), when),
    open: (ctx, member) => nodeOf(cluster, member).session.ask('is it open', ({hba}) => !hba.closed && !hba.kept, limitsOf(ctx)),
  };
}

async function fence(cluster: Cluster, ctx: Ctx, node: Node, keepRunning: boolean): Promise<Proof> {
  const reasons: string[] = [];
  if (await isStopped(ctx, node)) return {...stoppedProof(cluster, node, false), found: true};
  const closed = await close(cluster, ctx, node).catch((error: unknown) => {
    reasons.push(`Not closed: ${messageOf(error)}`);
    return null;
  });
  if (keepRunning && closed !== null) return closed;
  if (await stop(cluster, ctx, node, reasons))
    return {...stoppedProof(cluster, node, closed !== null), ...(closed?.position && {position: closed.position})};
  if (closed !== null) return closed;
  throw refused('fence-impossible', `${node.name} cannot be fenced. ${reasons.join(' ')}`);
}

async function prove(cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof | null> {
  if (await isStopped(ctx, node)) return stoppedProof(cluster, node, false);
  try {
    const isClosed = await node.session.ask('read pg_hba', ({hba}) => hba.closed, limitsOf(ctx));
    if (!isClosed || !(await loginIsRefused(ctx, node))) return null;
    if ((await countForeign(ctx, node)) > 0) return null;
    return await closedProof(cluster, ctx, node);
  } catch {
    // What cannot be looked at is not proven.
    return null;
  }
}

async function isStopped(ctx: Ctx, node: Node): Promise<boolean> {
  if (node.host === null) return false;
  try {
    const {running} = await node.host.status(ctx.signal);
    return running === false && (await readFacts(node, {...limitsOf(ctx), timeoutMs: ANSWER_MS}).catch(() => null)) === null;
  } catch {
    return false;
  }
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

async function close(cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof> {
  const facts = await readFacts(node, limitsOf(ctx));
  if (facts.recovering) throw refused('not-a-primary', `${node.name} is a standby, so there is nothing to fence on it.`);
  await act(cluster, ctx, node, 'keep pg_hba', ({hba}) => {
    if (!hba.closed) hba.kept = true;
  });
  await act(cluster, ctx, node, 'close pg_hba', ({hba}) => {
    hba.closed = true;
  });
  await reload(cluster, ctx, node);
  const done = await pollUntil(cluster, ctx, {forMs: CLOSE_MS, everyMs: 5}, async () => {
    const isClosed = await node.session.ask('read pg_hba', ({hba}) => hba.closed, limitsOf(ctx));
    if (!isClosed || !(await loginIsRefused(ctx, node))) return null;
    await act(cluster, ctx, node, 'terminate the others', (server) => {
      for (const backend of server.foreign()) server.end(backend);
    });
    return (await countForeign(ctx, node)) === 0 && (await stayedEmpty(cluster, ctx, node)) ? true : null;
  });
  if (done === null) throw unavailable('not-closed', `${node.name} still had sessions of others ${CLOSE_MS} ms after it was closed.`);
  return closedProof(cluster, ctx, node);
}

async function stayedEmpty(cluster: Cluster, ctx: Ctx, node: Node): Promise<boolean> {
  for (let look = 0; look < 2; look++) {
    await cluster.clock.sleep(2, ctx.signal);
    if ((await countForeign(ctx, node)) > 0) return false;
  }
  return true;
}

const countForeign = (ctx: Ctx, node: Node): Promise<number> =>
  node.session.ask('count sessions', (server) => server.foreign().length, limitsOf(ctx));
/** A login as somebody else, in a connection of its own; what decides is what the server has loaded. */
const loginIsRefused = (ctx: Ctx, node: Node): Promise<boolean> =>
  node.session.ask('try a login', ({hba}) => hba.loadedClosed, limitsOf(ctx));

async function closedProof(cluster: Cluster, ctx: Ctx, node: Node): Promise<Proof> {
  const position = await node.session.ask(
    'closed: facts',
    (server) => {
      if (!server.recovering && server.hba.loadedClosed && server.foreign().length === 0) server.proven = 'closed';
      return factsOf(server).durable;
    },
    limitsOf(ctx),
  );
  return {kind: 'closed', at: isoNow(cluster), survivesRestart: true, leaks: [], position};
}

/** Says to the truth, too, what was proven: a server that is started again meanwhile is not. */
function stoppedProof(cluster: Cluster, {server}: Node, survivesRestart: boolean): Proof {
  if (server.status === 'stopped') server.proven = survivesRestart ? 'stopped for good' : 'stopped';
  return {kind: 'stopped', at: isoNow(cluster), survivesRestart, leaks: []};
}

async function lift(cluster: Cluster, ctx: Ctx, node: Node, when: 'following' | 'undo'): Promise<void> {
  if (when === 'undo') await startAgain(cluster, ctx, node);
  const hba = await node.session.ask('read pg_hba', (server) => ({...server.hba}), limitsOf(ctx));
  if (!hba.closed && !hba.kept) return;
  await (when === 'undo' ? requireStillPrimary(cluster, ctx, node) : requireFollowing(ctx, node));
  if (!hba.kept) throw refused('lift-refused', `the kept file on ${node.name} is missing: there is no file to put back.`);
  const now = await node.session.ask('facts', ({ground}) => ground.scheduler.now, limitsOf(ctx));
  if (hba.closed) await act(cluster, ctx, node, 'put pg_hba back', openAgain);
  await reload(cluster, ctx, node);
  const loaded = await pollUntil(cluster, ctx, {forMs: 2000, everyMs: 10}, async () =>
    (await node.session.ask('loaded at', (server) => server.hba.loadedAt, limitsOf(ctx))) >= now ? true : null,
  );
  if (loaded === null) throw unavailable('not-in-force', `${node.name} did not load its pg_hba file again within 2 s.`);
  await act(cluster, ctx, node, 'drop the kept file', (server) => {
    server.hba.kept = false;
  });
}

function openAgain(server: Server): void {
  server.hba.closed = false;
  server.proven = null;
}

async function requireFollowing(ctx: Ctx, node: Node): Promise<void> {
  const facts = await readFacts(node, limitsOf(ctx));
  if (!facts.recovering)
    throw refused('lift-refused', `${node.name} is a primary: its fence stays until it was seen in recovery and following.`);
  if (facts.receiver !== 'streaming') throw refused('lift-refused', `${node.name} does not stream from an upstream: its fence stays.`);
}

async function requireStillPrimary(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  const [primary] = primariesOf(await readAll(cluster, ctx));
  if (primary?.name === node.name) return;
  throw refused(
    'lift-refused',
    `The fence of ${node.name} stays: ${primary === undefined ? 'no member says that it is the primary' : `${primary.name} is the primary now`}.`,
  );
}

/** A server that was stopped by its host is started as its data says, and claimed again. */
async function startAgain(cluster: Cluster, ctx: Ctx, node: Node): Promise<void> {
  if (node.host === null || (await node.host.status(ctx.signal)).running !== false) return;
  const [primary] = primariesOf(await readAll(cluster, ctx));
  if (primary !== undefined) throw refused('lift-refused', `${node.name} stays stopped: ${primary.name} is the primary now.`);
  await demandHeld(cluster, ctx, node);
  await node.host.start(ctx.signal);
  const up = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 20}, () =>
    readFacts(node, limitsOf(ctx)).catch(() => null),
  );
  if (up === null) throw unavailable('timeout', `${node.name} was started and does not answer.`);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
}

/** Every member at once; one that does not answer has no value. */
export function readAll(cluster: Cluster, {signal}: Pick<Ctx, 'signal'>): Promise<readonly {node: Node; value?: Facts; error?: unknown}[]> {
  return askEach([...cluster.nodes.values()], (node) => readFacts(node, {signal}));
}

function isoNow(cluster: Cluster): string {
  return new Date(cluster.clock.wall()).toISOString();
}
