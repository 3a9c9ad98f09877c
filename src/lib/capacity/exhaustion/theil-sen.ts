import {quantileOfSorted} from './days.ts';

/** A slope with the ends of its 95 % and 80 % intervals. */
export type Slope = {
  readonly slope: number;
  readonly lower95: number;
  readonly lower80: number;
  readonly upper80: number;
  readonly upper95: number;
};

/** Two-sided, of the normal distribution. */
const Z95 = 1.96;
const Z80 = 1.282;

/**
 * The median of the slopes of all pairs of points (Theil 1950, Sen 1968): up to 29 % of the points may be anything without moving it far. The interval is
 * Sen's, by the variance of Kendall's S; `inflation` widens it for points that follow each other (the variance of S grows by it: Hamed and Rao 1998).
 * Null for fewer than two points.
 */
export function theilSen(x: ArrayLike<number>, y: ArrayLike<number>, inflation = 1): Slope | null {
  const n = x.length;
  if (n < 2) return null;
  const slopes = new Float64Array((n * (n - 1)) / 2);
  let pairs = 0;
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const run = (x[j] ?? 0) - (x[i] ?? 0);
      if (run === 0) continue;
      slopes[pairs] = ((y[j] ?? 0) - (y[i] ?? 0)) / run;
      pairs += 1;
    }
  if (pairs === 0) return null;
  const sorted = slopes.subarray(0, pairs).sort();
  // S, the number of rising pairs less the falling ones, has this deviation when there is no trend.
  const deviation = Math.sqrt(((n * (n - 1) * (2 * n + 5)) / 18) * Math.max(1, inflation));
  const at = (z: number) => quantileOfSorted(sorted, Math.min(1, Math.max(0, 0.5 + (z * deviation) / (2 * pairs))));
  return {slope: at(0), lower95: at(-Z95), lower80: at(-Z80), upper80: at(Z80), upper95: at(Z95)};
}
