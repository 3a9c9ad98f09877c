import fc from 'fast-check';
import {expect, it} from 'vitest';
import {createPast} from '../../../src/lib/capacity/anomaly/past.ts';
import {createRecent} from '../../../src/lib/capacity/anomaly/recent.ts';

const size = fc.oneof(fc.double({min: 0, max: 1e6, noNaN: true}), fc.constantFrom(0, 5e-324, 1e308, 1));

it('tells how rare a size is: as counting all of them does, but for sizes within 10 %', () => {
  fc.assert(
    fc.property(fc.array(size, {minLength: 1, maxLength: 90}), (sizes) => {
      const past = createPast();
      for (const [i, each] of sizes.entries()) {
        const surprise = past.surprise(each);
        const rarity = (least: number) => Math.log10((i + 1) / sizes.slice(0, i + 1).filter((other) => other >= least).length);
        expect(surprise).toBeLessThanOrEqual(rarity(each) + 1e-12);
        // Subnormal numbers share a bin.
        expect(surprise).toBeGreaterThanOrEqual(rarity(each < 1e-300 ? 0 : each / 1.1) - 1e-12);
      }
    }),
  );
});

it('the largest of n has log10(n), and more for ten times the largest before it where there is a tail; the same again is less rare', () => {
  const past = createPast();
  const tailed = createPast(2);
  for (let i = 0; i < 999; i++) for (const each of [past, tailed]) each.surprise(1);
  expect(past.surprise(10)).toBeCloseTo(3, 12);
  expect(tailed.surprise(10)).toBeCloseTo(3 + 2, 12);
  expect(tailed.surprise(10)).toBeCloseTo(Math.log10(1001 / 2), 12);
  expect(tailed.surprise(0)).toBeCloseTo(0, 12);
});

it('of few values the largest says nothing about the tail', () => {
  const past = createPast(2);
  for (let i = 0; i < 9; i++) past.surprise(1);
  expect(past.surprise(1e9)).toBeCloseTo(1, 12);
});

it('the newest readings: means as they are, NaN where there are too few', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({min: -1000, max: 1000}), {maxLength: 60}),
      fc.nat(12),
      fc.integer({min: 1, max: 12}),
      (values, ago, length) => {
        const recent = createRecent(20);
        for (const value of values) recent.add(value);
        const kept = values.slice(-20);
        const asked = kept.slice(kept.length - ago - length, kept.length - ago);
        const mean = recent.mean(ago, length);
        if (ago + length > kept.length) expect(mean).toBeNaN();
        else expect(mean).toBe(asked.reduce((sum, each) => sum + each, 0) / length);
      },
    ),
  );
});
