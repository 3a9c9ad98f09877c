import {describe, expect, it} from 'vitest';
import {outcomeOf} from '../../src/kit/contracts/runner.ts';
import {unavailable} from '../../src/lib/errors.ts';
import {type LoadedSeriesList, loadSeries} from '../../src/lib/operate/load-series.ts';
import {queryFor} from '../../src/lib/operate/series-questions.ts';
import type {MetricsRange} from '../../src/lib/ports/metrics.ts';
import {NOW, openMetrics, readingsIn, seriesSpec, sourceOf, steady, WEEK} from './open-metrics.ts';

const {signal} = new AbortController();
const missingOf = ({missing}: LoadedSeriesList): string[] =>
  missing.map(({spec, place, code, reason}) => `${spec.name}/${place?.region ?? 'all'} ${code}: ${reason}`);
const namesOf = ({series}: LoadedSeriesList): string[] => series.map(({series: {name, region}}) => `${name}/${region ?? 'all'}`);

describe('every series of every region', () => {
  it('is asked for its history, with the name of its region in the query', async () => {
    const asked: [string, MetricsRange][] = [];
    const prom = sourceOf((query, range) => {
      asked.push([query, range]);
      return {
        sets: [{labels: {job: 'shop'}, readings: readingsIn(range, (at) => (query.includes('"us"') ? 1 : at / at))}],
        remarks: ['it says so'],
      };
    });
    const {open} = openMetrics({series: [seriesSpec()], sources: {prom}});
    const loaded = await loadSeries(open, {signal});
    expect(asked).toEqual(['us', 'eu'].map((name) => [`rate{region="${name}"}`, {from: NOW - 4 * WEEK, to: NOW, stepMs: 300_000}]));
    expect(namesOf(loaded)).toEqual(['requests/us', 'requests/eu']);
    expect(loaded.missing).toEqual([]);
    const [first] = loaded.series;
    expect(first).toMatchObject({readings: 8065, place: {region: 'us', limit: 100}});
    expect(first?.series).toMatchObject({unit: 'req/s', limit: 100, grain: 'hourly', timeZone: 'UTC', purpose: 'throughput'});
    expect(first?.series.remarks).toMatchObject([{kind: 'source', says: 'it says so', to: NOW - 3_600_000}]);
    expect(first?.series.values).toHaveLength(4 * 168);
    expect(first?.series.starts.at(-1)).toBe(NOW - 3_600_000);
  });

  it('days and weeks are asked for less often, and as far back as is wanted', async () => {
    const steps: number[] = [];
    const prom = sourceOf((_, range) => {
      steps.push(range.stepMs, (range.to - range.from) / WEEK);
      return {sets: [{labels: {}, readings: readingsIn(range)}], remarks: []};
    });
    const series = (['daily', 'weekly'] as const).map((grain) => seriesSpec({name: grain, grain, regions: [], limit: 7}));
    const {open} = openMetrics({series, sources: {prom}});
    const loaded = await loadSeries(open, {signal, historyMs: 10 * WEEK});
    expect(steps).toEqual([3_600_000, 10, 21_600_000, 10]);
    expect(loaded.series.map(({place, series: one}) => [place, one.region, one.limit, one.values.length])).toEqual([
      [null, null, 7, 70],
      [null, null, 7, 10],
    ]);
  });

  it('the own history is asked for the name of the series', async () => {
    const asked: string[] = [];
    const kept = sourceOf((query, range) => {
      asked.push(query);
      return {sets: ['us', 'eu'].map((name) => ({labels: {region: name}, readings: readingsIn(range)})), remarks: []};
    });
    const {open} = openMetrics({series: [seriesSpec({source: 'kept', collect: 'prom'})], sources: {kept}, history: ['kept']});
    expect(namesOf(await loadSeries(open, {signal}))).toEqual(['requests/us', 'requests/eu']);
    // The same question is asked once.
    expect(asked).toEqual(['requests']);
  });
});

describe('which set of an answer is meant', () => {
  const sets = (range: MetricsRange, ...names: readonly string[]) =>
    names.map((name) => ({labels: {region: name}, readings: readingsIn(range)}));

  it('where every region asks the same, that with the label of the region', async () => {
    const prom = sourceOf((_, range) => ({sets: sets(range, 'us', 'ap'), remarks: []}));
    const {open} = openMetrics({series: [seriesSpec({query: 'sum by (region) (rate)'})], sources: {prom}});
    const loaded = await loadSeries(open, {signal});
    expect(namesOf(loaded)).toEqual(['requests/us']);
    expect(missingOf(loaded)).toEqual([
      'requests/eu no-data: prom: no series of the answer has the label region="eu" (it has {region="us"}, {region="ap"}): use $region in the query, or sum by (region)',
    ]);
  });

  it('one number for the whole fleet is not taken for that of each region', async () => {
    const {open} = openMetrics({series: [seriesSpec({query: 'sum(rate)'})], sources: {prom: steady}});
    expect((await loadSeries(open, {signal})).missing.map(({code}) => code)).toEqual(['no-data', 'no-data']);
  });

  it('several are none', async () => {
    const prom = sourceOf((_, range) => ({
      sets: ['a', 'b', 'c', 'd'].map((pod) => ({labels: {pod}, readings: readingsIn(range)})),
      remarks: [],
    }));
    const {open} = openMetrics({series: [seriesSpec({regions: []})], sources: {prom}});
    expect(missingOf(await loadSeries(open, {signal}))).toEqual([
      'requests/all ambiguous: prom: the answer has 4 series ({pod="a"}, {pod="b"}, {pod="c"}, …): aggregate them to one, as in sum(...)',
    ]);
  });

  it('a question of its own needs no label', async () => {
    const regions = ['us', 'eu'].map((name) => ({region: name, limit: null, query: `q_${name}`, size: 1}));
    const {open} = openMetrics({series: [seriesSpec({regions})], sources: {prom: steady}});
    expect(namesOf(await loadSeries(open, {signal}))).toEqual(['requests/us', 'requests/eu']);
  });
});

