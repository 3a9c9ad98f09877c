import type {Forecaster, Path} from './forecast/shapes.ts';
import {median} from './math/quantile.ts';
import type {Grain, Series} from './series.ts';

/** How long a step is. A day of a time zone may have 23 or 25 hours: too little to matter for what is looked at here. */
export const STEP_MS: Readonly<Record<Grain, number>> = {hourly: 3_600_000, daily: 86_400_000, weekly: 604_800_000};

/** Steps that follow each other without a hole. `starts` epoch ms; NaN = not known. */
export type History = Pick<Series, 'starts' | 'values'>;

/** A forecast of steps to come: when each begins, and its path. */
export type Ahead = Path & {readonly starts: Float64Array};

/** Less than two seasons tell nothing of the hour or the day that comes: known steps that a history must have. */
const LEAST_KNOWN = {hourly: 48, daily: 14, weekly: 8} as const;
/** A history that ended more than so many steps ago tells nothing of now: a week, four weeks, eight weeks. */
export const OLDEST_STEPS = {hourly: 168, daily: 28, weekly: 8} as const;

/** Why a history is too little to plan with; null = it is enough. `now` epoch ms. */
export function tooLittle({starts, values}: History, grain: Grain, now: number): string | null {
  const known = values.reduce((count, value) => (Number.isNaN(value) ? count : count + 1), 0);
  if (known < LEAST_KNOWN[grain])
    return `its history is too short: ${known} ${grain} ${known === 1 ? 'value is' : 'values are'} known, ${LEAST_KNOWN[grain]} are needed`;
  return endedLongAgo({starts, values}, grain, now);
}

/** The step that is under way is not known, and the one before it may be known in part. */
const LEAST_OLD_STEPS = 2;

/**
 * Why a history says nothing of now: it ended more than `OLDEST_STEPS` ago, or than `sinceMs` where that is less, but two steps at least; null = it did not. `now` epoch
 * ms.
 */
export function endedLongAgo({starts, values}: History, grain: Grain, now: number, sinceMs = Number.POSITIVE_INFINITY): string | null {
  const end = endOf(starts, values) * STEP_MS[grain] + (starts[0] ?? 0);
  const most = Math.min(Math.max(sinceMs, LEAST_OLD_STEPS * STEP_MS[grain]), OLDEST_STEPS[grain] * STEP_MS[grain]);
  return now - end > most ? `its history ends at ${new Date(end).toISOString().slice(0, 16).replace('T', ' ')}Z` : null;
}

/** How many steps there are up to the last one that is known. */
function endOf(starts: Float64Array, values: Float64Array): number {
  return Math.min(starts.length, values.findLastIndex((value) => !Number.isNaN(value)) + 1);
}

/**
 * The forecast of the steps that touch the span from `from` to `to` (epoch ms), made from the last known step on. null = it has a value that is not finite.
 * The history must not be `tooLittle`. A surge that goes on is expected to go on: see `surgeOf`.
 */
export function lookAhead(
  history: History,
  grain: Grain,
  {from, to}: {readonly from: number; readonly to: number},
  forecastOf: Forecaster,
): Ahead | null {
  const end = endOf(history.starts, history.values);
  const stepMs = STEP_MS[grain];
  const first = (history.starts[end - 1] ?? from) + stepMs;
  const horizon = Math.max(1, Math.ceil((to - first) / stepMs));
  const known = history.values.subarray(0, end);
  const path = forecastOf(known, {grain, horizon});
  const surge = surgeOf(known, grain, forecastOf);
  const starts = Float64Array.from({length: horizon}, (_, step) => first + step * stepMs);
  const begin = Math.max(
    0,
    starts.findIndex((start) => start + stepMs > from),
  );
  const part = (values: Float64Array): Float64Array => values.subarray(begin, horizon);
  const {mean, p10, lower95} = path;
  const raised = (values: Float64Array): Float64Array => values.map((value, step) => Math.max(value, (mean[step] ?? value) * surge));
  const [p90, upper95] = surge > 1 ? [raised(path.p90), raised(path.upper95)] : [path.p90, path.upper95];
  const ahead = {starts: part(starts), mean: part(mean), p10: part(p10), p90: part(p90), lower95: part(lower95), upper95: part(upper95)};
  return [...ahead.mean, ...ahead.p90].every((value) => Number.isFinite(value)) ? ahead : null;
}

/** A surge that began longer ago is in the forecast itself. */
const SURGE_STEPS = 8;
/** Where less than this share of what is usual was expected, a surge is measured by that: a few requests in a quiet night are many times nothing, and no sign of the day. */
const QUIET_SHARE = 0.25;

/**
 * How many times what was expected the newest value is, where it lies above the 95 % interval of what would have been forecast a few steps before; else 1. A forecast takes what has
 * just begun for an outage or a burst that ends; whoever plans for the next hours must not. Where little was expected it is measured by `QUIET_SHARE` of the median of
 * the newest week (four weeks of days, eight of weeks).
 */
function surgeOf(values: Float64Array, grain: Grain, forecastOf: Forecaster): number {
  const before = values.subarray(0, values.length - SURGE_STEPS);
  if (!before.some(Number.isFinite)) return 1;
  const {mean, upper95} = forecastOf(before, {grain, horizon: SURGE_STEPS});
  const [newest, expected, most] = [values.at(-1) ?? 0, mean.at(-1) ?? 0, upper95.at(-1) ?? 0];
  const usual = median(values.slice(-OLDEST_STEPS[grain]).filter(Number.isFinite));
  return newest > most && expected > 0 ? Math.max(1, newest / Math.max(expected, QUIET_SHARE * usual)) : 1;
}
