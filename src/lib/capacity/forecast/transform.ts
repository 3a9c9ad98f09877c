/** The scale that models work on, and the way back. */
export type Transform = {
  readonly name: 'log' | 'level';
  readonly to: (values: Float64Array) => Float64Array;
  /** Always finite. */
  readonly back: (value: number) => number;
};

/** Logarithms whose span is wider than this are of values that do not belong on one such scale (e^60 = 1e26). */
const WIDEST_LOG = 60;

/**
 * Logarithms where all values are above zero, so that seasons multiply and a forecast stays above zero; else the values themselves. Both are
 * divided first by a power of two near the largest size (exact in binary), so that sums of squares neither overflow nor vanish.
 */
export function transformFor(values: Float64Array): Transform {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const size = Math.max(Math.abs(least), Math.abs(most));
  const scale = size > 0 ? 2 ** Math.max(-1022, Math.min(1023, Math.floor(Math.log2(size)))) : 1;
  if (least > 0 && Math.log(most / scale) - Math.log(least / scale) <= WIDEST_LOG) {
    return {name: 'log', to: (given) => given.map((value) => Math.log(value / scale)), back: (value) => finite(Math.exp(value) * scale)};
  }
  return {name: 'level', to: (given) => given.map((value) => value / scale), back: (value) => finite(value * scale)};
}

const finite = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
