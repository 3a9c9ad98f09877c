import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {settle} from '../../../src/lib/capacity/forecast/excursions.ts';
import {prepare} from '../../../src/lib/capacity/forecast/gaps.ts';
import {halfWidths} from '../../../src/lib/capacity/forecast/intervals.ts';
import {planTrials} from '../../../src/lib/capacity/forecast/origins.ts';
import {meanAbsoluteError, naiveScale, owa, scoresOf} from '../../../src/lib/capacity/forecast/scores.ts';
import {seasonsOf} from '../../../src/lib/capacity/forecast/seasons.ts';
import {transformFor} from '../../../src/lib/capacity/forecast/transform.ts';
import {normal, seeded, traffic} from '../seeded.ts';

const ones = (count: number) => new Uint8Array(count).fill(1);

describe('scores', () => {
  const values = Float64Array.of(10, 20, 0, 40, 50);
  const trial = {origins: [1, 3], paths: [Float64Array.of(22, 1), Float64Array.of(30, 55)], horizon: 2, values, known: ones(5)};

  it('are those of the formulas', () => {
    const scores = scoresOf(trial, 5);
    // Errors 2, 1, 10, 5 of 20, 0, 40, 50.
    expect(scores.mape).toBeCloseTo((10 + 25 + 10) / 3, 9);
    expect(scores.wmape).toBeCloseTo((100 * 18) / 110, 9);
    expect(scores.mase).toBeCloseTo(18 / 4 / 5, 9);
    expect(scores.smape).toBeCloseTo((200 * (2 / 42 + 1 / 1 + 10 / 70 + 5 / 105)) / 4, 9);
    expect(meanAbsoluteError(trial)).toBeCloseTo(4.5, 9);
  });

  it('leave out what is not known, and are null where nothing is left', () => {
    expect(meanAbsoluteError({...trial, known: Uint8Array.of(1, 1, 1, 0, 1)})).toBeCloseTo(8 / 3, 9);
    const none = {...trial, known: new Uint8Array(5)};
    expect(scoresOf(none, 5)).toEqual({mape: null, wmape: null, mase: null, smape: null, coverage: null});
    expect(scoresOf(trial, null).mase).toBeNull();
  });

  it('the scale of MASE is the error of the seasonal naive forecast, over known values', () => {
    expect(naiveScale(Float64Array.of(1, 2, 4, 6), ones(4), 2)).toBe(3.5);
    expect(naiveScale(Float64Array.of(1, 2, 4, 6), Uint8Array.of(1, 0, 1, 1), 2)).toBe(3);
    expect(naiveScale(Float64Array.of(5, 5, 5), ones(3), 1)).toBeNull();
  });

  it('OWA of the yardstick itself is 1', () => {
    expect(owa({smape: 12, mase: 2}, {smape: 12, mase: 2})).toBe(1);
    expect(owa({smape: 6, mase: 3}, {smape: 12, mase: 2})).toBe(1);
  });
});

describe('origins of trials', () => {
  it('leave the newest one just its steps, know two fifths of the history, and are at most so many', () => {
    fc.assert(
      fc.property(
        fc.integer({min: 1, max: 3000}),
        fc.integer({min: 1, max: 400}),
        fc.constantFrom('hourly', 'daily', 'weekly'),
        fc.integer({min: 1, max: 12}),
        (count, horizon, grain, most) => {
          const {origins, horizon: steps} = planTrials(count, horizon, grain, most);
          expect(origins.length).toBeLessThanOrEqual(most);
          expect(steps).toBeLessThanOrEqual(horizon);
          if (origins.length === 0) return;
          expect(origins.at(-1)).toBe(count - steps);
          expect(origins[0]).toBeGreaterThanOrEqual(0.4 * count);
          expect([...new Set(origins)].sort((a, b) => a - b)).toEqual(origins);
        },
      ),
    );
  });

  it('of two days lie one day apart', () => {
    expect(planTrials(700, 48, 'hourly', 5)).toEqual({origins: [556, 580, 604, 628, 652], horizon: 48});
  });
});

describe('seasons', () => {
  it('are found where they are', () => {
    expect(seasonsOf(traffic(1008, 1), 'hourly')).toEqual([24, 168]);
    const noise = normal(seeded(2));
    expect(seasonsOf(Float64Array.from({length: 1008}, noise), 'hourly')).toEqual([]);
    let walk = 0;
    expect(
      seasonsOf(
        Float64Array.from({length: 1008}, () => (walk += noise())),
        'hourly',
      ),
    ).toEqual([]);
  });

  it('are not hidden by an outage on the logarithmic scale', () => {
    const values = traffic(1008, 1).map((value, t) => Math.log(t > 500 && t < 510 ? 1e-6 : value));
    expect(seasonsOf(values, 'hourly')).toEqual([24, 168]);
  });
});

