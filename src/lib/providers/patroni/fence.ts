import {refused} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Abilities, Proof} from '../../ports/store.ts';
import {limitsOf} from '../postgres/cluster.ts';
import {type Facts, readFacts, upstreamOf} from '../postgres/facts.ts';
import {memberNames} from '../postgres/observe.ts';
import {parseSyncNames} from '../postgres/sync-names.ts';
import type {ClusterView, DynamicConfig} from './answers.ts';
import {type Ensemble, type Peer, peerOf, readConfig, readingOf, readStatus, readView} from './ensemble.ts';

/** How long a server that is said to be stopped may take to prove the opposite. */
const ANSWER_MS = 500;
const AGAIN_MS = 20;

/** As every seal: the session asked for less than the quorum, or a wait was cancelled. */
const SEAL_LEAKS = ['synchronous_commit=local', 'cancelled commits', 'standbys that the fleet file does not name'] as const;
/** A pause stops the watchdog's timer with the machine; it fires only after the machine goes on. */
const WATCHDOG_LEAKS = ['a virtual machine that was paused together with its watchdog device'] as const;

/**
 * Fencing of a primary that Patroni runs: nothing is done here, only proven. Patroni owns the server's configuration, so neither is it closed
 * nor stopped from here.
 *
 * A leader key that another one holds proves nothing by itself: a leader that hangs does not notice that its key ran out, and acknowledges
 * writes until it does.
 */
export function createFence(ensemble: Ensemble): Abilities['fence'] {
  return {
    fence: async (ctx, member) => {
      const proof = await prove(ensemble, ctx, peerOf(ensemble, member));
      if (proof !== null) return {...proof, found: true};
      throw refused(
        'fence-impossible',
        `Nothing proves that ${member} cannot acknowledge writes, and Patroni's servers are not fenced from here.`,
        {
          suggestions: [
            'Stop its machine and give it a host in the fleet file, set watchdog.mode: required, or use synchronous_mode_strict.',
            'Or run a fencing hook.',
          ],
        },
      );
    },
    prove: (ctx, member) => prove(ensemble, ctx, peerOf(ensemble, member)),
    // Nothing is ever done to a member, so there is nothing to undo, and it takes sessions as it always did.
    lift: async () => undefined,
    open: async () => true,
  };
}

/** The best proof that holds now; null = none. What cannot be looked at is not proven. */
async function prove(ensemble: Ensemble, ctx: Ctx, peer: Peer): Promise<Proof | null> {
  if (await isStopped(ctx, peer)) return proof(ensemble, 'stopped', {survivesRestart: false, leaks: []});
  const ground = await readGround(ensemble, ctx, peer);
  if (ground === null) return null;
  if (await wasReset(ensemble, ctx, peer, ground)) return proof(ensemble, 'stopped', {survivesRestart: true, leaks: WATCHDOG_LEAKS});
  const sealed = await isSealed(ensemble, ctx, peer, ground.config);
  return sealed ? proof(ensemble, 'sealed', {survivesRestart: true, leaks: SEAL_LEAKS}) : null;
}

/** A host can be wrong about which server is at an address: one that answers SQL is not stopped, whatever the host says. */
async function isStopped(ctx: Ctx, {node}: Peer): Promise<boolean> {
  const status = await node.host?.status(ctx.signal).catch(() => null);
  if (status?.running !== false) return false;
  return (await readFacts(node, {...limitsOf(ctx), timeoutMs: ANSWER_MS}).catch(() => null)) === null;
}

/** `holder` has the leader key; null = nobody has it. */
type Ground = {readonly config: DynamicConfig; readonly holder: string | null};

/**
 * What every proof by Patroni stands on, as the other members' Patroni tell it: the member does not hold the leader key, and the cluster is not
 * paused. In pause a primary goes on without the key, its watchdog disarmed. null = not so, or not known.
 */
async function readGround(ensemble: Ensemble, ctx: Ctx, peer: Peer): Promise<Ground | null> {
  const limits = {signal: ctx.signal};
  const others = ensemble.peers.filter((each) => each !== peer);
  const [config, views, statuses] = await Promise.all([
    readingOf(readConfig({...ensemble, peers: others}, limits)),
    Promise.all(others.map((each) => readingOf(readView(ensemble, each, limits)))),
    Promise.all(others.map((each) => readingOf(readStatus(ensemble, each, limits)))),
  ]);
  const seen = views.flatMap((view) => (view.ok ? [view.value] : []));
  const told = statuses.flatMap((status) => (status.ok ? [status.value] : []));
  if (!config.ok || seen.length === 0 || told.length === 0) return null;
  const paused = seen.some((view) => view.paused) || told.some((status) => status.paused);
  const failsafe = told.some((status) => status.failsafeActive);
  // Nobody being listed with the key may also mean that the holder's entry has run out before its key.
  const holder = seen.find(({leader}) => leader !== null)?.leader ?? null;
  const free = seen.every((view) => doesNotHold(view, peer)) && (holder !== null || told.every(({unlocked}) => unlocked));
  return free && !paused && !failsafe ? {config: config.value, holder} : null;
}

