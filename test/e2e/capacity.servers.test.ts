import {mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {SurviveDocument} from '../../src/lib/capacity/survive/document.ts';
import type {CapacityBacktestDocument} from '../../src/lib/operate/capacity-backtest.ts';
import type {ForecastDocument} from '../../src/lib/operate/forecast.ts';
import {documentOf, expectSchema, ROOT, regionctl, shown} from '../cli/program.ts';
import {noPrometheus, type Prometheus, type Seed, startPrometheus} from '../servers/prometheus.ts';

const HOUR = 3_600_000;
const STEP = 300_000;
/** Four weeks, up to the hour that is under way. */
const NOW = Math.floor(Date.now() / HOUR) * HOUR;
const COUNT = (28 * 24 * HOUR) / STEP;
/** What each region takes in at noon, in thousands a second, and how busy its machines are then, in percent. */
const REGIONS = {
  'eu-frankfurt': [2600, 45],
  'cn-beijing': [1200, 50],
  'in-mumbai': [600, 50],
  'jp-tokyo': [1500, 45],
  'ap-singapore': [800, 40],
  'us-virginia': [3600, 40],
  'sa-saopaulo': [420, 40],
} as const;

/**
 * Day and weekday, a tenth more at the end than at the beginning, and noise that is the same in each run. The peak of the day is two hours ahead, and what is two
 * days of seven less was so long ago, so that the run looks the same at any time.
 */
const shape = (i: number): number => {
  const hours = ((i - COUNT) * STEP) / HOUR;
  const day = 1 + 0.35 * Math.cos(((hours - 2) / 24) * 2 * Math.PI);
  const weekday = ((Math.floor(hours / 24) % 7) + 7) % 7;
  return (day * (weekday === 2 || weekday === 3 ? 0.8 : 1) * (1 + (0.1 * i) / COUNT) + 0.01 * Math.sin(i * 12.9898)) / 1.35;
};

/** A counter with a reset after two weeks, as of a process that was started anew. */
function counter(name: string, region: string, rate: (i: number) => number): Seed {
  let total = 0;
  const samples = Array.from({length: COUNT}, (_, i) => {
    total = i === COUNT / 2 ? 0 : total + (rate(i) * STEP) / 1000;
    return {at: NOW - (COUNT - i) * STEP, value: total};
  });
  return {name, type: 'counter', labels: {region}, samples};
}

const seeds = (): Seed[] =>
  Object.entries(REGIONS).flatMap(([region, [ingest, busy]], index): Seed[] => [
    counter('samples_ingested', region, (i) => ingest * 1000 * shape(i)),
    counter('node_cpu_busy_seconds', region, (i) => (busy / 100) * shape(i)),
    {
      ...({name: 'store_bytes', type: 'gauge', labels: {region}} as const),
      // A terabyte more each day; Tokyo has the least room.
      samples: Array.from({length: COUNT / 12}, (_, i) => ({
        at: NOW - (COUNT / 12 - i) * HOUR,
        value: (300 + index * 15 + i / 24) * 1e12 + 1e10 * Math.sin(i),
      })),
    },
  ]);

describe.skipIf(noPrometheus !== null)('capacity from four weeks of a Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'regionctl-capacity-'));
  const fleetFile = join(folder, 'regionctl.yaml');
  const env = {REGIONCTL_FLEET: fleetFile, CATALOG_PASSWORD: 'none'};
  const run = (...args: string[]) => regionctl(['capacity', ...args], {cwd: folder, env});
  let prometheus: Prometheus;
  beforeAll(async () => {
    prometheus = await startPrometheus(seeds());
    const example = readFileSync(join(ROOT, 'examples/seven-regions.yaml'), 'utf8');
    mkdirSync(join(folder, 'state'));
    writeFileSync(fleetFile, `${example.replace('https://prometheus.example.com', prometheus.url)}\nstate: {dir: state}\n`);
    writeFileSync(join(folder, 'prices.yaml'), readFileSync(join(ROOT, 'examples/prices.yaml'), 'utf8'));
  }, 120_000);
  afterAll(async () => {
    await prometheus?.end();
    rmSync(folder, {recursive: true, force: true});
  });

  it('every series is forecast within the objective, and the disk that fills says when', async () => {
    const result = await run('forecast', '--json');
    const document = documentOf(result) as unknown as ForecastDocument;
    expectSchema('capacity-forecast', document, shown(result));
    expect(document.missing).toEqual([]);
    expect(document.series).toHaveLength(16);
    for (const {name, region, backtest, withinObjective, notes} of document.series) {
      expect(withinObjective, `${name} of ${region}: MAPE ${backtest?.mape}; ${notes.join('; ')}`).toBe(true);
      if (name === 'ingest') expect(backtest?.wmape, `${region}`).toBeLessThan(3);
    }
    // 345 TB three days ago for Tokyo, a terabyte a day, 400 are its limit.
    const disk = document.series.find(({name, region}) => name === 'disk' && region === 'jp-tokyo');
    const days = (Date.parse(disk?.exhaustion?.p50At ?? '') - NOW) / 86_400_000;
    expect(days, disk?.exhaustion?.says).toBeGreaterThan(400 - 300 - 45 - 28 - 4);
    expect(days, disk?.exhaustion?.says).toBeLessThan(400 - 300 - 45 - 28 + 4);
  });

  it('refuses Tokyo to Singapore, which is too small: which limit breaks, and when', async () => {
    const result = await run('survive', '--lose', 'jp-tokyo', '--json');
    const document = documentOf(result) as unknown as SurviveDocument;
    expectSchema('capacity-survive', document, shown(result));
    expect([result.status, document.verdict], shown(result)).toEqual([2, 'breaks']);
    expect(document.combinations[0]?.first).toMatchObject({region: 'ap-singapore', verdict: 'breaks'});
    const text = await run('survive', '--lose', 'jp-tokyo');
    expect(text.stdout, shown(text)).toMatch(/ap-singapore/);
  });

  it('keeps what stands still apart: the data of India and China stays there', async () => {
    const document = documentOf(await run('survive', '--lose', 'in-mumbai', '--json')) as unknown as SurviveDocument;
    expect(document.combinations[0]?.stranded).toMatchObject([{series: 'ingest-india', law: true}]);
  });

  it('ten times as much in 18 months: when the limit is met, and a page with the picture', async () => {
    const page = join(folder, 'growth.html');
    const args = ['forecast', '--series', 'ingest', '--region', 'us-virginia', '--growth', '10x', '--over', '18mo', '--report', page];
    const result = await run(...args, '--json');
    expect(result.status, shown(result)).toBe(1);
    const [series] = (documentOf(result) as unknown as ForecastDocument).series;
    expect(series?.of).toBe('daily-peaks');
    // From about 3,900 at the peak to 8,000 is a factor of 2.05: 0.31 of 18 months.
    const months = (Date.parse(series?.crossing?.p50At ?? '') - NOW) / (30.4 * 86_400_000);
    expect(months).toBeGreaterThan(3.5);
    expect(months).toBeLessThan(7.5);
    expect(readFileSync(page, 'utf8')).toContain('10x over 18mo');
  });

  it('tries it on the history, and scores what it kept once that has come', async () => {
    const result = await run('backtest', '--series', 'ingest', '--region', 'jp-tokyo', '--json');
    const document = documentOf(result) as unknown as CapacityBacktestDocument;
    expectSchema('capacity-backtest', document, shown(result));
    expect([result.status, document.series[0]?.withinObjective], shown(result)).toEqual([0, true]);
    const stored = await run('backtest', '--stored', '--series', 'ingest', '--region', 'jp-tokyo', '--json');
    expect([stored.status, (documentOf(stored) as unknown as CapacityBacktestDocument).basis]).toEqual([3, 'stored']);
  });

  it('sees no anomaly in what repeats itself', async () => {
    const result = await run('anomalies', '--series', 'ingest', '--last', '7d', '--json');
    expect(result.status, shown(result)).toBe(0);
  });

  it('a source that is dead is named, and hides nothing', async () => {
    prometheus.freeze();
    try {
      const result = await run('survive', '--lose', 'jp-tokyo', '--json');
      expect([result.status, (documentOf(result) as unknown as SurviveDocument).verdict], shown(result)).toEqual([3, 'unknown']);
    } finally {
      prometheus.thaw();
    }
  });
});
