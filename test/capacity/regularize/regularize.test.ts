import {describe, expect, it} from 'vitest';
import {edgeRemark} from '../../../src/lib/capacity/regularize/remarks.ts';
import {DAY, HOUR, MINUTE, readingsFrom, saidOf, seriesOf} from './samples.ts';

const list = (values: Float64Array): number[] => [...values];

describe('what is regular stays as it is', () => {
  it('one reading an hour', () => {
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 5, HOUR, (index) => 10 + index));
    expect(list(series.values)).toEqual([10, 11, 12, 13, 14]);
    expect(list(series.starts)).toEqual([0, 1, 2, 3, 4].map((hour) => Date.parse('2026-03-02T00:00:00Z') + hour * HOUR));
    expect(series.remarks).toEqual([]);
  });

  it('twelve readings an hour are its mean', () => {
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 24, 5 * MINUTE, (index) => index));
    expect(list(series.values)).toEqual([expect.closeTo(5.5), expect.closeTo(17.5)]);
    expect(series.remarks).toEqual([]);
  });

  it('days, and weeks that begin on Monday', () => {
    const days = readingsFrom('2026-02-26T00:00:00Z', 20, DAY, (index) => index);
    expect(list(seriesOf(days, {grain: 'daily'}).values)).toEqual(days.map(({value}) => value));
    const weeks = seriesOf(days, {grain: 'weekly'});
    expect(list(weeks.starts).map((at) => new Date(at).toISOString())).toEqual(['2026-03-02T00:00:00.000Z', '2026-03-09T00:00:00.000Z']);
    expect(list(weeks.values)).toEqual([7, 14].map((value) => expect.closeTo(value)));
    expect(saidOf(weeks)).toEqual(['short: 2 steps at the ends are covered in part only and are left out']);
  });

  it('orders are summed', () => {
    const series = seriesOf(
      readingsFrom('2026-03-02T00:00:00Z', 72, HOUR, () => 2),
      {grain: 'daily', purpose: 'orders'},
    );
    expect(list(series.values)).toEqual([48, 48, 48]);
  });
});

