import {spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {openHistory} from '../../src/lib/state/capacity-history.ts';
import {realClock as clock} from '../health/real-clock.ts';
import {eventually} from '../servers/embedded.ts';
import {BIN, documentOf, ended, errorOf, expectNoTrace, expectSchema, personalEnv, regionctl, shown} from './program.ts';

const dir = mkdtempSync(join(tmpdir(), 'rc-collect-'));
afterAll(() => rmSync(dir, {recursive: true}));

/** Ten minutes of now: what is read in the next minutes is current. */
function fleetIn(name: string, more = ''): string {
  const folder = mkdtempSync(join(dir, `${name}-`));
  const rows = Array.from({length: 30}, (_, minute) => new Date(Date.now() + (minute - 10) * 60_000).toISOString()).map(
    (at, index) => `${at},us,${index}\n${at},eu,7`,
  );
  writeFileSync(join(folder, 'load.csv'), `timestamp,region,value\n${rows.join('\n')}\n`);
  writeFileSync(
    join(folder, 'regionctl.yaml'),
    `version: 1
fleet: shop
regions: {us: {jurisdiction: US}, eu: {jurisdiction: EU}}
metrics: {load: {kind: csv, file: load.csv}, gone: {kind: csv, file: gone.csv}, prom: {kind: prometheus, url: "http://127.0.0.1:1", token: "\${env:PROM_TOKEN}"}}
capacity:
  series:
    requests: {source: load, for: throughput, unit: req/s, regions: {us: {limit: 90}, eu: }}
${more}state: {dir: state}
`,
  );
  return folder;
}
const env = {PROM_TOKEN: 'tok-9f8e7d'};
const lost = '    lost: {source: gone, for: disk, unit: GiB}\n';

async function keptIn(folder: string): Promise<number[]> {
  const history = await openHistory({dir: join(folder, 'state'), fleet: 'shop', clock});
  const sets = history.read('requests', 0, 4e12);
  history.close();
  return sets.map(({readings}) => readings.length);
}

describe('capacity collect', () => {
  it('keeps what there is, as text and as a document', async () => {
    const folder = fleetIn('once');
    const text = await regionctl(['capacity', 'collect'], {cwd: folder, env});
    expect(text.status, shown(text)).toBe(0);
    expect(text.stdout).toContain('kept 2 values at');
    const json = await regionctl(['capacity', 'collect', '--json'], {cwd: folder, env});
    expectSchema('capacity-collect', documentOf(json));
    expect(documentOf(json)).toMatchObject({
      kept: 2,
      series: [
        {region: 'us', unit: 'req/s'},
        {region: 'eu', value: 7},
      ],
    });
    expect(await keptIn(folder)).toEqual([1, 1]);
  });

  it('exits 1 when some are missing, 3 when all are, and never tells a secret', async () => {
    const folder = fleetIn('some', `${lost}    far: {source: prom, for: cpu, unit: cores, query: up}\n`);
    const [some, none] = await Promise.all([
      regionctl(['capacity', 'collect'], {cwd: folder, env}),
      regionctl(['capacity', 'collect', '--series', 'lost', '--series', 'far', '--json'], {cwd: folder, env}),
    ]);
    expect(some.status, shown(some)).toBe(1);
    expect(some.stdout).toContain('lost: gone: the file gone.csv cannot be read: there is no such file');
    expect(none.status, shown(none)).toBe(3);
    expect(documentOf(none)).toMatchObject({kept: 0, series: [{code: 'metrics-unreadable'}, {code: 'metrics-unreachable'}]});
    expect(`${shown(some)}${shown(none)}`).not.toContain(env.PROM_TOKEN);
    [some, none].forEach(expectNoTrace);
  });

  it.each<[string, readonly string[], number, string]>([
    ['a series that there is not', ['--series', 'request'], 64, 'the fleet file has no series called "request"'],
    ['a region that there is not', ['--region', 'mars'], 64, 'mars'],
    ['every so often as one document', ['--every', '5s'], 64, 'use --format ndjson'],
  ])('refuses %s', async (_, flags, exit, message) => {
    const error = errorOf(await regionctl(['capacity', 'collect', ...flags, '--json'], {cwd: fleetIn('wrong'), env}));
    expect([error.exit, error.message]).toEqual([exit, expect.stringContaining(message)]);
  });

  it('again and again until Ctrl+C, and what was said to be kept is kept through kill -9', async () => {
    const folder = fleetIn('every');
    const start = () => {
      const child = spawn(BIN, ['capacity', 'collect', '--every', '1s', '--format', 'ndjson'], {cwd: folder, env: personalEnv(env)});
      let text = '';
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      const rounds = (): number => text.split('\n').length - 1;
      return {
        child,
        rounds,
        documents: () =>
          text
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as unknown),
      };
    };
    const [first, second] = [start(), start()];
    await eventually(() => first.rounds() >= 1 && second.rounds() >= 2, 30_000);
    first.child.kill('SIGKILL');
    second.child.kill('SIGINT');
    const [, [code]] = await Promise.all([once(first.child, 'close'), once(second.child, 'close')]);
    expect(code).toBe(0);
    for (const document of second.documents()) expectSchema('capacity-collect', document);
    expect((await keptIn(folder))[0]).toBeGreaterThanOrEqual(1);
    const again = await ended(BIN, ['capacity', 'collect'], {cwd: folder, env: personalEnv(env)});
    expect(again.status, shown(again)).toBe(0);
  });
});
