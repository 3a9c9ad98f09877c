import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, expect, it} from 'vitest';
import {busyDays, timeOf} from '../capacity/anomaly/streams.ts';
import {documentOf, errorOf, expectNoTrace, expectSchema, regionctl, shown} from './program.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-anomalies-'));
afterAll(() => rmSync(dir, {recursive: true, force: true}));

function fileOf(name: string, values: Float64Array): string {
  const file = join(dir, name);
  const rows = Array.from(values, (value, row) => `${new Date(timeOf(row)).toISOString()},${value}`);
  writeFileSync(file, `timestamp,value\n${rows.join('\n')}\n`);
  return file;
}

const spiked = busyDays(5);
spiked[1200] = 900;
const LOUD = fileOf('loud.csv', spiked);
const QUIET = fileOf('quiet.csv', busyDays(5));
const SHORT = fileOf('short.csv', busyDays(5).subarray(0, 50));

it.each([
  [LOUD, [], 1],
  [LOUD, ['--last', '1h'], 0],
  [LOUD, ['--last', '90d'], 1],
  [QUIET, [], 0],
  [SHORT, [], 3],
] as const)('%s %j ends with %i, as text and as JSON', async (file, flags, exit) => {
  const args = ['capacity', 'anomalies', '--from-csv', file, ...flags];
  const [text, json] = await Promise.all([regionctl(args), regionctl([...args, '--json'])]);
  expect(text, shown(text)).toMatchObject({status: exit, stderr: ''});
  expectNoTrace(text);
  expect(json, shown(json)).toMatchObject({status: exit, stderr: ''});
  expectSchema('capacity-anomalies', documentOf(json), shown(json));
});

it('the text says since when, what was seen and why', async () => {
  const {stdout} = await regionctl(['capacity', 'anomalies', '--from-csv', LOUD]);
  expect(stdout).toMatch(/^loud: 1 alert \(1,440 readings, /u);
  expect(stdout).toMatch(/\n2026-03-06 04:00:00Z +once +0\.\d\d +900 +\d+(\.\d+)? +far off\n/u);
});

it('--scores writes a row for each, and a second run gives the same', async () => {
  const scores = join(dir, 'scores.csv');
  const run = async () => {
    const result = await regionctl(['capacity', 'anomalies', '--from-csv', LOUD, '--scores', scores, '--json']);
    expect(result.status, shown(result)).toBe(1);
    return readFileSync(scores, 'utf8');
  };
  const first = await run();
  expect(first.split('\n')).toHaveLength(1 + spiked.length + 1);
  expect(await run()).toBe(first);
});

it('a row that cannot be read is named by file, line and field', async () => {
  const file = join(dir, 'bad.csv');
  writeFileSync(file, 'timestamp,value\n2026-03-02 00:00:00,1\n2026-03-02 00:05:00,lots\n');
  const error = errorOf(await regionctl(['capacity', 'anomalies', '--from-csv', file, '--json']));
  expect(error).toMatchObject({code: 'usage', exit: 64, message: `${file}, line 3, field value: "lots" is no number that can be used`});
  expect(errorOf(await regionctl(['capacity', 'anomalies', '--json'], {cwd: dir}))).toMatchObject({exit: 66});
});