describe('the scale of models', () => {
  it('goes there and back', () => {
    fc.assert(
      fc.property(fc.array(fc.double({noNaN: true, noDefaultInfinity: true}), {minLength: 1, maxLength: 20}), (list) => {
        const values = Float64Array.from(list);
        const {to, back} = transformFor(values);
        const there = to(values);
        expect(there.every(Number.isFinite)).toBe(true);
        there.forEach((value, t) => {
          // What is 308 powers of ten below the largest one is nothing beside it.
          const smallest = Math.max(...values.map(Math.abs)) * 1e-300;
          expect(Math.abs(back(value) - values[t]!)).toBeLessThanOrEqual(1e-10 * Math.abs(values[t]!) + smallest);
        });
      }),
    );
  });

  it('is logarithmic above zero only, and not over a span that no series has', () => {
    expect(transformFor(Float64Array.of(1, 2)).name).toBe('log');
    expect(transformFor(Float64Array.of(0, 2)).name).toBe('level');
    expect(transformFor(Float64Array.of(1e-300, 2)).name).toBe('level');
  });
});

describe('gaps', () => {
  it('short ones are lines, long ones the week before, the day before where there is none', () => {
    const values = Float64Array.from({length: 400}, (_, t) => t);
    values.fill(Number.NaN, 10, 12);
    values.fill(Number.NaN, 50, 60);
    values.fill(Number.NaN, 300, 310);
    const {values: filled, known, notes} = prepare(values, 'hourly');
    expect([...filled.subarray(10, 12)]).toEqual([10, 11]);
    expect(filled[50]).toBe(26);
    expect(filled[300]).toBe(132);
    expect(known.reduce((sum, one) => sum + one, 0)).toBe(400 - 22);
    expect(notes).toEqual(['Inside the history 22 values are not known: filled for fitting, left out of scores.']);
  });
});

describe('intervals', () => {
  it('of errors that are all the same are that error, wider where there are fewer origins', () => {
    const values = new Float64Array(60);
    const paths = (count: number) => Array.from({length: count}, () => new Float64Array(5).fill(2));
    const widthFrom = (origins: readonly number[]) =>
      halfWidths({origins, paths: paths(origins.length), horizon: 5, values, known: ones(60)}, 20);
    const five = widthFrom([10, 20, 30, 40, 50]);
    expect([...five.outer.subarray(0, 5)]).toEqual(new Array(5).fill(2 * 1.3));
    expect(five.inner[0]).toBeCloseTo(2 * 1.1, 9);
    expect(five.outer[19]).toBeCloseTo(2 * 1.3 * Math.sqrt(20 / 5), 9);
    expect(widthFrom([50]).outer[0]).toBeCloseTo(2 * 2.5, 9);
  });
});

describe('excursions', () => {
  const values = traffic(1008, 3).map(Math.log);

  it('calm traffic is left alone', () => {
    expect(settle(values, ones(1008), 'hourly')).toEqual({values, known: ones(1008), open: 0, notes: []});
  });

  it('a stretch that is over is replaced, and is no truth any more', () => {
    const disturbed = values.map((value, t) => (t >= 800 && t < 820 ? value - 3 : value));
    const {values: settled, known, open, notes} = settle(disturbed, ones(1008), 'hourly');
    expect([...known.subarray(800, 820)]).toEqual(new Array(20).fill(0));
    expect(known.reduce((sum, one) => sum + one, 0)).toBe(988);
    for (let t = 800; t < 820; t++) expect(Math.abs(settled[t]! - values[t]!)).toBeLessThan(0.5);
    expect(open).toBe(0);
    expect(notes[0]).toContain('20 values in 1 stretch');
  });

  it('what has just begun is open, and what stays is a new level', () => {
    const begun = settle(
      values.map((value, t) => (t >= 1004 ? value - 3 : value)),
      ones(1008),
      'hourly',
    );
    expect(begun.open).toBeLessThan(-2);
    const stays = settle(
      values.map((value, t) => (t >= 990 ? value - 3 : value)),
      ones(1008),
      'hourly',
    );
    expect(stays.open).toBe(0);
    expect(Math.abs(stays.values[500]! - (values[500]! - 3))).toBeLessThan(0.3);
  });

  it('without a season nothing is judged', () => {
    const disturbed = values.map((value, t) => (t >= 800 && t < 820 ? value - 3 : value));
    expect(settle(disturbed, ones(1008), null).values).toBe(disturbed);
  });
});
