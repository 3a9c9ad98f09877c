import {type History, OLDEST_STEPS, tooLittle} from '../ahead.ts';
import type {Series} from '../series.ts';

/** A part of the load of another region, in the unit of the sum: each value times `factor`. */
export type Part = {readonly series: Series; readonly factor: number};

/**
 * The history of a sum, step by step: what a region would have had to carry, had it had the others' parts all along. Forecasting this, and not the sum of
 * forecasts, lets count whether the peaks come together. A step is known where all of its parts are.
 */
export function sumLoads(own: Part, others: readonly Part[]): History {
  const {starts} = own.series;
  const parts = [own, ...others].map(({series, factor}) => ({at: valuesByStart(series), factor}));
  const values = starts.map((start) => parts.reduce((sum, {at, factor}) => sum + factor * (at.get(start) ?? Number.NaN), 0));
  return {starts, values};
}

/**
 * The series of a region that may be gone already: the zeros at its end are not its load but that it is down, so they are taken as not known. Where there are
 * so many of them that nobody waits for it any more, or never was anything else, they are its load.
 */
export function withoutOutage(series: Series): Series {
  const alive = series.values.findLastIndex((value) => value > 0);
  const isIdle = alive === -1 || series.values.length - 1 - alive > OLDEST_STEPS[series.grain];
  return isIdle ? series : {...series, values: series.values.map((value, step) => (step > alive ? Number.NaN : value))};
}

/**
 * What a region had until its outage, where that is enough to tell what it will have when it is as it was; null = it is not. Added up with what others have taken
 * over, the times before the outage would count that twice.
 */
export function asBefore(series: Series, now: number): History | null {
  const before = withoutOutage(series);
  const isSame = before === series || series.values.at(-1) !== 0;
  return isSame || tooLittle(before, series.grain, now) !== null ? null : before;
}

/** What a region had until its traffic went elsewhere, at these steps. Since then others have it, and it is in what is measured of them. */
export function untilMoved(series: Series, starts: Float64Array): Series {
  const at = valuesByStart(series);
  const last = series.starts[series.values.findLastIndex((value) => value > 0)] ?? Number.NEGATIVE_INFINITY;
  return {...series, starts, values: starts.map((start) => (start > last ? 0 : (at.get(start) ?? Number.NaN)))};
}

function valuesByStart({starts, values}: Series): ReadonlyMap<number, number> {
  return new Map(Array.from(starts, (start, step) => [start, values[step] ?? Number.NaN]));
}
