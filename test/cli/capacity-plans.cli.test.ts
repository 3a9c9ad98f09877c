import {copyFile, mkdtemp, readFile, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse, parseAllDocuments, stringify} from 'yaml';
import {documentOf, type Ended, expectSchema, ROOT, regionctl, shown} from './program.ts';

/*
 * examples/seven-regions.yaml with files in place of its Prometheus: three weeks by the hour up to now. Japan has a peak every day at the hour after next, which
 * Singapore cannot carry beside its own.
 */
const HOUR = 3_600_000;
const BASE: Readonly<Record<string, number>> = {
  'eu-frankfurt': 2000,
  'jp-tokyo': 700,
  'ap-singapore': 500,
  'us-virginia': 2400,
  'sa-saopaulo': 300,
};
const hour = Math.floor(Date.now() / HOUR) * HOUR;
const peakAt = hour + 2 * HOUR;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'regionctl-capacity-'));
  const rows = Array.from({length: 21 * 24}, (_, step) => hour - (step + 1) * HOUR).flatMap((at) =>
    Object.entries(BASE).map(([region, base]) => {
      const isPeak = region === 'jp-tokyo' && (peakAt - at) % (24 * HOUR) === 0;
      // A little noise that is the same in every run.
      return `${new Date(at).toISOString()},${region},${(isPeak ? 1400 : base) * (1 + 0.01 * Math.sin(at / 1e6))}`;
    }),
  );
  await writeFile(join(dir, 'ingest.csv'), ['timestamp,region,value', ...rows, ''].join('\n'));
  await copyFile(join(ROOT, 'examples/prices.yaml'), join(dir, 'prices.yaml'));
  const fleet = parse(await readFile(join(ROOT, 'examples/seven-regions.yaml'), 'utf8'));
  const {ingest} = fleet.capacity.series;
  const {query: _, ...rest} = ingest;
  fleet.metrics = {files: {kind: 'csv', file: 'ingest.csv'}, none: {kind: 'csv', file: 'none.csv'}};
  fleet.capacity.series = {ingest: {...rest, source: 'files'}};
  await writeFile(join(dir, 'regionctl.yaml'), stringify(fleet));
  // Japan has been down for nine hours: what is left is what idles.
  const down = rows.map((row) => {
    const [at = '', region] = row.split(',');
    return region === 'jp-tokyo' && Date.parse(at) >= hour - 9 * HOUR ? `${at},${region},14` : row;
  });
  await writeFile(join(dir, 'down.csv'), ['timestamp,region,value', ...down, ''].join('\n'));
  await writeFile(join(dir, 'down.yaml'), stringify({...fleet, metrics: {...fleet.metrics, files: {kind: 'csv', file: 'down.csv'}}}));
  fleet.capacity.cost.objectives = {perMonth: 1};
  await writeFile(join(dir, 'poor.yaml'), stringify(fleet));
  fleet.capacity.series.lost = {...rest, source: 'none'};
  fleet.capacity.cost = null;
  await writeFile(join(dir, 'dead.yaml'), stringify(fleet));
});
afterAll(() => rm(dir, {recursive: true}));

const run = (...args: string[]): Promise<Ended> => regionctl(['capacity', ...args], {cwd: dir, env: {CATALOG_PASSWORD: 'never-shown'}});

describe('capacity survive', () => {
  it('refuses a failover into the region that is too small, with the limit that breaks and when', async () => {
    const ended = await run('survive', '--lose', 'jp-tokyo', '--json');
    expect(ended.status, shown(ended)).toBe(2);
    const document = documentOf(ended);
    expectSchema('capacity-survive', document, shown(ended));
    expect(document).toMatchObject({
      verdict: 'breaks',
      combinations: [
        {
          first: {
            series: 'ingest',
            region: 'ap-singapore',
            limit: 1600,
            breaksAt: new Date(peakAt).toISOString(),
            takes: [{from: 'jp-tokyo', share: 1}],
          },
        },
      ],
    });
  });

  it('shows every region as a table, and no secret', async () => {
    const ended = await run('survive');
    expect(ended.status, shown(ended)).toBe(2);
    expect(ended.stdout).toMatch(/^jp-tokyo +breaks +ingest +ap-singapore /m);
    expect(ended.stdout).toMatch(/^eu-frankfurt +survives +ingest +us-virginia /m);
    expect(ended.stdout + ended.stderr).not.toContain('never-shown');
  });

  it('a region that is well is survived; a dead source is unknown, not good', async () => {
    const [well, dead] = await Promise.all([
      run('survive', '--lose', 'eu-frankfurt'),
      run('survive', '--lose', 'eu-frankfurt', '--fleet', 'dead.yaml'),
    ]);
    expect(well.status, shown(well)).toBe(0);
    expect(dead.status, shown(dead)).toBe(3);
    expect(dead.stdout).toContain('none.csv');
  });

  it('an unknown region and a window of nothing are a mistake of the caller', async () => {
    const [ended, short] = await Promise.all([run('survive', '--lose', 'jp-tokio'), run('survive', '--window', '0s')]);
    expect([ended.status, short.status]).toEqual([64, 64]);
    expect(ended.stderr).toContain('Did you mean "jp-tokyo"?');
    expect(short.stderr).toContain('--window must be at least 1m');
  });
});

