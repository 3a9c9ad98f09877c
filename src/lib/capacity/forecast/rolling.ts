import {forecast} from './forecast.ts';
import {prepare} from './gaps.ts';
import {planTrials} from './origins.ts';
import {naiveScale, scoresOf} from './scores.ts';
import {seasonsOf} from './seasons.ts';
import type {ForecastOptions, Scores} from './shapes.ts';

/** How wrong the whole procedure was: choice, weights and intervals were made anew at each origin, of what was known there. */
export type RollingBacktest = {readonly origins: number; readonly horizon: number; readonly scores: Scores};

/**
 * Repeats the whole forecast at each of the rolling origins of the history and compares it with what came: dearer than the backtest beside a forecast, which fits its
 * parameters once, and free of any choice that saw the truth. null = the history is too short.
 */
export function rollingBacktest(given: Float64Array, options: ForecastOptions): RollingBacktest | null {
  const {grain} = options;
  const {values, known} = prepare(given, grain);
  const plan = planTrials(values.length, options.horizon, grain, options.origins ?? 5);
  if (plan.origins.length === 0) return null;
  const asked = values.map((value, t) => (known[t] === 1 ? value : Number.NaN));
  const found = plan.origins.map((origin) => forecast(asked.subarray(0, origin), {...options, horizon: plan.horizon}));
  const season = seasonsOf(values, grain)[0] ?? 1;
  const scores = scoresOf({...plan, paths: found.map(({mean}) => mean), values, known}, naiveScale(values, known, season));
  let inside = 0;
  let count = 0;
  plan.origins.forEach((origin, index) => {
    for (let step = 0; step < plan.horizon; step++) {
      if (known[origin + step] === 0) continue;
      const truth = values[origin + step] as number;
      const {lower95, upper95} = found[index] as (typeof found)[number];
      count++;
      if (truth >= (lower95[step] as number) && truth <= (upper95[step] as number)) inside++;
    }
  });
  return {origins: plan.origins.length, horizon: plan.horizon, scores: {...scores, coverage: count === 0 ? null : (100 * inside) / count}};
}
