/** An ordinary least squares fit. */
export type Fit = {
  /** One for each column. */
  readonly coefficients: Float64Array;
  readonly residuals: Float64Array;
  /** The sum of their squares. */
  readonly squares: number;
};

/** A pivot below this share of the largest is none: a column is made of the others. */
const SINGULAR = 1e-12;

/** Fits `y` as a sum of a few columns by the normal equations, which do for columns of about the same size. Null when no column may be missing. */
export function leastSquares(columns: readonly Float64Array[], y: Float64Array): Fit | null {
  const rows = columns.map((column) => [...columns.map((other) => product(column, other)), product(column, y)]);
  const coefficients = solve(rows);
  if (coefficients === null) return null;
  const residuals = y.map((value, i) => columns.reduce((rest, column, j) => rest - (coefficients[j] ?? 0) * (column[i] ?? 0), value));
  return {coefficients, residuals, squares: product(residuals, residuals)};
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}

/** Gauss-Jordan elimination with row pivots; the right side is the last entry of each row. */
function solve(rows: number[][]): Float64Array | null {
  const size = rows.length;
  const largest = Math.max(...rows.flatMap((row) => row.slice(0, size).map(Math.abs)));
  for (let i = 0; i < size; i++) {
    const rest = rows.slice(i).map((row) => Math.abs(row[i] ?? 0));
    const pivot = i + rest.indexOf(Math.max(...rest));
    [rows[i], rows[pivot]] = [rows[pivot] ?? [], rows[i] ?? []];
    const row = rows[i] ?? [];
    const head = row[i] ?? 0;
    if (!(Math.abs(head) > SINGULAR * largest)) return null;
    for (const [j, other] of rows.entries()) {
      if (j === i) continue;
      const factor = (other[i] ?? 0) / head;
      for (let k = i; k <= size; k++) other[k] = (other[k] ?? 0) - factor * (row[k] ?? 0);
    }
  }
  return Float64Array.from(rows, (row, i) => (row[size] ?? 0) / (row[i] ?? 1));
}
