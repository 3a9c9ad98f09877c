import {select} from '../math/quantile.ts';
import {forEachStep, type Trial} from './scores.ts';

/** Half the width of the 80 % and of the 95 % interval for each step ahead, on the scale of the errors. */
export type HalfWidths = {readonly inner: Float64Array; readonly outer: Float64Array};

/**
 * Widens the quantiles of past errors: there are few origins, their errors lie together, and the choice of the model saw them. 1 + this / origins, found on
 * windows inside the M4 training sets, hourly and weekly, so that the intervals cover what they say.
 */
const WIDER = {inner: 0.5, outer: 1.5};
/** Steps on each side that the size of errors is averaged over. */
const NEIGHBOURS = 2;
/** How much of the size of errors at a step is that of all steps: few errors tell a step from the next. */
const SHRINK = 0.3;

/**
 * Split conformal intervals (Lei, G'Sell, Rinaldo, Tibshirani and Wasserman 2018) from the errors of earlier origins: each error is divided by the typical size of errors
 * at its step, the quantile of all these ratios times that size is the half width. Beyond the steps of the trials it grows with the square root of the step, as errors of a
 * random walk do.
 */
export function halfWidths(trial: Trial, horizon: number): HalfWidths {
  const sizes = typicalSizes(trial);
  const ratios = new Float64Array(trial.origins.length * trial.horizon);
  let count = 0;
  forEachStep(trial, (truth, expected, step) => {
    const size = sizes[step] as number;
    ratios[count++] = size > 0 ? Math.abs(truth - expected) / size : 0;
  });
  const at = (share: number): number => (count === 0 ? 0 : select(ratios, count, Math.min(count - 1, Math.ceil(share * (count + 1)) - 1)));
  const origins = Math.max(1, trial.origins.length);
  const inner = at(0.8) * (1 + WIDER.inner / origins);
  const outer = Math.max(inner, at(0.95) * (1 + WIDER.outer / origins));
  const size = (step: number): number =>
    step < trial.horizon ? (sizes[step] as number) : (sizes[trial.horizon - 1] as number) * Math.sqrt((step + 1) / trial.horizon);
  return {
    inner: Float64Array.from({length: horizon}, (_, step) => inner * size(step)),
    outer: Float64Array.from({length: horizon}, (_, step) => outer * size(step)),
  };
}

/** Mean absolute error at each step and its neighbours over all origins, drawn a little towards that of all steps. */
function typicalSizes(trial: Trial): Float64Array {
  const sums = new Float64Array(trial.horizon);
  const counts = new Float64Array(trial.horizon);
  forEachStep(trial, (truth, expected, step) => {
    sums[step] = (sums[step] as number) + Math.abs(truth - expected);
    counts[step] = (counts[step] as number) + 1;
  });
  const overall = sumOf(sums) / Math.max(1, sumOf(counts));
  return sums.map((_, step) => {
    let sum = 0;
    let count = 0;
    for (let near = Math.max(0, step - NEIGHBOURS); near <= Math.min(trial.horizon - 1, step + NEIGHBOURS); near++) {
      sum += sums[near] as number;
      count += counts[near] as number;
    }
    return count === 0 ? overall : (1 - SHRINK) * (sum / count) + SHRINK * overall;
  });
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
