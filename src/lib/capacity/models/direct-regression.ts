import {addRidge, solveCholesky} from '../math/linear.ts';
import type {Ask, Model} from './model.ts';

const RIDGE = 1e-4;
/** Rows next to each other say nearly the same: each third one is enough for ten weights. */
const STRIDE = 3;
/** Fewest rows that ten weights are fitted on. */
const LEAST_ROWS = 40;
/** Three newest values, mean of a day, the value a day ago, two of the same hour, two of the same hour of the week, the constant. */
const FEATURES = 10;

type Seasons = {readonly short: number; readonly long: number};

/** Values with the means that features are made of. */
type Known = Seasons & {
  readonly values: Float64Array;
  /** Mean of the last `long` values up to each one, which features and targets are distances from. */
  readonly bases: Float64Array;
  /** Mean of the last `short` values. */
  readonly means: Float64Array;
};

/**
 * One ridge regression for each step ahead, straight from what is known at the origin (the direct strategy of Ben Taieb, Bontempi, Atiya and Sorjamaa
 * 2012): no error is fed back, so it stays calm where recursive models drift.
 */
export const directRegression =
  (short: number, long: number): Model =>
  (values, ask) => {
    const first = ask.origins[0] ?? values.length;
    if (first - ask.horizon - 2 * long < LEAST_ROWS * STRIDE) return null;
    const known = {values, short, long, bases: meansOf(values, long), means: meansOf(values, short)};
    const paths = ask.origins.map(() => new Float64Array(ask.horizon));
    for (let step = 1; step <= ask.horizon; step++) addStep(known, step, ask, paths);
    return paths;
  };

/** Mean of the last `span` values up to each one; NaN before there are so many. */
function meansOf(values: Float64Array, span: number): Float64Array {
  const means = new Float64Array(values.length).fill(Number.NaN);
  let sum = 0;
  for (let t = 0; t < values.length; t++) {
    sum += values[t] as number;
    if (t >= span) sum -= values[t - span] as number;
    if (t >= span - 1) means[t] = sum / span;
  }
  return means;
}

/** Fits the regression of one step ahead, once on what is known before the first origin and once on everything, and writes it into each path. */
function addStep(known: Known, step: number, {origins}: Ask, paths: readonly Float64Array[]): void {
  const first = origins[0] as number;
  const matrix = new Float64Array(FEATURES * FEATURES);
  const right = new Float64Array(FEATURES);
  const features = new Float64Array(FEATURES);
  const from = 2 * known.long + ((first - step) % STRIDE);
  addRows(known, step, {from, to: first - step}, {matrix, right, features});
  const early = solved(matrix, right);
  const next = from + Math.ceil((first - step - from) / STRIDE) * STRIDE;
  addRows(known, step, {from: next, to: known.values.length - step}, {matrix, right, features});
  const late = first === known.values.length ? early : solved(matrix, right);
  origins.forEach((origin, index) => {
    setFeatures(features, known, origin - 1, step);
    const weights = origin === known.values.length ? late : early;
    let sum = known.bases[origin - 1] as number;
    for (let i = 0; i < FEATURES; i++) sum += (weights[i] as number) * (features[i] as number);
    (paths[index] as Float64Array)[step - 1] = sum;
  });
}

type Equations = {readonly matrix: Float64Array; readonly right: Float64Array; readonly features: Float64Array};

/** Adds the rows of origins `from` to before `to` to the normal equations (their lower triangle). */
function addRows(known: Known, step: number, {from, to}: {from: number; to: number}, {matrix, right, features}: Equations): void {
  for (let t = from; t < to; t += STRIDE) {
    setFeatures(features, known, t, step);
    const target = (known.values[t + step] as number) - (known.bases[t] as number);
    for (let i = 0; i < FEATURES; i++) {
      const feature = features[i] as number;
      right[i] = (right[i] as number) + feature * target;
      const start = i * FEATURES;
      for (let j = 0; j <= i; j++) matrix[start + j] = (matrix[start + j] as number) + feature * (features[j] as number);
    }
  }
}

/** What is known at `t` about `step` steps later, as distances from the mean of the last long season. */
function setFeatures(features: Float64Array, {values, bases, means, short, long}: Known, t: number, step: number): void {
  const base = bases[t] as number;
  // The newest value of the same phase that is known at t.
  const sameHour = t + step - Math.ceil(step / short) * short;
  const sameHourOfWeek = t + step - Math.ceil(step / long) * long;
  features[0] = (values[t] as number) - base;
  features[1] = (values[t - 1] as number) - base;
  features[2] = (values[t - 2] as number) - base;
  features[3] = (means[t] as number) - base;
  features[4] = (values[t - short] as number) - base;
  features[5] = (values[sameHour] as number) - base;
  features[6] = (values[sameHour - short] as number) - base;
  features[7] = (values[sameHourOfWeek] as number) - base;
  features[8] = (values[sameHourOfWeek - long] as number) - base;
  features[9] = 1;
}

function solved(matrix: Float64Array, right: Float64Array): Float64Array {
  const weights = right.slice();
  const factor = matrix.slice();
  addRidge(factor, FEATURES, RIDGE);
  solveCholesky(factor, weights, FEATURES);
  return weights;
}
