/**
 * The value that stands at `rank` (0 = the least) once the first `count` of `values` are in order: Hoare's selection (1961), linear time. Reorders
 * `values`.
 */
export function select(values: Float64Array, count: number, rank: number): number {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const pivot = values[(low + high) >> 1] as number;
    let left = low;
    let right = high;
    while (left <= right) {
      while ((values[left] as number) < pivot) left++;
      while ((values[right] as number) > pivot) right--;
      if (left <= right) {
        const swapped = values[left] as number;
        values[left++] = values[right] as number;
        values[right--] = swapped;
      }
    }
    if (rank <= right) high = right;
    else if (rank >= left) low = left;
    else break;
  }
  return values[rank] as number;
}

/** The median of the first `count` of `values`, which it reorders. NaN when there are none. */
export function medianInPlace(values: Float64Array, count: number = values.length): number {
  if (count === 0) return Number.NaN;
  const half = count >> 1;
  const upper = select(values, count, half);
  if (count % 2 === 1) return upper;
  // What stands before the middle is not greater than it.
  let lower = values[0] as number;
  for (let i = 1; i < half; i++) lower = Math.max(lower, values[i] as number);
  return lower + (upper - lower) / 2;
}

/** The median of `values`, which stay as they are. NaN when there are none. */
export const median = (values: Float64Array): number => medianInPlace(values.slice());

/**
 * The `share` quantile (0 to 1) of values in rising order, between neighbours by a straight line (type 7 of Hyndman and Fan 1996). NaN when there
 * are none.
 */
export function quantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const at = Math.min(1, Math.max(0, share)) * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (at - below) * (high - low);
}