describe('what is not regular is told', () => {
  it('a missing hour is a gap, and is not filled', () => {
    const readings = readingsFrom('2026-03-02T00:00:00Z', 10, HOUR, (index) => index).filter(
      (_, index) => index !== 4 && index !== 5 && index !== 8,
    );
    const series = seriesOf(readings);
    expect(list(series.values)).toEqual([0, 1, 2, 3, Number.NaN, Number.NaN, 6, 7, Number.NaN, 9]);
    expect(saidOf(series)).toEqual(['gap: 3 of 10 hours are not known; the longest gap, 2 hours, from 2026-03-02 04:00']);
    expect(series.remarks[0]).toMatchObject({count: 3, from: Date.parse('2026-03-02T04:00:00Z'), to: Date.parse('2026-03-02T08:00:00Z')});
  });

  it('an hour with few of its readings: known from half on, and told', () => {
    const all = readingsFrom('2026-03-02T00:00:00Z', 48, 5 * MINUTE, () => 3);
    const series = seriesOf(all.filter((_, index) => !(index >= 14 && index < 18) && !(index >= 26 && index < 33)));
    expect(list(series.values)).toEqual([3, 3, Number.NaN, 3]);
    expect(saidOf(series)).toEqual([
      'gap: 1 of 4 hours is not known: 2026-03-02 02:00',
      'gap: 1 hour rests on readings of only a part of its time',
    ]);
  });

  it('a sum that lacks a part of its readings is not known', () => {
    const all = readingsFrom('2026-03-02T00:00:00Z', 96, HOUR, () => 1);
    const series = seriesOf(
      all.filter((_, index) => index < 30 || index > 33),
      {grain: 'daily', purpose: 'orders'},
    );
    expect(list(series.values)).toEqual([24, Number.NaN, 24, 24]);
  });

  it('the last of several readings of one time counts', () => {
    const readings = readingsFrom('2026-03-02T00:00:00Z', 3, HOUR, () => 1);
    const series = seriesOf([...readings, {at: readings[1]!.at, value: 5}, {at: readings[1]!.at, value: 7}]);
    expect(list(series.values)).toEqual([1, 7, 1]);
    expect(saidOf(series)).toEqual([
      'out-of-order: 2 readings came after later ones and were put in their places',
      'duplicate: 2 times are there more than once: the last reading of each is kept',
    ]);
  });

  it('what is no number is left out', () => {
    const readings = readingsFrom(
      '2026-03-02T00:00:00Z',
      5,
      HOUR,
      (index) => [1, Number.NaN, Number.POSITIVE_INFINITY, 4, 1e200][index] ?? 0,
    );
    const series = seriesOf([...readings, {at: Number.NaN, value: 1}, {at: 8.64e15, value: 1}]);
    expect(list(series.values)).toEqual([1, Number.NaN, Number.NaN, 4]);
    expect(saidOf(series)[0]).toBe('not-a-number: 5 readings are no numbers and are left out');
  });

  it('an uneven pace counts each reading for its time', () => {
    const begin = Date.parse('2026-03-02T00:00:00Z');
    const minutes = [0, 10, 12, 30, 31, 45, 60, 75, 80, 100, 110];
    const series = seriesOf(minutes.map((minute) => ({at: begin + minute * MINUTE, value: minute < 30 ? 0 : 60})));
    expect(series.values[0]).toBeCloseTo(30);
    expect(saidOf(series)[0]).toBe(
      'irregular: 11 readings at an uneven pace, most of them 5 min to 15 min apart: each counts for the time until the next',
    );
  });

  it('readings that are too seldom say nothing of the steps between', () => {
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 4, DAY));
    expect(list(series.values).filter((value) => !Number.isNaN(value))).toEqual([1, 1, 1, 1]);
    expect(saidOf(series)[0]).toBe('irregular: readings are 1 d apart, too seldom for hourly steps: those between are not known');
  });

  it('the first and the last step are left out when they are not whole', () => {
    const series = seriesOf(readingsFrom('2026-03-02T00:20:00Z', 36, 5 * MINUTE, () => 1));
    expect(series.starts).toHaveLength(2);
    expect(saidOf(series)).toEqual(['short: 2 steps at the ends are covered in part only and are left out']);
  });

  it('that nothing was read of late', () => {
    const until = Date.parse('2026-03-04T09:30:00Z');
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 24, HOUR), {until});
    expect(series.starts).toHaveLength(24);
    expect(saidOf(series)).toEqual(['gap: nothing is known of the last 33 hours, since 2026-03-03 00:00']);
  });

  it('readings that come every few days are not far from one another because of that', () => {
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 20, 5 * DAY));
    expect(list(series.values).filter((value) => value === 1)).toHaveLength(20);
    expect(series.remarks.map(({kind}) => kind)).toEqual(['irregular', 'gap']);
  });

  it('single orders are summed where there are some; an hour without any is not known', () => {
    const minutes = [1, 3, 4, 20, 50, 62, 63, 90, 200, 201, 230, 235, 239];
    const series = seriesOf(
      minutes.map((minute) => ({at: Date.parse('2026-03-02T00:00:00Z') + minute * MINUTE, value: 2})),
      {purpose: 'orders'},
    );
    expect(list(series.values)).toEqual([10, 6, Number.NaN, 10]);
    expect(series.remarks.map(({kind}) => kind)).toEqual(['irregular', 'gap']);
  });

  it('the step that is under way is left out', () => {
    const until = Date.parse('2026-03-04T09:00:00Z');
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 3, DAY), {grain: 'daily', until});
    expect(series.starts).toHaveLength(2);
    expect(series.remarks).toEqual([]);
  });
});

describe('clocks that were wrong', () => {
  const weeks = readingsFrom('2026-03-02T00:00:00Z', 840, HOUR, () => 4);

  it.each([
    ['1970', 0],
    ['the year 2099', Date.parse('2099-01-01T00:00:00Z')],
    ['two months ahead', weeks.at(-1)!.at + 60 * DAY],
  ])('a reading of %s is left out', (_, at) => {
    const series = seriesOf([...weeks.slice(0, 400), {at, value: 99}, ...weeks.slice(400)]);
    expect(list(series.values)).toEqual(weeks.map(() => 4));
    expect(saidOf(series)).toContain('clock-jump: 1 reading is far from all others: a clock was wrong; it is left out');
  });

  it('a reading of the future is left out', () => {
    const until = weeks.at(-1)!.at + HOUR;
    const series = seriesOf([...weeks, {at: until + 3 * HOUR, value: 99}], {until});
    expect(series.starts).toHaveLength(840);
    expect(saidOf(series)).toEqual(['clock-jump: 1 reading is of the future: a clock was wrong; it is left out']);
  });

  it('a silence that is longer than the rest ends the history, and is no clock that was wrong', () => {
    const earlier = readingsFrom('2025-03-02T00:00:00Z', 300, HOUR, () => 1);
    const series = seriesOf([...earlier, ...weeks]);
    expect(series.starts).toHaveLength(840);
    expect(saidOf(series)).toEqual(['gap: 300 readings lie beyond a silence that is longer than the rest: they are left out']);
  });

  /* Thirty days of history, a pause of sixty, and the twenty days up to now: what is of now is what a forecast is made of. */
  it('what is of now is kept, also where an earlier time has more readings', () => {
    const until = weeks.at(-1)!.at + HOUR;
    const earlier = readingsFrom('2025-10-02T00:00:00Z', 900, HOUR, () => 1);
    const series = seriesOf([...earlier, ...weeks.slice(-480)], {until});
    expect(list(series.values)).toEqual(Array.from({length: 480}, () => 4));
    expect(saidOf(series)).toEqual(['gap: 900 readings lie beyond a silence that is longer than the rest: they are left out']);
    // A silence that is shorter than the history before it is a gap in it.
    const near = seriesOf([...readingsFrom('2025-12-02T00:00:00Z', 1500, HOUR, () => 1), ...weeks.slice(-480)], {until});
    expect(near.starts.length).toBeGreaterThan(1500 + 480);
    // A few readings at the end are a clock that slipped, and the history is of the others.
    const slipped = seriesOf([...earlier, ...weeks.slice(-5)], {until});
    expect(slipped.starts).toHaveLength(900);
  });

  it('two readings of two centuries make no series of a million hours', () => {
    expect(
      seriesOf([
        {at: 0, value: 1},
        {at: Date.parse('2199-01-01T00:00:00Z'), value: 2},
      ]).starts.length,
    ).toBeLessThan(3);
  });
});

