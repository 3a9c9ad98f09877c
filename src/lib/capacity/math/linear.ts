/** Pivots below this part of their diagonal are rounding: the column says nothing that earlier ones do not. */
const NEGLIGIBLE = 1e-13;

/**
 * Solves A w = b by Cholesky's factorisation (Golub and Van Loan, Matrix Computations, 4.2), where A is symmetric and not indefinite. `matrix` is
 * row-major, size x size; its lower triangle is read and becomes the factor. `right` becomes the solution. A column that depends on earlier ones
 * gets the weight 0.
 */
export function solveCholesky(matrix: Float64Array, right: Float64Array, size: number): void {
  factor(matrix, size);
  // L y = b
  for (let row = 0; row < size; row++) {
    let sum = right[row] as number;
    for (let col = 0; col < row; col++) sum -= (matrix[row * size + col] as number) * (right[col] as number);
    const pivot = matrix[row * size + row] as number;
    right[row] = pivot === 0 ? 0 : sum / pivot;
  }
  // L' w = y
  for (let row = size - 1; row >= 0; row--) {
    let sum = right[row] as number;
    for (let below = row + 1; below < size; below++) sum -= (matrix[below * size + row] as number) * (right[below] as number);
    const pivot = matrix[row * size + row] as number;
    right[row] = pivot === 0 ? 0 : sum / pivot;
  }
}

/** A = L L', row by row. A pivot of 0 marks a column that depends on earlier ones; what stands below it is 0. */
function factor(matrix: Float64Array, size: number): void {
  for (let row = 0; row < size; row++) {
    const own = row * size;
    for (let col = 0; col < row; col++) {
      const other = col * size;
      let sum = matrix[own + col] as number;
      for (let k = 0; k < col; k++) sum -= (matrix[own + k] as number) * (matrix[other + k] as number);
      const pivot = matrix[other + col] as number;
      matrix[own + col] = pivot === 0 ? 0 : sum / pivot;
    }
    const diagonal = matrix[own + row] as number;
    let rest = diagonal;
    for (let k = 0; k < row; k++) rest -= (matrix[own + k] as number) ** 2;
    matrix[own + row] = rest > NEGLIGIBLE * Math.abs(diagonal) ? Math.sqrt(rest) : 0;
  }
}

/**
 * Adds the ridge of a regression to its normal equations: `strength` times the mean of the diagonal, for every column but the last one, which is
 * the constant (Hoerl and Kennard 1970). So the strength means the same for series of any size.
 */
export function addRidge(matrix: Float64Array, size: number, strength: number): void {
  let trace = 0;
  for (let i = 0; i < size - 1; i++) trace += matrix[i * size + i] as number;
  const ridge = (strength * trace) / Math.max(1, size - 1);
  for (let i = 0; i < size - 1; i++) matrix[i * size + i] = (matrix[i * size + i] as number) + ridge;
}
