import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {quantileOf} from '../../../src/lib/capacity/exhaustion/days.ts';
import {findExhaustion} from '../../../src/lib/capacity/exhaustion/exhaustion.ts';
import type {Series} from '../../../src/lib/capacity/series.ts';
import {diskSeries, disks, randomOf} from './disks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

const endOf = ({starts}: Series) => (starts.at(-1) ?? 0) + HOUR_MS;
const daysLeft = (series: Series) => {
  const {p50At} = findExhaustion(series);
  return p50At === null ? Number.POSITIVE_INFINITY : (p50At - endOf(series)) / DAY_MS;
};

// Seed 1 was used to tune; these were not.
describe.each([
  [11, 1],
  [12, 3],
])('sixty generated disks, seed %i, noise x %i', (seed, roughness) => {
  const all = disks(seed, 6, roughness);
  const errors = all.map(({series, fullInDays}) => Math.abs(daysLeft(series) - fullInDays) / fullInDays);

  it('median error at most 7 %, four of five within 20 %, none missed', () => {
    expect(quantileOf(errors, 0.5)).toBeLessThanOrEqual(0.07);
    expect(quantileOf(errors, 0.8)).toBeLessThanOrEqual(0.2);
    expect(errors.filter((error) => !Number.isFinite(error))).toEqual([]);
  });

  it('the range holds the true day of nine in ten', () => {
    const held = all.filter(({series, fullInDays}) => {
      const {earliestAt, latestAt} = findExhaustion(series);
      const at = endOf(series) + fullInDays * DAY_MS;
      return earliestAt !== null && at >= earliestAt && at <= (latestAt ?? Number.POSITIVE_INFINITY);
    });
    expect(held.length / all.length).toBeGreaterThanOrEqual(0.9);
  });
});

const hourly = (days: number, of: (day: number) => number) => Array.from({length: days * 24}, (_, hour) => of(hour / 24));

describe('honest answers', () => {
  it('a daily peak is full before the mean is', () => {
    const wave = (day: number) => 500 + 4 * day + 60 * Math.sin(2 * Math.PI * day);
    // The mean is at 1000 after 125 days, the peak after 110.
    const left = daysLeft(diskSeries(hourly(60, wave), 1000));
    expect(left).toBeGreaterThan(110 - 60 - 2.5);
    expect(left).toBeLessThan(110 - 60 + 2.5);
  });

  it('log rotation every night is no growth, and no break', () => {
    const found = findExhaustion(
      diskSeries(
        hourly(50, (day) => 300 + 200 * (day % 1)),
        1000,
      ),
    );
    expect(found).toMatchObject({state: 'flat', break: null, p50At: null, latestAt: null});
    expect(found.says).toContain('not within 18 months');
  });

  it('a counter that is set back every two weeks is judged by what it reaches', () => {
    const random = randomOf(3);
    const values = hourly(90, (day) => 200 + 3 * day + 250 * ((day % 14) / 14) + random());
    // Tops are 200 + 3 * day + 250 just before each 14th day: the first at 1000 is that of day 196, reached within its last days.
    const left = daysLeft(diskSeries(values, 1000));
    expect(left).toBeGreaterThan(180 - 90);
    expect(left).toBeLessThan(196 - 90 + 1);
  });

  it('one spike, or a dump that is there for a day, moves the date by little', () => {
    const line = hourly(60, (day) => 400 + 5 * day);
    const spiked = line.with(700, 990);
    const dumped = line.map((value, hour) => (hour >= 720 && hour < 744 ? value + 250 : value));
    for (const values of [spiked, dumped])
      expect(Math.abs(daysLeft(diskSeries(values, 1000)) - daysLeft(diskSeries(line, 1000)))).toBeLessThan(3);
  });

  it('gaps are no readings of zero', () => {
    const line = hourly(60, (day) => 400 + 5 * day);
    const holes = line.map((value, hour) => (hour % 7 === 0 || (hour > 500 && hour < 800) ? Number.NaN : value));
    expect(Math.abs(daysLeft(diskSeries(holes, 1000)) - daysLeft(diskSeries(line, 1000)))).toBeLessThan(1.5);
  });

  it('since when it is full, through a short dip', () => {
    const values = hourly(30, (day) => (day < 20 ? 500 : 1000)).with(25 * 24, 990);
    const series = diskSeries(values, 1000);
    expect(findExhaustion(series)).toMatchObject({
      state: 'full',
      p50At: series.starts[20 * 24],
      says: 'at its limit of 1000 GB since 25 January',
    });
  });

  it('no date without a horizon', () => {
    const slow = diskSeries(
      hourly(60, (day) => 500 + 0.5 * day),
      1000,
    );
    expect(findExhaustion(slow)).toMatchObject({state: 'not-within-horizon', p50At: null});
    expect(findExhaustion(slow).says).toMatch(/^not within 18 months at this growth of 0\.5 GB a day/u);
    expect(findExhaustion(slow, {horizonDays: 1200})).toMatchObject({state: 'filling'});
    expect(findExhaustion(slow, {horizonDays: 100}).says).toMatch(/^not within 100 days at this growth/u);
  });

  it('weekly steps', () => {
    const starts = Float64Array.from({length: 30}, (_, week) => Date.UTC(2025, 0, 6) + week * 7 * DAY_MS);
    const series: Series = {...diskSeries([], 1000), grain: 'weekly', starts, values: starts.map((_, week) => 400 + 14 * week)};
    const {p50At} = findExhaustion(series);
    // 400 + 2 a day is 1000 after 300 days.
    expect(Math.abs(((p50At ?? 0) - (starts[0] ?? 0)) / DAY_MS - 300)).toBeLessThan(8);
  });
});

