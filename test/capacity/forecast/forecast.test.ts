import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {forecast} from '../../../src/lib/capacity/forecast/forecast.ts';
import {rollingBacktest} from '../../../src/lib/capacity/forecast/rolling.ts';
import type {Forecast} from '../../../src/lib/capacity/forecast/shapes.ts';
import type {Grain} from '../../../src/lib/capacity/series.ts';
import {normal, seeded, traffic} from '../seeded.ts';

const GRAINS: readonly Grain[] = ['hourly', 'daily', 'weekly'];
const grain = fc.constantFrom(...GRAINS);
const horizon = fc.integer({min: 1, max: 30});

/** Every value is finite and the intervals lie in each other. */
function expectSound({mean, p10, p90, lower95, upper95}: Forecast, steps: number): void {
  for (const path of [mean, p10, p90, lower95, upper95]) {
    expect(path).toHaveLength(steps);
    expect(path.every(Number.isFinite)).toBe(true);
  }
  for (let step = 0; step < steps; step++) {
    const ordered = [lower95[step]!, p10[step]!, mean[step]!, p90[step]!, upper95[step]!];
    expect(ordered).toEqual([...ordered].sort((a, b) => a - b));
  }
}

const path = ({mean}: Forecast) => [...mean];

describe('whatever the values are, a forecast is finite and its intervals lie in each other', () => {
  const extreme = fc.oneof(
    {weight: 6, arbitrary: fc.double({noNaN: true, noDefaultInfinity: true})},
    {weight: 2, arbitrary: fc.constantFrom(0, 1, -1, 1e300, -1e300, 1e-300, 5e-324, Number.MAX_VALUE)},
    {weight: 1, arbitrary: fc.constant(Number.NaN)},
    {weight: 1, arbitrary: fc.constant(Number.POSITIVE_INFINITY)},
  );

  it('for any list of numbers', () => {
    fc.assert(
      fc.property(fc.array(extreme, {minLength: 1, maxLength: 120}), grain, horizon, (list, of, steps) => {
        fc.pre(list.some(Number.isFinite));
        expectSound(forecast(Float64Array.from(list), {grain: of, horizon: steps}), steps);
      }),
      {numRuns: 200},
    );
  });

  it.each([1e300, 1e-300, 5e-324, -1e300])('for traffic of the size of %d', (size) => {
    const values = traffic(700, 2).map((value) => (value / 3000) * size);
    for (const of of GRAINS) expectSound(forecast(values, {grain: of, horizon: 48}), 48);
  });

  it('for what is hostile', () => {
    const random = seeded(3);
    const base = traffic(900, 4);
    const hostile: Readonly<Record<string, Float64Array>> = {
      spike: base.map((value, t) => (t === 500 ? value * 1e6 : value)),
      'spike at the end': base.map((value, t) => (t === 899 ? value * 1e6 : value)),
      'two levels': base.map((value, t) => (t < 450 ? value : value * 1000)),
      zeros: base.map((value, t) => (t % 7 === 0 ? 0 : value)),
      'mixed signs': base.map((value) => (random() < 0.5 ? -value : value)),
      exponential: base.map((_, t) => 1.05 ** t),
      'almost nothing': base.map(() => (random() < 0.01 ? 1 : 0)),
      saw: base.map((_, t) => t % 100),
      gaps: base.map((value) => (random() < 0.4 ? Number.NaN : value)),
      'long gap': base.map((value, t) => (t > 300 && t < 700 ? Number.NaN : value)),
      'gap at the end': base.map((value, t) => (t > 800 ? Number.NaN : value)),
    };
    for (const values of Object.values(hostile)) for (const of of GRAINS) expectSound(forecast(values, {grain: of, horizon: 60}), 60);
  });
});

