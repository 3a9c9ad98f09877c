import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {EMPTY_SKETCH, merged, percentile, readSketch, type Sketch, withValue} from '../../src/lib/replication/sketch.ts';

const sketchOf = (values: readonly number[]): Sketch => values.reduce(withValue, EMPTY_SKETCH);
const values = fc.array(fc.oneof(fc.constant(0), fc.double({min: 0, max: 1e9, noNaN: true})), {minLength: 1, maxLength: 300});
const exact = (of: readonly number[], share: number): number => {
  const sorted = of.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
};

describe('a sketch', () => {
  it('knows every percentile to within one percent, and the highest value exactly', () => {
    fc.assert(
      fc.property(values, fc.double({min: 0, max: 1, noNaN: true}), (given, share) => {
        const wanted = exact(given, share);
        const found = percentile(sketchOf(given), share);
        expect(found).not.toBeNull();
        expect(Math.abs((found ?? 0) - wanted)).toBeLessThanOrEqual(wanted < 1 ? 1 : wanted * 0.0101);
        expect(percentile(sketchOf(given), 1)).toBe(Math.max(...given));
      }),
    );
  });

  it('is the same whether values come one by one or as sketches that are added up, in any order', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(merged([sketchOf(a), sketchOf(b)])).toEqual(sketchOf([...b, ...a]));
      }),
    );
  });

  it('survives being kept as JSON, and what is none is not taken for one', () => {
    fc.assert(
      fc.property(values, (given) => {
        expect(readSketch(JSON.parse(JSON.stringify(sketchOf(given))))).toEqual(sketchOf(given));
      }),
    );
    for (const wrong of [null, 1, {}, {count: 1}, {count: -1, max: 0, zero: 0, buckets: {}}, {count: 1, max: 1, zero: 0, buckets: {x: 1}}])
      expect(readSketch(wrong)).toBeNull();
  });

  it('has no percentile of nothing, and takes no value that is none', () => {
    expect(percentile(EMPTY_SKETCH, 0.5)).toBeNull();
    for (const wrong of [-1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => withValue(EMPTY_SKETCH, wrong)).toThrow(RangeError);
  });
});
