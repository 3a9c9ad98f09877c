import type {Abilities, Store} from '../../ports/store.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {createAudit} from './audit/audit.ts';
import {createClaim} from './claim.ts';
import {createClock} from './clock.ts';
import {type Cluster, closeCluster, createCluster} from './cluster.ts';
import {createDelays} from './delays.ts';
import {createDigest} from './digest.ts';
import {createDurability} from './durability.ts';
import {createFence} from './fence.ts';
import {createFollow} from './follow.ts';
import {createHeartbeat} from './heartbeat.ts';
import {inspect} from './inspect.ts';
import {inspectPeers} from './inspect-peers.ts';
import {createLinks} from './links.ts';
import {createLoss} from './loss.ts';
import {ackRule, observe} from './observe.ts';
import {createOutbound} from './outbound.ts';
import {createPromote} from './promote.ts';
import type {PostgresConfig, PostgresMember} from './provider.ts';
import {getReady} from './ready.ts';
import {createRejoin} from './rejoin.ts';
import {createRepair} from './repair/repair.ts';
import {createScalar} from './scalar.ts';
import {createSeal} from './seal.ts';
import {createSlots} from './slots.ts';
import {createWitness} from './witness.ts';

/** A PostgreSQL store; of peers, without what belongs to a primary. Sessions are opened when they are first needed, two for each member at most; `close` ends them, and with them the claim. */
export async function createStore(part: StorePart<PostgresConfig, PostgresMember>, context: ProviderContext): Promise<Store> {
  const cluster = createCluster(part, context);
  const links = createLinks(cluster);
  const audit = createAudit(cluster, links, part.config.audit, context.secrets);
  const repair = createRepair(cluster);
  const store = {
    observe: observeBy(cluster),
    ackRule: (signal: AbortSignal) => ackRule(cluster, signal),
    close: async () => {
      await Promise.all([audit.close(), repair.close(), closeCluster(cluster)]);
    },
  };
  const claim = createClaim(cluster);
  const ofAny: Partial<Abilities> = {...abilitiesOfAny(cluster), links, audit, claim, repair};
  if (cluster.peers) return {engine: 'postgres', peers: true, ...store, abilities: {...ofAny, outbound: createOutbound(cluster, links)}};
  const abilities: Partial<Abilities> = {
    ...ofAny,
    claim: {...claim, ready: (members) => getReady(cluster, members)},
    seal: createSeal(cluster),
    fence: createFence(cluster),
    durability: createDurability(cluster),
    promote: createPromote(cluster),
    follow: createFollow(cluster),
    rejoin: createRejoin(cluster),
    loss: createLoss(cluster),
    ...(part.config.heartbeat === true ? {heartbeat: createHeartbeat(cluster)} : {}),
    delays: createDelays(cluster),
    ...(part.config.witness === undefined ? {} : {witness: createWitness(cluster, part.config.witness, context.secrets)}),
  };
  return {engine: 'postgres', ...store, abilities};
}

const observeBy =
  (cluster: Cluster): Store['observe'] =>
  (signal, members) =>
    observe(cluster, signal, members);

/** What can be asked whether or not there is a primary. */
function abilitiesOfAny(cluster: Cluster): Partial<Abilities> {
  return {
    slots: createSlots(cluster),
    clock: createClock(cluster),
    inspect: {inspect: (signal, members) => (cluster.peers ? inspectPeers : inspect)(cluster, signal, members)},
    digest: createDigest(cluster),
    scalar: createScalar(cluster),
  };
}
