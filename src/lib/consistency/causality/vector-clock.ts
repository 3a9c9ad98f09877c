import {type Counts, countIn, greatest, printCounts, raised, readCounts} from './counts.ts';
import {type Parsed, parsed} from './exact-json.ts';

/**
 * A vector clock: for each region how many of its writes are contained. Written as `{"us-east": 3, "ap": 1}`.
 *
 * Sources: L. Lamport, Time, Clocks, and the Ordering of Events in a Distributed System, CACM 21(7), 1978 (happened before); C. Fidge, Timestamps in
 * Message-Passing Systems That Preserve the Partial Ordering, 1988, and F. Mattern, Virtual Time and Global States of Distributed Systems, 1988
 * (the clock, and that a < b exactly when a happened before b).
 */
export type VectorClock = Counts;

/** How one version stands to another: `before` = it is contained in the other; `concurrent` = neither contains the other. */
export type Order = 'equal' | 'before' | 'after' | 'concurrent';

/** The clock of what has never been written. */
export const NO_CLOCK: VectorClock = new Map();

/** How `a` stands to `b`: a partial order. */
export function compareClocks(a: VectorClock, b: VectorClock): Order {
  return orderOf(contains(b, a), contains(a, b));
}

/** The order of two of which it is known whether each is at most the other. */
export function orderOf(aInB: boolean, bInA: boolean): Order {
  if (aInB) return bInA ? 'equal' : 'before';
  return bInA ? 'after' : 'concurrent';
}

const contains = (all: VectorClock, part: VectorClock): boolean => [...part].every(([region, count]) => count <= countIn(all, region));

/** The clock of what contains both: the least upper bound. */
export const mergeClocks: (a: VectorClock, b: VectorClock) => VectorClock = greatest;

/** The clock of the next write of a region that has seen `clock`. Throws after 2^53-1 writes. */
export const incrementClock = (clock: VectorClock, region: string): VectorClock => raised(clock, region);

/** Reads the JSON of a column. */
export const parseClock = (text: string): Parsed<VectorClock> => parsed(text, (json) => readCounts(json, 'the clock'));

/** The JSON of a column, as jsonb writes it. */
export const printClock: (clock: VectorClock) => string = printCounts;
