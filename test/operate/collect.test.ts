import {join} from 'node:path';
import {describe, expect, it} from 'vitest';
import {outcomeOf} from '../../src/kit/contracts/runner.ts';
import {unavailable} from '../../src/lib/errors.ts';
import {type CollectDocument, collect, collectEvery} from '../../src/lib/operate/collect.ts';
import {collectSchema} from '../../src/lib/output/schemas/collect.ts';
import {openHistoryIfThere} from '../../src/lib/state/capacity-history.ts';
import {tempDir} from '../state/temp-dir.ts';
import {NOW, openMetrics, readingsIn, seriesSpec, sourceOf, steady} from './open-metrics.ts';

const {signal} = new AbortController();
const dead = sourceOf(() => Promise.reject(unavailable('metrics-unreachable', 'nobody is there')));
const orders = seriesSpec({name: 'orders', source: 'other', query: 'orders', regions: []});

async function keptIn(dir: string, series: string, open: ReturnType<typeof openMetrics>['open']) {
  const history = await openHistoryIfThere({dir, fleet: open.fleet.name, clock: open.clock});
  const sets = history?.read(series, 0, 4e12) ?? [];
  history?.close();
  return sets.map(({region, readings}) => [region, ...readings.map(({at, value}) => [at - NOW, value])]);
}

describe('one round', () => {
  it('keeps the newest value of each series, with the time that its source gives', async () => {
    const stateDir = tempDir();
    const prom = sourceOf((query, range) => ({
      sets: [{labels: {}, readings: readingsIn(range, (at) => (at === NOW ? (query.includes('us') ? 1.5 : 2.5) : 9)).toReversed()}],
      remarks: [],
    }));
    const other = sourceOf(() => ({sets: [{labels: {}, readings: [{at: NOW - 60_000, value: 7}]}], remarks: ['one store is late']}));
    const {open} = openMetrics({series: [seriesSpec(), orders], sources: {prom, other}, stateDir});
    const {document, exit} = await collect(open, {signal});
    expect(exit).toBe(0);
    expect(collectSchema.parse(document)).toEqual(document);
    expect(document).toMatchObject({kept: 3, missing: 0, at: '2026-03-30T00:00:00.000Z'});
    expect(document.series.map(({series, region, value, at, reason}) => [series, region, value, at, reason])).toEqual([
      ['requests', 'us', 1.5, '2026-03-30T00:00:00.000Z', ''],
      ['requests', 'eu', 2.5, '2026-03-30T00:00:00.000Z', ''],
      ['orders', null, 7, '2026-03-29T23:59:00.000Z', 'one store is late'],
    ]);
    expect(await keptIn(stateDir, 'requests', open)).toEqual([
      ['eu', [0, 2.5]],
      ['us', [0, 1.5]],
    ]);
    expect(await keptIn(stateDir, 'orders', open)).toEqual([[null, [-60_000, 7]]]);
  });

  it('takes it from where the fleet file says, not from the own history', async () => {
    const stateDir = tempDir();
    const {open} = openMetrics({
      series: [seriesSpec({source: 'kept', collect: 'prom'})],
      sources: {kept: dead, prom: steady},
      history: ['kept'],
      stateDir,
    });
    expect((await collect(open, {signal})).document).toMatchObject({kept: 2, series: [{source: 'prom'}, {source: 'prom'}]});
  });

  it.each<[string, ReturnType<typeof sourceOf>, number, string]>([
    ['some are missing', dead, 1, 'other: nobody is there'],
    [
      'what is no number is none',
      sourceOf((_, range) => ({sets: [{labels: {}, readings: readingsIn(range, () => Number.NaN)}], remarks: []})),
      1,
      'other: its current value is no number',
    ],
    [
      'nothing is no value',
      sourceOf(() => ({sets: [{labels: {}, readings: []}], remarks: []})),
      1,
      'other: the source has no value of the last five minutes',
    ],
    [
      'a part is not the whole',
      sourceOf((_, range) => ({sets: [{labels: {}, readings: readingsIn(range)}], remarks: ['store 1 is away'], partial: true})),
      1,
      'other: its answer is not whole: store 1 is away',
    ],
    ...[1e23, Number.NaN, NOW + 3_600_000, NOW - 3_600_000].map((at): [string, ReturnType<typeof sourceOf>, number, string] => [
      `a value of ${at} is none of now`,
      sourceOf(() => ({sets: [{labels: {}, readings: [{at, value: 5}]}], remarks: []})),
      1,
      'other: the source has no value of the last five minutes',
    ]),
  ])('%s', async (_, other, code, reason) => {
    const {open} = openMetrics({series: [seriesSpec(), orders], sources: {prom: steady, other}, stateDir: tempDir()});
    const {document, exit} = await collect(open, {signal});
    expect([exit, document.kept, document.series[2]?.reason]).toEqual([code, 2, reason]);
  });

  it('nothing at all is unknown, and nothing is made', async () => {
    const stateDir = tempDir();
    const {open} = openMetrics({series: [seriesSpec()], sources: {prom: dead}, stateDir});
    expect(await collect(open, {signal})).toMatchObject({exit: 3, document: {kept: 0, missing: 2}});
    expect(await openHistoryIfThere({dir: stateDir, fleet: 'lab', clock: open.clock})).toBeNull();
  });

  it('what cannot be kept is an error', async () => {
    const {open} = openMetrics({series: [seriesSpec()], sources: {prom: steady}, stateDir: join(import.meta.filename, 'state')});
    expect(await outcomeOf(() => collect(open, {signal}))).toMatchObject({exit: 73});
  });
});

describe('again and again', () => {
  it('at a steady pace, however long a round takes, until it is interrupted', async () => {
    const stateDir = tempDir();
    const world = openMetrics({
      series: [seriesSpec({regions: []})],
      sources: {
        prom: sourceOf(async (_, range) => {
          await world.clock.sleep(25_000);
          return {sets: [{labels: {}, readings: [{at: range.to, value: 1}]}], remarks: []};
        }),
      },
      stateDir,
    });
    const stop = new AbortController();
    const rounds: CollectDocument[] = [];
    const exit = await collectEvery(world.open, {
      ...{signal: stop.signal, everyMs: 60_000},
      onRound: (document) => {
        rounds.push(document);
        if (rounds.length === 3) stop.abort(new Error('interrupted'));
      },
    });
    expect(exit).toBe(0);
    expect(rounds.map(({at}) => at)).toEqual(['00', '01', '02'].map((minute) => `2026-03-30T00:${minute}:00.000Z`));
    expect(await keptIn(stateDir, 'requests', world.open)).toEqual([[null, [0, 1], [60_000, 1], [120_000, 1]]]);
  });

  it('goes on when sources fail, and ends with the last round', async () => {
    let round = 0;
    const stop = new AbortController();
    const prom = sourceOf((query, range, own) => {
      round += 1;
      return round === 2 ? Promise.reject(unavailable('x', 'down')) : steady.series(query, range, own);
    });
    const {open} = openMetrics({series: [seriesSpec({regions: []})], sources: {prom}, stateDir: tempDir()});
    const kept: number[] = [];
    const exit = await collectEvery(open, {
      ...{signal: stop.signal, everyMs: 1000},
      onRound: (document) => {
        kept.push(document.kept);
        if (kept.length === 2) stop.abort(new Error('interrupted'));
      },
    });
    expect([kept, exit]).toEqual([[1, 0], 3]);
  });
});
