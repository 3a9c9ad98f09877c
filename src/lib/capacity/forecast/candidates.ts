import {medianInPlace} from '../math/quantile.ts';
import type {Ask} from '../models/model.ts';
import type {NamedModel, Recipe} from './recipes.ts';
import {forEachStep} from './scores.ts';

/** What one model, or the ensemble, says from each origin; the last path is the forecast. */
export type Candidate = {
  readonly name: string;
  /** On the scale of models. */
  readonly paths: readonly Float64Array[];
};

/** Of two models, neither is the one that goes astray. */
const FEWEST_FOR_MEDIAN = 3;
/** Beyond the range that the history has been in, a path may go by this part of it. */
const BEYOND = 0.5;

export type History = {
  /** On the scale of models. */
  readonly values: Float64Array;
  readonly known: Uint8Array;
};

/** Origins of trials and the last one; `trialHorizon` = steps of a path that are compared. */
export type Trials = Ask & {readonly trialHorizon: number};

/** Every model of the recipe that the history is long enough for, and their ensemble first where there are at least two members. */
export function candidatesOf(recipe: Recipe, history: History, trials: Trials): readonly Candidate[] {
  const limits = limitsAt(history.values, trials.origins);
  const run = (models: readonly NamedModel[]): Candidate[] =>
    models.flatMap(({name, model}) => {
      const paths = model(history.values, trials);
      return paths === null ? [] : [{name, paths: paths.map((path, index) => clipped(path, limits[index] as Limits))}];
    });
  const members = run(recipe.members);
  const simple = run(recipe.simple.filter(({name}) => !members.some((member) => member.name === name)));
  const all = [...members, ...simple];
  if (all.length < 2) return all;
  const means = weightedMeans(all, {history, trials, power: recipe.blend.power});
  const paths = members.length < FEWEST_FOR_MEDIAN ? means : blended(medians(members), means, recipe.blend.median);
  return [{name: 'ensemble', paths}, ...all];
}

type Limits = {readonly low: number; readonly high: number};

/** The range of the values before each origin, and half of it beyond: a path that leaves it has exploded. */
function limitsAt(values: Float64Array, origins: readonly number[]): readonly Limits[] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let t = 0;
  return origins.map((origin) => {
    for (; t < origin; t++) {
      low = Math.min(low, values[t] as number);
      high = Math.max(high, values[t] as number);
    }
    const beyond = BEYOND * (high - low);
    return {low: low - beyond, high: high + beyond};
  });
}

/** Within the limits; from the first step that is not a number on, the limit nearest to the step before. */
function clipped(path: Float64Array, {low, high}: Limits): Float64Array {
  let last = (low + high) / 2;
  return path.map((value) => {
    last = Number.isNaN(value) ? last : Math.min(high, Math.max(low, value));
    return last;
  });
}

/** The median of the members, point by point: one that goes astray does not count (Petropoulos and Svetunkov 2020). */
function medians(members: readonly Candidate[]): readonly Float64Array[] {
  const at = new Float64Array(members.length);
  const [first] = members as readonly [Candidate, ...Candidate[]];
  return first.paths.map((path, origin) => {
    const own = members.map(({paths}) => paths[origin] as Float64Array);
    return path.map((_, step) => {
      for (let i = 0; i < own.length; i++) at[i] = (own[i] as Float64Array)[step] as number;
      return medianInPlace(at);
    });
  });
}

type Weighing = {readonly history: History; readonly trials: Trials; readonly power: number};

/**
 * Means with weights by the inverse of the mean absolute error in the trials to some power (Bates and Granger 1969, with a power); equal without trials.
 * The path of a trial is weighed by the errors of the other trials: else the backtest would praise weights that had seen its truth.
 */
function weightedMeans(candidates: readonly Candidate[], weighing: Weighing): readonly Float64Array[] {
  const errors = candidates.map(({paths}) => errorsByOrigin(paths, weighing));
  return (candidates[0] as Candidate).paths.map((first, origin) => {
    const weights = weightsOf(
      errors.map((own) => meanWithout(own, origin)),
      weighing.power,
    );
    const mean = new Float64Array(first.length);
    candidates.forEach(({paths}, i) => {
      const path = paths[origin] as Float64Array;
      const weight = weights[i] as number;
      for (let step = 0; step < mean.length; step++) mean[step] = (mean[step] as number) + weight * (path[step] as number);
    });
    return mean;
  });
}

/** Sum of absolute errors and how many, for each trial. */
type OriginErrors = readonly {sum: number; count: number}[];

function errorsByOrigin(paths: readonly Float64Array[], {history, trials}: Weighing): OriginErrors {
  const origins = trials.origins.slice(0, -1);
  const errors = origins.map(() => ({sum: 0, count: 0}));
  forEachStep({origins, paths, horizon: trials.trialHorizon, ...history}, (truth, expected, _step, origin) => {
    const own = errors[origin] as OriginErrors[number];
    own.sum += Math.abs(truth - expected);
    own.count++;
  });
  return errors;
}

/** Mean absolute error of all trials but one; of all where `without` is none of them. null = no truth is known. */
function meanWithout(errors: OriginErrors, without: number): number | null {
  let sum = 0;
  let count = 0;
  errors.forEach((own, origin) => {
    if (origin === without) return;
    sum += own.sum;
    count += own.count;
  });
  return count === 0 ? null : sum / count;
}

/** They add up to 1. */
function weightsOf(errors: readonly (number | null)[], power: number): readonly number[] {
  const least = Math.min(...errors.map((error) => error ?? Number.POSITIVE_INFINITY));
  // A model without any error takes all, together with its like.
  const raw = errors.map((error) => (error === null || error === least ? 1 : (least / error) ** power));
  const sum = raw.reduce((a, b) => a + b, 0);
  return raw.map((weight) => weight / sum);
}

function blended(medianPaths: readonly Float64Array[], meanPaths: readonly Float64Array[], share: number): readonly Float64Array[] {
  return medianPaths.map((path, origin) =>
    path.map((value, step) => share * value + (1 - share) * ((meanPaths[origin] as Float64Array)[step] as number)),
  );
}
