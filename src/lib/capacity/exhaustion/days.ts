import {medianInPlace, quantile} from '../math/quantile.ts';
import type {Series} from '../series.ts';

const DAY_MS = 86_400_000;
const WEEK = 7;
/** A day of which less is known says nothing about its mean. */
const LEAST_KNOWN = 0.5;
/** Older days say little about the growth of now, and the search through pairs of days would be slow. */
const MOST_DAYS = 400;
/** With fewer days there is no telling a weekday from chance. */
const LEAST_FOR_WEEK = 15;
/** Within two days, the level jumps when it changes by so many times what it changes by anywhere else. */
const UNLIKE_OTHERS = 1.5;

/** One entry for each day (or step, when steps are longer) of a series, oldest first. */
export type Days = {
  /** Where it is, in days since the first one. */
  readonly day: Float64Array;
  readonly mean: Float64Array;
  readonly peak: Float64Array;
  /** Epoch ms of day 0. */
  readonly from: number;
};

/** Means and peaks by day, counted back from the newest reading, so that the newest day is whole. Of the newest 400 days. */
export function daysOf({starts, values, grain}: Pick<Series, 'starts' | 'values' | 'grain'>): Days {
  const newest = starts.at(-1) ?? 0;
  const stepMs = grain === 'weekly' ? WEEK * DAY_MS : DAY_MS;
  const perDay = grain === 'hourly' ? 24 : 1;
  const buckets = new Map<number, {sum: number; count: number; peak: number}>();
  for (const [i, value] of values.entries()) {
    const ago = Math.floor((newest - (starts[i] ?? newest)) / stepMs);
    if (!Number.isFinite(value) || ago >= MOST_DAYS || ago < 0) continue;
    const bucket = buckets.get(ago) ?? {sum: 0, count: 0, peak: Number.NEGATIVE_INFINITY};
    buckets.set(ago, {sum: bucket.sum + value, count: bucket.count + 1, peak: Math.max(bucket.peak, value)});
  }
  const whole = [...buckets].filter(([, {count}]) => count >= LEAST_KNOWN * perDay).toSorted(([a], [b]) => b - a);
  const oldest = whole[0]?.[0] ?? 0;
  return {
    day: Float64Array.from(whole, ([ago]) => ((oldest - ago) * stepMs) / DAY_MS),
    mean: Float64Array.from(whole, ([, {sum, count}]) => sum / count),
    peak: Float64Array.from(whole, ([, {peak}]) => peak),
    from: newest - (oldest + 1) * stepMs + (grain === 'hourly' ? 3_600_000 : stepMs),
  };
}

/**
 * How much each weekday lies above or below its week: the median distance of its days from the mean of the seven around them (classical decomposition).
 * Seven values that add up to zero, by day modulo 7; zeros where there are less than 15 days.
 */
export function weekdayOffsets({day, mean}: Pick<Days, 'day' | 'mean'>): Float64Array {
  const offsets = new Float64Array(WEEK);
  if (mean.length < LEAST_FOR_WEEK) return offsets;
  const distances: number[][] = Array.from({length: WEEK}, () => []);
  const jump = jumpOfDays(mean);
  for (let i = 3; i < mean.length - 3; i++) {
    // Only where seven days follow each other.
    if ((day[i + 3] ?? 0) - (day[i - 3] ?? 0) !== WEEK - 1) continue;
    // A week that holds a jump tells of that.
    if (jump !== null && i - 3 <= jump && i + 3 >= jump) continue;
    const week = mean.subarray(i - 3, i + 4);
    distances[(day[i] ?? 0) % WEEK]?.push((mean[i] ?? 0) - week.reduce((sum, each) => sum + each, 0) / WEEK);
  }
  if (distances.some((each) => each.length < 2)) return offsets;
  const medians = distances.map((each) => median(each));
  const middle = medians.reduce((sum, each) => sum + each, 0) / WEEK;
  return offsets.map((_, weekday) => (medians[weekday] ?? 0) - middle);
}

/** The day, as an index, around which the level changes like nowhere else within two days; null = there is none. A weekend comes again. */
function jumpOfDays(mean: Float64Array): number | null {
  const moves = mean.map((_, i) => (i === 0 || i + 1 >= mean.length ? 0 : Math.abs((mean[i + 1] ?? 0) - (mean[i - 1] ?? 0))));
  const largest = moves.reduce((most, move) => Math.max(most, move), 0);
  const at = moves.indexOf(largest);
  const others = moves.reduce((most, move, i) => (Math.abs(i - at) > 1 ? Math.max(most, move) : most), 0);
  return largest >= UNLIKE_OTHERS * others ? at : null;
}

/** The median of any numbers; NaN of nothing. */
export const median = (values: ArrayLike<number>): number => medianInPlace(Float64Array.from(values));

/** Their quantile (0 to 1), as of `quantile`; NaN of nothing. */
export const quantileOf = (values: ArrayLike<number>, share: number): number => quantile(Float64Array.from(values).sort(), share);
