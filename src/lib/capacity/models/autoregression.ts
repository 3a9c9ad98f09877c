import {addProducts, type Columns, emptyEquations, type NormalEquations, solveRidge} from '../math/normal-equations.ts';
import {medianInPlace} from '../math/quantile.ts';
import type {Parts} from './model.ts';

/** Errors beyond this many standard deviations weigh less (Huber 1964: 95 % efficient where errors are normal). */
const HUBER = 1.345;
/** Median absolute deviation to standard deviation, where errors are normal. */
const MAD_TO_SD = 1.4826;
/** Rounds of reweighting: from nothing, and from what was fitted on a shorter history. */
const ROUNDS = 2;
const ROUNDS_AGAIN = 1;
/** A lag is used where it is at most this part of the history. */
const LONGEST_LAG = 0.45;

export type Autoregression = {
  readonly lags: readonly number[];
  /** One for each lag, then the constant. */
  readonly weights: Float64Array;
};

export type AutoregressionOptions = {
  /** Rising. Those too long for the history are left out. */
  readonly lags: readonly number[];
  /** Ridge, relative to the mean square of the values. */
  readonly ridge: number;
};

/**
 * An autoregression on chosen lags with Huber's loss, by iteratively reweighted least squares (Holland and Welsch 1977) with a ridge: bursts
 * bend it little as targets; as lags they would, so long ones are taken out before (excursions.ts). Its path feeds each step back as a value.
 */
export function autoregressionParts({lags, ridge}: AutoregressionOptions): Parts<Autoregression> {
  return {
    least: Math.max(12, 4 * (lags[0] ?? 1)),
    fit: (history, _horizon, earlier) => {
      const used = earlier?.lags ?? lags.filter((lag) => lag <= LONGEST_LAG * history.length);
      return {lags: used, weights: fitHuber(history, used, {ridge, start: earlier?.weights ?? null})};
    },
    path: (history, horizon, {lags: used, weights}) => recursivePath(history, horizon, used, weights),
  };
}

/** Each step from the values and steps before it. */
function recursivePath(history: Float64Array, horizon: number, lags: readonly number[], weights: Float64Array): Float64Array {
  const longest = lags.at(-1) ?? 0;
  const values = new Float64Array(longest + horizon);
  values.set(history.subarray(history.length - longest));
  for (let step = longest; step < values.length; step++) {
    let sum = weights[lags.length] as number;
    for (let i = 0; i < lags.length; i++) sum += (weights[i] as number) * (values[step - (lags[i] as number)] as number);
    values[step] = sum;
  }
  return values.subarray(longest);
}

type HuberOptions = {readonly ridge: number; readonly start: Float64Array | null};

/** Weights of the lags and the constant. Each round lets rows with large errors weigh less, and solves again. */
function fitHuber(history: Float64Array, lags: readonly number[], {ridge, start}: HuberOptions): Float64Array {
  const mean = meanOf(history);
  const columns = laggedColumns(history, mean, lags);
  const {size} = columns;
  const plain = emptyEquations(size);
  addProducts(plain, columns, {from: 0, to: columns.rows, sign: 1});
  const weights = new Float64Array(size);
  const scratch = new Float64Array(size * size);
  if (start === null) solveRidge(plain, ridge, weights, scratch);
  else weights.set(moved(start, mean));
  const robust = emptyEquations(size);
  const errors = new Float64Array(columns.rows);
  for (let round = start === null ? ROUNDS : ROUNDS_AGAIN; round > 0; round--) {
    const limit = findErrors(columns, weights, errors);
    robust.matrix.set(plain.matrix);
    robust.right.set(plain.right);
    takeOff(robust, columns, errors, limit);
    solveRidge(robust, ridge, weights, scratch);
  }
  return moved(weights, -mean);
}

function meanOf(values: Float64Array): number {
  let mean = 0;
  for (let t = 0; t < values.length; t++) mean += (values[t] as number) / values.length;
  return mean;
}

/** The same weights for values that are `by` lower: only the constant changes. */
function moved(weights: Float64Array, by: number): Float64Array {
  const last = weights.length - 1;
  let sum = 0;
  for (let i = 0; i < last; i++) sum += weights[i] as number;
  const same = weights.slice();
  same[last] = (weights[last] as number) + by * (sum - 1);
  return same;
}

type LaggedColumns = Columns & {readonly rows: number; readonly size: number};

/** The values less their mean, followed by ones; each lag is a column that begins so much earlier in the same array. */
function laggedColumns(history: Float64Array, mean: number, lags: readonly number[]): LaggedColumns {
  const count = history.length;
  const longest = lags.at(-1) ?? 0;
  const rows = count - longest;
  const data = new Float64Array(count + rows).fill(1, count);
  for (let t = 0; t < count; t++) data[t] = (history[t] as number) - mean;
  return {data, starts: Int32Array.from([...lags.map((lag) => longest - lag), count, longest]), rows, size: lags.length + 1};
}

/** Fills `errors`, one for each row, and returns beyond which size a row weighs less. Four features at a time, so that errors are seldom read and written. */
function findErrors({data, starts, size, rows}: LaggedColumns, weights: Float64Array, errors: Float64Array): number {
  const target = starts[size] as number;
  for (let row = 0; row < rows; row++) errors[row] = data[target + row] as number;
  for (let i = 0; i < size; i += 4) {
    // Beyond the last feature: the target with no weight.
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => (i + k < size ? (starts[i + k] as number) : target)) as [number, number, number, number];
    const [wa, wb, wc, wd] = [0, 1, 2, 3].map((k) => (i + k < size ? (weights[i + k] as number) : 0)) as [number, number, number, number];
    for (let row = 0; row < rows; row++) {
      const near = wa * (data[a + row] as number) + wb * (data[b + row] as number);
      const far = wc * (data[c + row] as number) + wd * (data[d + row] as number);
      errors[row] = (errors[row] as number) - near - far;
    }
  }
  const sizes = new Float64Array(rows);
  for (let row = 0; row < rows; row++) sizes[row] = Math.abs(errors[row] as number);
  return HUBER * MAD_TO_SD * medianInPlace(sizes);
}

/**
 * Takes off the equations what rows with errors beyond `limit` weigh less than 1: Huber's weight is limit / |error|. Most rows keep the weight 1, so this
 * costs a fraction of adding all of them up again.
 */
function takeOff(equations: NormalEquations, {data, starts, size, rows}: LaggedColumns, errors: Float64Array, limit: number): void {
  let count = 0;
  const outliers = new Int32Array(rows);
  for (let row = 0; row < rows; row++) if (Math.abs(errors[row] as number) > limit) outliers[count++] = row;
  const scaled = new Float64Array((size + 1) * count);
  for (let k = 0; k < count; k++) {
    const row = outliers[k] as number;
    const root = Math.sqrt(1 - limit / Math.abs(errors[row] as number));
    for (let i = 0; i <= size; i++) scaled[i * count + k] = root * (data[(starts[i] as number) + row] as number);
  }
  addProducts(equations, {data: scaled, starts: starts.map((_, i) => i * count)}, {from: 0, to: count, sign: -1});
}
