import {messageOf, refused, unavailable} from '../../src/lib/errors.ts';
import type {Ctx} from '../../src/lib/plan/action.ts';
import type {Abilities, Saved, Store} from '../../src/lib/ports/store.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Position} from '../../src/lib/snapshot/position.ts';
import type {AckRule, Member} from '../../src/lib/snapshot/snapshot.ts';
import {claimMember, createClaim, demandHeld, forgetClaim} from './claim.ts';
import {type Cluster, createCluster, type Facts, limitsOf, type Node, nodeOf, pollUntil, primariesOf, readFacts} from './cluster.ts';
import {asCell, awaitStreaming, createDurability, createFollow, createPromote, createSeal} from './effects.ts';
import {createFence, readAll} from './fence.ts';
import type {Process} from './process.ts';
import type {Server} from './server.ts';

const OBSERVE_MS = 1500;
const STREAM_MS = 5000;
const CHECKPOINT_MS = 60_000;

/** A store of the simulated fleet as one process sees it, with sessions of its own. */
export function simStore(process: Process, lacks: {readonly claimGranted?: boolean; readonly unbound?: boolean} = {}): Store {
  const cluster = createCluster(process, lacks);
  return {
    engine: 'postgres',
    observe: (signal, members = process.fleet.names) => observe(cluster, signal, members),
    ackRule: (signal) => ackRule(cluster, signal),
    abilities: {
      claim: createClaim(cluster),
      seal: createSeal(cluster),
      fence: createFence(cluster),
      durability: createDurability(cluster),
      promote: createPromote(cluster),
      follow: createFollow(cluster),
      rejoin: createRejoin(cluster),
      loss: createLoss(cluster),
      digest: createDigest(cluster),
      scalar: createScalar(cluster),
    },
    close: async () => {
      cluster.claims.clear();
      cluster.claimed = false;
      await Promise.all([...cluster.nodes.values()].map(({session}) => session.close()));
    },
  };
}

async function observe(cluster: Cluster, signal: AbortSignal, members: readonly string[]): Promise<Readonly<Record<string, Cell<Member>>>> {
  const cells = members.map(async (name) => {
    const cell = await asCell(cluster, () => readFacts(nodeOf(cluster, name), {signal, timeoutMs: OBSERVE_MS}));
    return [
      name,
      cell.known && cell.value.replaying
        ? unknown('replaying', `${name} has not yet replayed all that it holds.`, cell.at)
        : asMember(name, cell),
    ] as const;
  });
  return Object.fromEntries(await Promise.all(cells));
}

function asMember(name: string, cell: Cell<Facts>): Cell<Member> {
  if (!cell.known) return cell;
  const {recovering, durable, applied, upstream, heardAgoMs, rule} = cell.value;
  const member: Member = {
    region: name,
    role: recovering ? 'standby' : 'primary',
    writable: !recovering,
    durable,
    applied,
    upstream,
    heardUpstreamAgoMs: heardAgoMs === null ? null : Math.round(heardAgoMs),
    acknowledges: rule,
  };
  return known(member, cell.at, cell.via);
}

async function ackRule(cluster: Cluster, signal: AbortSignal): Promise<Cell<AckRule>> {
  const [primary, second] = primariesOf(await readAll(cluster, {signal}));
  const at = cluster.clock.wall();
  if (primary === undefined) return unknown('no-primary', 'No primary could be asked who must acknowledge a write.', at);
  if (second !== undefined && second.facts.durable.epoch === primary.facts.durable.epoch)
    return unknown('two-primaries', `${primary.name} and ${second.name} both say that they are primary.`, at);
  const rule = await asCell(cluster, () =>
    nodeOf(cluster, primary.name).session.ask('show synchronous_standby_names', ({live}) => live.rule, {signal}),
  );
  if (!rule.known) return rule;
  const {need, of} = rule.value;
  return known({kind: need === 0 ? 'async' : 'quorum', need, of: need === 0 ? [] : of, lowerable: true}, at, 'sql');
}

