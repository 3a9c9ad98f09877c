/**
 * Many measurements in little room, from which any percentile can be had to within 1 % of its value, and which can be added up: counts in buckets
 * that grow by a constant factor (DDSketch: Masson, Rim, Lee, VLDB 2019). Values are not negative; what is below 1 counts as 0. Plain JSON.
 */
export type Sketch = {
  readonly count: number;
  readonly max: number;
  readonly zero: number;
  readonly buckets: Readonly<Record<string, number>>;
};

/** How far a percentile may be off, as a share of its value. */
const ACCURACY = 0.01;
const GAMMA = (1 + ACCURACY) / (1 - ACCURACY);
const LOG_GAMMA = Math.log(GAMMA);

export const EMPTY_SKETCH: Sketch = {count: 0, max: 0, zero: 0, buckets: {}};

/** With one more value. Throws a RangeError for one that is negative or not finite. */
export function withValue(sketch: Sketch, value: number): Sketch {
  if (!(value >= 0) || !Number.isFinite(value)) throw new RangeError(`a sketch takes no ${value}`);
  const {count, max, zero, buckets} = sketch;
  const more = {count: count + 1, max: Math.max(max, value)};
  if (value < 1) return {...more, zero: zero + 1, buckets};
  const key = String(Math.ceil(Math.log(value) / LOG_GAMMA));
  return {...more, zero, buckets: {...buckets, [key]: (buckets[key] ?? 0) + 1}};
}

/** All values of several sketches. */
export function merged(sketches: readonly Sketch[]): Sketch {
  const buckets: Record<string, number> = {};
  for (const each of sketches) for (const [key, count] of Object.entries(each.buckets)) buckets[key] = (buckets[key] ?? 0) + count;
  const sum = (of: (sketch: Sketch) => number): number => sketches.reduce((total, each) => total + of(each), 0);
  return {count: sum(({count}) => count), max: Math.max(0, ...sketches.map(({max}) => max)), zero: sum(({zero}) => zero), buckets};
}

/** The value below which `share` (0 to 1) of the values are, by the nearest rank; null = there are none. */
export function percentile({count, max, zero, buckets}: Sketch, share: number): number | null {
  if (count === 0) return null;
  const rank = Math.max(1, Math.ceil(Math.min(1, Math.max(0, share)) * count));
  if (rank === count) return max;
  let seen = zero;
  if (rank <= seen) return 0;
  const keys = Object.keys(buckets)
    .map(Number)
    .toSorted((a, b) => a - b);
  for (const key of keys) {
    seen += buckets[String(key)] ?? 0;
    // The middle of the bucket, as far from its ends as the accuracy says.
    if (rank <= seen) return Math.min(max, (2 * GAMMA ** key) / (GAMMA + 1));
  }
  return max;
}

/** Reads what was kept; null for what is no sketch. */
export function readSketch(value: unknown): Sketch | null {
  if (typeof value !== 'object' || value === null) return null;
  const {count, max, zero, buckets} = value as Partial<Record<keyof Sketch, unknown>>;
  if (!isCount(count) || !isCount(zero) || typeof max !== 'number' || !(max >= 0) || typeof buckets !== 'object' || buckets === null)
    return null;
  const entries = Object.entries(buckets);
  return entries.every(([key, n]) => /^\d+$/.test(key) && isCount(n)) ? (value as Sketch) : null;
}

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 0;