describe('equivariance', () => {
  it('values times a power of two give exactly the forecast times it', () => {
    fc.assert(
      fc.property(fc.integer({min: -40, max: 40}), fc.integer({min: 1, max: 50}), grain, (power, seed, of) => {
        const values = traffic(400, seed);
        const plain = forecast(values, {grain: of, horizon: 20});
        const scaled = forecast(
          values.map((value) => value * 2 ** power),
          {grain: of, horizon: 20},
        );
        expect(path(scaled)).toEqual(path(plain).map((value) => value * 2 ** power));
        expect([...scaled.upper95]).toEqual([...plain.upper95].map((value) => value * 2 ** power));
      }),
      {numRuns: 20},
    );
  });

  it('and times any other number but for rounding', () => {
    fc.assert(
      fc.property(fc.double({min: 1e-6, max: 1e6, noNaN: true}), fc.integer({min: 1, max: 50}), grain, (by, seed, of) => {
        const values = traffic(400, seed);
        const plain = path(forecast(values, {grain: of, horizon: 20}));
        const scaled = path(
          forecast(
            values.map((value) => value * by),
            {grain: of, horizon: 20},
          ),
        );
        scaled.forEach((value, step) => {
          expect(Math.abs(value / by / plain[step]! - 1)).toBeLessThan(1e-4);
        });
      }),
      {numRuns: 30},
    );
  });

  it('values below zero, where no logarithms are taken: higher by a number gives a forecast higher by it', () => {
    const noise = normal(seeded(8));
    // Between the same powers of two, so that the scale of the models stays.
    const values = Float64Array.from({length: 300}, (_, t) => -1500 + 50 * Math.sin(t / 4) + 5 * noise());
    const plain = path(forecast(values, {grain: 'hourly', horizon: 24}));
    const moved = path(
      forecast(
        values.map((value) => value - 64),
        {grain: 'hourly', horizon: 24},
      ),
    );
    moved.forEach((value, step) => {
      expect(Math.abs(value + 64 - plain[step]!)).toBeLessThan(2);
    });
  });

  it('is the same in every run', () => {
    const values = traffic(700, 6);
    expect(forecast(values, {grain: 'hourly', horizon: 48})).toEqual(forecast(values, {grain: 'hourly', horizon: 48}));
  });
});

describe('little history', () => {
  it('none is an error that says so', () => {
    for (const values of [new Float64Array(), Float64Array.of(Number.NaN, Number.NaN)]) {
      expect(() => forecast(values, {grain: 'daily', horizon: 3})).toThrow('at least one known value');
    }
    expect(() => forecast(Float64Array.of(1), {grain: 'daily', horizon: 0})).toThrow('at least 1 step');
  });

  it('one value: itself, with intervals as wide as it is large, and a note', () => {
    const found = forecast(Float64Array.of(10), {grain: 'daily', horizon: 2});
    expect(path(found)).toEqual([10, 10]);
    expect(found.lower95[0]).toBe(0);
    expect(found.upper95[0]).toBeGreaterThan(40);
    expect(found).toMatchObject({model: 'last-value', backtest: null, notes: [expect.stringContaining('nothing was measured')]});
  });

  it('two values: the last one, with growing intervals and a note', () => {
    const found = forecast(Float64Array.of(10, 12), {grain: 'weekly', horizon: 4});
    expect(path(found)).toEqual([12, 12, 12, 12]);
    expect(found.upper95[0]).toBeCloseTo(12 + 2 * 1.96 * 2, 6);
    expect(found.upper95[3]).toBeCloseTo(12 + 2 * 1.96 * 2 * 2, 6);
    expect(found.notes).toEqual(['Only 2 values are known: the forecast is the last one, and there is no backtest.']);
  });

  it.each([0, 7, -3.25, 1e300, 0.1])('a constant %d stays what it is, exactly', (value) => {
    for (const of of GRAINS) {
      const found = forecast(new Float64Array(400).fill(value), {grain: of, horizon: 10});
      for (const each of [found.mean, found.p10, found.p90, found.lower95, found.upper95])
        expect([...each]).toEqual(new Array(10).fill(value));
    }
  });

  it('a day and a half of hours goes on with the day', () => {
    const values = Float64Array.from({length: 40}, (_, t) => 100 + 50 * Math.sin((t / 12) * Math.PI));
    path(forecast(values, {grain: 'hourly', horizon: 24})).forEach((value, step) => {
      expect(Math.abs(value - values[16 + step]!)).toBeLessThan(20);
    });
  });
});