describe('whatever comes', () => {
  const value = fc.oneof(
    fc.double({min: -1e3, max: 1e3, noNaN: true}),
    fc.constantFrom(0, 1, 1e308, -1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY),
  );
  const limit = fc.oneof(fc.constantFrom(null, 0, -5, 1e308, 5e-324, Number.NaN), fc.double({min: 0, max: 2e3, noNaN: true}));

  it('no crash, no NaN, dates in order, and a sentence', () => {
    fc.assert(
      fc.property(fc.array(value, {maxLength: 30}), limit, fc.constantFrom('hourly', 'daily', 'weekly'), (values, most, grain) => {
        const stepMs = {hourly: HOUR_MS, daily: DAY_MS, weekly: 7 * DAY_MS}[grain];
        const series: Series = {
          ...diskSeries(values, most),
          grain,
          starts: Float64Array.from(values, (_, i) => Date.UTC(2026, 0, 1) + i * stepMs),
        };
        const found = findExhaustion(series);
        expect(JSON.stringify(found)).not.toMatch(/NaN|Infinity|undefined/u);
        for (const each of [found.p50At, found.p90At, found.earliestAt, found.latestAt, found.slopePerDay])
          expect(each === null || Number.isFinite(each), JSON.stringify(found)).toBe(true);
        const {earliestAt, p90At, p50At, latestAt} = found;
        const order = [earliestAt, p90At, p50At, latestAt].filter((each) => each !== null);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect(found.says).not.toMatch(/NaN|Infinity|never|undefined/u);
        expect(found.says.length).toBeGreaterThan(10);
      }),
      {numRuns: 200},
    );
  });

  it('the unit does not matter', () => {
    const [disk] = disks(21, 1);
    const {series} = disk ?? {series: diskSeries([], null)};
    const inBytes: Series = {...series, values: series.values.map((each) => each * 2 ** 30), limit: (series.limit ?? 0) * 2 ** 30};
    const {slopePerDay, break: found, limit: most, says, ...dates} = findExhaustion(series);
    expect(findExhaustion(inBytes)).toMatchObject(dates);
    expect(findExhaustion(inBytes).slopePerDay).toBeCloseTo((slopePerDay ?? 0) * 2 ** 30, -2);
  });

  it('more room is never full sooner', () => {
    const all = disks(22, 1);
    fc.assert(
      fc.property(fc.integer({min: 0, max: all.length - 1}), fc.double({min: 1, max: 2, noNaN: true}), (which, factor) => {
        const {series} = all[which] ?? {series: diskSeries([], null)};
        expect(daysLeft({...series, limit: (series.limit ?? 0) * factor})).toBeGreaterThanOrEqual(daysLeft(series));
      }),
      {numRuns: 40},
    );
  });

  it('100,000 readings with a clean-up each night take less than a second', () => {
    const random = randomOf(9);
    const series = diskSeries(
      Array.from({length: 100_000}, (_, hour) => 300 + 100 * ((hour % 24) / 24) + random()),
      1000,
    );
    const began = process.cpuUsage();
    expect(findExhaustion(series).state).not.toBe('too-short');
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(1);
  });

  it('100,000 readings take less than a second', () => {
    const random = randomOf(5);
    const series = diskSeries(
      Array.from({length: 100_000}, (_, hour) => 100 + hour / 1000 + 5 * random()),
      1000,
    );
    const began = process.cpuUsage();
    expect(findExhaustion(series).state).toBe('not-within-horizon');
    expect(process.cpuUsage(began).user / 1e6).toBeLessThan(1);
  });
});
