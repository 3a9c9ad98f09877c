import type {Shape} from './shape-of-growth.ts';
import {theilSen} from './theil-sen.ts';
import {lineThrough} from './trend.ts';

/** Fewer days after a jump tell of no growth; of more than a week the search for a break does. */
const LEAST_AFTER = 3;
const MOST_AFTER = 7;
/** Each weekday has to be among those before it: else a Monday is growth. */
const LEAST_BEFORE = 7;
/** It is no chance when the slope is so many standard deviations of that of a line through as many days above the one before. */
const DEVIATIONS = 4;
/** Days that are off by less than this share of the largest are rounding. */
const NOISE_FLOOR = 1e-4;
/** So many of the pairs of days have to rise faster than before. */
const RISING = 0.8;

/**
 * A level that jumped within the newest week and rises plainly faster since: the growth of now is that of the days after it, and those before it, which are many more, must not
 * hide it. Of one that rises more slowly the few days say nothing yet. `lifted` = the first whole day after the jump, as an index: the one before it is of neither level, and left out; `values` should be about 1.
 */
export function withBendAfter(shape: Shape, day: Float64Array, values: Float64Array, lifted: number | null): Shape {
  if (lifted === null || shape.kind === 'accelerating') return shape;
  const end = Math.max(0, lifted - 1);
  const from = end - shape.at >= LEAST_BEFORE ? shape.at : 0;
  const after = {day: day.subarray(lifted), values: values.subarray(lifted)};
  const before = {day: day.subarray(from, end), values: values.subarray(from, end)};
  const count = after.day.length;
  if (count < LEAST_AFTER || count > MOST_AFTER || before.day.length < LEAST_BEFORE) return shape;
  const usual = theilSen(before.day, before.values)?.slope ?? 0;
  const bend = (theilSen(after.day, after.values)?.slope ?? 0) - usual;
  const line = lineThrough(before.day, before.values, usual);
  const squares = before.values.reduce((sum, value, i) => sum + (value - line(before.day[i] ?? 0)) ** 2, 0);
  const noise = Math.max(NOISE_FLOOR, Math.sqrt(squares / before.values.length));
  if (bend < (DEVIATIONS * noise) / Math.sqrt((count ** 3 - count) / 12) || risingShare(after, usual) < RISING) return shape;
  return {...shape, kind: 'level-and-slope', at: lifted, jump: 0, bend};
}

/** Of all pairs of days. */
function risingShare({day, values}: {readonly day: Float64Array; readonly values: Float64Array}, usual: number): number {
  let rising = 0;
  let pairs = 0;
  for (let i = 0; i < day.length; i++)
    for (let j = i + 1; j < day.length; j++) {
      pairs += 1;
      if ((values[j] ?? 0) - (values[i] ?? 0) > usual * ((day[j] ?? 0) - (day[i] ?? 0))) rising += 1;
    }
  return rising / pairs;
}
