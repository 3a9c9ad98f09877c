import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {findCleanUps} from '../../../src/lib/capacity/exhaustion/clean-ups.ts';
import {daysOf, median, weekdayOffsets} from '../../../src/lib/capacity/exhaustion/days.ts';
import {leastSquares} from '../../../src/lib/capacity/exhaustion/least-squares.ts';
import {sentenceOf, type Wording} from '../../../src/lib/capacity/exhaustion/says.ts';
import {shapeOfGrowth} from '../../../src/lib/capacity/exhaustion/shape-of-growth.ts';
import {theilSen} from '../../../src/lib/capacity/exhaustion/theil-sen.ts';
import {diskSeries, randomOf} from './disks.ts';

const upTo = (count: number) => Float64Array.from({length: count}, (_, i) => i);

describe('Theil-Sen', () => {
  it('is the slope of a line, whatever a quarter of its points are', () => {
    const x = upTo(40);
    fc.assert(
      fc.property(
        fc.integer({min: -50, max: 50}),
        fc.array(fc.double({min: -1e6, max: 1e6, noNaN: true}), {maxLength: 10}),
        (slope, wild) => {
          const y = x.map((each, i) => (i % 4 === 0 && i / 4 < wild.length ? (wild[i / 4] ?? 0) : 7 + slope * each));
          const found = theilSen(x, y);
          expect(found?.slope).toBeCloseTo(slope, 6);
          expect(found?.lower95).toBeLessThanOrEqual(found?.lower80 ?? Number.NaN);
          expect(found?.lower80).toBeLessThanOrEqual(found?.slope ?? Number.NaN);
          expect(found?.slope).toBeLessThanOrEqual(found?.upper80 ?? Number.NaN);
          expect(found?.upper80).toBeLessThanOrEqual(found?.upper95 ?? Number.NaN);
        },
      ),
    );
  });

  it('its 95 % interval holds the true slope that often', () => {
    const random = randomOf(9);
    const x = upTo(30);
    const held = Array.from({length: 400}, () =>
      theilSen(
        x,
        x.map((each) => 2 * each + 20 * (random() + random() + random())),
      ),
    );
    const share = held.filter((each) => each !== null && each.lower95 <= 2 && each.upper95 >= 2).length / held.length;
    expect(share).toBeGreaterThan(0.92);
    expect(share).toBeLessThan(0.98);
  });

  it('pairs across a jump do not count', () => {
    const x = upTo(30);
    const y = x.map((each) => 3 * each + (each >= 12 ? 500 : 0));
    expect(theilSen(x, y, {splits: [12]})?.slope).toBeCloseTo(3, 9);
  });

  it('nothing of fewer than two points, or of one day', () => {
    expect(theilSen([1], [1])).toBeNull();
    expect(theilSen([1, 1], [1, 2])).toBeNull();
  });
});

describe('the shape of growth', () => {
  const random = randomOf(4);
  const noise = () => 0.002 * (random() + random() - 1);
  const shapeOf = (of: (day: number) => number) =>
    shapeOfGrowth(
      upTo(60),
      upTo(60).map((day) => of(day) + noise()),
    );

  it('a line has no break', () => {
    expect(shapeOf((day) => 0.3 + 0.004 * day)).toMatchObject({kind: 'steady', at: 0, jump: 0, bend: 0});
  });

  it('a jump, a bend and both are found on their day, as large as they are', () => {
    const level = shapeOf((day) => 0.3 + 0.004 * day + (day >= 25 ? 0.1 : 0));
    expect(level).toMatchObject({kind: 'level', at: 25, bend: 0});
    expect(level.jump).toBeCloseTo(0.1, 2);
    const slope = shapeOf((day) => 0.3 + 0.002 * day + 0.006 * Math.max(0, day - 35));
    expect(slope).toMatchObject({kind: 'slope', jump: 0});
    expect(Math.abs(slope.at - 35)).toBeLessThanOrEqual(1);
    expect(slope.bend).toBeCloseTo(0.006, 3);
    const both = shapeOf((day) => 0.3 + 0.002 * day + (day >= 30 ? -0.1 + 0.006 * (day - 30) : 0));
    expect(both).toMatchObject({kind: 'level-and-slope', at: 30});
    expect(both.jump).toBeCloseTo(-0.1, 1);
  });

  it('growth that accelerates is no break; growth that slows down is one', () => {
    expect(shapeOf((day) => 0.1 + 0.001 * day + 0.0001 * day ** 2)).toMatchObject({kind: 'accelerating', at: 0});
    expect(shapeOf((day) => 0.1 + 0.012 * day - 0.0001 * day ** 2).kind).toBe('slope');
  });
});

