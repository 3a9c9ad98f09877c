/** A value axis: from `low` to `high`, with ticks at round values, rising. */
export type Axis = {readonly low: number; readonly high: number; readonly ticks: readonly number[]};

/** Differences below it are none: a tick cannot be written with so many decimals. */
const LEAST = 1e-90;

/** The round step of which about `most` fit into `span`: 1, 2 or 5 times a power of ten. */
export function roundStep(span: number, most: number): number {
  const rough = span / Math.max(1, most);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((each) => each * power >= rough * (1 - 1e-9)) ?? 10;
  return step * power;
}

/**
 * The axis for values from `low` to `high`, with at most `most` ticks. It begins at 0 where that costs less than half of the room; a constant gets room on
 * both sides.
 */
export function valueAxis(low: number, high: number, most: number): Axis {
  const from = low > 0 && low < high / 2 ? 0 : low;
  const size = Math.max(Math.abs(from), Math.abs(high));
  const flat = high - from <= size * 1e-9 + LEAST;
  const room = size > LEAST ? size : 1;
  const [bottom, top] = flat ? [high - room / 2, high + room / 2] : [from, high];
  const step = roundStep(top - bottom, most);
  const first = Math.ceil(bottom / step - 1e-9);
  const last = Math.floor(top / step + 1e-9);
  const ticks = Array.from({length: Math.max(0, last - first + 1)}, (_, i) => tidy((first + i) * step, step));
  return {low: bottom, high: top, ticks};
}

/** Without what binary fractions add: 0.30000000000000004 is 0.3, and -0 is 0. */
function tidy(value: number, step: number): number {
  const decimals = Math.min(100, Math.max(0, 2 - Math.floor(Math.log10(step))));
  return step >= 1e15 ? value : Number(value.toFixed(decimals)) + 0;
}
