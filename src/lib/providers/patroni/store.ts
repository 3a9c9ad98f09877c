import type {Abilities, Store} from '../../ports/store.ts';
import type {ProviderContext, StorePart} from '../define.ts';
import {createAudit} from '../postgres/audit/audit.ts';
import {createClaim} from '../postgres/claim.ts';
import {createClock} from '../postgres/clock.ts';
import {closeCluster} from '../postgres/cluster.ts';
import {createDigest} from '../postgres/digest.ts';
import {createHeartbeat} from '../postgres/heartbeat.ts';

import {createLoss} from '../postgres/loss.ts';
import {ackRule, observe} from '../postgres/observe.ts';
import {createScalar} from '../postgres/scalar.ts';
import {createSlots} from '../postgres/slots.ts';
import {createWitness} from '../postgres/witness.ts';
import {createEnsemble} from './ensemble.ts';
import {createFence} from './fence.ts';
import {fitness} from './fit.ts';
import {handover} from './handover.ts';
import {inspect} from './inspect.ts';
import {createLinks} from './links.ts';
import {createOverseers} from './overseers.ts';
import type {PatroniConfig, PatroniMember} from './provider.ts';
import {createRejoin} from './rejoin.ts';
import {timings} from './timings.ts';

/**
 * PostgreSQL whose primary Patroni moves. Servers are observed by SQL as any other; every change is asked of Patroni's REST API, so the abilities
 * that act on servers by themselves (seal, promote, follow, durability) are missing. `close` ends sessions, the claim, and requests under way.
 */
export async function createStore(part: StorePart<PatroniConfig, PatroniMember>, context: ProviderContext): Promise<Store> {
  const ensemble = createEnsemble(part, context);
  const {cluster, rest} = ensemble;
  const links = createLinks(ensemble);
  const audit = createAudit(cluster, links, part.config.audit, context.secrets);
  const abilities: Partial<Abilities> = {
    claim: createClaim(cluster),
    fence: createFence(ensemble),
    manage: {handover: (ctx, move) => handover(ensemble, ctx, move), fit: (move, signal) => fitness(ensemble, move, signal)},
    rejoin: createRejoin(ensemble),
    loss: createLoss(cluster),
    links,
    overseers: createOverseers(ensemble),
    slots: createSlots(cluster, {copies: true}),
    ...(part.config.heartbeat === true ? {heartbeat: createHeartbeat(cluster)} : {}),
    clock: createClock(cluster),
    inspect: {inspect: (signal, members) => inspect(ensemble, signal, members)},
    timings: {timings: (signal) => timings(ensemble, signal)},
    audit,
    digest: createDigest(cluster),
    scalar: createScalar(cluster),
    ...(part.config.witness === undefined ? {} : {witness: createWitness(cluster, part.config.witness, context.secrets)}),
  };
  return {
    engine: 'patroni',
    manager: 'patroni',
    observe: (signal, members) => observe(cluster, signal, members),
    ackRule: (signal) => ackRule(cluster, signal),
    abilities,
    close: async () => {
      await Promise.all([rest.close(), audit.close(), closeCluster(cluster)]);
    },
  };
}
