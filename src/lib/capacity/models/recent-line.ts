import {median} from '../math/quantile.ts';
import {type Model, modelOf} from './model.ts';

/** The line is that of the newest part of the history: an older slope is another one. */
const NEWEST = 336;
/** The newest values by which the line is laid. */
const LEVEL = 24;
/** Slopes between the medians of so many blocks: one odd block, or a few, do not move their median. */
const BLOCKS = 14;

/**
 * A straight line through the newest values: the median of the slopes between the medians of blocks of them (Theil 1950, Sen 1968, on block medians), laid through the
 * median of what is left of the newest block. For levels that fill or drain steadily, such as disks, where smoothing has no slope and a damped trend gives its slope up.
 */
export const recentLine: Model = modelOf<null>({
  least: BLOCKS * 2,
  // A slope is not fitted once: each origin has that of its own newest values.
  fit: () => null,
  path: (history, horizon) => {
    const slope = slopeOf(history.subarray(Math.max(0, history.length - NEWEST)));
    const newest = history.subarray(history.length - Math.min(LEVEL, history.length));
    // What each of the newest values comes to at the end of the history.
    const level = median(newest.map((value, t) => value + slope * (newest.length - 1 - t)));
    return Float64Array.from({length: horizon}, (_, step) => level + slope * (step + 1));
  },
});

function slopeOf(values: Float64Array): number {
  const size = Math.floor(values.length / BLOCKS);
  const skipped = values.length - size * BLOCKS;
  const middles = Float64Array.from({length: BLOCKS}, (_, block) =>
    median(values.subarray(skipped + block * size, skipped + (block + 1) * size)),
  );
  const slopes: number[] = [];
  for (let i = 0; i < BLOCKS; i++)
    for (let j = i + 1; j < BLOCKS; j++) slopes.push(((middles[j] ?? 0) - (middles[i] ?? 0)) / ((j - i) * size));
  return median(Float64Array.from(slopes));
}
