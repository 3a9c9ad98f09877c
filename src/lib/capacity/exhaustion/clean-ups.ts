import {median} from './days.ts';

/** Fewer falls are single events, each of which may have changed the level for good. */
const RECURRING = 4;
/** A fall is sudden when it is beyond so many robust deviations of the changes from one reading to the next. */
const DEVIATIONS = 8;
/** From the median absolute deviation to the standard deviation of a normal distribution. */
const NORMAL = 1.4826;
/** Falls of one kind are at least this share of the largest. */
const LIKE_THE_LARGEST = 1 / 3;
/** They come regularly when the gaps between them differ from the usual one by no more than this share of it, on average. */
const REGULAR = 0.15;
const DAY_MS = 86_400_000;

/** What empties a series again and again at about the same intervals: log rotation, retention. */
export type CleanUps = {
  /** When each was (epoch ms), oldest first, four at least; the highest reading of the day before it. */
  readonly tops: readonly {readonly at: number; readonly value: number}[];
  /** How far the series falls, and the time from one to the next: medians. */
  readonly fall: number;
  readonly everyMs: number;
};

/**
 * Sudden falls that are alike; null where there are fewer than four, where they come irregularly, or with half as many sudden rises:
 * that is a pattern of the week, say.
 */
export function findCleanUps({starts, values}: {readonly starts: Float64Array; readonly values: Float64Array}): CleanUps | null {
  const changes = changesOf(starts, values);
  const middle = median(changes.map(({change}) => change));
  const deviation = NORMAL * median(changes.map(({change}) => Math.abs(change - middle)));
  const sudden = changes.filter(({change}) => Math.abs(change - middle) > DEVIATIONS * deviation);
  const largest = sudden.reduce((most, {change}) => Math.max(most, -change), 0);
  const falls = sudden.filter(({change}) => change < 0 && -change >= LIKE_THE_LARGEST * largest);
  const rises = sudden.filter(({change}) => change >= LIKE_THE_LARGEST * largest);
  if (falls.length < RECURRING || rises.length >= falls.length / 2) return null;
  const gaps = falls.slice(1).map(({at}, i) => at - (falls[i]?.at ?? at));
  const everyMs = median(gaps);
  const irregular = gaps.reduce((sum, gap) => sum + Math.abs(gap - everyMs), 0) / gaps.length;
  if (irregular > REGULAR * everyMs) return null;
  return {
    tops: falls.map(({at, index}) => ({at, value: highestBefore(starts, values, index)})),
    fall: median(falls.map(({change}) => -change)),
    everyMs,
  };
}

/** Of the day before a reading. Goes back from it: there may be as many falls as days, and to look at all readings for each would take minutes. */
function highestBefore(starts: Float64Array, values: Float64Array, index: number): number {
  const from = (starts[index] ?? Number.NaN) - DAY_MS;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = index - 1; i >= 0 && (starts[i] ?? from) >= from; i--) if ((values[i] ?? Number.NaN) > most) most = values[i] ?? most;
  return most;
}

/** `at` epoch ms, `index` = of the reading after it, `before` = the one before it. */
type Change = {readonly at: number; readonly change: number; readonly index: number; readonly before: number};

/** From one known reading to the next. */
export function changesOf(starts: Float64Array, values: Float64Array): readonly Change[] {
  const changes: Change[] = [];
  let before = Number.NaN;
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    if (Number.isFinite(before)) changes.push({at: starts[i] ?? 0, change: value - before, index: i, before});
    before = value;
  }
  return changes;
}
