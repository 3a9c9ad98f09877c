import {messageOf, refused, unavailable} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities, WayBack} from '../../ports/store.ts';
import {bytesBetween, type Position} from '../../snapshot/position.ts';
import {claimMember} from '../postgres/claim.ts';
import {limitsOf, only, pollUntil} from '../postgres/cluster.ts';
import {durableOf, type Facts, readFacts} from '../postgres/facts.ts';
import {type Ensemble, type Peer, peerOf, readAnyView, readStatus} from './ensemble.ts';

const LOOK_MS = 50;
/** A server that is in recovery and finds nothing to stream for so long has data that does not fit, and Patroni may not rewind it. */
const STUCK_MS = 30_000;
/** Of the time that an effect has, following may take this share: what is left is enough to rebuild. */
const FOLLOW_SHARE = 0.5;

/**
 * The ways back into a cluster that Patroni runs. `follow` (and `rewind`) only waits: a Patroni that runs brings its server back by itself, with
 * pg_rewind where `use_pg_rewind` allows it. `rebuild` asks it to `/reinitialize`. A Patroni that does not run has to be started by its own means.
 */
export function createRejoin(ensemble: Ensemble): Abilities['rejoin'] {
  return {
    options: (member, signal) => options(ensemble, peerOf(ensemble, member), signal),
    rejoin: (ctx, member, how) => {
      const peer = peerOf(ensemble, member);
      return how === 'rebuild' ? rebuild(ensemble, ctx, peer) : comeBack(ensemble, ctx, peer);
    },
  };
}

/** Empty when the member is the leader itself, or its Patroni does not answer. Throws `no-primary` when there is nothing to rejoin. */
async function options(ensemble: Ensemble, peer: Peer, signal: AbortSignal): Promise<readonly WayBack[]> {
  const leader = await leaderOf(ensemble, signal);
  if (leader === peer) return [];
  const runs = await readStatus(ensemble, peer, {signal}).catch(() => null);
  if (runs === null) return [];
  const primary = await readFacts(leader.node, {signal});
  const own = await readFacts(peer.node, {signal}).catch(() => null);
  const sum = 'select sum(pg_database_size(oid))::float8 as "bytes" from pg_database';
  const {bytes} = only(await leader.node.session.rows<{bytes: number}>(sum, [], {signal}), leader.node);
  const behind = own === null || !own.recovering ? null : bytesBetween(durableOf(own), durableOf(primary));
  return [
    {how: 'follow', bytes: behind},
    {how: 'rebuild', bytes},
  ];
}

async function leaderOf(ensemble: Ensemble, signal: AbortSignal): Promise<Peer> {
  const {leader} = await readAnyView(ensemble, {signal});
  const peer = ensemble.peers.find(({name}) => name === leader);
  if (peer !== undefined) return peer;
  throw unavailable(
    'no-primary',
    `Patroni of ${ensemble.store} has no leader among the members of the fleet file, so there is nothing to rejoin.`,
  );
}

async function comeBack(ensemble: Ensemble, ctx: Ctx, peer: Peer): Promise<{bytes: null}> {
  const target = durableOf(await readFacts((await leaderOf(ensemble, ctx.signal)).node, limitsOf(ctx)));
  await awaitStreaming(ensemble, ctx, peer, {target, forMs: (ctx.deadline - ctx.now()) * FOLLOW_SHARE, since: null});
  return {bytes: null};
}

const STARTED = `select (extract(epoch from pg_postmaster_start_time()) * 1000)::float8 as "at"`;

async function rebuild(ensemble: Ensemble, ctx: Ctx, peer: Peer): Promise<{bytes: null}> {
  const leader = await leaderOf(ensemble, ctx.signal);
  if (leader === peer) throw refused('patroni-refused', `${peer.name} is the leader: it cannot be rebuilt.`);
  const target = durableOf(await readFacts(leader.node, limitsOf(ctx)));
  const since = await startedAt(ctx, peer);
  const {status, says} = await ensemble.rest.order(peer.agent, '/reinitialize', {}, {signal: ctx.signal});
  // One that is under way is what is wanted.
  if (status >= 300 && !/already in progress/i.test(says))
    throw refused('patroni-refused', `Patroni does not rebuild ${peer.name}: ${says} (${status}).`);
  await awaitStreaming(ensemble, ctx, peer, {target, forMs: Number.POSITIVE_INFINITY, since});
  return {bytes: null};
}

/** When its server was started; null = it does not answer. */
async function startedAt(ctx: Ctx, {node}: Peer): Promise<number | null> {
  const rows = await node.session.rows<{at: number}>(STARTED, [], limitsOf(ctx)).catch(() => []);
  return rows[0]?.at ?? null;
}

/** `since` = the start of a server that must have been replaced by a later one. */
type Until = {readonly target: Position; readonly forMs: number; readonly since: number | null};

/** Waits until the member streams and has replayed `target`. Throws `cannot-follow` with what Patroni and the server said last. */
async function awaitStreaming(ensemble: Ensemble, ctx: Ctx, peer: Peer, {target, forMs, since}: Until): Promise<void> {
  let last = 'it does not answer';
  let stuckSince: number | null = null;
  const end = await pollUntil(ensemble.cluster, ctx, {forMs, everyMs: LOOK_MS}, async () => {
    try {
      const facts = await readFacts(peer.node, limitsOf(ctx));
      if (since !== null && ((await startedAt(ctx, peer)) ?? since) <= since) return null;
      last = standingOf(facts);
      stuckSince = facts.recovering && facts.receiver !== 'streaming' ? (stuckSince ?? ctx.now()) : null;
      if (streams(facts, target)) return 'streams';
    } catch (error) {
      last = messageOf(error);
      stuckSince = null;
    }
    return stuckSince !== null && ctx.now() - stuckSince >= STUCK_MS ? 'stuck' : null;
  });
  if (end !== 'streams') throw await notBack(ensemble, ctx, peer, last);
  if (ensemble.cluster.claimed) await claimMember(ensemble.cluster, ctx, peer.node);
}

async function notBack(ensemble: Ensemble, ctx: Ctx, peer: Peer, last: string): Promise<Error> {
  const state = await readStatus(ensemble, peer, {signal: ctx.signal, timeoutMs: 500}).then(
    (status) => `Patroni says that it is "${status.state}"`,
    (error: unknown) => messageOf(error),
  );
  return refused('cannot-follow', `${peer.name} is not back in ${ensemble.store}: ${last}; ${state}.`, {
    suggestions: [`Look at the log of Patroni on ${peer.name}, or rebuild it.`],
  });
}

const streams = (facts: Facts, target: Position): boolean =>
  facts.recovering &&
  facts.receiver === 'streaming' &&
  facts.lineage === target.lineage &&
  facts.timeline >= target.epoch &&
  BigInt(facts.applied) >= BigInt(target.offset);

function standingOf({recovering, receiver, timeline}: Facts): string {
  if (!recovering) return 'its server runs as a primary';
  return receiver === 'streaming'
    ? `it streams on timeline ${timeline} and has not caught up`
    : `its receiver is ${receiver ?? 'not connected'}`;
}
