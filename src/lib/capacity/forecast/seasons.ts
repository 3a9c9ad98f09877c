import {movingTrend} from '../models/seasonal-profile.ts';
import type {Grain} from '../series.ts';

/** Seasons that series of each step can have, the shortest first. */
const POSSIBLE: Readonly<Record<Grain, readonly number[]>> = {hourly: [24, 168], daily: [7], weekly: [52]};
/** Autocorrelation that a season needs, of the values around their moving trend. */
const LEAST_CORRELATION = 0.2;

/**
 * Which of the possible seasons `values` have: the autocorrelation at the season, of the values less their moving mean over one season, is at least 0.2,
 * above chance (two standard errors, 2 / sqrt(n)) and above that half a season away. Needs three whole seasons.
 */
export function seasonsOf(values: Float64Array, grain: Grain): readonly number[] {
  return POSSIBLE[grain].filter((season) => {
    if (values.length < 3 * season) return false;
    const trend = movingTrend(values, season);
    const around = values.map((value, t) => value - (trend[t] as number));
    const square = product(around, 0);
    if (!(square > 0)) return false;
    const found = product(around, season) / square;
    const half = product(around, Math.round(season / 2)) / square;
    return found >= LEAST_CORRELATION && found > 2 / Math.sqrt(values.length) && found > half;
  });
}

/** Mean product of values `lag` steps apart. */
function product(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let t = lag; t < values.length; t++) sum += (values[t] as number) * (values[t - lag] as number);
  return sum / (values.length - lag);
}