function createRejoin(cluster: Cluster): Abilities['rejoin'] {
  return {
    options: async (member, signal) => {
      const [primary] = primariesOf(await readAll(cluster, {signal}));
      if (primary === undefined) throw unavailable('no-primary', `No primary answers, so there is nothing that ${member} could rejoin.`);
      const {host} = nodeOf(cluster, member);
      if (primary.name === member || host === null || (await host.status(signal).catch(() => null)) === null) return [];
      return [{how: 'rebuild', bytes: 1_000_000}];
    },
    rewinds: async (member, signal) => {
      const node = nodeOf(cluster, member);
      if (node.host?.rewind === undefined) return false;
      return node.session.ask('show wal_log_hints', () => true, {signal});
    },
    rejoin: async (ctx, member, how, upstream) => {
      const node = nodeOf(cluster, member);
      if (how === 'follow') return comeBack(cluster, ctx, node, upstream);
      return how === 'rewind' ? rewind(cluster, ctx, node, upstream) : rebuild(cluster, ctx, node, upstream);
    },
    save: async (ctx, member, upstream, dir) => {
      const saved = await save(cluster, ctx, nodeOf(cluster, member), nodeOf(cluster, upstream));
      if (saved !== null) cluster.process.fleet.kept.add(dir);
      return saved;
    },
  };
}

/** As the real provider does: one that is stopped is started as a standby of nobody, and only one that nobody can write to is read. */
async function save(cluster: Cluster, ctx: Ctx, node: Node, upstream: Node): Promise<Saved | null> {
  let facts = await readFacts(node, limitsOf(ctx)).catch(() => null);
  if (facts === null) {
    const {running} = await hostOf(node).status(ctx.signal);
    if (running !== false) throw unavailable('unreachable', `${node.name} does not answer, and its host does not say that it is stopped.`);
    await demandHeld(cluster, ctx, node);
    await hostOf(node).startAsStandby(null, ctx.signal);
    forgetClaim(cluster, node);
    facts = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 20}, async () => {
      const seen = await readFacts(node, limitsOf(ctx)).catch(() => null);
      return seen === null || seen.replaying ? null : seen;
    });
    if (facts?.recovering !== true) throw refused('not-in-recovery', `${node.name} came up as a primary.`);
    if (cluster.claimed) await claimMember(cluster, ctx, node);
  }
  if (!facts.recovering && (await createFence(cluster).prove(ctx, node.name)) === null)
    throw refused('not-fenced', `${node.name} runs as a primary and is not fenced.`);
  const own = await node.session.ask('read the log', ({log}) => [...log], limitsOf(ctx));
  const theirs = await upstream.session.ask('read the log', ({log}) => [...log], limitsOf(ctx));
  const rows = own.filter((rec, index) => rec !== theirs[index] && rec.write !== null).length;
  if (own.every((rec, index) => rec === theirs[index])) return null;
  return {rows, tables: rows === 0 ? [] : ['public.orders'], walBytes: own.length - theirs.length, files: []};
}

async function comeBack(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<{bytes: number | null}> {
  const host = hostOf(node);
  const target = (await readFacts(nodeOf(cluster, upstream), limitsOf(ctx))).durable;
  await refuseNewer(ctx, node, upstream, target);
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await host.stop(ctx.signal);
  await host.startAsStandby(upstream, ctx.signal);
  await awaitStandby(cluster, ctx, node, upstream, STREAM_MS, () => isPartOf(node, nodeOf(cluster, upstream)));
  const caughtUp = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 10}, async () =>
    BigInt((await readFacts(node, limitsOf(ctx))).applied.offset) >= BigInt(target.offset) ? true : null,
  );
  if (caughtUp === null) throw unavailable('not-caught-up', `${node.name} streams from ${upstream} and had not caught up at the deadline.`);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return {bytes: null};
}

