import {countOf, type Exact, entriesOf, printObject} from './exact-json.ts';

/** How much of something each region has: `{region: count}`, counts from 0 to 2^53-1. What is not named is 0. */
export type Counts = ReadonlyMap<string, number>;

/** The count of a region; 0 = it has none. */
export const countIn = (counts: Counts, region: string): number => counts.get(region) ?? 0;

/** The greater count of each region: the join of the lattice that clocks and counters are. */
export function greatest(a: Counts, b: Counts): Counts {
  return new Map([...a.keys(), ...b.keys()].map((region) => [region, Math.max(countIn(a, region), countIn(b, region))]));
}

/** One region's count raised by `by`. Throws when it would pass 2^53-1. */
export function raised(counts: Counts, region: string, by = 1): Counts {
  const next = countIn(counts, region) + by;
  if (!Number.isSafeInteger(by) || by < 0 || !Number.isSafeInteger(next)) throw new RangeError(`${region} cannot count ${by} more`);
  return new Map([...counts, [region, next]]);
}

/** Reads `{region: count}`; unreadable when it is something else. */
export const readCounts = (json: Exact, what: string): Counts =>
  new Map(entriesOf(json, what).map(([region, value]) => [region, countOf(value, `the count of "${region}"`)]));

/** Writes `{region: count}` as jsonb would, without those that are 0: they say nothing. */
export const printCounts = (counts: Counts): string =>
  printObject([...counts].filter(([, count]) => count > 0).map(([region, count]) => [region, String(count)]));