describe('one to three days of hours', () => {
  // Mean absolute error over the next day, beside that of the same hour of the day before.
  const againstNaive = (count: number): number => {
    let [own, naive] = [0, 0];
    for (let seed = 1; seed <= 40; seed++) {
      const all = traffic(count + 24 + 5 * seed, seed).slice(5 * seed);
      path(forecast(all.slice(0, count), {grain: 'hourly', horizon: 24})).forEach((value, step) => {
        own += Math.abs(value - all[count + step]!);
        naive += Math.abs(all[count - 24 + step]! - all[count + step]!);
      });
    }
    return own / naive;
  };

  it.each([
    [30, 1.15],
    [40, 1.05],
    [50, 1.05],
    [71, 1],
  ])('%i hours are forecast at most %d times as badly as by the day before', (count, most) => {
    expect(againstNaive(count)).toBeLessThan(most);
  });
});

describe('gaps', () => {
  it('are filled for fitting, said, and change little', () => {
    const values = traffic(1008, 5);
    const truth = forecast(values, {grain: 'hourly', horizon: 24});
    const gappy = forecast(
      values.map((value, t) => (t >= 700 && t < 740 ? Number.NaN : value)),
      {grain: 'hourly', horizon: 24},
    );
    expect(gappy.notes).toEqual(['Inside the history 40 values are not known: filled for fitting, left out of scores.']);
    path(gappy).forEach((value, step) => {
      expect(Math.abs(value / truth.mean[step]! - 1)).toBeLessThan(0.1);
    });
  });

  it('at the end are crossed: the forecast begins after the last step, not after the last known value', () => {
    const values = Float64Array.from({length: 24 * 30}, (_, t) => 100 + (t % 24));
    const cut = values.map((value, t) => (t >= values.length - 5 ? Number.NaN : value));
    const found = forecast(cut, {grain: 'hourly', horizon: 24});
    expect(found.notes).toContain('At the end 5 values are not known: the forecast crosses them first.');
    const one = values.map((value, t) => (t === values.length - 1 ? Number.NaN : value));
    expect(forecast(one, {grain: 'hourly', horizon: 24}).notes).toContain(
      'At the end 1 value is not known: the forecast crosses it first.',
    );
    path(found).forEach((value, step) => {
      expect(value).toBeCloseTo(100 + step, 0);
    });
  });

  it('over nearly all that a backtest would compare leave the intervals of a random walk', () => {
    const values = traffic(700, 8).map((value, t) => (t >= 500 && t < 699 ? Number.NaN : value));
    const found = forecast(values, {grain: 'hourly', horizon: 12});
    expectSound(found, 12);
    const widths = found.upper95.map((value, step) => Math.log(value / found.lower95[step]!));
    expect(widths[0]).toBeGreaterThan(0.2);
    expect(widths[8]! / widths[0]!).toBeCloseTo(3, 6);
  });

  it('are no truth for scores: what stands in them does not matter', () => {
    const values = traffic(700, 7).map((value, t) => (t >= 660 && t < 664 ? Number.NaN : value));
    const found = forecast(values, {grain: 'hourly', horizon: 24});
    expect(found.backtest?.chosen.wmape).toBeLessThan(12);
  });
});