describe('counters', () => {
  it('become rates per second', () => {
    const series = seriesOf(
      readingsFrom('2026-03-02T00:00:00Z', 37, 5 * MINUTE, (index) => index * 600),
      {counter: true},
    );
    expect(list(series.values)).toEqual([2, 2, 2]);
  });

  it('what was counted around a reset is not known, and is not made up', () => {
    const values = (index: number): number => (index < 20 ? 1_000_000 + index * 600 : (index - 20) * 600);
    const series = seriesOf(readingsFrom('2026-03-02T00:00:00Z', 37, 5 * MINUTE, values), {counter: true});
    expect(list(series.values)).toEqual([2, 2, 2]);
    expect(saidOf(series)).toEqual(['reset: the counter was reset once: what was counted around it is not known']);
  });

  it('what was counted in a gap is not spread over it', () => {
    const readings = readingsFrom('2026-03-02T00:00:00Z', 61, 5 * MINUTE, (index) => index * 600);
    const series = seriesOf(
      readings.filter((_, index) => index <= 12 || index >= 36),
      {counter: true},
    );
    expect(list(series.values)).toEqual([2, Number.NaN, Number.NaN, 2, 2]);
  });

  it('orders that a counter counts are what it grew by', () => {
    const series = seriesOf(
      readingsFrom('2026-03-02T00:00:00Z', 49, HOUR, (index) => index * 10),
      {counter: true, purpose: 'orders', grain: 'daily'},
    );
    expect(list(series.values)).toEqual([expect.closeTo(240), expect.closeTo(240)]);
  });
});

describe('little is no reason to fail', () => {
  it('nothing at all', () => {
    const series = seriesOf([]);
    expect(series.values).toHaveLength(0);
    expect(saidOf(series)).toEqual(['short: there is no usable reading']);
  });

  it('one reading, and two', () => {
    expect(list(seriesOf(readingsFrom('2026-03-02T00:00:00Z', 1, HOUR)).values)).toEqual([1]);
    expect(list(seriesOf(readingsFrom('2026-03-02T00:00:00Z', 2, HOUR, (index) => index)).values)).toEqual([0, 1]);
    expect(saidOf(seriesOf(readingsFrom('2026-03-02T00:20:00Z', 2, MINUTE)))).toEqual(['short: 2 readings cover no whole step']);
    expect(saidOf(seriesOf(readingsFrom('2026-03-02T00:20:00Z', 1, MINUTE)))).toEqual([
      'gap: 1 hour rests on readings of only a part of its time',
    ]);
    const [remark] = edgeRemark('no-step', readingsFrom('2026-03-02T00:20:00Z', 1, MINUTE));
    expect(remark?.says).toBe('1 reading covers no whole step');
  });

  it('100,000 readings within 300 ms', () => {
    const readings = readingsFrom('2025-01-01T00:00:00Z', 100_000, 5 * MINUTE + 1, (index) => Math.sin(index)).toReversed();
    const took = [1, 2, 3].map(() => {
      const began = process.cpuUsage();
      expect(seriesOf(readings, {timeZone: 'Europe/Berlin'}).values.length).toBeGreaterThan(8300);
      const {user, system} = process.cpuUsage(began);
      return (user + system) / 1000;
    });
    // Other tests run beside this one: the best of three.
    expect(Math.min(...took)).toBeLessThan(300);
  });
});
