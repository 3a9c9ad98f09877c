import {quantile} from '../math/quantile.ts';

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

export type TheilSenOptions = {
  /** How much less the points tell than independent ones; default: 1. */
  readonly inflation?: number;
  /** Only pairs on the same side of each of these indices count, as of a line that is lifted there; default: none, all pairs. */
  readonly splits?: readonly number[];
};

/**
 * The median of the slopes of all pairs of points (Theil 1950, Sen 1968): up to 29 % of the points may be anything without moving it far. The interval is
 * Sen's, by the variance of Kendall's S; `inflation` widens it for points that follow each other (the variance of S grows by it: Hamed and Rao 1998).
 * Null for fewer than two points.
 */
export function theilSen(x: ArrayLike<number>, y: ArrayLike<number>, {inflation = 1, splits = []}: TheilSenOptions = {}): Slope | null {
  const edges = [0, ...splits.toSorted((a, b) => a - b), x.length];
  const parts = edges.slice(1).map((to, i) => ({from: edges[i] ?? 0, to}));
  const slopes = parts.flatMap((part) => slopesWithin(x, y, part));
  if (slopes.length === 0) return null;
  const sorted = Float64Array.from(slopes).sort();
  const deviation = Math.sqrt(parts.reduce((sum, {from, to}) => sum + kendallVariance(to - from), 0) * Math.max(1, inflation));
  const at = (z: number) => quantile(sorted, 0.5 + (z * deviation) / (2 * sorted.length));
  return {slope: at(0), lower95: at(-Z95), lower80: at(-Z80), upper80: at(Z80), upper95: at(Z95)};
}

function slopesWithin(x: ArrayLike<number>, y: ArrayLike<number>, {from, to}: {from: number; to: number}): number[] {
  const slopes: number[] = [];
  for (let i = from; i < to; i++)
    for (let j = i + 1; j < to; j++) {
      const run = (x[j] ?? 0) - (x[i] ?? 0);
      if (run !== 0) slopes.push(((y[j] ?? 0) - (y[i] ?? 0)) / run);
    }
  return slopes;
}

/** Of S, the number of rising pairs less the falling ones, among n points without a trend. */
function kendallVariance(n: number): number {
  return (n * (n - 1) * (2 * n + 5)) / 18;
}
