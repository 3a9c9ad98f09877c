import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {autocorrelations, isSeasonal} from '../../../src/lib/capacity/math/autocorrelation.ts';
import {nelderMead} from '../../../src/lib/capacity/math/nelder-mead.ts';
import {median, medianInPlace, quantile, select} from '../../../src/lib/capacity/math/quantile.ts';
import {normal, seeded} from '../seeded.ts';

const numbers = fc.array(fc.double({noNaN: true, min: -1e300, max: 1e300}), {minLength: 1, maxLength: 60});

describe('selection', () => {
  it('finds what sorting finds', () => {
    fc.assert(
      fc.property(numbers, fc.nat(), (values, at) => {
        const sorted = Float64Array.from(values).sort();
        const rank = at % values.length;
        expect(select(Float64Array.from(values), values.length, rank)).toBe(sorted[rank]);
      }),
    );
  });

  it('the median lies in the middle, and does not overflow', () => {
    expect(median(Float64Array.of(3, 1, 2))).toBe(2);
    expect(median(Float64Array.of(4, 1, 3, 2))).toBe(2.5);
    expect(median(new Float64Array())).toBeNaN();
    expect(medianInPlace(Float64Array.of(5, 1, 9, 100), 3)).toBe(5);
  });

  it('quantiles lie between neighbours', () => {
    const sorted = Float64Array.of(0, 10, 20);
    expect([0, 0.25, 0.5, 1].map((share) => quantile(sorted, share))).toEqual([0, 5, 10, 20]);
    expect(quantile(new Float64Array(), 0.5)).toBeNaN();
  });
});

describe('the simplex search', () => {
  it("finds the bottom of Rosenbrock's valley", () => {
    const found = nelderMead((at) => (1 - at[0]!) ** 2 + 100 * (at[1]! - at[0]! ** 2) ** 2, [-1.2, 1], {
      step: 0.5,
      rounds: 400,
      tolerance: 1e-12,
    });
    expect(found[0]).toBeCloseTo(1, 3);
    expect(found[1]).toBeCloseTo(1, 3);
  });

  it('walks around what is not finite', () => {
    const found = nelderMead((at) => (at[0]! < 0 ? Number.NaN : Math.abs(at[0]! - 2)), [1], {step: 1, rounds: 60, tolerance: 1e-9});
    expect(found[0]).toBeCloseTo(2, 3);
  });
});

describe('autocorrelation', () => {
  it('is 1 at lag 0 and 0 of what does not vary', () => {
    expect(autocorrelations(Float64Array.of(1, 2, 1, 2), 2)[0]).toBe(1);
    expect([...autocorrelations(Float64Array.of(3, 3, 3), 2)]).toEqual([0, 0, 0]);
  });

  it('tells a season from noise', () => {
    const noise = normal(seeded(5));
    expect(
      isSeasonal(
        Float64Array.from({length: 240}, (_, t) => Math.sin((t / 12) * Math.PI) + 0.3 * noise()),
        24,
      ),
    ).toBe(true);
    expect(isSeasonal(Float64Array.from({length: 240}, noise), 24)).toBe(false);
    expect(
      isSeasonal(
        Float64Array.from({length: 60}, (_, t) => t % 24),
        24,
      ),
    ).toBe(false);
  });
});
