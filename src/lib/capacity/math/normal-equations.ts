import {addRidge, solveCholesky} from './linear.ts';

/** Sums of products of a regression: A (row-major, lower triangle) and b of A w = b. The last feature is the constant. */
export type NormalEquations = {readonly size: number; readonly matrix: Float64Array; readonly right: Float64Array};

export const emptyEquations = (size: number): NormalEquations => ({size, matrix: new Float64Array(size * size), right: new Float64Array(size)});

/**
 * Columns of a regression in one array: row r of column i is `data[starts[i] + r]`. So lags of one series need no copies. The last start is that of the target.
 */
export type Columns = {readonly data: Float64Array; readonly starts: Int32Array};

/** Rows `from` to before `to`, added with the factor `sign`. */
export type Rows = {readonly from: number; readonly to: number; readonly sign: 1 | -1};

/**
 * Adds the products of all pairs of columns over some rows. Four columns are taken at a time: their sums do not wait for each other, which is what the time of
 * this loop, in which most of a forecast is spent, goes into.
 */
export function addProducts({size, matrix, right}: NormalEquations, {data, starts}: Columns, {from, to, sign}: Rows): void {
  for (let row = 0; row <= size; row++) {
    const isTarget = row === size;
    const columns = isTarget ? size : row + 1;
    const sums = isTarget ? right : matrix;
    const first = isTarget ? 0 : row * size;
    const own = starts[row] as number;
    for (let col = 0; col < columns; col += 4) {
      const last = columns - 1;
      const a = starts[col] as number;
      const b = starts[Math.min(col + 1, last)] as number;
      const c = starts[Math.min(col + 2, last)] as number;
      const d = starts[Math.min(col + 3, last)] as number;
      let sumA = 0;
      let sumB = 0;
      let sumC = 0;
      let sumD = 0;
      for (let r = from; r < to; r++) {
        const value = data[own + r] as number;
        sumA += value * (data[a + r] as number);
        sumB += value * (data[b + r] as number);
        sumC += value * (data[c + r] as number);
        sumD += value * (data[d + r] as number);
      }
      const at = first + col;
      sums[at] = (sums[at] as number) + sign * sumA;
      if (col + 1 < columns) sums[at + 1] = (sums[at + 1] as number) + sign * sumB;
      if (col + 2 < columns) sums[at + 2] = (sums[at + 2] as number) + sign * sumC;
      if (col + 3 < columns) sums[at + 3] = (sums[at + 3] as number) + sign * sumD;
    }
  }
}

/** Writes the weights that solve the equations with a ridge into `weights`. `scratch` is as large as the matrix; the equations stay as they are. */
export function solveRidge({size, matrix, right}: NormalEquations, ridge: number, weights: Float64Array, scratch: Float64Array): void {
  scratch.set(matrix);
  weights.set(right);
  addRidge(scratch, size, ridge);
  solveCholesky(scratch, weights, size);
}