describe('guard rails', () => {
  /** Mean absolute percentage error of a forecast of one day against what comes without the disturbance. */
  const errorAfter = (disturb: (value: number, t: number) => number, after: (value: number) => number = (value) => value) => {
    const hours = 1008;
    const values = traffic(hours + 24, 11);
    const found = forecast(values.slice(0, hours).map(disturb), {grain: 'hourly', horizon: 24});
    const truth = values.slice(hours).map(after);
    const error =
      truth.reduce((sum, value, step) => sum + Math.abs(value - found.mean[step]!), 0) / truth.reduce((sum, value) => sum + value, 0);
    const inside = truth.filter((value, step) => value >= found.lower95[step]! && value <= found.upper95[step]!).length;
    return {error, inside, notes: found.notes.join(' ')};
  };
  const undisturbed = errorAfter((value) => value).error;

  it.each([
    ['an outage that is over', (value: number, t: number) => (t >= 970 && t < 976 ? 1 : value)],
    ['a holiday', (value: number, t: number) => (t >= 936 && t < 984 ? value / 2 : value)],
    ['a burst', (value: number, t: number) => (t >= 990 && t < 993 ? value * 20 : value)],
  ])('%s leaves the forecast as it was', (_name, disturb) => {
    const {error, notes} = errorAfter(disturb);
    expect(error).toBeLessThan(undisturbed + 0.05);
    expect(notes).toContain('replaced for fitting, left out of scores');
  });

  it('an outage that has just begun is taken for one, and the interval holds both', () => {
    const outage = (value: number, t: number) => (t >= 1005 ? value / 10 : value);
    const {error, inside, notes} = errorAfter(outage);
    expect(error).toBeLessThan(undisturbed + 0.03);
    expect(inside).toBeGreaterThan(20);
    expect(notes).toContain('not yet for a new level');
    expect(errorAfter(outage, (value) => value / 10).inside).toBeGreaterThan(20);
  });

  it('a new level is followed', () => {
    const {error, notes} = errorAfter(
      (value, t) => (t >= 960 ? value * 2 : value),
      (value) => value * 2,
    );
    expect(error).toBeLessThan(undisturbed + 0.05);
    expect(notes).toContain('older values were moved');
  });

  it('exponential growth ends at half the range above what was seen', () => {
    const values = Float64Array.from({length: 60}, (_, t) => 1.3 ** t);
    const {mean} = forecast(values, {grain: 'weekly', horizon: 200});
    // On the logarithmic scale.
    expect(Math.log(Math.max(...mean))).toBeLessThanOrEqual(1.5 * Math.log(1.3 ** 59) + 1e-6);
  });

  it('never falls below the least value that can be', () => {
    const values = Float64Array.from({length: 120}, (_, t) => Math.max(0, 100 - t));
    const found = forecast(values, {grain: 'daily', horizon: 60});
    expect(Math.min(...found.lower95)).toBeGreaterThanOrEqual(0);
    const below = forecast(values, {grain: 'daily', horizon: 60, least: 5});
    expect(Math.min(...below.lower95)).toBeGreaterThanOrEqual(5);
  });
});

describe('backtest', () => {
  it('names every model, the yardsticks among them, best first, and is better than they are on traffic', () => {
    const {model, backtest} = forecast(traffic(1008, 12), {grain: 'hourly', horizon: 24});
    expect(model).toBe('ensemble');
    const names = backtest!.models.map((one) => one.model);
    expect(names).toEqual(
      expect.arrayContaining(['ensemble', 'autoregression', 'direct-regression', 'double-seasonal', 'seasonal-naive', 'last-value']),
    );
    const errors = backtest!.models.map(({scores}) => scores.wmape!);
    expect(errors).toEqual([...errors].sort((a, b) => a - b));
    expect(backtest!.origins).toBe(5);
    const of = (name: string) => backtest!.models.find((one) => one.model === name)!.scores.mase!;
    expect(of('ensemble')).toBeLessThan(of('seasonal-naive'));
    expect(of('ensemble')).toBeLessThan(of('last-value'));
  });

  it('made anew at each origin, the 95 % intervals cover what they say', () => {
    const coverage = Array.from(
      {length: 8},
      (_, seed) => rollingBacktest(traffic(900, seed + 1), {grain: 'hourly', horizon: 24})!.scores.coverage!,
    );
    const mean = coverage.reduce((sum, value) => sum + value, 0) / coverage.length;
    expect(mean).toBeGreaterThan(90);
    expect(mean).toBeLessThan(99.5);
  });

  it('of too short a history is none', () => {
    expect(rollingBacktest(Float64Array.of(1, 2, 3), {grain: 'daily', horizon: 2})).toBeNull();
  });

  it('a random walk of days is forecast no worse than by its last value', () => {
    let own = 0;
    let last = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const noise = normal(seeded(seed));
      let value = 1000;
      const values = Float64Array.from({length: 314}, () => (value += noise() * 10));
      const {mean} = forecast(values.slice(0, 300), {grain: 'daily', horizon: 14});
      for (let step = 0; step < 14; step++) {
        own += Math.abs(values[300 + step]! - mean[step]!);
        last += Math.abs(values[300 + step]! - values[299]!);
      }
    }
    expect(own / last).toBeLessThan(1.01);
  });
});

it('of 100,000 points the newest are used, and it says so', () => {
  const values = traffic(100_000, 13);
  const found = forecast(values, {grain: 'hourly', horizon: 48});
  expectSound(found, 48);
  expect(found.notes).toEqual(['Of 100000 values the newest 4368 were used.']);
  expect(path(found)).toEqual(path(forecast(values.slice(-4368), {grain: 'hourly', horizon: 48})));
});
