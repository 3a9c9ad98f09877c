import {describe, expect, it} from 'vitest';
import {findExhaustion} from '../../../src/lib/capacity/exhaustion/exhaustion.ts';
import type {Purpose, Series} from '../../../src/lib/capacity/series.ts';
import {diskSeries, randomOf} from './disks.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const HOURS = 840;

type Load = {readonly purpose?: Purpose; readonly weekend?: number; readonly growth?: number; readonly limit?: number};

/** Five weeks of a load in percent by the hour: day and night, noise of one percent; `level` by the hours that are left until the end. */
function load(levelAt: (ago: number) => number, {purpose = 'cpu', weekend = 1, limit = 100}: Load = {}): Series {
  const random = randomOf(5);
  const values = Array.from({length: HOURS}, (_, hour) => {
    const day = 1 + 0.2 * Math.sin((2 * Math.PI * (hour - 8)) / 24);
    return levelAt(HOURS - hour) * day * (Math.floor(hour / 24) % 7 >= 5 ? weekend : 1) * (0.99 + 0.02 * random());
  });
  return {...diskSeries(values, limit), purpose};
}

const daysTo = (at: number | null, {starts}: Series) =>
  at === null ? Number.POSITIVE_INFINITY : (at - (starts.at(-1) ?? 0) - HOUR_MS) / DAY_MS;

describe.each<Load>([{purpose: 'cpu'}, {purpose: 'throughput', weekend: 0.75}, {purpose: 'connections'}])('a load ($purpose)', (kind) => {
  it.each([3, 8, 20, 30, 72, 120, 167, 185, 240, 336])('that fell from 70 to 38 %i hours ago and is flat is not called full', (ago) => {
    const series = load((left) => (left > ago ? 70 : 38), kind);
    const found = findExhaustion(series);
    expect(daysTo(found.p90At, series), found.says).toBeGreaterThan(60);
    expect(daysTo(found.earliestAt, series), found.says).toBeGreaterThan(60);
  });

  it.each([3, 8, 20, 30, 72, 120, 167, 185, 240, 336])('that rose from 30 to 60 %i hours ago and is flat is not called full', (ago) => {
    const series = load((left) => (left > ago ? 30 : 60), kind);
    const found = findExhaustion(series);
    expect(daysTo(found.p90At, series), found.says).toBeGreaterThan(60);
  });

  it.each([30, 72, 185, 336])(
    'that grows, and of which a third was moved away %i hours ago, is full when what is left has grown to the limit',
    (ago) => {
      const series = load((left) => (60 - left / 60) * (left > ago ? 1.5 : 1), kind);
      const found = findExhaustion(series);
      // 0.4 a day from 60 on: its peaks, a fifth above, are at 100 when the level is at 83.
      expect(daysTo(found.p50At, series), found.says).toBeGreaterThan(58 * 0.7);
      expect(daysTo(found.p50At, series), found.says).toBeLessThan(58 * 1.3);
    },
  );
});

it('the level before and the one after are told as a break, on its hour', () => {
  const series = load((left) => (left > 30 ? 70 : 38));
  const {break: found} = findExhaustion(series);
  expect(found).toMatchObject({kind: 'level', at: series.starts[HOURS - 30], slopeChangePerDay: 0});
  expect(found?.jump).toBeCloseTo(-32, -1);
});

it('a load that fell this morning may be down: it is expected back, and full when it would have been', () => {
  const grown = (left: number): number => 80 - left / 60;
  const series = load((left) => (left > 12 ? grown(left) : 20));
  const found = findExhaustion(series);
  const without = findExhaustion(load(grown));
  expect(found.break, found.says).toBeNull();
  expect(Math.abs(daysTo(found.p50At, series) - daysTo(without.p50At, series)), found.says).toBeLessThan(1.5);
});

it('what takes a day is growth, what comes each weekend no jump, and what is over none either', () => {
  for (const series of [
    load((left) => 40 + Math.min(25, Math.max(0, 100 - left))),
    load(() => 50, {weekend: 0.3}),
    load((left) => (left > 60 && left < 100 ? 90 : 50)),
  ]) {
    const found = findExhaustion(series).break;
    expect(found === null || found.at % DAY_MS === (series.starts[0] as number) % DAY_MS, JSON.stringify(found)).toBe(true);
  }
});

describe.each<Load>([{purpose: 'throughput'}, {purpose: 'connections'}, {purpose: 'disk'}])('a level ($purpose)', (kind) => {
  it.each([83, 88, 105, 110, 130, 135, 150])('that jumped %i hours ago and has risen fast ever since is full when that goes on', (ago) => {
    const series = load((left) => (left > ago ? 500 : 700 + (25 * (ago - left)) / 24), {...kind, limit: 1500});
    const found = findExhaustion(series);
    // Its peaks, a fifth above, are at 1500 when the level is at 1250.
    const days = (1250 - 700) / 25 - ago / 24;
    expect(daysTo(found.p50At, series), found.says).toBeGreaterThan(days * 0.75);
    expect(daysTo(found.p50At, series), found.says).toBeLessThan(days * 1.3);
    expect(found.break, found.says).toMatchObject({kind: 'level-and-slope', at: series.starts[HOURS - ago]});
  });
});
