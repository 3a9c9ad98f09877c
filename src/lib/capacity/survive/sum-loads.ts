import type {Grain, Series} from '../series.ts';

/** How long a step is. A day of a time zone may have 23 or 25 hours: too little to matter for a window of hours. */
export const STEP_MS: Readonly<Record<Grain, number>> = {hourly: 3_600_000, daily: 86_400_000, weekly: 604_800_000};

/** A part of the load of another region, in the unit of the sum: each value times `factor`. */
export type Part = {readonly series: Series; readonly factor: number};

/** Steps that follow each other without a hole. NaN = not known. `starts` epoch ms. */
export type Sum = {readonly starts: Float64Array; readonly values: Float64Array};

/**
 * The history of a sum, step by step: what a region would have had to carry, had it had the others' parts all along. Forecasting this, and not the sum of
 * forecasts, lets count whether the peaks come together. A step is known where all of its parts are. Its end, as far as it is not known, is left out.
 */
export function sumLoads(own: Part, others: readonly Part[]): Sum {
  const {starts} = own.series;
  const parts = [own, ...others].map(({series, factor}) => ({at: valuesByStart(series), factor}));
  const values = starts.map((start) => parts.reduce((sum, {at, factor}) => sum + factor * (at.get(start) ?? Number.NaN), 0));
  const end = values.findLastIndex((value) => !Number.isNaN(value)) + 1;
  return {starts: starts.subarray(0, end), values: values.subarray(0, end)};
}

/**
 * The series of a region that may be gone already: the zeros at its end are not its load but that it is down, so they are taken as not known. One that never
 * had anything stays as it is.
 */
export function withoutOutage(series: Series): Series {
  const alive = series.values.findLastIndex((value) => value > 0);
  return alive === -1 ? series : {...series, values: series.values.map((value, step) => (step > alive ? Number.NaN : value))};
}

function valuesByStart({starts, values}: Series): ReadonlyMap<number, number> {
  return new Map(Array.from(starts, (start, step) => [start, values[step] ?? Number.NaN]));
}
