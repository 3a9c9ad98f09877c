import type {Grain} from '../series.ts';
import {type Candidate, candidatesOf} from './candidates.ts';
import {settle} from './excursions.ts';
import {type Prepared, prepare} from './gaps.ts';
import {type HalfWidths, halfWidths} from './intervals.ts';
import {planTrials} from './origins.ts';
import {recipeFor} from './recipes.ts';
import {forEachStep, meanAbsoluteError, naiveScale, scoresOf, type Trial} from './scores.ts';
import {seasonsOf} from './seasons.ts';
import type {Backtest, Forecast, Forecaster, ForecastOptions, Path} from './shapes.ts';
import {shortForecast} from './short.ts';
import {type Transform, transformFor} from './transform.ts';

/** Fewest values that models are fitted on. */
const FEWEST = 8;
/** Most origins of the backtest. */
const ORIGINS: Readonly<Record<Grain, number>> = {hourly: 5, daily: 10, weekly: 5};

/**
 * Forecasts `values` (docs/capacity.md says how): gaps are filled, logarithms taken where they can be, every model of the recipe for the step and the seasons found is fitted and tried on earlier origins, the
 * ensemble is taken unless a simple model did better there, and past errors give the intervals.
 *
 * Throws a RangeError when no value is known, or when the horizon is below 1.
 */
export const forecast: Forecaster = (values, options) => {
  if (!(options.horizon >= 1)) throw new RangeError(`a forecast needs a horizon of at least 1 step, got ${options.horizon}`);
  const prepared = prepare(values, options.grain);
  if (prepared.values.length === 0) throw new RangeError('a forecast needs at least one known value, got none');
  const least = options.least ?? (prepared.values.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY);
  const whole =
    isConstant(prepared.values) || prepared.values.length < FEWEST
      ? shortForecast(prepared, options.horizon + prepared.missing)
      : modelled(prepared, options);
  return bounded(whole, prepared, least);
};

const isConstant = (values: Float64Array): boolean => values.every((value) => value === values[0]);

function modelled(given: Prepared, {grain, horizon, origins}: ForecastOptions): Forecast {
  const steps = horizon + given.missing;
  const transform = transformFor(given.values);
  const history = settle(transform.to(given.values), given.known, grain);
  const prepared = {...given, values: history.values.map(transform.back), known: history.known};
  const {values, known} = prepared;
  const notes = [...given.notes, ...history.notes];
  const seasons = seasonsOf(history.values, grain);
  const recipe = recipeFor(grain, values.length, seasons);
  const plan = planTrials(values.length, steps, grain, origins ?? ORIGINS[grain]);
  const candidates = candidatesOf(recipe, history, {origins: [...plan.origins, values.length], horizon: steps, trialHorizon: plan.horizon});
  const tried = candidates.map((candidate) => tryOut(candidate, {prepared, transform, plan}));
  const simple = new Set(recipe.simple.map(({name}) => name));
  const {chosen, note} = choose(tried, simple);
  const trial = {...plan, paths: chosen.candidate.paths, ...history};
  const widths = halfWidths(trial, steps);
  const scale = naiveScale(values, known, seasons[0] ?? 1);
  const backtest: Backtest = {
    origins: plan.origins.length,
    horizon: plan.horizon,
    chosen: {...scoresOf(chosen.trial, scale), coverage: coverageOf(trial)},
    models: [...tried]
      .sort((a, b) => (a.error ?? Number.POSITIVE_INFINITY) - (b.error ?? Number.POSITIVE_INFINITY))
      .map((one) => ({model: one.candidate.name, scores: scoresOf(one.trial, scale)})),
  };
  const path = pathOf(chosen.candidate.paths.at(-1) as Float64Array, widths, transform, history.open);
  return {...path, model: chosen.candidate.name, backtest, notes: note === null ? notes : [...notes, note]};
}

/** A candidate with its error in the trials, on the scale of the series. */
type Tried = {readonly candidate: Candidate; readonly trial: Trial; readonly error: number | null};

type Trying = {readonly prepared: Prepared; readonly transform: Transform; readonly plan: ReturnType<typeof planTrials>};

function tryOut(candidate: Candidate, {prepared, transform, plan}: Trying): Tried {
  const paths = plan.origins.map((_, index) => (candidate.paths[index] as Float64Array).subarray(0, plan.horizon).map(transform.back));
  const trial = {...plan, paths, values: prepared.values, known: prepared.known};
  return {candidate, trial, error: meanAbsoluteError(trial)};
}

/** By how much a simple model has to be better than the ensemble. */
const CLEARLY = 0.5;

/** The first candidate, unless a simple one did clearly better in the trials. */
function choose(tried: readonly Tried[], simple: ReadonlySet<string>): {chosen: Tried; note: string | null} {
  const [first] = tried as readonly [Tried, ...Tried[]];
  let best = first;
  for (const one of tried)
    if (simple.has(one.candidate.name) && (one.error ?? Number.POSITIVE_INFINITY) < (best.error ?? Number.POSITIVE_INFINITY)) best = one;
  if (best === first || first.error === null || !((best.error as number) < CLEARLY * first.error)) return {chosen: first, note: null};
  return {
    chosen: best,
    note: `${best.candidate.name} did better than the ${first.candidate.name} on earlier origins, and was taken instead.`,
  };
}

/** Share of values inside the 95 % interval, each origin with the intervals that the other ones give. null = fewer than two origins. */
function coverageOf(trial: Trial): number | null {
  let inside = 0;
  let count = 0;
  trial.origins.forEach((origin, index) => {
    const others = (_: unknown, other: number): boolean => other !== index;
    const {outer} = halfWidths({...trial, origins: trial.origins.filter(others), paths: trial.paths.filter(others)}, trial.horizon);
    forEachStep({...trial, origins: [origin], paths: [trial.paths[index] as Float64Array]}, (truth, expected, step) => {
      count++;
      if (Math.abs(truth - expected) <= (outer[step] as number)) inside++;
    });
  });
  return count === 0 || trial.origins.length < 2 ? null : (100 * inside) / count;
}

/** A path and its intervals on the scale of the series. An excursion that has just begun may stay: the outer interval reaches as far. */
function pathOf(mean: Float64Array, {inner, outer}: HalfWidths, {back}: Transform, open: number): Path {
  const shifted = (widths: Float64Array, sign: number, by = 0): Float64Array =>
    mean.map((value, step) => back(value + sign * (widths[step] as number) + by));
  return {
    mean: mean.map(back),
    p10: shifted(inner, -1),
    p90: shifted(inner, 1),
    lower95: shifted(outer, -1, Math.min(0, open)),
    upper95: shifted(outer, 1, Math.max(0, open)),
  };
}

/** Leaves out the steps that were not known, and keeps everything at or above `least` and in order. */
function bounded(whole: Forecast, {missing}: Prepared, least: number): Forecast {
  const atLeast = (values: Float64Array): Float64Array => values.subarray(missing).map((value) => Math.max(least, value));
  const mean = atLeast(whole.mean);
  const p10 = atLeast(whole.p10).map((value, step) => Math.min(value, mean[step] as number));
  const p90 = atLeast(whole.p90).map((value, step) => Math.max(value, mean[step] as number));
  const lower95 = atLeast(whole.lower95).map((value, step) => Math.min(value, p10[step] as number));
  const upper95 = atLeast(whole.upper95).map((value, step) => Math.max(value, p90[step] as number));
  return {...whole, mean, p10, p90, lower95, upper95};
}