it('least squares finds what the columns were added up with, and refuses a column made of others', () => {
  const one = upTo(20).map(() => 1);
  const time = upTo(20);
  const wave = time.map((each) => Math.sin(each));
  const y = time.map((each, i) => 3 - 2 * each + 5 * (wave[i] ?? 0));
  const fit = leastSquares([one, time, wave], y);
  for (const [i, each] of [3, -2, 5].entries()) expect(fit?.coefficients[i]).toBeCloseTo(each, 9);
  expect(fit?.squares).toBeCloseTo(0, 12);
  expect(leastSquares([one, time, time.map((each) => 2 * each + 1)], y)).toBeNull();
});

describe('days', () => {
  it('are counted back from the newest reading; one that is half known counts, less does not', () => {
    const series = diskSeries(upTo(60), null);
    expect([...daysOf(series).day]).toEqual([0, 1, 2]);
    expect([...daysOf(series).mean]).toEqual([5.5, 23.5, 47.5]);
    expect([...daysOf(series).peak]).toEqual([11, 35, 59]);
    const holed = {...series, values: series.values.map((value, i) => (i >= 12 && i < 30 ? Number.NaN : value))};
    expect([...daysOf(holed).mean]).toEqual([5.5, 32.5, 47.5].filter((_, i) => i !== 1));
    expect([...daysOf(holed).day]).toEqual([0, 2]);
    expect(daysOf(diskSeries([], null)).day).toHaveLength(0);
  });

  it('weekdays stand as far off as they do, and add up to nothing', () => {
    const day = upTo(42);
    const offsets = weekdayOffsets({day, mean: day.map((each) => 2 * each + (each % 7 >= 5 ? -14 : 0))});
    expect([...offsets].map((each) => Math.round(each))).toEqual([4, 4, 4, 4, 4, -10, -10]);
    expect(offsets.reduce((sum, each) => sum + each, 0)).toBeCloseTo(0, 9);
    expect([...weekdayOffsets({day: upTo(14), mean: upTo(14)})]).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  it('a median of nothing is not known', () => {
    expect([median([]), median([3, 1, 2]), median([4, 1, 2, 3])]).toEqual([Number.NaN, 2, 2.5]);
  });
});

describe('clean-ups', () => {
  const teeth = (every: number, of = (hour: number) => hour % every) =>
    diskSeries(
      Array.from({length: 24 * 40}, (_, hour) => of(hour)),
      null,
    );

  it('regular falls, with the highest reading of the day before each', () => {
    const series = teeth(48);
    const found = findCleanUps(series);
    expect(found).toMatchObject({fall: 47, everyMs: 48 * 3_600_000});
    expect(found?.tops).toHaveLength(19);
    expect(found?.tops[0]).toEqual({at: series.starts[48], value: 47});
  });

  it('none in a line, in a wave, in steps up and down, after a single fall, or in irregular ones', () => {
    expect(findCleanUps(teeth(1, (hour) => hour))).toBeNull();
    expect(findCleanUps(teeth(1, (hour) => Math.sin(hour / 4)))).toBeNull();
    expect(findCleanUps(teeth(1, (hour) => (hour % 168 > 120 ? 0 : 50)))).toBeNull();
    expect(findCleanUps(teeth(1, (hour) => (hour < 300 ? hour : hour - 250)))).toBeNull();
    const at = [30, 50, 200, 230, 500, 900];
    expect(findCleanUps(teeth(1, (hour) => hour - 20 * at.filter((each) => each <= hour).length))).toBeNull();
  });
});

describe('the sentence', () => {
  const day = (text: string) => Date.parse(`${text}T12:00:00Z`);
  const filling = {
    ...({limit: 1000, state: 'filling', break: null, growth: 'steady', slopePerDay: 5, confidence: 'high', horizonAt: 0} as const),
    ...{p50At: day('2026-03-05'), p90At: day('2026-03-04'), earliestAt: day('2026-03-03'), latestAt: day('2026-03-09') as number | null},
  };
  const wording: Wording = {timeZone: 'UTC', unit: 'GB', now: day('2026-01-20'), horizonDays: 548, days: 60};

  it.each([
    [{}, 'full between 3 and 9 March, most likely on 5 March'],
    [{earliestAt: day('2026-02-27')}, 'full between 27 February and 9 March, most likely on 5 March'],
    [{latestAt: day('2027-01-02')}, 'full between 3 March and 2 January 2027, most likely on 5 March'],
    [{earliestAt: day('2026-03-05'), latestAt: day('2026-03-05')}, 'full on 5 March'],
    [{latestAt: null}, 'full from 3 March on, most likely on 5 March, and perhaps not within 18 months'],
  ])('%j', (change, says) => {
    expect(sentenceOf({...filling, ...change}, wording)).toBe(says);
  });

  it('names the year where it is not the current one, by the time zone of the series', () => {
    expect(sentenceOf(filling, {...wording, now: day('2025-12-30')})).toBe('full between 3 and 9 March 2026, most likely on 5 March 2026');
    const late = {...filling, earliestAt: Date.parse('2026-03-03T23:30:00Z')};
    expect(sentenceOf(late, {...wording, timeZone: 'Europe/Berlin'})).toBe('full between 4 and 9 March, most likely on 5 March');
  });
});
