import {addRidge, solveCholesky} from '../math/linear.ts';
import {medianInPlace} from '../math/quantile.ts';
import type {Parts} from './model.ts';

/** Errors beyond this many standard deviations weigh less (Huber 1964: 95 % efficient where errors are normal). */
const HUBER = 1.345;
/** Median absolute deviation to standard deviation, where errors are normal. */
const MAD_TO_SD = 1.4826;
/** Rounds of reweighting: from nothing, and from what was fitted on a shorter history. */
const ROUNDS = 3;
const ROUNDS_AGAIN = 1;
/** A lag is used where the history has at least this many times as many values. */
const HISTORY_PER_LAG = 1 / 0.45;

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
 * An autoregression on chosen lags with Huber's loss, by iteratively reweighted least squares (Holland and Welsch 1977) with a ridge: outages
 * and spikes bend it little. Its path feeds each step back as a value.
 */
export function autoregressionParts({lags, ridge}: AutoregressionOptions): Parts<Autoregression> {
  // How many lags are used decides which: what follows from them is found out once for all series.
  const known = new Map<number, Entries>();
  const entriesFor = (used: readonly number[]): Entries => {
    const entries = known.get(used.length) ?? entriesOf(used);
    known.set(used.length, entries);
    return entries;
  };
  return {
    least: Math.max(12, Math.ceil(4 * (lags[0] ?? 1))),
    fit: (history, _horizon, earlier) => {
      const used = earlier?.lags ?? lags.filter((lag) => lag * HISTORY_PER_LAG <= history.length);
      return {lags: used, weights: fitHuber(history, used, {ridge, start: earlier?.weights ?? null, entries: entriesFor(used)})};
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

type HuberOptions = {readonly ridge: number; readonly start: Float64Array | null; readonly entries: Entries};

function fitHuber(history: Float64Array, lags: readonly number[], {ridge, start, entries}: HuberOptions): Float64Array {
  const size = lags.length + 1;
  const {centred, mean} = centre(history);
  const plain = laggedProducts(centred, lags, entries);
  let weights: Float64Array;
  if (start === null) weights = solve(plain.matrix.slice(), plain.right.slice(), ridge);
  else {
    // The constant of values around their mean.
    weights = start.slice();
    weights[size - 1] = (start[size - 1] as number) + mean * (sumOf(start, size - 1) - 1);
  }
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  const errors = new Float64Array(history.length - (lags.at(-1) ?? 0));
  const sizes = new Float64Array(errors.length);
  for (let round = start === null ? ROUNDS : ROUNDS_AGAIN; round > 0; round--) {
    const limit = findErrors(centred, lags, weights, errors, sizes);
    matrix.set(plain.matrix);
    right.set(plain.right);
    takeOff(centred, lags, errors, limit, {matrix, right});
    weights = solve(matrix, right, ridge).slice();
  }
  weights[size - 1] = (weights[size - 1] as number) + mean * (1 - sumOf(weights, size - 1));
  return weights;
}

function centre(history: Float64Array): {centred: Float64Array; mean: number} {
  const mean = sumOf(history, history.length) / history.length;
  return {centred: history.map((value) => value - mean), mean};
}

function sumOf(values: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i] as number;
  return sum;
}

type NormalEquations = {readonly matrix: Float64Array; readonly right: Float64Array};

function solve(matrix: Float64Array, right: Float64Array, ridge: number): Float64Array {
  addRidge(matrix, right.length, ridge);
  solveCholesky(matrix, right, right.length);
  return right;
}

/**
 * Normal equations of the regression of each value on its lags and a constant, all rows weighing the same. A product of two lags summed over
 * rows depends on their difference only, but for the ends: running sums for each difference give all entries, in fewer steps than row by row.
 */
function laggedProducts(values: Float64Array, lags: readonly number[], entries: Entries): NormalEquations {
  const count = values.length;
  const size = lags.length + 1;
  const longest = lags.at(-1) ?? 0;
  const matrix = new Float64Array(size * size);
  const right = new Float64Array(size);
  const running = new Float64Array(count + 1);
  for (const [difference, pairs] of entries) {
    running.fill(0, 0, difference + 1);
    for (let t = difference; t < count; t++) {
      running[t + 1] = (running[t] as number) + (values[t] as number) * (values[t - difference] as number);
    }
    for (const {row, col, nearer} of pairs) {
      const sum = (running[count - nearer] as number) - (running[longest - nearer] as number);
      if (col < 0) right[row] = sum;
      else matrix[row * size + col] = sum;
    }
  }
  // The constant.
  running[0] = 0;
  for (let t = 0; t < count; t++) running[t + 1] = (running[t] as number) + (values[t] as number);
  const last = size - 1;
  lags.forEach((lag, i) => {
    matrix[last * size + i] = (running[count - lag] as number) - (running[longest - lag] as number);
  });
  matrix[last * size + last] = count - longest;
  right[last] = (running[count] as number) - (running[longest] as number);
  return {matrix, right};
}

/** An entry below the diagonal; `col` -1 = the right side. `nearer` = the shorter of its two lags, 0 for the value itself. */
type Entry = {readonly row: number; readonly col: number; readonly nearer: number};

/** Entries by the difference of their lags. */
type Entries = ReadonlyMap<number, readonly Entry[]>;

function entriesOf(lags: readonly number[]): Entries {
  const pairs = new Map<number, Entry[]>();
  lags.forEach((lag, row) => {
    for (let col = -1; col <= row; col++) {
      const nearer = col < 0 ? 0 : (lags[col] as number);
      const known = pairs.get(lag - nearer);
      if (known === undefined) pairs.set(lag - nearer, [{row, col, nearer}]);
      else known.push({row, col, nearer});
    }
  });
  return pairs;
}

/** Fills `errors`, one for each row, and returns beyond which size a row weighs less. `sizes` is scratch. */
function findErrors(
  values: Float64Array,
  lags: readonly number[],
  weights: Float64Array,
  errors: Float64Array,
  sizes: Float64Array,
): number {
  const longest = values.length - errors.length;
  const constant = weights[lags.length] as number;
  for (let row = 0; row < errors.length; row++) {
    let error = (values[longest + row] as number) - constant;
    for (let i = 0; i < lags.length; i++) error -= (weights[i] as number) * (values[longest + row - (lags[i] as number)] as number);
    errors[row] = error;
    sizes[row] = Math.abs(error);
  }
  return HUBER * MAD_TO_SD * medianInPlace(sizes);
}

/**
 * Takes off the normal equations what rows with errors beyond `limit` weigh less than 1: Huber's weight is limit / |error|. Most rows keep the weight
 * 1, so this costs a fraction of adding all of them up again.
 */
function takeOff(
  values: Float64Array,
  lags: readonly number[],
  errors: Float64Array,
  limit: number,
  {matrix, right}: NormalEquations,
): void {
  const size = lags.length + 1;
  const longest = values.length - errors.length;
  const features = new Float64Array(size).fill(1);
  for (let row = 0; row < errors.length; row++) {
    const error = Math.abs(errors[row] as number);
    if (error <= limit) continue;
    const less = 1 - limit / error;
    const t = longest + row;
    for (let i = 0; i < size - 1; i++) features[i] = values[t - (lags[i] as number)] as number;
    for (let i = 0; i < size; i++) {
      const scaled = less * (features[i] as number);
      right[i] = (right[i] as number) - scaled * (values[t] as number);
      const start = i * size;
      for (let j = 0; j <= i; j++) matrix[start + j] = (matrix[start + j] as number) - scaled * (features[j] as number);
    }
  }
}
