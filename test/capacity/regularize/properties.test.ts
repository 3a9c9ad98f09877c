import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {PURPOSES, type Reading} from '../../../src/lib/capacity/series.ts';
import {DAY, HOUR, MINUTE, readingsFrom, saidOf, seriesOf} from './samples.ts';

const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'America/St_Johns'];
const GRAINS = ['hourly', 'daily', 'weekly'] as const;
const options = fc.record({
  timeZone: fc.constantFrom(...ZONES),
  grain: fc.constantFrom(...GRAINS),
  purpose: fc.constantFrom(...PURPOSES),
  counter: fc.boolean(),
});
const strange = fc.oneof(
  {arbitrary: fc.double({min: -1e6, max: 1e6, noNaN: true}), weight: 8},
  {arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e308, -1e308, 0, -0), weight: 1},
);
const time = fc.oneof(
  {arbitrary: fc.integer({min: Date.parse('2026-03-01'), max: Date.parse('2026-04-10')}), weight: 20},
  {arbitrary: fc.double({min: Date.parse('1970-01-01'), max: Date.parse('2100-01-01'), noNaN: true}), weight: 1},
  {arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -8.64e15, 8.64e15, 0), weight: 1},
);
const anything = fc.array(fc.record({at: time, value: strange}), {maxLength: 400});
/** Each time once, in order. Values in hundredths: the least numbers that there are lose their last digit. */
const orderly = fc
  .uniqueArray(
    fc.record({
      at: fc.integer({min: Date.parse('2026-03-01'), max: Date.parse('2026-04-10')}),
      value: fc.integer({min: 0, max: 1e8}).map((hundredths) => hundredths / 100),
    }),
    {selector: ({at}) => at, maxLength: 300},
  )
  .map((readings) => readings.toSorted((a, b) => a.at - b.at));

describe('whatever the readings are', () => {
  it('starts rise, values are numbers but for steps that a remark tells of, and remarks say something', () => {
    fc.assert(
      fc.property(anything, options, (readings, how) => {
        const {starts, values, remarks} = seriesOf(readings, how);
        expect(values.length).toBe(starts.length);
        expect(starts.every((start, index) => index === 0 || start > (starts[index - 1] as number))).toBe(true);
        expect(values.every((value) => Number.isNaN(value) || Number.isFinite(value))).toBe(true);
        const unknown = values.filter(Number.isNaN).length;
        const told = remarks.filter(({kind}) => kind === 'gap' || kind === 'dst').reduce((sum, {count}) => sum + count, 0);
        expect(how.grain !== 'hourly' || told >= unknown).toBe(true);
        expect(remarks.every(({says, count, from, to}) => says !== '' && (count > 0 || readings.length === 0) && from <= to)).toBe(true);
        expect(JSON.stringify(remarks)).not.toMatch(/NaN|Infinity|null/);
      }),
      {numRuns: 150},
    );
  });

  it('their order does not matter, but for the remark', () => {
    fc.assert(
      fc.property(orderly, options, fc.infiniteStream(fc.nat()), (readings, how, random) => {
        const shuffled = readings.map((reading) => [random.next().value ?? 0, reading] as const).toSorted(([a], [b]) => a - b);
        const [straight, mixed] = [
          seriesOf(readings, how),
          seriesOf(
            shuffled.map(([, reading]) => reading),
            how,
          ),
        ];
        expect([...mixed.values]).toEqual([...straight.values]);
        expect([...mixed.starts]).toEqual([...straight.starts]);
        expect(saidOf(mixed).filter((said) => !said.startsWith('out-of-order'))).toEqual(saidOf(straight));
      }),
      {numRuns: 100},
    );
  });

  it('a mean lies between the least and the greatest reading', () => {
    fc.assert(
      fc.property(orderly, fc.constantFrom(...ZONES), fc.constantFrom(...GRAINS), (readings, timeZone, grain) => {
        const all = readings.map(({value}) => value);
        const known = seriesOf(readings, {timeZone, grain}).values.filter((value) => !Number.isNaN(value));
        const slack = 1e-9 * Math.max(0, ...all);
        expect(known.every((value) => value >= Math.min(...all) - slack && value <= Math.max(...all) + slack)).toBe(true);
      }),
      {numRuns: 100},
    );
  });
});

describe('what is whole is kept whole', () => {
  const whole = fc.record({
    timeZone: fc.constantFrom(...ZONES),
    days: fc.integer({min: 1, max: 40}),
    minutes: fc.constantFrom(5, 15, 30, 60),
    seed: fc.integer({min: 1, max: 1000}),
  });
  const from = Date.parse('2026-03-20T00:00:00Z');
  const valueAt = (seed: number) => (index: number) => (index * seed) % 97;
  const all = (series: {readonly values: Float64Array}): number =>
    series.values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0);
  /** Of the readings in the time that the steps cover. */
  const inside = (readings: readonly Reading[], {starts}: {readonly starts: Float64Array}, end: number): number =>
    readings.filter(({at}) => at >= (starts[0] ?? 0) && at < end).reduce((sum, {value}) => sum + value, 0);

  it('the sum of orders', () => {
    fc.assert(
      fc.property(whole, ({timeZone, days, minutes, seed}) => {
        const readings = readingsFrom(from, (days * DAY) / (minutes * MINUTE), minutes * MINUTE, valueAt(seed));
        const series = seriesOf(readings, {timeZone, purpose: 'orders'});
        // Zones of half hours leave half an hour out at either end.
        const end = Math.min(from + days * DAY, (series.starts.at(-1) ?? 0) + HOUR);
        expect(all(series)).toBeCloseTo(inside(readings, series, end), 6);
        expect(series.starts.length).toBeGreaterThanOrEqual(days * 24 - 1);
      }),
      {numRuns: 60},
    );
  });

  it('the sum of single events, wherever they fall', () => {
    fc.assert(
      fc.property(orderly, fc.constantFrom(...GRAINS), (readings, grain) => {
        const series = seriesOf(readings, {grain, purpose: 'orders'});
        fc.pre(series.remarks.some(({kind, says}) => kind === 'irregular' && says.includes('uneven')));
        fc.pre(!series.remarks.some(({says}) => says.includes('beyond a silence') || says.includes('far from')));
        const end = (series.starts.at(-1) ?? 0) + {hourly: HOUR, daily: DAY, weekly: 7 * DAY}[grain];
        const sum = inside(readings, series, end);
        expect(all(series)).toBeCloseTo(series.starts.length === 0 ? 0 : sum, 3);
      }),
      {numRuns: 100},
    );
  });

  it('a constant, to the last digit', () => {
    fc.assert(
      fc.property(fc.double({min: -1e9, max: 1e9, noNaN: true}), fc.constantFrom(...GRAINS), orderly, (value, grain, readings) => {
        const {values} = seriesOf(
          readings.map(({at}) => ({at, value})),
          {grain},
        );
        expect(values.every((each) => Number.isNaN(each) || each === value)).toBe(true);
      }),
      {numRuns: 100},
    );
  });

  it('twice the readings are twice the series', () => {
    fc.assert(
      fc.property(orderly, options, (readings, how) => {
        const doubled = seriesOf(
          readings.map(({at, value}) => ({at, value: 2 * value})),
          how,
        );
        expect([...doubled.values]).toEqual([...seriesOf(readings, how).values].map((value) => 2 * value));
      }),
      {numRuns: 60},
    );
  });
});
