import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {addRidge, solveCholesky} from '../../../src/lib/capacity/math/linear.ts';
import {addProducts, emptyEquations, solveRidge} from '../../../src/lib/capacity/math/normal-equations.ts';

const number = fc.double({min: -10, max: 10, noNaN: true});

/** Rows of a regression with `features` columns; the last of each row is the target. */
const regression = fc
  .integer({min: 1, max: 9})
  .chain((features) => fc.array(fc.array(number, {minLength: features + 1, maxLength: features + 1}), {minLength: 1, maxLength: 30}));

/** Column by column in one array. */
function columnsOf(rows: readonly (readonly number[])[]) {
  const width = rows[0]?.length ?? 0;
  const data = Float64Array.from({length: width * rows.length}, (_, i) => rows[i % rows.length]?.[Math.floor(i / rows.length)] as number);
  return {data, starts: Int32Array.from({length: width}, (_, i) => i * rows.length)};
}

const sumOf = (rows: readonly (readonly number[])[], i: number, j: number) => rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0);

describe('products of columns', () => {
  it('are what adding them up one by one gives', () => {
    fc.assert(
      fc.property(regression, (rows) => {
        const size = rows[0]!.length - 1;
        const equations = emptyEquations(size);
        addProducts(equations, columnsOf(rows), {from: 0, to: rows.length, sign: 1});
        for (let i = 0; i < size; i++) {
          expect(equations.right[i]).toBeCloseTo(sumOf(rows, i, size), 6);
          for (let j = 0; j < size; j++) expect(equations.matrix[i * size + j]).toBeCloseTo(j <= i ? sumOf(rows, i, j) : 0, 6);
        }
      }),
    );
  });

  it('of parts of the rows add up, and can be taken off again', () => {
    fc.assert(
      fc.property(regression, fc.nat({max: 30}), (rows, cut) => {
        const size = rows[0]!.length - 1;
        const middle = Math.min(cut, rows.length);
        const equations = emptyEquations(size);
        const columns = columnsOf(rows);
        addProducts(equations, columns, {from: 0, to: middle, sign: 1});
        addProducts(equations, columns, {from: middle, to: rows.length, sign: 1});
        addProducts(equations, columns, {from: 0, to: rows.length, sign: -1});
        for (const sum of [...equations.matrix, ...equations.right]) expect(sum).toBeCloseTo(0, 6);
      }),
    );
  });
});

describe("Cholesky's factorisation", () => {
  it('solves what a regression gives', () => {
    fc.assert(
      fc.property(regression, (rows) => {
        const size = rows[0]!.length - 1;
        const equations = emptyEquations(size);
        addProducts(equations, columnsOf(rows), {from: 0, to: rows.length, sign: 1});
        // Well away from singular, so that the check is of the algorithm and not of the question.
        for (let i = 0; i < size; i++) equations.matrix[i * size + i]! += 1;
        const weights = new Float64Array(size);
        solveRidge(equations, 0, weights, new Float64Array(size * size));
        for (let i = 0; i < size; i++) {
          let sum = 0;
          for (let j = 0; j < size; j++) sum += equations.matrix[Math.max(i, j) * size + Math.min(i, j)]! * weights[j]!;
          expect(sum).toBeCloseTo(equations.right[i]!, 5);
        }
      }),
    );
  });

  it('gives a column that repeats another one no weight', () => {
    const weights = Float64Array.of(6, 6);
    solveCholesky(Float64Array.of(2, 0, 2, 2), weights, 2);
    expect(weights[0]).toBeCloseTo(3, 12);
    expect(weights[1]).toBe(0);
  });

  it('a ridge is a part of the mean diagonal, and none for the constant', () => {
    const matrix = Float64Array.of(2, 0, 0, 0, 4, 0, 0, 0, 9);
    addRidge(matrix, 3, 0.1);
    expect([matrix[0], matrix[4], matrix[8]]).toEqual([2.3, 4.3, 9]);
  });
});
