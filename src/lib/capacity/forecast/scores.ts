import type {Scores} from './shapes.ts';

/** Paths of one model from several origins beside what came. `known` 0 = there is no truth for this value. */
export type Trial = {
  readonly origins: readonly number[];
  /** At least one for each origin. */
  readonly paths: readonly Float64Array[];
  /** Steps of each path that count. */
  readonly horizon: number;
  readonly values: Float64Array;
  readonly known: Uint8Array;
};

/**
 * Scores of a model over all origins and steps. `scale` = mean absolute error of the seasonal naive forecast inside the history, for MASE; null =
 * there is none. Coverage is added by who knows the intervals.
 */
export function scoresOf(trial: Trial, scale: number | null): Scores {
  const sums = {absolute: 0, size: 0, count: 0, percent: 0, percentCount: 0, symmetric: 0};
  forEachStep(trial, (truth, expected) => {
    // Halves, so that the difference of two huge values of unlike signs is finite.
    const error = Math.abs(truth / 2 - expected / 2) * 2;
    const both = Math.abs(truth) / 2 + Math.abs(expected) / 2;
    sums.count++;
    sums.absolute += error;
    sums.size += Math.abs(truth);
    sums.symmetric += both === 0 ? 0 : (error / both) * 100;
    if (truth !== 0) {
      sums.percentCount++;
      sums.percent += (error / Math.abs(truth)) * 100;
    }
  });
  const ratio = (of: number, by: number): number | null => (by > 0 && Number.isFinite(of / by) ? of / by : null);
  const mean = ratio(sums.absolute, sums.count);
  return {
    mape: ratio(sums.percent, sums.percentCount),
    wmape: ratio(sums.absolute * 100, sums.size),
    mase: mean === null || scale === null ? null : ratio(mean, scale),
    smape: ratio(sums.symmetric, sums.count),
    coverage: null,
  };
}

/** Mean absolute error over all origins and steps. null = no truth is known. */
export function meanAbsoluteError(trial: Trial): number | null {
  let sum = 0;
  let count = 0;
  forEachStep(trial, (truth, expected) => {
    sum += Math.abs(truth / 2 - expected / 2);
    count++;
  });
  return count === 0 ? null : (sum / count) * 2;
}

/** Calls `see` with each value that came and what was expected of it. */
export function forEachStep(
  {origins, paths, horizon, values, known}: Trial,
  see: (truth: number, expected: number, step: number, origin: number) => void,
): void {
  origins.forEach((origin, index) => {
    const path = paths[index] as Float64Array;
    const steps = Math.min(horizon, values.length - origin);
    for (let step = 0; step < steps; step++) {
      if (known[origin + step] === 1) see(values[origin + step] as number, path[step] as number, step, index);
    }
  });
}

/** Mean absolute difference of known values `season` steps apart: the scale of MASE. null = there is none, or it is 0. */
export function naiveScale(values: Float64Array, known: Uint8Array, season: number): number | null {
  let sum = 0;
  let count = 0;
  for (let t = season; t < values.length; t++) {
    if (known[t] === 0 || known[t - season] === 0) continue;
    sum += Math.abs((values[t] as number) / 2 - (values[t - season] as number) / 2);
    count++;
  }
  const scale = (sum / count) * 2;
  return count > 0 && scale > 0 && Number.isFinite(scale) ? scale : null;
}

/**
 * Overall weighted average of the M4 competition: the mean of sMAPE and MASE, each relative to that of Naive2 over the same series (Makridakis et al.
 * 2020).
 */
export const owa = (own: {smape: number; mase: number}, naive2: {smape: number; mase: number}): number =>
  (own.smape / naive2.smape + own.mase / naive2.mase) / 2;
