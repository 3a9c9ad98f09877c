import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import {grownBy, type LagHistory} from '../replication/loss.ts';
import {bytesBetween} from '../snapshot/position.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {findPrimary, standbysOf} from './find-primary.ts';
import type {JudgedLoss} from './gates.ts';
import {quorumFit} from './quorum.ts';

/**
 * What a failover of this store to a region would lose. Unlike a bare promotion it seals every standby first and lets the target catch up to
 * the most advanced one: under a quorum, what was acknowledged is then on the target. Without a quorum it is what the target lacks, as far
 * as the primary can still be read; otherwise it is unknown, and unknown is never within an RPO.
 */
export function expectedLoss(fleet: Fleet, spec: StoreSpec, snapshot: Snapshot, to: string, history?: LagHistory): JudgedLoss {
  const store = snapshot.stores[spec.name];
  const standbys = store === undefined ? [] : standbysOf(store);
  const {seals, why} = quorumFit(spec, store);
  if (seals > 0 && standbys.length >= seals) {
    const basis = `once ${standbys.map(({name}) => name).join(' and ')} have let go, one of them holds every write that a quorum of ${spec.quorum} acknowledged`;
    return {store: spec.name, transactions: 0, bytes: 0, seconds: 0, certainty: 'bound', basis, withinRpo: true};
  }
  const lack = lackOfTarget(fleet, spec, snapshot, to, history);
  return spec.quorum === 0 || why === null ? lack : {...lack, basis: `${why}; ${lack.basis}`};
}

function lackOfTarget(fleet: Fleet, spec: StoreSpec, snapshot: Snapshot, to: string, history: LagHistory | undefined): JudgedLoss {
  const store = snapshot.stores[spec.name];
  const primary = store === undefined ? null : findPrimary(store, spec);
  const ahead = primary === null ? undefined : store?.members[primary.member];
  const behind = spec.members
    .filter(({name, region}) => region === to && name !== primary?.member)
    .map(({name}) => store?.members[name])
    .find((cell) => cell?.known === true);
  const rpoMs = rpoOf(fleet, spec)?.rpoMs ?? null;
  if (ahead?.known !== true && behind?.known === true && history !== undefined) return fromHistory(spec, history, rpoMs);
  if (ahead?.known !== true || behind?.known !== true) {
    const basis = `${primary?.member ?? 'the primary'} does not answer and its writes need no quorum, so nothing says what it acknowledged last`;
    return {store: spec.name, transactions: null, bytes: null, seconds: null, certainty: 'unknown', basis, withinRpo: null};
  }
  if (behind.value.durable.epoch !== ahead.value.durable.epoch) {
    const both = `timeline ${ahead.value.durable.epoch}, its target is on timeline ${behind.value.durable.epoch}`;
    const basis = `${primary?.member} writes ${both}: what it lacks cannot be told by its place`;
    return {store: spec.name, transactions: null, bytes: null, seconds: null, certainty: 'unknown', basis, withinRpo: null};
  }
  const bytes = bytesBetween(behind.value.durable, ahead.value.durable);
  const basis = `${primary?.member} is asynchronous: its target lacks ${bytes ?? 'an unknown number of'} bytes now, and what is written until it stops`;
  return {store: spec.name, transactions: null, bytes, seconds: null, certainty: 'estimate', basis, withinRpo: rpoMs === null || rpoMs > 0};
}

/** What was outstanding at the last look, and everything since at the rate of that time. It never passes an RPO of 0. Without a rate it is unknown. */
function fromHistory({name: store}: StoreSpec, history: LagHistory, rpoMs: number | null): JudgedLoss {
  const {ageSeconds, bytes, transactions, seconds} = grownBy(history);
  const old = `the last sample of the lag is ${ageSeconds.toFixed(1)} s old (${history.bytes} bytes were missing then)`;
  if (bytes === null) {
    const basis = `${old}, and what was written since is not known: a single look tells no rate`;
    return {store, transactions, bytes, seconds, certainty: 'unknown', basis, withinRpo: null};
  }
  const basis = `${old}; its rate times its age was added`;
  return {store, transactions, bytes: Math.ceil(bytes), seconds, certainty: 'estimate', basis, withinRpo: withinRpo(seconds, rpoMs)};
}

/** An estimate never passes an RPO of 0, and what is not known passes none. */
function withinRpo(seconds: number | null, rpoMs: number | null): boolean | null {
  if (rpoMs === null) return true;
  if (rpoMs === 0) return false;
  return seconds === null ? null : seconds * 1000 <= rpoMs;
}
