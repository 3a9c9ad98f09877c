const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/** A look without a good answer. */
const MISSED = '×';

/**
 * The last `width` values as bars between 0 and the largest of them, newest at the right; null is shown as ×. Narrower histories are padded on the
 * left. `least` is the smallest value that fills the height, so that noise of fast answers does not look like waves.
 */
export function sparkline(values: readonly (number | null)[], width: number, least = 1): string {
  const shown = values.slice(-width);
  const top = Math.max(least, ...shown.map((value) => value ?? 0));
  const bars = shown.map((value) =>
    value === null ? MISSED : (BARS[Math.min(BARS.length - 1, Math.floor((value / top) * BARS.length))] ?? '█'),
  );
  return bars.join('').padStart(width);
}

/** The value below which `share` (0 to 1) of the numbers lie (nearest rank); null for none. */
export function percentile(values: readonly (number | null)[], share: number): number | null {
  const sorted = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}
