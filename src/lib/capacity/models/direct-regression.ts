import {addProducts, emptyEquations, type NormalEquations, solveRidge} from '../math/normal-equations.ts';
import type {Ask, Model} from './model.ts';

const RIDGE = 1e-4;
/** Rows next to each other say nearly the same: each third one is enough for ten weights. */
const STRIDE = 3;
/** Fewest rows that ten weights are fitted on. */
const LEAST_ROWS = 40;
/** Three newest values, mean of a day, the value a day ago, two of the same hour, two of the same hour of the week, the constant. */
const FEATURES = 10;
/** The features that depend on the step ahead. */
const SEASONAL = [5, 6, 7, 8] as const;
const TARGET = FEATURES;

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
 * One ridge regression for each step ahead, straight from what is known at the origin (the direct strategy of Ben Taieb, Bontempi, Atiya and Sorjamaa 2012):
 * no error is fed back, so it stays calm where recursive models drift.
 */
export const directRegression =
  (short: number, long: number): Model =>
  (values, ask) => {
    const first = ask.origins[0] ?? values.length;
    if (first - ask.horizon - 2 * long < LEAST_ROWS * STRIDE) return null;
    const known = {values, short, long, bases: meansOf(values, long), means: meansOf(values, short)};
    const paths = ask.origins.map(() => new Float64Array(ask.horizon));
    const work = workFor(known);
    for (let step = 1; step <= ask.horizon; step++) addStep(known, step, {ask, paths, work});
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

/** Memory that is used again for each step ahead. The columns that do not depend on it are filled once. */
type Work = {
  /** Rows of origins 2 long, 2 long + STRIDE, …; the newest come last, so that fewer steps ahead have more of them. */
  readonly columns: {readonly data: Float64Array; readonly starts: Int32Array};
  readonly equations: NormalEquations;
  readonly scratch: Float64Array;
  readonly early: Float64Array;
  readonly late: Float64Array;
  readonly features: Float64Array;
};

function workFor(known: Known): Work {
  const capacity = rowsBefore(known, known.values.length);
  const starts = Int32Array.from({length: FEATURES + 1}, (_, i) => i * capacity);
  const data = new Float64Array((FEATURES + 1) * capacity);
  const features = new Float64Array(FEATURES);
  for (let row = 0; row < capacity; row++) {
    setSteady(features, known, originOf(known, row));
    for (let i = 0; i < FEATURES; i++) data[i * capacity + row] = features[i] as number;
  }
  const weights = (): Float64Array => new Float64Array(FEATURES);
  const equations = emptyEquations(FEATURES);
  return {columns: {data, starts}, equations, scratch: new Float64Array(FEATURES * FEATURES), early: weights(), late: weights(), features};
}

const originOf = ({long}: Seasons, row: number): number => 2 * long + row * STRIDE;

/** How many rows have an origin before `end`. */
const rowsBefore = ({long}: Seasons, end: number): number => Math.max(0, Math.ceil((end - 2 * long) / STRIDE));

type Step = {readonly ask: Ask; readonly paths: readonly Float64Array[]; readonly work: Work};

/** Fits the regression of one step ahead, once on what is known before the first origin and once on everything, and writes it into each path. */
function addStep(known: Known, step: number, {ask: {origins}, paths, work}: Step): void {
  const {columns, equations, scratch, early, late, features} = work;
  const count = known.values.length;
  const first = origins[0] as number;
  const earlyRows = rowsBefore(known, first - step);
  const rows = rowsBefore(known, count - step);
  fillSeasonal(known, step, rows, columns);
  equations.matrix.fill(0);
  equations.right.fill(0);
  addProducts(equations, columns, {from: 0, to: earlyRows, sign: 1});
  solveRidge(equations, RIDGE, early, scratch);
  addProducts(equations, columns, {from: earlyRows, to: rows, sign: 1});
  solveRidge(equations, RIDGE, late, scratch);
  origins.forEach((origin, index) => {
    setSteady(features, known, origin - 1);
    setSeasonal(features, known, origin - 1, step);
    const weights = origin === count ? late : early;
    let sum = known.bases[origin - 1] as number;
    for (let i = 0; i < FEATURES; i++) sum += (weights[i] as number) * (features[i] as number);
    (paths[index] as Float64Array)[step - 1] = sum;
  });
}

/** Fills the columns that depend on the step ahead, and the target. */
function fillSeasonal(known: Known, step: number, rows: number, {data, starts}: Work['columns']): void {
  const features = new Float64Array(FEATURES);
  const target = starts[TARGET] as number;
  for (let row = 0; row < rows; row++) {
    const t = originOf(known, row);
    setSeasonal(features, known, t, step);
    for (const i of SEASONAL) data[(starts[i] as number) + row] = features[i] as number;
    data[target + row] = (known.values[t + step] as number) - (known.bases[t] as number);
  }
}

/** What is known at `t` whatever the step ahead, as distances from the mean of the last long season. */
function setSteady(features: Float64Array, {values, bases, means, short}: Known, t: number): void {
  const base = bases[t] as number;
  features[0] = (values[t] as number) - base;
  features[1] = (values[t - 1] as number) - base;
  features[2] = (values[t - 2] as number) - base;
  features[3] = (means[t] as number) - base;
  features[4] = (values[t - short] as number) - base;
  features[FEATURES - 1] = 1;
}

/** The two newest values known at `t` of the same phase as `step` steps later, for both seasons. */
function setSeasonal(features: Float64Array, {values, bases, short, long}: Known, t: number, step: number): void {
  const base = bases[t] as number;
  const sameHour = t + step - Math.ceil(step / short) * short;
  const sameHourOfWeek = t + step - Math.ceil(step / long) * long;
  features[5] = (values[sameHour] as number) - base;
  features[6] = (values[sameHour - short] as number) - base;
  features[7] = (values[sameHourOfWeek] as number) - base;
  features[8] = (values[sameHourOfWeek - long] as number) - base;
}
