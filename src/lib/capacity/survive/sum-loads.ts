import {type History, tooLittle} from '../ahead.ts';
import type {Series} from '../series.ts';
import {withoutOutage} from './outage.ts';

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
 * What a region had until its outage, where that is enough to tell what it will have when it is as it was; null = it is not. Added up with what others have taken
 * over, the times before the outage would count that twice.
 */
export function asBefore(series: Series, now: number): History | null {
  const before = withoutOutage(series);
  return before === series || tooLittle(before, series.grain, now) !== null ? null : before;
}

function valuesByStart({starts, values}: Series): ReadonlyMap<number, number> {
  return new Map(Array.from(starts, (start, step) => [start, values[step] ?? Number.NaN]));
}
