import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {autoregressionParts} from '../../../src/lib/capacity/models/autoregression.ts';
import {differenced} from '../../../src/lib/capacity/models/differenced.ts';
import {directRegression} from '../../../src/lib/capacity/models/direct-regression.ts';
import {doubleSeasonal} from '../../../src/lib/capacity/models/double-seasonal.ts';
import {type Model, modelOf} from '../../../src/lib/capacity/models/model.ts';
import {carriedNaive, lastValue, seasonalNaive} from '../../../src/lib/capacity/models/naive.ts';
import {movingTrend, profilesOf, profileWith, without} from '../../../src/lib/capacity/models/seasonal-profile.ts';
import {dampedTrend, simpleSmoothing, simpleSmoothingParts} from '../../../src/lib/capacity/models/smoothing.ts';
import {theta} from '../../../src/lib/capacity/models/theta.ts';
import {normal, seeded, traffic} from '../seeded.ts';

const forecastOf = (model: Model, values: Float64Array, horizon: number) => [...model(values, {origins: [values.length], horizon})![0]!];

const ar = modelOf(autoregressionParts({lags: [1, 2, 24], ridge: 1e-6}));
const MODELS: Readonly<Record<string, Model>> = {
  'last value': lastValue,
  'seasonal naive': seasonalNaive(24),
  'carried naive': carriedNaive(24),
  smoothing: simpleSmoothing,
  'damped trend': dampedTrend,
  theta,
  profile: profileWith(simpleSmoothingParts, [24, 168], 0.8),
  autoregression: ar,
  differences: modelOf(differenced(autoregressionParts({lags: [1, 2, 3], ridge: 1e-4}), 24)),
  direct: directRegression(24, 168),
  'double seasonal': doubleSeasonal(24, 168),
};

describe.each(Object.entries(MODELS))('%s', (_name, model) => {
  const values = traffic(760, 3).map(Math.log);
  const ask = {origins: [600, 640, 680, 760], horizon: 48};

  it('gives a path of the asked length from each origin', () => {
    const paths = model(values, ask)!;
    expect(paths.map((path) => path.length)).toEqual([48, 48, 48, 48]);
    for (const path of paths) expect(path.every(Number.isFinite)).toBe(true);
  });

  it('sees nothing at or after an origin', () => {
    const before = model(values, ask)!;
    const changed = values.map((value, t) => (t >= 640 ? value * -3 + t : value));
    const after = model(changed, ask)!;
    expect(after[0]).toEqual(before[0]);
    expect(after[1]).toEqual(before[1]);
    expect(after[2]).not.toEqual(before[2]);
  });

  it('is moved by what all values are moved by', () => {
    const plain = model(values, ask)!;
    const moved = model(
      values.map((value) => value + 5),
      ask,
    )!;
    moved.forEach((path, origin) => {
      path.forEach((value, step) => {
        expect(value - 5).toBeCloseTo(plain[origin]![step]!, 1);
      });
    });
  });
});

/** The weight of the value before, by plain least squares. */
function leastSquares(values: Float64Array): number {
  let product = 0;
  let square = 0;
  for (let t = 1; t < values.length; t++) {
    product += values[t]! * values[t - 1]!;
    square += values[t - 1]! ** 2;
  }
  return product / square;
}

