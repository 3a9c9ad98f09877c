import {mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {findAnomalies} from '../../src/lib/operate/anomalies.ts';
import {findAnomaliesInFile} from '../../src/lib/operate/anomalies-in-file.ts';
import {busyDays, scoresOf, timeOf} from '../capacity/anomaly/streams.ts';
import {diskSeries} from '../capacity/exhaustion/disks.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl-anomalies-'));
afterAll(() => rmSync(dir, {recursive: true, force: true}));

let files = 0;
/** A new file with this text. */
function fileWith(text: string): string {
  files += 1;
  const file = join(dir, `orders-${files}.csv`);
  writeFileSync(file, text);
  return file;
}

const stampOf = (row: number) => new Date(timeOf(row)).toISOString().slice(0, 19).replace('T', ' ');
const csvOf = (values: ArrayLike<number>) =>
  `timestamp,value\n${Array.from(values, (value, row) => `${stampOf(row)},${value}\n`).join('')}`;
const find = (file: string, scores: string | null = null, lastMs: number | null = null) =>
  findAnomaliesInFile({file, scores, lastMs, signal: new AbortController().signal});

const spiked = busyDays(4);
spiked[1000] = 900;

describe('series of the fleet', () => {
  const quiet = diskSeries(busyDays(4), null);
  const loud = {...diskSeries(spiked, null), region: 'ap-1'};
  const young = diskSeries([1, 2, 3], null);

  it('each is looked at by itself; exit 1 anomalies, 3 too short, 0 none', () => {
    const found = findAnomalies([quiet, loud, young], null);
    expect(found.exit).toBe(1);
    expect(found.document.series.map(({state, region}) => [state, region])).toEqual([
      ['none', 'eu-west-1'],
      ['anomalies', 'ap-1'],
      ['short', 'eu-west-1'],
    ]);
    expect(findAnomalies([quiet, young], null)).toMatchObject({exit: 3, document: {state: 'short'}});
    expect(findAnomalies([quiet], null)).toMatchObject({exit: 0, document: {state: 'none', lastMs: null}});
    expect(findAnomalies([], null)).toEqual({document: {state: 'none', lastMs: null, series: [], missing: []}, exit: 0});
    const missing = [{name: 'orders', region: null, code: 'metrics-timeout', reason: 'prom: no answer within 20000 ms'}];
    expect(findAnomalies([quiet], null, missing)).toMatchObject({exit: 3, document: {state: 'none', missing}});
    expect(findAnomalies([loud], null, missing)).toMatchObject({exit: 1});
  });

  it('--last counts back from the newest reading', () => {
    const hours = (count: number) => findAnomalies([loud], count * 3_600_000);
    expect(hours(150)).toMatchObject({exit: 0, document: {series: [{alerts: [], earlier: 1}]}});
    expect(hours(151)).toMatchObject({exit: 1, document: {series: [{alerts: [{seen: 900}], earlier: 0}]}});
  });
});

describe('a file', () => {
  it('is written row by row as it was, each with its score', async () => {
    const scores = join(dir, 'scores.csv');
    const found = await find(fileWith(csvOf(spiked)), scores);
    const [header, ...rows] = readFileSync(scores, 'utf8').trimEnd().split('\n');
    expect(header).toBe('timestamp,value,anomaly_score');
    expect(rows).toEqual(scoresOf(spiked).map((score, row) => `${stampOf(row)},${spiked[row]},${score.toFixed(6)}`));
    expect(found).toMatchObject({
      exit: 1,
      document: {series: [{readings: spiked.length, alerts: [{at: new Date(timeOf(1000)).toISOString()}]}]},
    });
    // An earlier one is replaced, and a file that has only the beginning gives only the beginning.
    await find(fileWith(csvOf(spiked.subarray(0, 900))), scores);
    expect(readFileSync(scores, 'utf8').trimEnd().split('\n')).toEqual([header, ...rows.slice(0, 900)]);
  });

  it('may have a byte order mark, quotes, blanks, empty lines at its end, and line ends of Windows', async () => {
    const scores = join(dir, 'windows.csv');
    const file = fileWith('\uFEFF"timestamp", "value"\r\n"2026-03-02 00:00:00", "1"\r\n2026-03-02 00:05:00, NaN\r\n \r\n\r\n');
    expect(await find(file, scores)).toMatchObject({exit: 3, document: {series: [{state: 'short', readings: 1}]}});
    expect(readFileSync(scores, 'utf8')).toBe(
      'timestamp,value,anomaly_score\n"2026-03-02 00:00:00", "1",0.000000\n2026-03-02 00:05:00, NaN,0.000000\n',
    );
  });

  it('is read in pieces, wherever they end', async () => {
    const values = busyDays(90);
    expect((await find(fileWith(csvOf(values)))).document.series[0]?.readings).toBe(values.length);
  });

  it.each([
    ['a,b\n2026-03-02 00:00:00,1\n2026-03-02 00:05:00,x1\n', 'line 3, field value: "x1" is no number that can be used'],
    ['a,b\nsoon,1\n', 'line 2, field timestamp: "soon" is no time'],
    ['a,b\n2026-03-02 00:00:00,1,2\n', 'line 2: expected two cells, timestamp and value, got 3'],
    ['2026-03-02 00:00:00,1\n', 'line 1: expected a header such as timestamp,value'],
    ['', 'is empty'],
    ['x'.repeat(70_000), 'line 1: more than 65,536 characters are no row'],
  ])('that cannot be read leaves what was there: %j', async (text, says) => {
    const scores = join(dir, 'kept.csv');
    writeFileSync(scores, 'timestamp,value,anomaly_score\nkept\n');
    const file = fileWith(text);
    const before = readdirSync(dir);
    await expect(find(file, scores)).rejects.toMatchObject({code: 'usage', exit: 64, message: expect.stringContaining(says)});
    await expect(find(file, scores)).rejects.toMatchObject({message: expect.stringContaining(file)});
    expect(readFileSync(scores, 'utf8')).toBe('timestamp,value,anomaly_score\nkept\n');
    expect(readdirSync(dir)).toEqual(before);
  });

  it('that is not there, or a folder, is said so', async () => {
    await expect(find(join(dir, 'none.csv'))).rejects.toMatchObject({exit: 64, message: expect.stringContaining('cannot be read: ')});
    await expect(find(dir)).rejects.toMatchObject({exit: 64, message: `${dir} cannot be read: it is a folder`});
  });

  it('is never written over, nor is any other file that has no scores', async () => {
    const file = fileWith(csvOf(spiked));
    const other = fileWith('something else\n');
    await expect(find(file, file)).rejects.toMatchObject({exit: 64, message: expect.stringContaining('name the same file')});
    await expect(find(file, other)).rejects.toMatchObject({
      exit: 64,
      message: `cannot write ${other}: it is there already, and it is no file of anomaly scores`,
    });
    await expect(find(file, join(dir, 'no/such/folder.csv'))).rejects.toMatchObject({exit: 64});
    expect(readFileSync(other, 'utf8')).toBe('something else\n');
  });

  it('is left when it is interrupted', async () => {
    const stop = new AbortController();
    stop.abort(new Error('interrupted'));
    const file = fileWith(csvOf(spiked));
    const before = readdirSync(dir);
    const options = {file, scores: join(dir, 'never.csv'), lastMs: null, signal: stop.signal};
    await expect(findAnomaliesInFile(options)).rejects.toThrow('interrupted');
    expect(readdirSync(dir)).toEqual(before);
  });
});
