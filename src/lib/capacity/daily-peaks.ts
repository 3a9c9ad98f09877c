import {STEP_MS, stepsAround} from './regularize/steps.ts';
import type {Remark, Series} from './series.ts';

/** A day of which less is known than this share of its hours is not known. */
const LEAST_KNOWN = 0.75;

/**
 * An hourly series by days of its zone: the highest hour of each day, since that is what a limit is met by, of orders as well. Days of which less than three quarters are
 * known are gaps, at both ends they are left out; so is the newest day until it is over: its highest hour may be still to come.
 */
export function dailyPeaks(series: Series): Series {
  const {starts, values, timeZone, remarks} = series;
  const [first, last] = [starts[0] ?? 0, starts.at(-1) ?? 0];
  const days = stepsAround('daily', timeZone, first, last + STEP_MS.hourly).starts;
  const peaks = new Float64Array(days.length).fill(Number.NEGATIVE_INFINITY);
  const known = new Float64Array(days.length);
  let day = 0;
  for (const [i, value] of values.entries()) {
    while (day + 1 < days.length && (days[day + 1] ?? 0) <= (starts[i] ?? 0)) day++;
    if (!Number.isFinite(value)) continue;
    peaks[day] = Math.max(peaks[day] ?? value, value);
    known[day] = (known[day] ?? 0) + 1;
  }
  const isOver = (i: number): boolean => (days[i + 1] ?? Number.POSITIVE_INFINITY) <= last + STEP_MS.hourly;
  const all = days.map((_, i) => ((known[i] ?? 0) >= LEAST_KNOWN * 24 && isOver(i) ? (peaks[i] ?? Number.NaN) : Number.NaN));
  const from = all.findIndex((value) => !Number.isNaN(value));
  const to = all.findLastIndex((value) => !Number.isNaN(value)) + 1;
  const [kept, at] = from === -1 ? [new Float64Array(0), new Float64Array(0)] : [all.slice(from, to), days.slice(from, to)];
  return {...series, grain: 'daily', starts: at, values: kept, remarks: [...remarks, ...gapsOf(kept, at)]};
}

function gapsOf(values: Float64Array, starts: Float64Array): readonly Remark[] {
  const gaps = [...values.keys()].filter((i) => Number.isNaN(values[i]));
  const [first, last] = [gaps[0], gaps.at(-1)];
  if (first === undefined || last === undefined) return [];
  const says = `${gaps.length} ${gaps.length === 1 ? 'day has' : 'days have'} too few known hours to be a day`;
  return [{kind: 'gap', count: gaps.length, from: starts[first] ?? 0, to: starts[last] ?? 0, says}];
}
