import type {LossDocument, LossRow} from '../replication/loss.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import type {AgedCell, Headroom, LimitNow} from './dashboard-view.ts';
import type {ReadyDocument, ReadyPair} from './ready.ts';

/** What is told of each region beside its verdict, traffic, members and links. */
export type RegionFacts = {
  /** What would be lost if it were promoted now, store by store. */
  readonly loss: AgedCell<readonly LossRow[]>;
  /** The ways by which it could take over now. */
  readonly ready: AgedCell<readonly ReadyPair[]>;
  /** What has least room; null value without a reason = nothing is measured there. */
  readonly headroom: AgedCell<Headroom>;
};

/** What the sources of these facts said last. `headroom` null = the fleet file has no load with a limit. */
export type FactSources = {
  readonly loss: Readonly<Record<string, Sampled<LossDocument>>>;
  readonly ready: Sampled<ReadyDocument>;
  readonly headroom: Sampled<readonly LimitNow[]> | null;
};

/** The facts of one region. */
export function regionFacts(region: string, {loss, ready, headroom}: FactSources): RegionFacts {
  return {
    loss: lossOf(region, loss[region]),
    ready: agedOf(ready, ({pairs}) => pairs.filter(({to}) => to === region)),
    headroom: headroom === null ? {value: null, at: null, why: null} : headroomIn(region, headroom),
  };
}

/** Of a region that promotes nothing (it holds the primary, or no member) the store says nothing. */
function lossOf(region: string, sampled: Sampled<LossDocument> | undefined): AgedCell<readonly LossRow[]> {
  if (sampled === undefined) return {value: null, at: null, why: null};
  return agedOf(sampled, ({to, stores}) => (to === region ? stores : []));
}

function agedOf<T, U>({value, at, failing}: Sampled<T>, of: (value: T) => U | null): AgedCell<U> {
  return {value: value === null ? null : of(value), at, why: failing?.reason ?? (value === null ? 'asking' : null)};
}

/** A region none of whose limits is known is not known, which is not the same as that nothing is measured there. */
function headroomIn(region: string, sampled: Sampled<readonly LimitNow[]>): AgedCell<Headroom> {
  const cell = agedOf(sampled, (all) => all.filter((each) => each.region === region));
  const limits = cell.value ?? [];
  const known = limits.flatMap((each) => (each.left === null ? [] : [each]));
  const unread = limits.flatMap((each) => (each.left === null ? [{series: each.series, reason: each.reason}] : []));
  const [least] = known.toSorted((a, b) => a.left - b.left);
  if (least !== undefined) return {...cell, value: {...least, unread}};
  return {value: null, at: cell.at, why: cell.why ?? reasonOf(unread)};
}

function reasonOf(unread: Headroom['unread']): string | null {
  return unread.length === 0 ? null : unread.map(({series, reason}) => `${series}: ${reason}`).join('; ');
}
