import {type Counts, greatest, printCounts, raised, readCounts} from './counts.ts';
import type {Crdt} from './crdt.ts';
import {parsed} from './exact-json.ts';

/**
 * A counter that only grows: `{"us-east": 5}`, each region raises its own count alone.
 *
 * Source: Shapiro et al., INRIA RR-7506, 2011, specification 6 (state-based G-Counter).
 */
export type GCounter = Counts;

/** The type of G-counters: merged by the greater count of each region. */
export const gCounter: Crdt<GCounter> = {
  empty: new Map(),
  merge: greatest,
  clash: () => null,
  parse: (text) => parsed(text, (json) => readCounts(json, 'the counter')),
  print: printCounts,
};

/** `by` more (default 1), counted in a region. Throws when that would pass 2^53-1. */
export const countUp = (counter: GCounter, region: string, by = 1): GCounter => raised(counter, region, by);

/** The value: the sum of all regions, which may be more than 2^53-1. */
export const gCounterValue = (counter: GCounter): bigint => [...counter.values()].reduce((sum, count) => sum + BigInt(count), 0n);
