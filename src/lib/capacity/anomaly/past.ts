/** Bins in each doubling of a value: the values of one differ by 9 % at most. */
const PER_DOUBLING = 8;
/** The exponents of the least and the greatest double. */
const LEAST_EXPONENT = -1074;
const GREATEST_EXPONENT = 1024;
const BINS = (GREATEST_EXPONENT - LEAST_EXPONENT + 1) * PER_DOUBLING;

/** Before a whole day was seen (at a step of five minutes) the largest so far says nothing about the tail. */
const FEWEST_FOR_TAIL = 288;

/** How often each size of a statistic was seen so far. Takes 67 KB, however many there were. */
export type Past = {
  /**
   * How rare `size` (0 or more) is: -log10 of the share of all sizes so far, itself among them, that are at least as large. 0 = the smallest ever or like
   * all others; log10(n) = larger than all n - 1 before it, and `tailIndex` more for each factor of ten by which it is
   * larger, once there are 288 of them. Then it belongs to the past too.
   */
  surprise(size: number): number;
};

/**
 * The empirical p-value of each value among its own past, as conformal anomaly detection uses it (Laxhammar and Falkman 2011, "Sequential conformal
 * anomaly detection in trajectories"). No distribution is assumed, so that one threshold means the same for every series and every statistic. Counts are
 * kept in bins of equal ratio (as in Masson et al. 2019, DDSketch) under a tree of partial sums (Fenwick 1994): a step costs 15 additions.
 * `tailIndex` = how fast the chance falls beyond the largest so far; 2 = with the square, the slowest that a finite variance allows (Chebyshev's inequality).
 * `largestCommon` = the most that a size can be told for its rank alone: among many, one that is the largest by a little comes by chance again and again.
 */
export function createPast(tailIndex = 0, largestCommon = Number.POSITIVE_INFINITY): Past {
  const sums = new Uint32Array(BINS + 1);
  let count = 0;
  let largest = 0;
  return {
    surprise(size) {
      const bin = binOf(size);
      let below = 0;
      for (let i = bin; i > 0; i -= i & -i) below += sums[i] ?? 0;
      for (let i = bin + 1; i <= BINS; i += i & -i) sums[i] = (sums[i] ?? 0) + 1;
      count += 1;
      const isBeyond = size > largest && largest > 0 && count > FEWEST_FOR_TAIL;
      const beyond = isBeyond ? tailIndex * (Math.log10(size) - Math.log10(largest)) : 0;
      largest = Math.max(largest, size);
      return beyond + Math.min(largestCommon, -Math.log10((count - below) / count));
    },
  };
}

function binOf(size: number): number {
  const bin = Math.floor((Math.log2(size) - LEAST_EXPONENT) * PER_DOUBLING);
  // Of 0 the logarithm is -Infinity.
  return Math.min(BINS - 1, Math.max(0, bin));
}
