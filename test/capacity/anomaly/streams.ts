import {createDetector} from '../../../src/lib/capacity/anomaly/detector.ts';
import {createWatch, type Watched} from '../../../src/lib/capacity/anomaly/watch.ts';
import {randomOf} from '../exhaustion/disks.ts';

export const STEP_MS = 300_000;
export const BEGIN = Date.UTC(2026, 2, 2);
/** Readings in a day. */
export const DAY = 288;

export const timeOf = (row: number): number => BEGIN + row * STEP_MS;

/** Scores of values that come every five minutes. */
export function scoresOf(values: ArrayLike<number>): number[] {
  const detector = createDetector();
  return Array.from(values, (value, row) => detector.next(timeOf(row), value));
}

export function watched(values: ArrayLike<number>): Watched {
  const watch = createWatch();
  for (let row = 0; row < values.length; row++) watch.next(timeOf(row), values[row] ?? Number.NaN);
  return watch.found();
}

/** Around 100 with a daily wave and noise; the same for the same seed. */
export function busyDays(days: number, seed = 1): Float64Array {
  const random = randomOf(seed);
  return Float64Array.from(
    {length: days * DAY},
    (_, row) => 100 + 40 * Math.sin((2 * Math.PI * row) / DAY) + 6 * (random() + random() - 1),
  );
}
