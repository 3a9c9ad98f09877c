import {addRidge, solveCholesky} from './linear.ts';

/** Sums of products of a regression: A (row-major, lower triangle) and b of A w = b. The last feature is the constant. */
export type NormalEquations = {readonly size: number; readonly matrix: Float64Array; readonly right: Float64Array};

export const emptyEquations = (size: number): NormalEquations => ({
  size,
  matrix: new Float64Array(size * size),
  right: new Float64Array(size),
});

/**
 * Columns of a regression in one array: row r of column i is `data[starts[i] + r]`. So lags of one series need no copies. The last start is that of the target.
 */
export type Columns = {readonly data: Float64Array; readonly starts: Int32Array};

/** Rows `from` to before `to`, added with the factor `sign`. */
export type Rows = {readonly from: number; readonly to: number; readonly sign: 1 | -1};

/**
 * Adds the products of all pairs of columns over some rows. Two columns are taken with four others at a time: eight sums that do not wait for each other, out of six
 * values read. Most of the time of a forecast goes into this loop.
 */
export function addProducts(equations: NormalEquations, {data, starts}: Columns, {from, to, sign}: Rows): void {
  const target = equations.size;
  for (let row = 0; row <= target; row += 2) {
    const p = starts[row] as number;
    const q = starts[Math.min(row + 1, target)] as number;
    for (let col = 0; col <= row + 1 && col < target; col += 4) {
      const a = starts[col] as number;
      const b = starts[Math.min(col + 1, target)] as number;
      const c = starts[Math.min(col + 2, target)] as number;
      const d = starts[Math.min(col + 3, target)] as number;
      let pa = 0;
      let pb = 0;
      let pc = 0;
      let pd = 0;
      let qa = 0;
      let qb = 0;
      let qc = 0;
      let qd = 0;
      for (let r = from; r < to; r++) {
        const x = data[p + r] as number;
        const y = data[q + r] as number;
        const va = data[a + r] as number;
        const vb = data[b + r] as number;
        const vc = data[c + r] as number;
        const vd = data[d + r] as number;
        pa += x * va;
        pb += x * vb;
        pc += x * vc;
        pd += x * vd;
        qa += y * va;
        qb += y * vb;
        qc += y * vc;
        qd += y * vd;
      }
      addRow(equations, row, col, [sign * pa, sign * pb, sign * pc, sign * pd]);
      if (row < target) addRow(equations, row + 1, col, [sign * qa, sign * qb, sign * qc, sign * qd]);
    }
  }
}

/** Adds four sums from column `col` on to a row of the matrix, or to the right side, as far as they are on or below the diagonal. */
function addRow({size, matrix, right}: NormalEquations, row: number, col: number, sums: readonly number[]): void {
  const into = row === size ? right : matrix;
  const first = row === size ? 0 : row * size;
  const last = Math.min(row, size - 1);
  for (let i = 0; i < 4 && col + i <= last; i++) into[first + col + i] = (into[first + col + i] as number) + (sums[i] as number);
}

/** Writes the weights that solve the equations with a ridge into `weights`. `scratch` is as large as the matrix; the equations stay as they are. */
export function solveRidge({size, matrix, right}: NormalEquations, ridge: number, weights: Float64Array, scratch: Float64Array): void {
  scratch.set(matrix);
  weights.set(right);
  addRidge(scratch, size, ridge);
  solveCholesky(scratch, weights, size);
}