describe('a source that fails', () => {
  it('neither hides nor delays the others, and every reason is told', async () => {
    const sources = {
      good: steady,
      dead: sourceOf(() => Promise.reject(unavailable('metrics-unreachable', 'http://x does not answer: hunter2'))),
      silent: sourceOf((_, _range, own) => new Promise((_resolve, reject) => own.addEventListener('abort', () => reject(own.reason)))),
      deaf: sourceOf(() => new Promise(() => undefined)),
      empty: sourceOf(() => ({sets: [], remarks: []})),
      hollow: sourceOf((_, range) => ({sets: [{labels: {}, readings: readingsIn(range, () => Number.NaN)}], remarks: []})),
      throws: {
        series: () => {
          throw new TypeError('a bug of a plugin');
        },
      },
    };
    const series = Object.keys(sources).map((source) => seriesSpec({name: source, source, regions: []}));
    const {open} = openMetrics({series, sources, timeoutMs: 300});
    const began = performance.now();
    const loaded = await loadSeries(open, {signal});
    expect(performance.now() - began).toBeLessThan(2500);
    expect(namesOf(loaded)).toEqual(['good/all']);
    expect(missingOf(loaded)).toEqual([
      'dead/all metrics-unreachable: dead: http://x does not answer: •••',
      'silent/all metrics-timeout: silent: no answer within 300 ms',
      'deaf/all metrics-timeout: deaf: no answer within 300 ms',
      'empty/all no-data: empty: the source has no values for it in this time',
      'hollow/all no-data: hollow: 8065 readings are no numbers and are left out; there is no usable reading',
      'throws/all unreadable: throws: a bug of a plugin',
    ]);
  });

  it('an interruption ends all', async () => {
    const cancel = new AbortController();
    const {open} = openMetrics({series: [seriesSpec()], sources: {prom: sourceOf(() => new Promise(() => undefined))}});
    setTimeout(() => cancel.abort(new Error('interrupted')), 20);
    expect(await outcomeOf(() => loadSeries(open, {signal: cancel.signal}))).toMatchObject({message: 'interrupted'});
  });
});

describe('the filter', () => {
  const series = [seriesSpec(), seriesSpec({name: 'orders', regions: []}), seriesSpec({name: 'disk'})];
  const {open} = openMetrics({series, sources: {prom: steady}});

  it.each([
    [{}, ['requests/us', 'requests/eu', 'orders/all', 'disk/us', 'disk/eu']],
    [{names: ['orders']}, ['orders/all']],
    [{regions: ['eu']}, ['requests/eu', 'disk/eu']],
    [{names: ['disk', 'orders'], regions: ['us']}, ['disk/us']],
    [{regions: ['ap']}, []],
  ])('%j', async (filter, names) => expect(namesOf(await loadSeries(open, {signal, ...filter}))).toEqual(names));

  it('a name that there is none of is a mistake', async () => {
    const unknown = {names: ['request']};
    expect(await outcomeOf(() => loadSeries(open, {signal, ...unknown}))).toMatchObject({
      ...{exit: 64, message: 'the fleet file has no series called "request"; it has requests, orders, disk'},
    });
    expect(await outcomeOf(() => loadSeries(open, {signal, regions: ['uss']}))).toMatchObject({exit: 64});
    const none = openMetrics({series: [], sources: {}}).open;
    expect(await outcomeOf(() => loadSeries(none, {signal}))).toMatchObject({exit: 64, message: 'the fleet file names no series'});
  });
});

it('the name of a region and the time between two values are put in wherever they are wanted, and nowhere else', () => {
  const eu = {region: 'eu-west', everyMs: 3_600_000};
  expect(queryFor('a{r="$region",x=~"$region.*|.*-$region"} / $regional', eu)).toBe('a{r="eu-west",x=~"eu-west.*|.*-eu-west"} / $regional');
  expect(queryFor('sum(rate(a{r="$region"}[$window])) + $windows', eu)).toBe('sum(rate(a{r="eu-west"}[60m])) + $windows');
  expect(queryFor('rate(a[$window]) $region', {region: null, everyMs: 300_000})).toBe('rate(a[5m]) $region');
  expect(queryFor('$region', {region: '$&', everyMs: 1})).toBe('$&');
});
