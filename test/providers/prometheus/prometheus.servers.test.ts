import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {metricsContract} from '../../../src/kit/contracts/metrics.ts';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../../src/lib/fleet/load.ts';
import {secretReference} from '../../../src/lib/fleet/references.ts';
import {createVault} from '../../../src/lib/fleet/vault.ts';
import {collect} from '../../../src/lib/operate/collect.ts';
import {loadSeries} from '../../../src/lib/operate/load-series.ts';
import {builtinProviders} from '../../../src/lib/providers/builtin.ts';
import {openFleet} from '../../../src/lib/providers/open-fleet.ts';
import {prometheusMetrics} from '../../../src/lib/providers/prometheus/prometheus-metrics.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {LOGIN, noPrometheus, type Prometheus, type Seed, startPrometheus} from '../../servers/prometheus.ts';
import {deadPort} from '../listener.ts';

const [MINUTE, HOUR, DAY] = [60_000, 3_600_000, 86_400_000];
/** The newest sample is of a minute ago: what is read now is there. */
const END = Math.floor(Date.now() / MINUTE) * MINUTE;
const BEGIN = END - 28 * DAY;
const dir = mkdtempSync(join(tmpdir(), 'rc-prometheus-'));
const ENV = {PROM_PASSWORD: LOGIN.password};
let server: Prometheus;

/** 100 requests a second, 50 more or less with the hour of the day; in Europe twice as many. */
const rateAt = (at: number): number => 100 + 50 * Math.sin((at / DAY) * 2 * Math.PI);
/** The counter of the US is reset after 10 days; nothing is known of Europe for five hours of the 15th day. */
function requests(): Seed[] {
  return ['us-east', 'eu-west'].map((region, index): Seed => {
    let count = 0;
    const samples = [];
    for (let at = BEGIN; at <= END; at += 2 * MINUTE) {
      count += 120 * rateAt(at) * (index + 1);
      if (index === 0 && at === BEGIN + 10 * DAY) count = 0;
      if (index === 0 || at < BEGIN + 15 * DAY || at > BEGIN + 15 * DAY + 5 * HOUR) samples.push({at, value: Math.round(count)});
    }
    return {name: 'requests', type: 'counter', labels: {region}, samples};
  });
}
const disk = (): Seed => ({
  ...{name: 'disk_gib', type: 'gauge', labels: {region: 'us-east', pod: 'a'}},
  samples: Array.from({length: 28 * 24 * 15 + 1}, (_, index) => ({at: BEGIN + index * 4 * MINUTE, value: 100 + index / 1000})),
});

const fleetFile = (port: string): string => `version: 1
fleet: shop
regions:
  us-east: {jurisdiction: US}
  eu-west: {jurisdiction: EU}
metrics:
  prom: {kind: prometheus, url: "${port}", user: ops, password: "\${env:PROM_PASSWORD}", timeout: 10s}
  dead: {kind: prometheus, url: "http://127.0.0.1:1", timeout: 10s}
  kept: {kind: history}
capacity:
  series:
    requests:
      source: prom
      for: throughput
      unit: req/s
      query: sum(rate(requests_total{region="$region"}[10m]))
      timeZone: Europe/Berlin
      history: 4w
      regions: {us-east: {limit: 400}, eu-west: {limit: 200}}
    raw: {source: prom, for: orders, unit: requests, step: daily, query: requests_total, counter: true, history: 4w, regions: {us-east: , eu-west: }}
    disk: {source: prom, for: disk, unit: GiB, query: max(disk_gib), limit: 500, step: daily, history: 4w}
    lost: {source: dead, for: disk, unit: GiB, query: disk_gib}
    own: {source: kept, collect: prom, for: disk, unit: GiB, query: max(disk_gib)}
state: {dir: state}
`;

