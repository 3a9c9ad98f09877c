import type {Abilities, Store} from '../../ports/store.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {createAudit} from './audit/audit.ts';
import {createClaim} from './claim.ts';
import {createClock} from './clock.ts';
import {closeCluster, createCluster} from './cluster.ts';
import {createDelays} from './delays.ts';
import {createDigest} from './digest.ts';
import {createDurability} from './durability.ts';
import {createFence} from './fence.ts';
import {createFollow} from './follow.ts';
import {createHeartbeat} from './heartbeat.ts';
import {inspect} from './inspect.ts';
import {createLinks} from './links.ts';
import {createLoss} from './loss.ts';
import {ackRule, observe} from './observe.ts';
import {createPromote} from './promote.ts';
import type {PostgresConfig, PostgresMember} from './provider.ts';
import {getReady} from './ready.ts';
import {createRejoin} from './rejoin.ts';
import {createScalar} from './scalar.ts';
import {createSeal} from './seal.ts';
import {createSlots} from './slots.ts';
import {createWitness} from './witness.ts';

/** A PostgreSQL store. Sessions are opened when they are first needed, two for each member at most; `close` ends them, and with them the claim. */
export async function createStore(part: StorePart<PostgresConfig, PostgresMember>, context: ProviderContext): Promise<Store> {
  const cluster = createCluster(part, context);
  const links = createLinks(cluster);
  const audit = createAudit(cluster, links, part.config.audit, context.secrets);
  const abilities: Partial<Abilities> = {
    claim: {...createClaim(cluster), ready: (members) => getReady(cluster, members)},
    seal: createSeal(cluster),
    fence: createFence(cluster),
    durability: createDurability(cluster),
    promote: createPromote(cluster),
    follow: createFollow(cluster),
    rejoin: createRejoin(cluster),
    loss: createLoss(cluster),
    links,
    slots: createSlots(cluster),
    ...(part.config.heartbeat === true ? {heartbeat: createHeartbeat(cluster)} : {}),
    clock: createClock(cluster),
    inspect: {inspect: (signal, members) => inspect(cluster, signal, members)},
    delays: createDelays(cluster),
    audit,
    digest: createDigest(cluster),
    scalar: createScalar(cluster),
    ...(part.config.witness === undefined ? {} : {witness: createWitness(cluster, part.config.witness, context.secrets)}),
  };
  return {
    engine: 'postgres',
    observe: (signal, members) => observe(cluster, signal, members),
    ackRule: (signal) => ackRule(cluster, signal),
    abilities,
    close: async () => {
      await Promise.all([audit.close(), closeCluster(cluster)]);
    },
  };
}
