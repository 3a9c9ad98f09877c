import {expect, it} from 'vitest';
import {metricsContract} from '../../../src/kit/testing.ts';
import {unavailable} from '../../../src/lib/errors.ts';
import type {Metrics, MetricsAnswer, MetricsRange} from '../../../src/lib/ports/metrics.ts';
import {failuresOf} from './failures.ts';

const SECRET = 'only-for-tests';
const range: MetricsRange = {from: 1_700_000_000_000, to: 1_700_000_000_000 + 20 * 60_000, stepMs: 60_000};

function answer(query: string, {from, to, stepMs}: MetricsRange): MetricsAnswer {
  const readings = [];
  for (let at = Math.max(from, range.from); at <= Math.min(to, range.to); at += stepMs) readings.push({at, value: at % 7});
  return {sets: query === 'none' || readings.length === 0 ? [] : [{labels: {region: 'eu'}, readings}], remarks: []};
}
const sourceOf = (series: Metrics['series']): Metrics => ({
  series: async (query, asked, signal) => {
    signal.throwIfAborted();
    if (query === 'wrong') throw unavailable('metrics-refused', 'it is no query');
    return series(query, asked, signal);
  },
});
const honest = sourceOf(async (query, asked) => answer(query, asked));
const unreachable = sourceOf(() => Promise.reject(unavailable('metrics-unreachable', 'nobody listens there')));
const hanging = sourceOf(
  (_query, _asked, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
);

type World = Partial<{metrics: Metrics; unreachable: Metrics; hanging: Metrics}>;
const said = (lie: World = {}): Promise<string[]> =>
  failuresOf((runner) =>
    metricsContract(runner, async () => ({
      ...{metrics: honest, query: 'up', range, empty: 'none', wrong: 'wrong'},
      ...{unreachable, hanging, secrets: [SECRET], ...lie},
    })),
  );
const lying = (change: (honestly: MetricsAnswer, asked: MetricsRange) => MetricsAnswer): World => ({
  metrics: sourceOf(async (query, asked) => change(answer(query, asked), asked)),
});
const counted = [0];
const another = (): string => String(counted.push(0));

it('finds nothing against an honest source', async () => {
  expect(await said()).toEqual([]);
});

it.each<[string, World, string]>([
  [
    'answers more than the range',
    lying(({sets}) => ({sets: sets.map((set) => ({...set, readings: [...set.readings, {at: 0, value: 1}]})), remarks: []})),
    'readings of the range',
  ],
  ['answers a set twice', lying(({sets}) => ({sets: [...sets, ...sets], remarks: []})), 'with its labels'],
  [
    'answers texts',
    lying(({sets}) => ({
      sets: sets.map((set) => ({...set, readings: set.readings.map(({at}) => ({at, value: '1' as unknown as number}))})),
      remarks: [],
    })),
    'readings of the range',
  ],
  ['answers otherwise each time', lying(({sets}) => ({sets, remarks: [another()]})), 'the same again'],
  ['leaves the newest out', lying(({sets}, asked) => ({sets: asked.from > range.from ? [] : sets, remarks: []})), 'in a shorter range'],
  [
    'makes up what there is not',
    lying((honestly, asked) =>
      honestly.sets.length > 0 ? honestly : {sets: [{labels: {}, readings: [{at: asked.from, value: 0}]}], remarks: []},
    ),
    'where there is nothing',
  ],
  [
    'takes everything for a query',
    {metrics: {series: (query, asked, signal) => honest.series(query === 'wrong' ? 'up' : query, asked, signal)}},
    'a query that is none',
  ],
  [
    'answers who has cancelled',
    {metrics: {series: async (query, asked) => (query === 'wrong' ? Promise.reject(unavailable('x', 'no')) : answer(query, asked))}},
    'nobody who has cancelled',
  ],
  [
    'hides why it was cancelled',
    {hanging: {series: (...call) => hanging.series(...call).catch(() => Promise.reject(new Error('it failed')))}},
    'cancelled under way',
  ],
  ['answers when nobody is there', {unreachable: honest}, 'nobody is there'],
  ['cannot be closed', {metrics: {...honest, close: () => Promise.reject(new Error('no'))}}, 'can be closed'],
  [
    'tells a secret in its error',
    {unreachable: {series: () => Promise.reject(unavailable('metrics-unreachable', `401 for ${SECRET}`))}},
    'keeps secrets out',
  ],
])('finds a source that %s', async (_, lie, failingTest) => {
  expect((await said(lie)).join('\n')).toContain(failingTest);
});
