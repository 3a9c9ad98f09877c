import {messageOf, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Host} from '../../ports/host.ts';
import type {Abilities} from '../../ports/store.ts';
import type {Cell} from '../../snapshot/cell.ts';
import {bytesBetween, type Position} from '../../snapshot/position.ts';
import {claimMember, demandHeld, forgetClaim} from './claim.ts';
import {type Cluster, limitsOf, type Node, nodeOf, only, pollUntil} from './cluster.ts';
import {durableOf, type Facts, primariesOf, readAll, readFacts} from './facts.ts';
import {awaitStreaming, ensureSlot} from './follow.ts';
import {readForks, wayOf} from './history.ts';
import {canFollow, forkPoint} from './timeline.ts';
import {writeOut} from './write-out.ts';

type Options = Awaited<ReturnType<Abilities['rejoin']['options']>>;

const STREAM_MS = 5000;

/** The ways back into the store for a member that is none of its standbys. */
export function createRejoin(cluster: Cluster): Abilities['rejoin'] {
  return {
    options: (member, signal) => options(cluster, nodeOf(cluster, member), signal),
    returns: async (member, signal) => returns(nodeOf(cluster, member), signal),
    rewinds: (member, signal) => canRewind(nodeOf(cluster, member), nodeOf(cluster, member), signal),
    rejoin: async (ctx, member, how, upstream) => {
      const node = nodeOf(cluster, member);
      if (how === 'follow') return comeBack(cluster, ctx, node, upstream);
      return how === 'rewind' ? rewind(cluster, ctx, node, upstream) : rebuild(cluster, ctx, node, upstream);
    },
    save: async (ctx, member, upstream, dir) => (await import('./save.ts')).save(cluster, ctx, nodeOf(cluster, member), upstream, dir),
  };
}

/** Empty when the member is the primary itself. Throws `no-primary` when there is nothing to rejoin. */
async function options(cluster: Cluster, node: Node, signal: AbortSignal): Promise<Options> {
  const facts = await readAll(cluster, signal);
  const [primary] = primariesOf(facts);
  if (primary === undefined)
    throw unavailable('no-primary', `No primary of ${cluster.store} answers, so there is nothing that ${node.name} could rejoin.`);
  if (primary.name === node.name) return [];
  const upstream = nodeOf(cluster, primary.name);
  // Without its host there is no way back at all: neither can its server be started, nor its data replaced.
  if (node.host === null || (await node.host.status(signal).catch(() => null)) === null) return [];
  const whole = {how: 'rebuild', bytes: await databaseBytes(upstream, signal)} as const;
  const own = facts[node.name];
  const follow = own?.known === true ? await followOf(own, primary.facts, upstream, signal) : await stoppedFollow(node, signal);
  const seen = own?.known === true ? own.value : null;
  if (!(await canRewind(seen === null ? upstream : node, node, signal))) return [...(follow === null ? [] : [follow]), whole];
  const bytes = seen === null ? null : await sinceFork(node, seen, upstream, primary.facts, signal);
  const back = {how: 'rewind', bytes} as const;
  // A rewind reads all of the member's log since the fork: of much of it, a fresh copy is the lesser work.
  const copies = bytes !== null && bytes > whole.bytes ? [whole, back] : [back, whole];
  return [...(follow === null ? [] : [follow]), ...copies];
}

async function returns({host}: Node, signal: AbortSignal): Promise<boolean> {
  if (host === null || host.startsStandbys === false) return false;
  const status = await host.status(signal).catch(() => null);
  return status !== null && status.running !== null;
}

/** pg_rewind needs the host's command, and pages whose changes it can tell: checksums, or hints that are logged. `asked` = the member, or one that is set up like it. */
async function canRewind(asked: Node, node: Node, signal: AbortSignal): Promise<boolean> {
  if (node.host?.rewind === undefined) return false;
  const sql = `select current_setting('wal_log_hints') = 'on' or current_setting('data_checksums') = 'on' as "can"`;
  return only(await asked.session.rows<{can: boolean}>(sql, [], {signal}), asked).can;
}

/** How much the member has written to its log since it left the primary's history; null = where that was is not known. */
async function sinceFork(node: Node, own: Facts, upstream: Node, primary: Facts, signal: AbortSignal): Promise<number | null> {
  const [mine, theirs] = await Promise.all([wayOf(node, own, signal), wayOf(upstream, primary, signal)]);
  const fork = forkPoint(mine, theirs);
  return fork === null ? null : Number(BigInt(own.durable) - fork.offset);
}

/** A member that answers: a standby whose data is part of the primary's history. One that runs as a primary has gone its own way. */
async function followOf(
  own: Cell<Facts> & {known: true},
  primary: Facts,
  upstream: Node,
  signal: AbortSignal,
): Promise<Options[number] | null> {
  if (!own.value.recovering) return null;
  const [mine, theirs] = [durableOf(own.value), durableOf(primary)];
  const forks = await readForks(upstream, primary.timeline, signal);
  return canFollow(mine, theirs, forks) ? {how: 'follow', bytes: bytesBetween(mine, theirs)} : null;
}

