import {unavailable} from '../../errors.ts';
import type {Json} from '../../plan/json.ts';
import type {Abilities} from '../../ports/store.ts';
import {bytesBetween} from '../../snapshot/position.ts';
import {type Cluster, nodeOf, only} from './cluster.ts';
import {durableOf, primariesOf, readAll} from './facts.ts';

type Reading = Awaited<ReturnType<Abilities['loss']['loss']>>;

/**
 * What the primary holds at this moment and `to` does not: a live reading, so an estimate; what it means for an objective is judged elsewhere.
 * Transactions are counted by ids, aborted ones included: never too few.
 */
export function createLoss(cluster: Cluster): Abilities['loss'] {
  return {
    loss: (to, signal) => loss(cluster, to, signal),
    mark: async (member, signal) => {
      const node = nodeOf(cluster, member);
      return only(await node.session.rows<{mark: string}>('select pg_current_snapshot()::text as "mark"', [], {signal}), node).mark;
    },
    since: (member, mark, signal) => since(cluster, member, mark, signal),
  };
}

/* A snapshot names every transaction that it holds, so what is committed here and not in it is exact; a transaction with savepoints counts once
   for each that was written in. More ids than this are not counted one by one. */
const MOST_IDS = 5_000_000;
const SINCE = `
with mark as (select $1::pg_snapshot as held),
ids as (select n::text::xid8 as id, held from mark,
  generate_series(pg_snapshot_xmin(held)::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint - 1) as n)
select count(*)::int as "transactions" from ids where not pg_visible_in_snapshot(id, held) and pg_xact_status(id) = 'committed'`;
const RANGE = `select (pg_snapshot_xmax(pg_current_snapshot())::text::bigint - pg_snapshot_xmin($1::pg_snapshot)::text::bigint)::float8 as "ids"`;

async function since(cluster: Cluster, member: string, mark: Json, signal: AbortSignal): Promise<{transactions: number}> {
  const node = nodeOf(cluster, member);
  if (typeof mark !== 'string') throw unavailable('bad-mark', `There is no snapshot to count from on ${member}.`);
  const {ids} = only(await node.session.rows<{ids: number}>(RANGE, [mark], {signal}), node);
  if (ids > MOST_IDS) throw unavailable('too-many', `${ids} transactions began on ${member} since: they are not counted one by one.`);
  return only(await node.session.rows<{transactions: number}>(SINCE, [mark], {signal, timeoutMs: 10_000}), node);
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