async function rewind(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<{bytes: number | null}> {
  const host = hostOf(node);
  if (host.rewind === undefined) throw refused('cannot-rewind', `the host of ${node.name} has no way to rewind it`);
  await refuseNewer(ctx, node, upstream, (await readFacts(nodeOf(cluster, upstream), limitsOf(ctx))).durable);
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await host.stop(ctx.signal);
  await nodeOf(cluster, upstream).session.ask('checkpoint', () => undefined, {signal: ctx.signal, timeoutMs: CHECKPOINT_MS});
  const {bytes} = await host.rewind(upstream, ctx.signal);
  await awaitStandby(cluster, ctx, node, upstream, Number.POSITIVE_INFINITY, () => true);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return {bytes};
}

async function rebuild(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<{bytes: number | null}> {
  const host = hostOf(node);
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await refuseNewer(ctx, node, upstream, (await readFacts(nodeOf(cluster, upstream), limitsOf(ctx))).durable);
  const {bytes} = await host.rebuild(upstream, ctx.signal);
  await awaitStandby(cluster, ctx, node, upstream, Number.POSITIVE_INFINITY, () => true);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return {bytes};
}

/** What the real provider tells from the history file of the upstream's timeline. */
function isPartOf({server}: Node, {server: upstream}: Node): boolean {
  return upstream.log[server.log.length - 1] === server.log.at(-1);
}

/** What is on a later timeline than its upstream must not be thrown away. */
async function refuseNewer(ctx: Ctx, node: Node, upstream: string, target: Position): Promise<void> {
  const own = await readFacts(node, limitsOf(ctx)).catch(() => null);
  if (own !== null && own.durable.epoch > target.epoch)
    throw refused(
      'newer-timeline',
      `${node.name} is on timeline ${own.durable.epoch}, later than that of ${upstream}: it must not be put under it.`,
    );
}

async function awaitStandby(cluster: Cluster, ctx: Ctx, node: Node, upstream: string, forMs: number, fits: () => boolean): Promise<void> {
  let last: unknown = null;
  const end = ctx.now() + forMs;
  const facts = await pollUntil(cluster, ctx, {forMs, everyMs: 20}, () =>
    readFacts(node, limitsOf(ctx)).catch((error: unknown) => {
      last = error;
      return null;
    }),
  );
  if (facts === null) throw refused('cannot-follow', `${node.name} was started as a standby and does not answer. ${messageOf(last)}`);
  if (!facts.recovering) throw refused('not-in-recovery', `${node.name} came up as a primary instead of a standby of ${upstream}.`);
  await awaitStreaming(cluster, ctx, node, upstream, Math.max(0, end - ctx.now()), {fits});
}

function hostOf({host, name}: Node) {
  if (host === null) throw refused('no-host', `${name} cannot be brought back: there is no control over its host.`);
  return host;
}

function createLoss(cluster: Cluster): Abilities['loss'] {
  return {
    loss: async () => Promise.reject(unavailable('not-asked', 'the simulation judges its losses by itself')),
    mark: (member, signal) => nodeOf(cluster, member).session.ask('mark', ({log}) => log.length, {signal}),
    since: async (member, mark, signal, without = []) => {
      const held = typeof mark === 'number' ? mark : 0;
      const untold = without.filter((index) => Number(index) >= held).length;
      const count = ({log}: {readonly log: readonly unknown[]}) => ({transactions: Math.max(0, log.length - held - untold)});
      return nodeOf(cluster, member).session.ask('count since the mark', count, {signal});
    },
  };
}

/** One table, a row for each write. */
function createDigest(cluster: Cluster): Abilities['digest'] {
  return {
    tables: async () => ['public.orders'],
    rows: (member, _table, at, signal) => rowsOf(cluster, nodeOf(cluster, member), at, signal),
  };
}

/** The one query that the engine makes: how many rows the table has. */
function createScalar(cluster: Cluster): Abilities['scalar'] {
  const count = (server: Server) => server.log.slice(0, server.replayed).filter(({write}) => write !== null).length;
  return {scalar: (member, query, signal) => nodeOf(cluster, member).session.ask(query, count, {signal})};
}

const CATCH_UP_MS = 5000;

async function* rowsOf(cluster: Cluster, node: Node, at: Position, signal: AbortSignal): AsyncGenerator<{key: string; sum: string}> {
  const ctx = {runId: '', token: '', signal, now: () => cluster.clock.now(), deadline: cluster.clock.now() + CATCH_UP_MS} satisfies Ctx;
  const there = await pollUntil(cluster, ctx, {forMs: CATCH_UP_MS, everyMs: 20}, async () =>
    BigInt((await readFacts(node, {signal})).applied.offset) >= BigInt(at.offset) ? true : null,
  );
  if (there === null) throw unavailable('not-caught-up', `${node.name} did not reach the position within ${CATCH_UP_MS} ms.`);
  const ids = await node.session.ask(
    'digest',
    ({log, replayed}) => log.slice(0, replayed).flatMap(({write}) => (write === null ? [] : [write.id])),
    {signal},
  );
  yield* ids.toSorted((a, b) => a - b).map((id) => ({key: String(id).padStart(9, '0'), sum: 'same'}));
}