/** A stopped server cannot be asked how far it got: following is tried, and tells by itself whether it can. */
async function stoppedFollow(node: Node, signal: AbortSignal): Promise<Options[number] | null> {
  const status = await node.host?.status(signal).catch(() => null);
  return status?.running === false ? {how: 'follow', bytes: null} : null;
}

async function databaseBytes(node: Node, signal: AbortSignal): Promise<number> {
  const sum = 'select sum(pg_database_size(oid))::float8 as "bytes" from pg_database';
  return only(await node.session.rows<{bytes: number}>(sum, [], {signal}), node).bytes;
}

async function comeBack(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<{bytes: number | null}> {
  const host = hostOf(node);
  const source = nodeOf(cluster, upstream);
  const target = durableOf(await readFacts(source, limitsOf(ctx)));
  const forks = await readForks(source, target.epoch, ctx.signal);
  // On the same timeline it may have received more meanwhile than the upstream had when it was read.
  const fits = (at: Position): boolean => at.epoch === target.epoch || canFollow(at, target, forks);
  await refuseNewer(ctx, node, upstream, target);
  // A server that holds more than the upstream's history does not even start as its standby.
  const own = await readFacts(node, limitsOf(ctx)).catch(() => null);
  if (own?.recovering === true && !fits(durableOf(own)))
    throw refused('cannot-follow', `${node.name} holds what is not in the history of ${upstream}`);
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await host.stop(ctx.signal);
  await host.startAsStandby(upstream, ctx.signal);
  await awaitStandby(cluster, ctx, node, upstream, STREAM_MS, fits);
  const caughtUp = await pollUntil(cluster, ctx, {forMs: Number.POSITIVE_INFINITY, everyMs: 10}, async () => {
    const {applied, lineage} = await readFacts(node, limitsOf(ctx));
    return lineage === target.lineage && BigInt(applied) >= BigInt(target.offset) ? true : null;
  });
  if (caughtUp === null) throw unavailable('not-caught-up', `${node.name} streams from ${upstream} and had not caught up at the deadline.`);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return {bytes: null};
}

/** A member on a later timeline than its upstream was promoted, or follows one that was: what it holds must not be thrown away. */
async function refuseNewer(ctx: Ctx, node: Node, upstream: string, target: Position): Promise<void> {
  const own = await readFacts(node, limitsOf(ctx)).catch(() => null);
  if (own === null || own.lineage !== target.lineage || own.timeline <= target.epoch) return;
  throw refused(
    'newer-timeline',
    `${node.name} is on timeline ${own.timeline}, later than that of ${upstream} (${target.epoch}): it must not be put under it.`,
  );
}

/** Takes the member's data back to where it left the upstream's history. Throws `cannot-rewind` when that cannot be: then only a rebuild is left. */
async function rewind(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<{bytes: number | null}> {
  const host = hostOf(node);
  const source = nodeOf(cluster, upstream);
  if (host.rewind === undefined) throw refused('cannot-rewind', `the host of ${node.name} has no way to rewind it`);
  if (!(await canRewind(source, node, ctx.signal)))
    throw refused('cannot-rewind', `${upstream} has neither wal_log_hints nor data checksums: what ${node.name} changed cannot be told`);
  await refuseNewer(ctx, node, upstream, durableOf(await readFacts(source, limitsOf(ctx))));
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  await host.stop(ctx.signal);
  // Right after a promotion the source's control file still names the old timeline, and pg_rewind would see nothing to do.
  await writeOut(ctx, source);
  await demandHeld(cluster, ctx, node);
  const {bytes} = await host.rewind(upstream, ctx.signal);
  await awaitStandby(cluster, ctx, node, upstream, Number.POSITIVE_INFINITY, () => true);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return {bytes};
}

async function rebuild(cluster: Cluster, ctx: Ctx, node: Node, upstream: string): Promise<{bytes: number | null}> {
  const host = hostOf(node);
  await refuseNewer(ctx, node, upstream, durableOf(await readFacts(nodeOf(cluster, upstream), limitsOf(ctx))));
  await demandHeld(cluster, ctx, node);
  forgetClaim(cluster, node);
  const {bytes} = await host.rebuild(upstream, ctx.signal);
  await awaitStandby(cluster, ctx, node, upstream, Number.POSITIVE_INFINITY, () => true);
  if (cluster.claimed) await claimMember(cluster, ctx, node);
  return {bytes};
}

/** Waits until the member answers, is in recovery and streams. A server that is still starting is waited for. */
async function awaitStandby(
  cluster: Cluster,
  ctx: Ctx,
  node: Node,
  upstream: string,
  forMs: number,
  fits: (own: Position) => boolean,
): Promise<void> {
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
  if (facts.slotName !== '') await ensureSlot(cluster, ctx, nodeOf(cluster, upstream), facts.slotName);
  await awaitStreaming(cluster, ctx, node, upstream, Math.max(0, end - ctx.now()), {fits: (facts) => fits(durableOf(facts))});
}

function hostOf(node: Node): Host {
  if (node.host !== null) return node.host;
  throw refused('no-host', `${node.name} cannot be brought back: the fleet file gives no control over its host.`, {
    suggestions: [`Add a host to member ${node.name}, or bring it back by hand.`],
  });
}
