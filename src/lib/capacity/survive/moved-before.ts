import type {Grain, Series} from '../series.ts';
import {outageOf, withoutOutage} from './outage.ts';

/** Nothing of a load is left in its region. */
const ALL = 1 - 1e-9;
/** Steps after which a series is compared with itself. */
const SEASONS: Readonly<Record<Grain, {readonly long: number; readonly short: number}>> = {
  hourly: {long: 168, short: 24},
  daily: {long: 7, short: 1},
  weekly: {long: 1, short: 1},
};
/** Of the fall that is looked for at least this much is seen. */
const LEAST_SEEN = 0.5;

/**
 * From which step on (an index) a share of a load, 0 to 1, is elsewhere: its region was drained, wholly or in part. Of all of it: where the series ends with zeros or idles.
 * Of a part: where the rest, brought up to what it would be with that part, repeats itself best (the least sum of differences of logarithms a week, or a day, apart).
 * The length of the series where no such fall is seen: then it has just been sent elsewhere.
 */
export function goneFrom(series: Series, share: number): number {
  if (share >= ALL) return outageOf(series)?.from ?? series.values.findLastIndex((value) => value > 0) + 1;
  const values = withoutOutage(series, 1 - share).values;
  const {long, short} = SEASONS[series.grain];
  const season = values.length >= 3 * long ? long : short;
  const raised = -Math.log(1 - share);
  const logs = values.map((value) => (value > 0 ? Math.log(value) : Number.NaN));
  const apart = (step: number, by: number): number => {
    const difference = Math.abs((logs[step] ?? Number.NaN) - (logs[step - season] ?? Number.NaN) + by);
    return Number.isNaN(difference) ? 0 : difference;
  };
  // From the end on back, each step more is raised: it differs from the one before it by that more, and the one after it no longer does.
  let [best, most, gain] = [values.length, 0, 0];
  for (let step = values.length - 1; step >= 0; step -= 1) {
    gain += apart(step, 0) - apart(step, raised);
    if (step + season < values.length) gain += apart(step + season, raised) - apart(step + season, 0);
    if (gain > most) [best, most] = [step, gain];
  }
  return most >= LEAST_SEEN * raised * Math.min(season, values.length - best) ? best : values.length;
}

/** What a region had of the share that is elsewhere now, as long as it had it, at these steps: since then others have it, and it is in what is measured of them. */
export function untilMoved(series: Series, share: number, starts: Float64Array): Series {
  const gone = series.starts[goneFrom(series, share)] ?? Number.POSITIVE_INFINITY;
  const {values} = withoutOutage(series, 1 - share);
  const at = new Map(Array.from(series.starts, (start, step) => [start, values[step] ?? Number.NaN]));
  return {...series, starts, values: starts.map((start) => (start >= gone ? 0 : (at.get(start) ?? Number.NaN)))};
}

/** What a region has without the share that is elsewhere now, as if that had always been so. In an outage it is not known. */
export function withoutMoved(series: Series, share: number): Series {
  if (share === 0) return series;
  if (share >= ALL) return {...series, values: series.values.map(() => 0)};
  const gone = goneFrom(series, share);
  return {...series, values: series.values.map((value, step) => (step < gone ? value * (1 - share) : value))};
}
