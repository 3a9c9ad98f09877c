import {select} from '../math/quantile.ts';
import {movingTrend} from '../models/seasonal-profile.ts';
import type {Grain} from '../series.ts';

/** Seasons that series of each step can have, the shortest first. */
const POSSIBLE: Readonly<Record<Grain, readonly number[]>> = {hourly: [24, 168], daily: [7], weekly: [52]};
/** Autocorrelation that a season needs, of the values around their moving trend. */
const LEAST_CORRELATION = 0.2;
/** Values are cut off at so many times the distance that a fifth of them pass. */
const CUT = 3;

/**
 * Which of the possible seasons `values` have, by the autocorrelation at the season of the values less their moving mean over one season: at least 0.2,
 * above chance (two standard errors, 2 / sqrt(n)) and above that half a season away. It is enough that this holds once large values are cut off: a single
 * outage would hide any season. Needs three whole seasons.
 */
export function seasonsOf(values: Float64Array, grain: Grain): readonly number[] {
  return POSSIBLE[grain].filter((season) => {
    if (values.length < 3 * season) return false;
    const trend = movingTrend(values, season);
    const around = values.map((value, t) => value - (trend[t] as number));
    return repeats(around, season) || repeats(cutOff(around), season);
  });
}

function cutOff(values: Float64Array): Float64Array {
  const limit = CUT * select(values.map(Math.abs), values.length, Math.floor(0.8 * values.length));
  return values.map((value) => Math.max(-limit, Math.min(limit, value)));
}

function repeats(values: Float64Array, season: number): boolean {
  const square = product(values, 0);
  if (!(square > 0)) return false;
  const found = product(values, season) / square;
  const half = product(values, Math.round(season / 2)) / square;
  return found >= LEAST_CORRELATION && found > 2 / Math.sqrt(values.length) && found > half;
}

/** Mean product of values `lag` steps apart. */
function product(values: Float64Array, lag: number): number {
  let sum = 0;
  for (let t = lag; t < values.length; t++) sum += (values[t] as number) * (values[t - lag] as number);
  return sum / (values.length - lag);
}