describe.skipIf(noPrometheus !== null)("Debian's Prometheus", () => {
  beforeAll(async () => {
    server = await startPrometheus([...requests(), disk()], {login: true});
    mkdirSync(join(dir, 'fleet'));
    writeFileSync(join(dir, 'fleet/regionctl.yaml'), fleetFile(server.url));
  }, 60_000);
  afterAll(async () => {
    await server?.end();
    rmSync(dir, {recursive: true});
  });

  const sourceAt = (url: string, password = 'PROM_PASSWORD') => {
    const login = {user: LOGIN.user, password: secretReference('env', password)};
    const place = {url, token: null, login, headers: {}, secretHeaders: {}, caFile: null};
    return prometheusMetrics(place, createVault({baseDir: '/', env: {...ENV, WRONG: 'another-word'}}));
  };
  const openShop = async (file = 'regionctl.yaml') => {
    const fleet = await loadFleet(join(dir, 'fleet', file), kindsOf(builtinProviders), ENV);
    return openFleet({fleet, providers: builtinProviders, clock, defaultStateDir: dir});
  };
  const {signal} = new AbortController();

  metricsContract({describe, it, expect}, async () => {
    // A frozen server takes connections and never answers.
    const frozen = await startPrometheus([]);
    frozen.freeze();
    const sources = {
      metrics: sourceAt(server.url),
      hanging: sourceAt(frozen.url),
      unreachable: sourceAt(`http://127.0.0.1:${await deadPort()}`),
    };
    return {
      ...sources,
      ...{
        query: 'requests_total',
        range: {from: BEGIN, to: BEGIN + DAY, stepMs: 300_000},
        empty: 'nothing_of_that_name',
        wrong: 'sum(',
        secrets: [LOGIN.password],
      },
      close: async () => {
        for (const source of Object.values(sources)) await source.close?.();
        await frozen.end();
      },
    };
  });

  it('says who may not ask', async () => {
    const source = sourceAt(server.url, 'WRONG');
    expect(await outcomeOf(() => source.series('up', {from: BEGIN, to: END, stepMs: HOUR}, AbortSignal.timeout(10_000)))).toMatchObject({
      ...{exit: 69, code: 'metrics-refused', message: `${server.url} answers 401: Unauthorized`},
    });
    await source.close?.();
  });

  it('a long range at a short step comes whole', async () => {
    const source = sourceAt(server.url);
    const {sets} = await source.series(
      'requests_total{region="us-east"}',
      {from: BEGIN, to: END, stepMs: MINUTE},
      AbortSignal.timeout(20_000),
    );
    expect(sets).toHaveLength(1);
    expect(sets[0]?.readings).toHaveLength(28 * 24 * 60 + 1);
    await source.close?.();
  });

  it('four weeks become series: by the hour of Berlin, with what was found', async () => {
    const open = await openShop();
    const {series, missing} = await loadSeries(open, {signal});
    await open.close();
    const named = (name: string, region: string | null) =>
      series.find(({series: one}) => one.name === name && one.region === region)?.series;
    const [us, eu] = [named('requests', 'us-east'), named('requests', 'eu-west')];
    expect(us?.values.length).toBeGreaterThanOrEqual(28 * 24 - 2);
    // The hour of noon in the middle of the history, seen from five minutes behind.
    const at = us?.starts.findIndex((start) => start > BEGIN + 20 * DAY) ?? -1;
    const start = us?.starts[at] ?? Number.NaN;
    expect(us?.values[at]).toBeCloseTo(rateAt(start + 25 * MINUTE), 0);
    expect(us?.remarks.filter(({kind}) => kind === 'gap')).toEqual([]);
    expect(eu?.limit).toBe(200);
    expect(eu?.values.filter(Number.isNaN).length).toBeGreaterThanOrEqual(4);
    expect(eu?.remarks.find(({kind}) => kind === 'gap')?.says).toMatch(/^\d of \d+ hours are not known, in one gap from /);
    const raw = named('raw', 'us-east');
    expect(raw?.remarks.find(({kind}) => kind === 'reset')?.says).toBe(
      'the counter was reset once: what was counted around it is not known',
    );
    expect(raw?.values.filter(Number.isFinite).every((value) => value > 0.85 * 100 * 86_400 && value < 1.01 * 100 * 86_400)).toBe(true);
    expect(named('disk', null)?.values.at(-1)).toBeGreaterThan(109);
    expect(missing.map(({spec, code}) => [spec.name, code])).toEqual([
      ['lost', 'metrics-unreachable'],
      ['own', 'no-data'],
    ]);
    expect(JSON.stringify(missing.map(({reason}) => reason))).toContain('nothing was collected yet');
  });

  it('the current values are kept, and are a source of their own', async () => {
    const open = await openShop();
    const {document, exit} = await collect(open, {signal});
    expect([exit, document.kept, document.missing]).toEqual([1, 6, 1]);
    expect(document.series.find(({series}) => series === 'own')).toMatchObject({source: 'prom', code: 'ok'});
    const kept = await open.metrics?.('kept');
    const answer = await kept?.series('own', {from: 0, to: Date.now() + HOUR, stepMs: 1}, signal);
    expect(answer?.sets.map(({labels, readings}) => [labels, readings.length])).toEqual([[{}, 1]]);
    await open.close();
  });

  it('one that stands still delays nobody, and is told', async () => {
    writeFileSync(join(dir, 'fleet/hasty.yaml'), fleetFile(server.url).replaceAll('timeout: 10s', 'timeout: 1s'));
    const open = await openShop('hasty.yaml');
    server.freeze();
    const began = performance.now();
    try {
      const {missing} = await loadSeries(open, {signal, names: ['disk', 'lost']});
      expect(missing.map(({code}) => code)).toEqual(['metrics-timeout', 'metrics-unreachable']);
    } finally {
      server.thaw();
      await open.close();
    }
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
