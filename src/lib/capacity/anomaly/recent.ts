/** The newest readings of a series, at most `size` of them. */
export type Recent = {
  readonly count: number;
  add(value: number): void;
  /** Multiplies all of them. */
  scale(by: number): void;
  /** The mean of `length` readings, the newest of them `ago` readings before the newest; NaN = there are not so many. */
  mean(ago: number, length: number): number;
};

/**
 * Each mean is added up anew: a running sum would keep the rounding of one huge reading for ever, and 144 additions are cheap.
 */
export function createRecent(size: number): Recent {
  const ring = new Float64Array(size);
  let count = 0;
  let next = 0;
  return {
    get count() {
      return count;
    },
    add(value) {
      ring[next] = value;
      next = (next + 1) % size;
      count = Math.min(size, count + 1);
    },
    scale(by) {
      for (let i = 0; i < size; i++) ring[i] = (ring[i] ?? 0) * by;
    },
    mean(ago, length) {
      if (length === 0 || ago + length > count) return Number.NaN;
      let sum = 0;
      let at = (next - ago - length + size) % size;
      for (let i = 0; i < length; i++) {
        sum += ring[at] ?? 0;
        at = at + 1 === size ? 0 : at + 1;
      }
      return sum / length;
    },
  };
}