const doesNotHold = ({leader, standbyCluster}: ClusterView, {name}: Peer): boolean => leader !== name && !standbyCluster;

/**
 * Patroni with `watchdog.mode: required` runs a primary only while its watchdog is armed, with a timer that is shorter than the ttl, and calms it
 * only when it has renewed the leader key. So when another one has held the key for a ttl, the machine was reset long before. It survives a
 * restart: Patroni starts the server as a standby as long as it does not hold the key. Patroni may read its DCS a little late, so the new holder
 * must be seen to be a primary by SQL.
 */
async function wasReset(ensemble: Ensemble, ctx: Ctx, {name}: Peer, {config, holder}: Ground): Promise<boolean> {
  const {watchdog, withoutKeySince, cluster, peers} = ensemble;
  const since = withoutKeySince.get(name);
  const next = peers.find((peer) => peer.name === holder);
  if (watchdog !== 'required' || next === undefined || since === undefined || cluster.clock.now() - since < config.ttl * 1000) return false;
  const facts = await readFacts(next.node, limitsOf(ctx)).catch(() => null);
  return facts !== null && !facts.recovering;
}

/**
 * Nobody is left who could acknowledge the member's writes. Its rule must still be in force: strict mode never drops it; otherwise it is read
 * from the server itself, whose Patroni cannot drop it without the leader key.
 */
async function isSealed(ensemble: Ensemble, ctx: Ctx, peer: Peer, config: DynamicConfig): Promise<boolean> {
  if (!config.synchronous) return false;
  const others = ensemble.peers.filter((each) => each !== peer);
  const waitsFor = config.strict ? others.map(({name}) => name) : await readRule(ensemble, ctx, peer);
  if (waitsFor === null || waitsFor.length === 0) return false;
  const standbys = waitsFor.includes('*') ? others : others.filter(({name}) => waitsFor.includes(name));
  if (standbys.length < waitsFor.filter((name) => name !== '*').length) return false;
  return (await Promise.all(standbys.map((each) => hasLetGo(ensemble, ctx, each, peer)))).every(Boolean);
}

/** The names that the member's commits wait for now; null = it waits for nobody, or does not say. */
async function readRule({cluster}: Ensemble, ctx: Ctx, {name, node}: Peer): Promise<readonly string[] | null> {
  const facts = await readFacts(node, limitsOf(ctx)).catch(() => null);
  const rule = facts === null || facts.recovering ? null : parseSyncNames(facts.syncNames);
  if (facts === null || rule === null || rule.need < 1 || isWeak(facts)) return null;
  return memberNames(cluster, name, rule.of);
}

/** The server may start one more connection by a setting that was just changed, so it is looked at twice. */
async function hasLetGo(ensemble: Ensemble, ctx: Ctx, peer: Peer, left: Peer): Promise<boolean> {
  if (!(await isElsewhere(ensemble, ctx, peer, left))) return false;
  await ensemble.cluster.clock.sleep(AGAIN_MS, ctx.signal);
  return isElsewhere(ensemble, ctx, peer, left);
}

/**
 * It has no connection to the member and is not set to have one: it is a primary itself, or follows another member, or nobody. A receiver that is
 * merely gone would come back together with its upstream, and an address that is no member's may be another way to it.
 */
async function isElsewhere({cluster}: Ensemble, ctx: Ctx, {node}: Peer, left: Peer): Promise<boolean> {
  const facts = await readFacts(node, limitsOf(ctx)).catch(() => null);
  // Patroni gives all members the same settings: where one would not wait for anybody, the other did not.
  if (facts === null || isWeak(facts)) return false;
  if (!facts.recovering) return true;
  const isOther = (upstream: string | null): boolean => upstream !== null && upstream !== left.name && cluster.nodes.has(upstream);
  const set = upstreamOf(cluster, node, {...facts, senderHost: null, senderPort: null});
  const live = facts.senderHost === null ? null : upstreamOf(cluster, node, facts);
  return (facts.conninfo === '' || isOther(set)) && (facts.receiver === null || isOther(live));
}

/** Whatever else is set, its commits wait for no standby. */
const isWeak = ({syncCommit}: Facts): boolean => ['off', 'local'].includes(syncCommit);

const proof = ({cluster}: Ensemble, kind: Proof['kind'], more: Pick<Proof, 'survivesRestart' | 'leaks'>): Proof => ({
  kind,
  at: new Date(cluster.clock.wall()).toISOString(),
  ...more,
});
