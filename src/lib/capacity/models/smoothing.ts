import {nelderMead} from '../math/nelder-mead.ts';
import {type Model, modelOf, type Parts} from './model.ts';

/** Maps any number into 0 to 1, so that a search without limits stays inside those of a parameter. */
export const logistic = (free: number): number => 1 / (1 + Math.exp(-free));

/** Level after simple exponential smoothing with weight `alpha`, and the sum of squared errors one step ahead. */
function smooth(history: Float64Array, alpha: number): {level: number; squares: number} {
  let level = history[0] as number;
  let squares = 0;
  for (let t = 1; t < history.length; t++) {
    const error = (history[t] as number) - level;
    squares += error * error;
    level += alpha * error;
  }
  return {level, squares};
}

/** The weight of the newest value that has the least squared error one step ahead. */
export function fitAlpha(history: Float64Array): number {
  const found = nelderMead((at) => smooth(history, logistic(at[0] as number)).squares, [0], {step: 1.5, rounds: 40, tolerance: 1e-7});
  return logistic(found[0] as number);
}

export const levelAfter = (history: Float64Array, alpha: number): number => smooth(history, alpha).level;

/** Simple exponential smoothing (Brown 1959): a level that follows the values; its path is flat. */
export const simpleSmoothingParts: Parts<number> = {
  least: 2,
  fit: fitAlpha,
  path: (history, horizon, alpha) => new Float64Array(horizon).fill(levelAfter(history, alpha)),
};
export const simpleSmoothing: Model = modelOf(simpleSmoothingParts);

type DampedTrend = {readonly alpha: number; readonly beta: number; readonly phi: number};

/** Steps whose slope starts the trend. */
const FIRST_STEPS = 10;

function trendAfter(history: Float64Array, {alpha, beta, phi}: DampedTrend): {level: number; trend: number; squares: number} {
  const first = Math.min(FIRST_STEPS, history.length - 1);
  let level = history[0] as number;
  let trend = ((history[first] as number) - level) / first;
  let squares = 0;
  for (let t = 1; t < history.length; t++) {
    const expected = level + phi * trend;
    const error = (history[t] as number) - expected;
    squares += error * error;
    level = expected + alpha * error;
    trend = phi * trend + alpha * beta * error;
  }
  return {level, trend, squares};
}

/** phi between 0.8 and 0.98, as Hyndman and Athanasopoulos advise (Forecasting: Principles and Practice, 8.2). */
const dampedTrendAt = (at: Float64Array): DampedTrend => ({
  alpha: logistic(at[0] as number),
  beta: logistic(at[1] as number),
  phi: 0.8 + 0.18 * logistic(at[2] as number),
});

/** Holt's method with a damped trend (Gardner and McKenzie 1985): each step ahead adds phi times the slope of the one before. */
export const dampedTrendParts: Parts<DampedTrend> = {
  least: 4,
  fit: (history) =>
    dampedTrendAt(nelderMead((at) => trendAfter(history, dampedTrendAt(at)).squares, [1, -2, 1], {step: 1, rounds: 100, tolerance: 1e-6})),
  path: (history, horizon, fitted) => {
    const {level, trend} = trendAfter(history, fitted);
    let slope = trend;
    let ahead = level;
    return Float64Array.from({length: horizon}, () => {
      slope *= fitted.phi;
      ahead += slope;
      return ahead;
    });
  },
};
export const dampedTrend: Model = modelOf(dampedTrendParts);
