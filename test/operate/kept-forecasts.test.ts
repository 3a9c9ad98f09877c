import {mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {backtestFleet} from '../../src/lib/operate/backtest-fleet.ts';
import {forecastFleet} from '../../src/lib/operate/forecast-fleet.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {openMetrics, readingsIn, seriesSpec, sourceOf} from './open-metrics.ts';

const HOUR = 3_600_000;
const {signal} = new AbortController();
const load = (at: number): number => 80 + 30 * Math.sin(((at / HOUR) % 24) * (Math.PI / 12)) + ((at / HOUR) % 7);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regionctl-kept-'));
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

/** A fleet of one series, and a state that is on disk. `factor` = what really comes, as a multiple of what was usual until now. */
async function world(now: number, factor = 1) {
  const source = sourceOf((_, range) => ({
    sets: [{labels: {}, readings: readingsIn(range, (at) => load(at) * (at >= now ? factor : 1))}],
    remarks: [],
  }));
  const {open, clock} = openMetrics({series: [seriesSpec({regions: []})], sources: {prom: source}});
  const state = await openState({dir, clock});
  return {open: {...open, state: async () => state} as OpenFleet, clock, close: () => state.close()};
}

const NOW = openMetrics({series: [], sources: {}}).clock.wall();
const stored = (open: OpenFleet) => backtestFleet(open, {origins: 5, stored: true, signal});

describe('forecasts that were kept', () => {
  it('are scored against what came, as soon as it has come', async () => {
    const {open, clock, close} = await world(NOW);
    expect(await forecastFleet(open, {signal})).toMatchObject({notKept: null, document: {series: [{name: 'requests'}]}});
    expect(await stored(open)).toMatchObject({exit: 3, document: {basis: 'stored', series: [{origins: 0, mape: null}]}});
    clock.advance(48 * HOUR);
    const {document, exit} = await stored(open);
    expect([exit, document.series[0]?.origins, document.series[0]?.horizon]).toEqual([0, 1, 48]);
    expect(document.series[0]?.mape).toBeLessThan(10);
    close();
  });

  it('end with 1 where they were off by more than the objective', async () => {
    const {open, clock, close} = await world(NOW, 1.5);
    await forecastFleet(open, {signal});
    clock.advance(24 * HOUR);
    const {document, exit} = await stored(open);
    expect([exit, document.series[0]?.withinObjective]).toEqual([1, false]);
    expect(document.series[0]?.mape).toBeGreaterThan(25);
    expect(document.series[0]?.coverage).toBeLessThan(50);
    close();
  });

  it('are kept as they were made, whatever growth was asked for', async () => {
    const {open, clock, close} = await world(NOW);
    await forecastFleet(open, {growth: '10x', over: '7d', signal});
    clock.advance(48 * HOUR);
    expect((await stored(open)).document.series[0]?.mape).toBeLessThan(10);
    close();
  });
});
