import {describe, expect, it} from 'vitest';
import type {Fleet, SeriesSpec} from '../../src/lib/fleet/fleet.ts';
import {planCapacity} from '../../src/lib/operate/plan-capacity.ts';
import type {Metrics} from '../../src/lib/ports/metrics.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {sampleFleet} from '../failover/three-regions.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const HOUR = 3_600_000;
const NEVER = new AbortController().signal;

function spec(name: string, more: Partial<SeriesSpec> = {}): SeriesSpec {
  const regions = ['us-east', 'eu-west'].map((region) => ({region, limit: 100, query: null, size: 1}));
  const base = {
    source: name,
    collect: null,
    purpose: 'throughput',
    unit: 'req/s',
    query: '$region',
    counter: false,
    grain: 'hourly',
  } as const;
  return {name, ...base, timeZone: 'UTC', historyMs: 96 * HOUR, dataClass: null, moves: true, limit: null, regions, ...more};
}

/** A source of one value an hour, for the region that it is asked for. */
const steady: Metrics = {
  series: async (region, {from, to}) => ({
    sets: [
      {
        labels: {region},
        readings: Array.from({length: Math.floor((to - from) / HOUR) + 1}, (_, step) => ({at: from + step * HOUR, value: 7})),
      },
    ],
    remarks: [],
  }),
};
const hangs: Metrics = {series: () => new Promise(() => undefined)};

function open(series: readonly SeriesSpec[], sources: Readonly<Record<string, Metrics>>): OpenFleet {
  const fleet: Fleet = {...sampleFleet(), ...(series.length === 0 ? {} : {capacity: {mape: 10, keepMs: HOUR, series}})};
  const part = {
    fleet,
    clock: {wall: () => NOW, now: () => 0, sleep: async () => undefined},
    metrics: async (name: string) => sources[name] ?? null,
  };
  return part as unknown as OpenFleet;
}

describe('planCapacity', () => {
  it('a source that hangs costs its own series only, and no longer than it may', async () => {
    const before = performance.now();
    const found = await planCapacity(open([spec('requests'), spec('cpu')], {requests: steady, cpu: hangs}), NEVER, 150);
    expect(performance.now() - before).toBeLessThan(3000);
    expect(found?.facts.loads.map(({name}) => name)).toEqual(['requests', 'cpu']);
    expect(found?.loads.series.map(({name, region, values}) => [name, region, values.at(-1)])).toEqual([
      ['requests', 'us-east', 7],
      ['requests', 'eu-west', 7],
    ]);
    expect(found?.loads.missing).toEqual([{name: 'cpu', region: null, reason: 'no answer within 0.15 s'}]);
  });

  it('a source that says that its answer is not whole is told of', async () => {
    const part: Metrics = {series: async (...asked) => ({...(await steady.series(...asked)), remarks: ['store 1 is away'], partial: true})};
    const found = await planCapacity(open([spec('requests'), spec('cpu')], {requests: steady, cpu: part}), NEVER);
    const reason = 'the answer of cpu is not whole: store 1 is away';
    expect(found?.loads.partial).toEqual(['us-east', 'eu-west'].map((region) => ({name: 'cpu', region, reason})));
  });

  it('asks nothing of fleets without loads that move and have a limit', async () => {
    const regions = [{region: 'us-east', limit: null, query: null, size: 1}];
    const all = [spec('disk', {moves: false}), spec('total', {regions: [], limit: 100}), spec('unlimited', {regions})];
    const asked: Metrics = {series: () => Promise.reject(new Error('it was asked'))};
    expect(await planCapacity(open(all, {disk: asked, total: asked, unlimited: asked}), NEVER)).toBeUndefined();
    expect(await planCapacity(open([], {}), NEVER)).toBeUndefined();
  });

  it('an interruption ends it, and nobody has to await it', async () => {
    const stop = new AbortController();
    const reading = planCapacity(open([spec('cpu')], {cpu: hangs}), stop.signal, 60_000);
    stop.abort(new Error('interrupted'));
    await expect(reading).rejects.toThrow('interrupted');
  });
});
