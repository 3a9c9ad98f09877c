import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import {grownBy, type LagHistory, type TimedLoss} from '../replication/loss.ts';
import {bytesBetween, type Position} from '../snapshot/position.ts';
import type {Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';
import {findPrimary, standbysOf} from './find-primary.ts';
import type {JudgedLoss} from './gates.ts';
import {quorumFit} from './quorum.ts';

/** What is known of the target's lag besides the snapshot: an earlier sample, and the store's own comparison of both ends, made now. */
export type LagEvidence = {readonly history?: LagHistory | undefined; readonly reading?: TimedLoss | null};

/**
 * What a failover of this store to a region would lose. Unlike a bare promotion it seals every standby first and lets the target catch up to
 * the most advanced one: under a quorum, what was acknowledged is then on the target. Without a quorum it is what the target lacks, as far
 * as the primary can still be read; otherwise it is unknown, and unknown is never within an RPO.
 */
export function expectedLoss(fleet: Fleet, spec: StoreSpec, snapshot: Snapshot, to: string, evidence: LagEvidence = {}): JudgedLoss {
  const store = snapshot.stores[spec.name];
  const {why} = quorumFit(spec, store);
  if (isBoundBySeal(spec, store)) {
    const names = store === undefined ? [] : standbysOf(store).map(({name}) => name);
    const basis = `once ${names.join(' and ')} have let go, one of them holds every write that a quorum of ${spec.quorum} acknowledged`;
    return {store: spec.name, transactions: 0, bytes: 0, seconds: 0, certainty: 'bound', basis, withinRpo: true};
  }
  const lack = lackOfTarget(fleet, spec, snapshot, to, evidence);
  return spec.quorum === 0 || why === null ? lack : {...lack, basis: `${why}; ${lack.basis}`};
}

/** Whether a comparison of both ends, made now, tells more than the snapshot: nothing else holds what was acknowledged, and the primary can be asked. */
export function restsOnLag(spec: StoreSpec, snapshot: Snapshot): boolean {
  const store = snapshot.stores[spec.name];
  const primary = store === undefined ? null : findPrimary(store, spec);
  return !isBoundBySeal(spec, store) && primary !== null && store?.members[primary.member]?.known === true;
}

function isBoundBySeal(spec: StoreSpec, store: StoreSnapshot | undefined): boolean {
  const {seals} = quorumFit(spec, store);
  return seals > 0 && store !== undefined && standbysOf(store).length >= seals;
}

function lackOfTarget(fleet: Fleet, spec: StoreSpec, snapshot: Snapshot, to: string, evidence: LagEvidence): JudgedLoss {
  const store = snapshot.stores[spec.name];
  const primary = store === undefined ? null : findPrimary(store, spec);
  const ahead = primary === null ? undefined : store?.members[primary.member];
  const behind = spec.members
    .filter(({name, region}) => region === to && name !== primary?.member)
    .map(({name}) => store?.members[name])
    .find((cell) => cell?.known === true);
  const rpoMs = rpoOf(fleet, spec)?.rpoMs ?? null;
  const {history} = evidence;
  if (ahead?.known !== true && behind?.known === true && history !== undefined) return fromHistory(spec, history, rpoMs);
  if (ahead?.known !== true || behind?.known !== true) {
    const basis = `${primary?.member ?? 'the primary'} does not answer and its writes need no quorum, so nothing says what it acknowledged last`;
    return {store: spec.name, transactions: null, bytes: null, seconds: null, certainty: 'unknown', basis, withinRpo: null};
  }
  const lack = lackNow(behind.value.durable, ahead.value.durable, evidence);
  const [here, there] = [behind.value.durable.epoch, ahead.value.durable.epoch];
  const apart = here === there ? '' : `, which is on timeline ${here} and not on ${there},`;
  return fromPrimary(spec, `${primary?.member} is asynchronous: its target${apart}`, lack, rpoMs);
}

/** `isSeen`: the time was measured, and is not only what an earlier sample leaves possible. */
type Lack = Pick<JudgedLoss, 'bytes' | 'seconds'> & {readonly isSeen: boolean};

/** What the target lacks of a primary that answers. Places on two timelines have no distance, and a sample from before says nothing then. */
function lackNow(behind: Position, ahead: Position, {history, reading}: LagEvidence): Lack {
  const isOneTimeline = behind.epoch === ahead.epoch;
  const bytes = isOneTimeline ? bytesBetween(behind, ahead) : null;
  if (bytes === 0) return {bytes, seconds: 0, isSeen: true};
  const seen = reading === null || reading === undefined || reading.certainty === 'unknown' ? null : reading;
  const earlier = history === undefined || !isOneTimeline ? null : grownBy(history).seconds;
  const bounds = [seen?.seconds ?? null, earlier].filter((each) => each !== null);
  return {
    bytes: seen?.bytes ?? bytes,
    seconds: bounds.length === 0 ? null : Math.min(...bounds),
    isSeen: (seen?.seconds ?? null) !== null,
  };
}

function fromPrimary({name}: StoreSpec, target: string, {isSeen, ...lack}: Lack, rpoMs: number | null): JudgedLoss {
  const {bytes, seconds} = lack;
  const time = seconds === null ? '' : ` and at most ${seconds.toFixed(1)} s of writes`;
  const open = seconds === null ? '; how much time that is, is not known' : '';
  const basis = `${target} lacks ${bytes ?? 'an unknown number of'} bytes${time} now, and what is written until it stops${open}`;
  const within = withinRpo(seconds, rpoMs);
  // How many transactions it writes until it stops nobody knows. That an earlier sample allows for more than the objective does not show that it is more.
  return {
    store: name,
    transactions: null,
    ...lack,
    certainty: bytes === null && seconds === null ? 'unknown' : 'estimate',
    basis,
    withinRpo: within === false && !isSeen && rpoMs !== 0 ? null : within,
  };
}

/** By an earlier look. It never passes an RPO of 0; what it does not tell is unknown. */
function fromHistory({name: store}: StoreSpec, history: LagHistory, rpoMs: number | null): JudgedLoss {
  const {bytes, transactions, seconds, basis: sentence} = grownBy(history);
  const basis = `${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`.replace(/\.$/, '');
  // How much was written may not be known; for how long at most is.
  const certainty = bytes === null && seconds === null ? 'unknown' : 'estimate';
  const within = certainty === 'unknown' ? null : withinRpo(seconds, rpoMs);
  return {store, transactions, bytes: bytes === null ? null : Math.ceil(bytes), seconds, certainty, basis, withinRpo: within};
}

/** An estimate never passes an RPO of 0, and what is not known passes none. */
function withinRpo(seconds: number | null, rpoMs: number | null): boolean | null {
  if (rpoMs === null) return true;
  if (rpoMs === 0) return false;
  return seconds === null ? null : seconds * 1000 <= rpoMs;
}