describe('capacity cost', () => {
  it('prices every region, and judges the objectives', async () => {
    const ended = await run('cost', '--window', '24h', '--json');
    expect(ended.status, shown(ended)).toBe(0);
    const document = documentOf(ended) as {rows: {region: string; perMonth: number; onDemandPerMonth: number; runs: object[]}[]};
    expectSchema('capacity-cost', document, shown(ended));
    expect(document).toMatchObject({
      verdict: 'met',
      currency: 'USD',
      objectives: [
        {kind: 'unit-cost', met: true},
        {kind: 'savings', met: true},
      ],
    });
    expect(document.rows.map(({region}) => region)).toEqual(['eu-frankfurt', 'jp-tokyo', 'ap-singapore', 'us-virginia', 'sa-saopaulo']);
    for (const row of document.rows) expect(row.perMonth).toBeLessThanOrEqual(row.onDemandPerMonth);
  });

  it('prices what a growth makes of it', async () => {
    const [now, then, bad] = await Promise.all([
      run('cost', '--window', '24h', '--json'),
      run('cost', '--window', '24h', '--growth', '2x', '--over', '6mo', '--json'),
      run('cost', '--growth', 'twice', '--over', '6mo'),
    ]);
    type Cost = {perMonth: number; growth: object | null; transfer: {perMonth: number}; rows: {perMonth: number}[]};
    const [before, after] = [documentOf(now) as Cost, documentOf(then) as Cost];
    expectSchema('capacity-cost', after, shown(then));
    expect([before.growth, after.growth]).toMatchObject([null, {text: '2x over 6mo', factor: 2}]);
    expect(after.transfer.perMonth).toBeCloseTo(2 * before.transfer.perMonth, 6);
    for (const [index, row] of after.rows.entries()) expect(row.perMonth / (before.rows[index]?.perMonth ?? 0)).toBeCloseTo(2, 0);
    expect([bad.status, bad.stderr]).toEqual([64, expect.stringContaining('--growth twice: expected a factor such as 10x')]);
  });

  it('a part of the loads meets no objective of all of them, but can miss the budget alone', async () => {
    const part = ['--region', 'jp-tokyo', '--window', '24h', '--json'];
    const [well, poor] = await Promise.all([run('cost', ...part), run('cost', '--fleet', 'poor.yaml', ...part)]);
    expect([well.status, poor.status], shown(well)).toEqual([0, 1]);
    const notes = ['the objectives are of all loads: leave --series and --region out to have them judged'];
    expect(documentOf(well)).toMatchObject({rows: [{region: 'jp-tokyo'}], objectives: [], notes});
    expect(documentOf(poor)).toMatchObject({verdict: 'missed', objectives: [{kind: 'per-month', met: false}], notes: []});
  });

  it('a budget that is missed, and a fleet file without prices', async () => {
    const [missed, named, unpriced] = await Promise.all([
      run('cost', '--fleet', 'poor.yaml'),
      run('cost', '--fleet', 'dead.yaml', '--prices', 'prices.yaml'),
      run('cost', '--fleet', 'dead.yaml'),
    ]);
    expect(missed.status, shown(missed)).toBe(1);
    expect(missed.stdout).toMatch(/^budget of a month: [\d,]+ USD, at most 1.00 USD: missed$/m);
    expect(named.status, shown(named)).toBe(0);
    expect(unpriced.status, shown(unpriced)).toBe(64);
    expect(unpriced.stderr).toContain('--prices FILE');
  });

  it('prints autoscalers that parse', async () => {
    const ended = await run('cost', '--region', 'jp-tokyo', '--region', 'ap-singapore', '--format', 'hpa');
    expect(ended.status, shown(ended)).toBe(0);
    const documents = parseAllDocuments(ended.stdout);
    expect(documents).toHaveLength(2);
    // The peak of 1400 with margin 2 and a burst of 2 takes 280 replicas of 20 each, and the p90 some more.
    expect('toJS' in documents[0]! && documents[0].toJS()).toMatchObject({
      kind: 'HorizontalPodAutoscaler',
      spec: {scaleTargetRef: {name: 'ingest'}},
    });
    expect('toJS' in documents[0]! && documents[0].toJS().spec.maxReplicas).toBeGreaterThanOrEqual(280);
  });

  it('plans a region that is down by what it had before, and says so', async () => {
    const part = ['cost', '--region', 'jp-tokyo', '--window', '24h', '--fleet', 'down.yaml'];
    const [priced, hpa] = await Promise.all([run(...part, '--json'), run(...part, '--format', 'hpa')]);
    expect([priced.status, hpa.status], shown(hpa)).toEqual([0, 0]);
    const {rows, warnings} = documentOf(priced) as {rows: {replicas: {min: number; max: number}}[]; warnings: string[]};
    // 700 with margin 2 on 20 each.
    expect(rows[0]?.replicas.min).toBeGreaterThanOrEqual(69);
    const said = /ingest of jp-tokyo has been 14 k\/s since .*: that is taken for an outage, and what it had before is planned for/;
    expect(warnings.join()).toMatch(said);
    expect(hpa.stderr).toMatch(said);
    const [document] = parseAllDocuments(hpa.stdout);
    expect(document !== undefined && 'toJS' in document && document.toJS().spec.minReplicas).toBeGreaterThanOrEqual(69);
  });

  it.each([
    [['--margin', '0.5'], /--margin: expected a number from 1 to 100, got "0.5"/],
    [['--spot-share', 'many'], /--spot-share: expected percent from 0 to 100/],
    [['--series', 'nothing'], /capacity.scaling has no "nothing"; it has ingest/],
    [['--split', 'america:mars=1'], /america does not lead to "mars"/],
    [['--prices', 'none.yaml'], /the price file none.yaml cannot be read/],
    [['--format', 'hpa', '--json'], /--format hpa prints YAML/],
  ])('%j is a mistake of the caller', async (args, message) => {
    const ended = await run('cost', ...args);
    expect(ended.status, shown(ended)).toBe(64);
    expect(ended.stderr + ended.stdout).toMatch(message);
  });
});
