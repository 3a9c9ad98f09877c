import type {Abilities} from '../../ports/store.ts';
import {bytesBetween} from '../../snapshot/position.ts';
import {type Cluster, nodeOf} from './cluster.ts';
import {durableOf, primariesOf, readAll} from './facts.ts';

type Reading = Awaited<ReturnType<Abilities['loss']['loss']>>;

/**
 * What the primary holds at this moment and `to` does not: a live reading, so an estimate; what it means for an objective is judged elsewhere.
 * Transactions are counted by ids, aborted ones included: never too few.
 */
export function createLoss(cluster: Cluster): Abilities['loss'] {
  return {loss: (to, signal) => loss(cluster, to, signal)};
}

async function loss(cluster: Cluster, to: string, signal: AbortSignal): Promise<Reading> {
  nodeOf(cluster, to);
  const facts = await readAll(cluster, signal);
  const target = facts[to];
  const [primary] = primariesOf(facts);
  const nothing = (basis: string): Reading => ({
    store: cluster.store,
    transactions: null,
    bytes: null,
    seconds: null,
    certainty: 'unknown',
    basis,
  });
  if (target?.known !== true) return nothing(target?.reason ?? `${to} was not read.`);
  if (primary === undefined) return nothing(`No primary of ${cluster.store} answers.`);
  const bytes = bytesBetween(durableOf(target.value), durableOf(primary.facts));
  if (bytes === null) return nothing(`${to} belongs to another lineage than ${primary.name}.`);
  const ids = BigInt(primary.facts.nextXid) - BigInt(target.value.nextXid);
  const {lastReplay} = target.value;
  // Commit times are the primary's, so they are compared with the primary's clock.
  const seconds = bytes === 0 ? 0 : lastReplay === null ? null : Math.max(0, (primary.facts.now - lastReplay) / 1000);
  const basis = `${primary.name} and ${to} were read at the same moment.`;
  return {store: cluster.store, transactions: bytes === 0 ? 0 : Number(ids < 0n ? 0n : ids), bytes, seconds, certainty: 'estimate', basis};
}
