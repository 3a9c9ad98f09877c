import type {StoreSpec} from '../fleet/fleet.ts';
import {formatBytes} from '../output/units.ts';
import type {Gate, Loss} from '../plan/plan.ts';
import type {LinkReading} from '../ports/store.ts';
import {grownBy, type LagHistory} from '../replication/loss.ts';
import {judged} from './gates.ts';
import {noStream, streamTrouble} from './peers.ts';

/** What a region has not sent of one store, as far as that is known before it is left. */
export type Outbound = {
  /** Whether its members answer. */
  readonly answers: boolean;
  /** Whether the region is well: then it is emptied because somebody wants to, and can as well stay. */
  readonly isWell: boolean;
  /** Its streams to members that answer; a text = why they could not be read. */
  readonly streams: readonly LinkReading[] | string;
  /** Members that answer, and that no stream of the region leads to; absent = none. */
  readonly unreached?: readonly string[];
  /** The last sample of each of its streams, where one is remembered. */
  readonly history: readonly LagHistory[];
};

/**
 * What leaving the region costs. Nothing is lost by taking traffic away; what it has not sent stays in it, and is merged when it comes back. So a region that is
 * down is left whatever it holds; one that is well is left only if what it wrote can be waited for.
 */
export function outboundLoss(spec: StoreSpec, from: string, outbound: Outbound): {readonly loss: Loss; readonly gate: Gate} {
  const loss = lossOf(spec, from, outbound);
  const verdict = outbound.isWell && loss.transactions !== 0 ? (loss.certainty === 'unknown' ? 'unknown' : 'refuse') : 'pass';
  const measured = {transactions: loss.transactions, bytes: loss.bytes, certainty: loss.certainty};
  return {loss, gate: judged(`loss:${spec.name}`, true, {verdict, says: loss.basis, measured})};
}

function lossOf({name: store}: StoreSpec, from: string, {answers, streams, unreached = [], history}: Outbound): Loss {
  if (!answers) return silent(store, from, history);
  if (typeof streams === 'string') return unknownLoss(store, `what ${from} has not sent could not be read: ${streams}`);
  if (streams.length === 0) return unknownLoss(store, `no stream leads out of ${from}, so what it wrote reaches nobody`);
  const stuck = [...streams.flatMap((link) => streamTrouble(link) ?? []), ...unreached.map((at) => noStream([from, at]))];
  if (stuck.length === 0) {
    const basis = `nothing: the run waits until the others have applied everything that ${from} wrote`;
    return {store, transactions: 0, bytes: 0, certainty: 'exact', basis};
  }
  const most = streams.map(({replayBytes}) => replayBytes).filter((bytes) => bytes !== null);
  const bytes = most.length < streams.length || unreached.length > 0 ? null : Math.max(...most);
  const amount = bytes === null ? 'how much it has not sent is not known' : `up to ${formatBytes(bytes)} of its log are not sent`;
  return {store, transactions: null, bytes, certainty: bytes === null ? 'unknown' : 'bound', basis: `${amount}; ${stuck.join('; ')}`};
}

const unknownLoss = (store: string, basis: string): Loss => ({store, transactions: null, bytes: null, certainty: 'unknown', basis});

/** What nobody else has is what the best informed of the others lacks. */
function silent(store: string, from: string, history: readonly LagHistory[]): Loss {
  const stays = `${from} cannot be asked; what it has not sent stays in it, and is merged when it is back`;
  // By what was missing then, where what it has grown to is not known.
  const known = history
    .map((sample) => ({...grownBy(sample), was: sample.bytes}))
    .toSorted((a, b) => (a.bytes ?? a.was) - (b.bytes ?? b.was));
  const [least] = known;
  if (least === undefined) return unknownLoss(store, `${stays}. How much that is, is not known: no sample is remembered`);
  const {bytes, transactions, basis} = least;
  return {
    ...{store, transactions, bytes: bytes === null ? null : Math.ceil(bytes), certainty: bytes === null ? 'unknown' : 'estimate'},
    basis: `${stays}. ${basis.replace(/\.$/, '')}`,
  };
}