describe('models on what they are made for', () => {
  it('last value and seasonal naive repeat', () => {
    const values = Float64Array.of(9, 1, 2, 3);
    expect(forecastOf(lastValue, values, 2)).toEqual([3, 3]);
    expect(forecastOf(seasonalNaive(3), values, 5)).toEqual([1, 2, 3, 1, 2]);
    expect(seasonalNaive(5)(values, {origins: [4], horizon: 1})).toBeNull();
  });

  it('smoothing of a level with noise finds the level', () => {
    const noise = normal(seeded(1));
    const [value] = forecastOf(
      simpleSmoothing,
      Float64Array.from({length: 400}, () => 50 + noise()),
      1,
    );
    expect(Math.abs(value! - 50)).toBeLessThan(0.5);
  });

  it('a damped trend goes on with a line, ever less', () => {
    const path = forecastOf(
      dampedTrend,
      Float64Array.from({length: 60}, (_, t) => 2 * t),
      10,
    );
    const steps = path.map((value, i) => value - (path[i - 1] ?? 118));
    expect(steps[0]).toBeGreaterThan(1.5);
    steps.forEach((step, i) => {
      if (i > 0) expect(step).toBeLessThan(steps[i - 1]!);
      expect(step).toBeGreaterThan(0);
    });
  });

  it('theta goes on with half the slope of a line', () => {
    const [first, second] = forecastOf(
      theta,
      Float64Array.from({length: 60}, (_, t) => 10 + 2 * t),
      2,
    );
    expect(second! - first!).toBeCloseTo(1, 6);
  });

  it('a profile of two seasons is found whole', () => {
    const values = Float64Array.from({length: 24 * 28}, (_, t) => 100 + 10 * Math.sin((t / 12) * Math.PI) + (t % 168 < 24 ? 5 : 0));
    const path = forecastOf(profileWith(simpleSmoothingParts, [24, 168], 0.8), values, 168);
    path.forEach((value, step) => {
      const t = values.length + step;
      expect(value).toBeCloseTo(100 + 10 * Math.sin((t / 12) * Math.PI) + (t % 168 < 24 ? 5 : 0), 0);
    });
  });

  it('a profile adds up to nothing, and the moving trend of a line is the line', () => {
    fc.assert(
      fc.property(fc.array(fc.double({min: -100, max: 100, noNaN: true}), {minLength: 14, maxLength: 80}), (list) => {
        const values = Float64Array.from(list);
        const [profile] = profilesOf(values, [7], 0.9);
        expect(profile!.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 6);
        const rest = without(values, [profile!]);
        rest.forEach((value, t) => {
          expect(value + profile![t % 7]!).toBeCloseTo(values[t]!, 9);
        });
      }),
    );
    const trend = movingTrend(
      Float64Array.from({length: 40}, (_, t) => 3 * t),
      4,
    );
    expect([...trend.subarray(2, 38)]).toEqual(Array.from({length: 36}, (_, t) => 3 * (t + 2)));
  });

  it('an autoregression finds the weight that made the series, and does so better than least squares where bursts are', () => {
    let robust = 0;
    let squares = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const noise = normal(random);
      const values = new Float64Array(800);
      // One step in fifty is hit by something twenty times as large, which then dies away.
      for (let t = 1; t < 800; t++) values[t] = 0.5 * values[t - 1]! + noise() * (random() < 0.02 ? 20 : 1);
      const weights = autoregressionParts({lags: [1], ridge: 1e-9}).fit(values, 1, null).weights;
      robust += Math.abs(weights[0]! - 0.5) / 20;
      squares += Math.abs(leastSquares(values) - 0.5) / 20;
    }
    expect(robust).toBeLessThan(0.02);
    expect(robust).toBeLessThan(0.75 * squares);
  });

  it('direct regression and double seasonal smoothing go on with what repeats exactly', () => {
    const shape = (t: number) => 10 * Math.sin((t / 12) * Math.PI) + 3 * Math.sin((t / 84) * Math.PI);
    const values = Float64Array.from({length: 168 * 5}, (_, t) => 100 + shape(t));
    for (const model of [directRegression(24, 168), doubleSeasonal(24, 168)]) {
      forecastOf(model, values, 48).forEach((value, step) => {
        expect(Math.abs(value - 100 - shape(values.length + step))).toBeLessThan(0.6);
      });
    }
  });

  it('seasonal differences go on from the season before', () => {
    const values = Float64Array.from({length: 400}, (_, t) => (t % 24) + t / 10);
    const path = forecastOf(modelOf(differenced(autoregressionParts({lags: [1, 2], ridge: 1e-6}), 24)), values, 48);
    path.forEach((value, step) => {
      const t = values.length + step;
      expect(value).toBeCloseTo((t % 24) + t / 10, 3);
    });
  });

  it('a history that is too short is no answer', () => {
    const few = traffic(100, 1);
    expect(directRegression(24, 168)(few, {origins: [100], horizon: 4})).toBeNull();
    expect(doubleSeasonal(24, 168)(few, {origins: [100], horizon: 4})).toBeNull();
    expect(ar(few.subarray(0, 8), {origins: [8], horizon: 1})).toBeNull();
  });
});

it('carried naive goes on from the day before, and from less and less of what the newest value is above it', () => {
  expect(forecastOf(carriedNaive(2), Float64Array.of(1, 5, 1, 7), 3).map((value) => Number(value.toFixed(6)))).toEqual([
    1 + 2 * 0.85,
    Number((7 + 2 * 0.85 ** 2).toFixed(6)),
    Number((1 + 2 * 0.85 ** 3).toFixed(6)),
  ]);
  expect(forecastOf(carriedNaive(2), Float64Array.of(1, 5), 2)).toEqual([1, 5]);
});
