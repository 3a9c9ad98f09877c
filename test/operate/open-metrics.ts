import type {CapacitySpec, MetricsSpec, SeriesSpec} from '../../src/lib/fleet/fleet.ts';
import type {Metrics, MetricsAnswer, MetricsRange} from '../../src/lib/ports/metrics.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {fleet, region} from '../health/samples.ts';
import {fakeClock} from '../run/fake-clock.ts';

export const WEEK = 7 * 86_400_000;
/** 2026-03-30T00:00:00Z, a Monday. */
export const NOW = Date.UTC(2026, 2, 30);

/** Requests per second in two regions, from the source `prom`, unless told otherwise. */
export function seriesSpec(more: Partial<SeriesSpec> = {}): SeriesSpec {
  return {
    ...{
      name: 'requests',
      source: 'prom',
      collect: null,
      purpose: 'throughput',
      unit: 'req/s',
      query: 'rate{region="$region"}',
      counter: false,
    },
    ...{grain: 'hourly', timeZone: 'UTC', historyMs: 4 * WEEK, dataClass: null, moves: true, limit: null},
    regions: ['us', 'eu'].map((name) => ({region: name, limit: 100, query: null, size: 1})),
    ...more,
  };
}

/** A source that answers like this. */
export function sourceOf(
  answer: (query: string, range: MetricsRange, signal: AbortSignal) => MetricsAnswer | Promise<MetricsAnswer>,
): Metrics {
  return {
    series: async (query, range, signal) => {
      signal.throwIfAborted();
      return answer(query, range, signal);
    },
  };
}

/** One reading for each step of the range. */
export function readingsIn({from, to, stepMs}: MetricsRange, valueAt: (at: number) => number = () => 5) {
  const count = Math.floor((to - from) / stepMs) + 1;
  return Array.from({length: count}, (_, index) => ({at: from + index * stepMs, value: valueAt(from + index * stepMs)}));
}

export const steady = sourceOf((_, range) => ({sets: [{labels: {}, readings: readingsIn(range)}], remarks: []}));

type World = {
  readonly series: readonly SeriesSpec[];
  readonly sources: Readonly<Record<string, Metrics>>;
  readonly timeoutMs?: number;
  readonly history?: readonly string[];
  readonly stateDir?: string;
};

/** A fleet with these series and sources. */
export function openMetrics({series, sources, timeoutMs = 5000, history = [], stateDir = '/nowhere'}: World) {
  const clock = fakeClock({start: NOW});
  const capacity: CapacitySpec = {mape: 10, keepMs: 400 * 86_400_000, series};
  const metrics = Object.keys(sources).map((name): MetricsSpec => {
    const kind = history.includes(name) ? 'history' : 'prometheus';
    return {name, timeoutMs, metrics: {kind, config: {}, path: ['metrics', name]}};
  });
  const secrets = {reveal: async () => '', scrub: (text: string) => text.replaceAll('hunter2', '•••')};
  const known = {...fleet([region('us'), region('eu'), region('ap')], {metrics, capacity}), secrets};
  const open = {fleet: known, clock, stateDir, metrics: async (name: string) => sources[name] ?? null} as unknown as OpenFleet;
  return {open, clock};
}
