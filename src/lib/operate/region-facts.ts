import type {LossDocument, LossRow} from '../replication/loss.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import type {AgedCell, Headroom} from './dashboard-view.ts';
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
  readonly headroom: Sampled<readonly Headroom[]> | null;
};

/** The facts of one region. */
export function regionFacts(region: string, {loss, ready, headroom}: FactSources): RegionFacts {
  return {
    loss: lossOf(region, loss[region]),
    ready: agedOf(ready, ({pairs}) => pairs.filter(({to}) => to === region)),
    headroom: headroom === null ? {value: null, at: null, why: null} : agedOf(headroom, (rows) => leastLeft(rows, region)),
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

function leastLeft(rows: readonly Headroom[], region: string): Headroom | null {
  return rows.filter((each) => each.region === region).toSorted((a, b) => a.left - b.left)[0] ?? null;
}
