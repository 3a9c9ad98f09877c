import {describe, expect, it} from 'vitest';
import {createWatch, watchSeries} from '../../../src/lib/capacity/anomaly/watch.ts';
import {clockSpans, instantOf} from '../../../src/lib/time-zone.ts';
import {randomOf} from '../exhaustion/disks.ts';
import {hourlySeries} from '../sample-series.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const FIVE = 300_000;
/** A Monday. */
const BEGIN = Date.UTC(2026, 0, 5);
const WEEKS = 8;
/** On a Wednesday and on a Saturday. */
const BURSTS = [BEGIN + 5 * WEEK + 2 * DAY + 11 * HOUR, BEGIN + 6 * WEEK + 5 * DAY + 11 * HOUR];

/** Noise of about 1 with a standard deviation of `size`. */
const noise = (random: () => number, size: number): number =>
  1 + size * Math.SQRT2 * (random() + random() + random() + random() + random() + random() - 3);

/** A day's wave that grows by 5 % a week. */
const growing = (at: number, random: () => number): number =>
  100 * 1.05 ** ((at - BEGIN) / WEEK) * (1 + 0.4 * Math.sin((2 * Math.PI * (at - BEGIN)) / DAY)) * noise(random, 0.03);

/** 20 at night and at weekends, up to 100 at noon of working days. */
function office(at: number, random: () => number): number {
  const hour = ((at - BEGIN) % DAY) / HOUR;
  const works = Math.floor((at - BEGIN) / DAY) % 7 < 5 && hour >= 7 && hour <= 19;
  return (20 + (works ? 80 * Math.sin((Math.PI * (hour - 7)) / 12) : 0)) * noise(random, 0.04);
}

function alertsOf(load: typeof office, step: number, {seed, burst}: {seed: number; burst?: number}) {
  const watch = createWatch();
  const random = randomOf(seed);
  for (let at = BEGIN; at < BEGIN + WEEKS * WEEK; at += step) {
    const isBurst = burst !== undefined && at >= burst && at < burst + 2 * HOUR;
    watch.next(at, load(at, random) * (isBurst ? 3 : 1));
  }
  return watch.found().alerts;
}

describe.each([
  ['five minutes', FIVE],
  ['a quarter of an hour', 3 * FIVE],
])('at a step of %s', (_name, step) => {
  it('a load that grows by 5 % a week with its days: no alert in eight weeks, but for a burst', () => {
    for (const seed of [1, 2, 3, 4]) {
      expect(alertsOf(growing, step, {seed}), `seed ${seed}`).toEqual([]);
      for (const burst of BURSTS) {
        const alerts = alertsOf(growing, step, {seed, burst});
        expect(alerts).toHaveLength(1);
        expect(alerts[0]?.at).toBeGreaterThanOrEqual(burst);
        expect(alerts[0]?.at).toBeLessThan(burst + 2 * HOUR);
        // As it was read, not less its growth.
        expect(alerts[0]?.seen).toBeGreaterThan(200);
      }
    }
  });

  it('an office with weekends: no alert after the second one, but for a burst, also one at a weekend that would be small on a working day', () => {
    for (const seed of [1, 2, 3, 4]) {
      const later = (burst?: number) =>
        alertsOf(office, step, {seed, ...(burst === undefined ? {} : {burst})}).filter(({at}) => at >= BEGIN + 2 * WEEK);
      expect(later(), `seed ${seed}`).toEqual([]);
      for (const burst of BURSTS) {
        const alerts = later(burst);
        expect(alerts).toHaveLength(1);
        expect(Math.abs((alerts[0]?.at ?? 0) - burst)).toBeLessThan(3 * HOUR);
      }
    }
  });
});

it('growth is not taken for a jump: a level that stays is one alert still', () => {
  const jumped = alertsOf((at, random) => growing(at, random) * (at >= BEGIN + 4 * WEEK ? 2 : 1), FIVE, {seed: 1});
  expect(jumped[0]?.at).toBeGreaterThanOrEqual(BEGIN + 4 * WEEK);
  expect(jumped[0]?.at).toBeLessThan(BEGIN + 4 * WEEK + DAY);
});

it('a day is that of the zone of the series: the change to summer time is no anomaly', () => {
  const random = randomOf(5);
  const spans = clockSpans('Europe/Berlin', BEGIN, BEGIN + 20 * WEEK);
  const starts = Float64Array.from({length: (14 * WEEK) / FIVE}, (_, i) => BEGIN + i * FIVE);
  const values = starts.map((at) => {
    const offset = spans.findLast(({from}) => from <= at)?.offsetMs ?? 0;
    const hour = ((((at + offset) % DAY) + DAY) % DAY) / HOUR;
    return (hour >= 8 && hour < 18 ? 80 : 20) + random();
  });
  const alerts = (timeZone: string) =>
    watchSeries(hourlySeries({starts, values, timeZone})).alerts.filter(({at}) => at > instantOf(Date.UTC(2026, 2, 29), spans));
  expect(alerts('UTC').length).toBeGreaterThan(0);
  expect(alerts('Europe/Berlin')).toEqual([]);
});

it('a source that is read every five seconds during an incident has one alert for it', () => {
  const watch = createWatch();
  const random = randomOf(6);
  let at = BEGIN;
  const read = (count: number, step: number, value: () => number): void => {
    for (let i = 0; i < count; i++, at += step) watch.next(at, value());
  };
  const usual = (): number => 100 + random();
  read(1000, FIVE, usual);
  read(1, 5000, () => 900);
  // Twenty minutes later.
  read(240, 5000, usual);
  read(1, 5000, () => 5000);
  read(300, FIVE, usual);
  expect(watch.found().alerts).toMatchObject([{seen: 900}]);
});
