import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {ALERT_SCORE} from '../../../src/lib/capacity/anomaly/detector.ts';
import {randomOf} from '../exhaustion/disks.ts';
import {busyDays, DAY, scoresOf, timeOf, watched} from './streams.ts';

const anything = fc.array(
  fc.oneof(
    fc.double({min: -1e3, max: 1e3}),
    fc.constantFrom(0, -0, 1, 1e308, -1e308, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  ),
  {maxLength: 400},
);

describe('scores', () => {
  it('are between 0 and 1 for whatever comes', () => {
    fc.assert(
      fc.property(anything, (values) => {
        for (const score of scoresOf(values)) expect(score >= 0 && score <= 1, String(score)).toBe(true);
      }),
    );
  });

  it('come from the past only: the beginning of a series has the beginning of its scores', () => {
    fc.assert(
      fc.property(anything, anything, (values, more) => {
        expect(scoresOf([...values, ...more]).slice(0, values.length)).toEqual(scoresOf(values));
      }),
    );
  });

  it('do not depend on the unit', () => {
    const values = busyDays(4);
    values[1000] = 900;
    const scores = scoresOf(values);
    for (const factor of [2 ** -40, 1024, -1]) expect(scoresOf(values.map((each) => each * factor)), String(factor)).toEqual(scores);
  });

  it('are not touched by values that are not known', () => {
    fc.assert(
      fc.property(anything, fc.nat(), (values, place) => {
        const at = values.length === 0 ? 0 : place % values.length;
        const detectorSees = (list: readonly number[]) => watched(list.filter((each) => Number.isFinite(each))).readings;
        const holes = values.toSpliced(at, 0, Number.NaN);
        expect(scoresOf(holes)[at]).toBe(0);
        expect(detectorSees(holes)).toBe(detectorSees(values));
      }),
    );
    // One time of the day for all, so that a hole does not move the others.
    const values = [...Array.from({length: 200}, (_, i) => i % 7), 50];
    const withHole = values.toSpliced(100, 0, Number.NaN, Number.POSITIVE_INFINITY);
    expect(watchedScores(withHole).filter((_, i) => i !== 100 && i !== 101)).toEqual(watchedScores(values));
  });
});

function watchedScores(values: readonly number[]): number[] {
  return scoresOf(values).map((score) => Number(score.toFixed(12)));
}

describe('nothing stands out in', () => {
  it.each<[string, (row: number) => number]>([
    ['a constant', () => 0.1],
    ['zeros', () => 0],
    ['a square wave', (row) => (row % DAY < 100 ? 10 : 80)],
    ['a daily wave', (row) => Math.sin((2 * Math.PI * row) / DAY)],
    ['huge values that change their sign', (row) => (row % 2 === 0 ? 1e308 : -1e308)],
  ])('%s', (_name, of) => {
    expect(watched(Array.from({length: 6 * DAY}, (_, row) => of(row))).alerts).toEqual([]);
  });

  it('two points', () => {
    expect(scoresOf([1, 1e9])).toEqual([0, 0]);
    expect(scoresOf([])).toEqual([]);
  });

  it('noise, but for one alert in 2,000 readings at the most', () => {
    const random = randomOf(7);
    const values = Array.from({length: 40_000}, () => random() + random() + random());
    expect(watched(values).alerts.length).toBeLessThanOrEqual(20);
  });
});

describe('what stands out', () => {
  it('a spike: one alert with what was seen and what was expected', () => {
    const values = busyDays(5);
    values[1100] = 700;
    const {alerts} = watched(values);
    expect(alerts).toHaveLength(1);
    expect(alerts[0]).toMatchObject({at: timeOf(1100), statistic: 'level', seen: 700});
    expect(alerts[0]?.expected).toBeGreaterThan(60);
    expect(alerts[0]?.expected).toBeLessThan(140);
    expect(alerts[0]?.score).toBeGreaterThan(ALERT_SCORE);
  });

  it('a spike in a constant', () => {
    const values = new Float64Array(500).fill(5);
    values[300] = 6;
    expect(watched(values).alerts).toMatchObject([{at: timeOf(300), until: timeOf(300), seen: 6, expected: 5}]);
  });

  it('a level that stays: one alert, however long it stays', () => {
    const values = busyDays(8).map((value, row) => (row >= 5 * DAY ? value + 150 : value));
    const {alerts} = watched(values);
    expect(alerts).toHaveLength(1);
    expect((alerts[0]?.at ?? 0) - timeOf(5 * DAY)).toBeLessThan(6 * 3_600_000);
  });

  it('a day without its night: nothing is far off, but the time of the day is wrong', () => {
    const random = randomOf(3);
    const values = Array.from({length: 14 * DAY}, (_, row) => (row % DAY < 144 ? 20 : 80) + random());
    for (let row = 10 * DAY; row < 10 * DAY + 144; row++) values[row] = 80 + random();
    const {alerts} = watched(values);
    expect(alerts).toHaveLength(1);
    expect(alerts[0]?.statistic).toBe('time-of-day');
    expect((alerts[0]?.at ?? 0) - timeOf(10 * DAY)).toBeLessThan(4 * 3_600_000);
  });

  it('two spikes more than half a day apart are two alerts, closer ones are one', () => {
    const apart = (rows: number) => {
      const values = busyDays(6);
      values[1000] = 700;
      values[1000 + rows] = 710;
      return watched(values).alerts.length;
    };
    expect([apart(10), apart(140), apart(200)]).toEqual([1, 1, 2]);
  });
});

it('100,000 readings: quick, and without a trace in memory', () => {
  const values = busyDays(350);
  const began = process.cpuUsage();
  const scores = scoresOf(values);
  const {user} = process.cpuUsage(began);
  expect(scores).toHaveLength(100_800);
  // 80,000 rows in a second are asked for, with reading and writing; this machine does ten times as many.
  expect(user / 1e6).toBeLessThan(1.2);
});
