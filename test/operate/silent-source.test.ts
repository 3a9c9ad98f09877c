import {describe, expect, it} from 'vitest';
import {outcomeOf} from '../../src/kit/contracts/runner.ts';
import {findAnomaliesInFleet} from '../../src/lib/operate/anomalies-in-fleet.ts';
import {forecastFleet} from '../../src/lib/operate/forecast-fleet.ts';
import {NOW, openMetrics, readingsIn, seriesSpec, sourceOf} from './open-metrics.ts';

const HOUR = 3_600_000;
const {signal} = new AbortController();

/** A fleet whose source has had no values for so many hours. */
function silentFor(hours: number) {
  const calm = (at: number): number => 50 + 20 * Math.sin(((at / HOUR) % 24) * (Math.PI / 12));
  const source = sourceOf((_, range) => ({
    sets: [{labels: {}, readings: readingsIn({...range, to: NOW - hours * HOUR - 1}, calm)}],
    remarks: [],
  }));
  return openMetrics({series: [seriesSpec({regions: [], limit: 100})], sources: {prom: source}}).open;
}

describe('a source that fell silent', () => {
  it.each([0, 1, 72, 167])('%i hours ago is forecast from now on, not from then', async (hours) => {
    const {document, exit} = await forecastFleet(silentFor(hours), {horizon: 24, signal});
    expect(exit).toBe(0);
    expect(document.series[0]?.forecast.map(({at}) => Date.parse(at ?? ''))).toEqual(Array.from({length: 24}, (_, i) => NOW + i * HOUR));
  });

  it('long ago is unknown, not below its limit', async () => {
    const {document, exit} = await forecastFleet(silentFor(240), {signal});
    expect([exit, document.series, document.missing]).toEqual([
      3,
      [],
      [{name: 'requests', region: null, code: 'stale', reason: 'its history ends at 2026-03-20 00:00Z'}],
    ]);
  });

  it('is forecast by days from today on', async () => {
    const {document} = await forecastFleet(silentFor(72), {over: '30d', signal});
    expect(document.series[0]).toMatchObject({of: 'daily-peaks', horizon: 30});
    expect(document.series[0]?.forecast[0]?.at).toBe('2026-03-30T00:00:00.000Z');
  });

  it('has no good news in a time of which nothing is known', async () => {
    const ask = async (hours: number, lastMs: number | null) => (await findAnomaliesInFleet(silentFor(hours), {lastMs, signal})).exit;
    expect(await ask(30, 24 * HOUR)).toBe(3);
    expect(await ask(20, 24 * HOUR)).toBe(0);
    expect(await ask(1, HOUR / 2)).toBe(0);
    expect([await ask(72, null), await ask(240, null)]).toEqual([0, 3]);
  });
});

describe('a source that has just begun', () => {
  it('is unknown where days are forecast and it has had none, also beside one that is well', async () => {
    const known = (count: number) =>
      sourceOf((_, range) => ({
        sets: [{labels: {}, readings: readingsIn({...range, from: Math.max(range.from, NOW - count * HOUR)})}],
        remarks: [],
      }));
    const series = ['young', 'old'].map((name) => seriesSpec({name, source: name, regions: [], limit: 100}));
    const {open} = openMetrics({series, sources: {young: known(14), old: known(600)}});
    const {document, exit, made} = await forecastFleet(open, {over: '30d', signal});
    expect([exit, document.series.map(({name}) => name), made.length]).toEqual([3, ['old'], 1]);
    expect(document.missing).toMatchObject([{name: 'young', code: 'too-short', reason: expect.stringContaining('no whole day')}]);
  });
});

it('a filter that no series is of is a mistake, not good news', async () => {
  const ask = {regions: ['us'], lastMs: null, signal};
  expect(await outcomeOf(() => findAnomaliesInFleet(silentFor(0), ask))).toMatchObject({
    exit: 64,
    message: 'no series of the fleet file is of us',
  });
});
