import {expect, it} from 'vitest';
import {PROFILES, prepare, score} from '../../../bench/nab/score.ts';

// 1,000 rows, two windows of 100; the first 150 rows do not count.
const times = Float64Array.from({length: 1000}, (_, row) => row);
const rows = prepare([
  {
    times,
    windows: [
      [300, 399],
      [700, 799],
    ],
  },
]);
const [standard = PROFILES[0]!] = PROFILES;
const detecting = (...at: readonly number[]) => times.map((row) => (at.includes(row) ? 1 : 0));

it('the first row of each window is perfect, nothing is 0, and both windows count the same', () => {
  expect(score(rows, detecting(300, 700), standard)).toMatchObject({found: 2, windows: 2, falsePositives: 0});
  expect(score(rows, detecting(300, 700), standard).score).toBeCloseTo(100, 6);
  expect(score(rows, detecting(), standard).score).toBe(0);
  expect(score(rows, detecting(300), standard).score).toBeCloseTo(50, 6);
});

it('late is worth less, outside costs 0.11 of a window, and what comes before row 150 nothing', () => {
  const late = score(rows, detecting(390, 700), standard).score;
  expect(late).toBeGreaterThan(60);
  expect(late).toBeLessThan(85);
  expect(score(rows, detecting(300, 700, 600), standard).score).toBeCloseTo(100 - (100 * 0.11) / 4, 1);
  expect(score(rows, detecting(300, 700, 100), standard).score).toBeCloseTo(100, 6);
});
