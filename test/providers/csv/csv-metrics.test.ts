import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {metricsContract} from '../../../src/kit/contracts/metrics.ts';
import {outcomeOf} from '../../../src/kit/contracts/runner.ts';
import {csvMetrics} from '../../../src/lib/providers/csv/csv-metrics.ts';

const dir = mkdtempSync(join(tmpdir(), 'rc-csv-'));
afterAll(() => rmSync(dir, {recursive: true}));
const ALL = {from: Date.parse('2020-01-01'), to: Date.parse('2030-01-01'), stepMs: 300_000};
const live = (): AbortSignal => AbortSignal.timeout(10_000);

function sourceOf(text: string | Buffer, timeZone = 'UTC') {
  writeFileSync(join(dir, 'a.csv'), text);
  return csvMetrics({file: join(dir, 'a.csv'), shown: 'a.csv', timeZone});
}
const read = (text: string, query = '', timeZone = 'UTC') => sourceOf(text, timeZone).series(query, ALL, live());
const valuesOf = async (text: string, query = ''): Promise<unknown> => {
  const {sets} = await read(text, query);
  return sets.map(({labels, readings}) => [labels, ...readings.map(({value}) => value)]);
};
const timesOf = async (text: string, timeZone: string): Promise<string[]> =>
  (await read(text, '', timeZone)).sets.flatMap(({readings}) => readings.map(({at}) => new Date(at).toISOString()));

describe('columns', () => {
  it.each([
    ['a header', 'timestamp,value\n2026-03-01,1\n2026-03-02,2\n', '', [[{}, 1, 2]]],
    ['no header', '2026-03-01,1\n2026-03-02,2.5e3\n', '', [[{}, 1, 2500]]],
    [
      'a region, without a header',
      '2026-03-01,us,1\n2026-03-01,eu,2\n2026-03-02,us,3\n',
      '',
      [
        [{region: 'us'}, 1, 3],
        [{region: 'eu'}, 2],
      ],
    ],
    ['a header in another order', 'value,region,time\n7,us,2026-03-01\n', '', [[{region: 'us'}, 7]]],
    ['the only other column', 'date,orders\n2026-03-01,5\n', '', [[{}, 5]]],
    ['the column that is asked for', 'date,orders,users\n2026-03-01,5,6\n', 'users', [[{}, 6]]],
    ['a column for each region', 'date,us-east,eu-west\n2026-03-01,5,6\n', 'eu-west', [[{}, 6]]],
    ['quotes, spaces, CRLF and a byte order mark', '\uFEFF"timestamp", value \r\n"2026-03-01" , "1" \r\n', '', [[{}, 1]]],
    ['an empty file', '', '', []],
    ['a header only', 'timestamp,value\n', '', []],
  ])('%s', async (_, text, query, sets) => expect(await valuesOf(text, query)).toEqual(sets));

  it('what has no value is left out and told; what is no finite number is passed on', async () => {
    const {sets, remarks} = await read('timestamp,value\n2026-03-01,\n2026-03-02,n/a\n2026-03-03,NaN\n2026-03-04,+Inf\n2026-03-05,1\n');
    expect(sets[0]?.readings.map(({value}) => value)).toEqual([Number.NaN, Number.NaN, 1]);
    expect(remarks).toEqual(['2 rows of a.csv without a value']);
  });

  it('rows of the future are told', async () => {
    const {sets, remarks} = await read('2026-03-01,1\n2099-03-01,2\n');
    expect(sets[0]?.readings).toHaveLength(1);
    expect(remarks).toEqual(['1 row of a.csv later than 2030-01-01T00:00:00.000Z: left out']);
  });
});

describe('times', () => {
  it.each([
    ['2026-03-01T10:00:00Z', '2026-03-01T10:00:00.000Z'],
    ['2026-03-01 10:00:00.25+02:00', '2026-03-01T08:00:00.250Z'],
    ['2026-03-01T10:00-0530', '2026-03-01T15:30:00.000Z'],
    ['1772359200', '2026-03-01T10:00:00.000Z'],
    ['1772359200123', '2026-03-01T10:00:00.123Z'],
    ['2026-03-01 10:00', '2026-03-01T09:00:00.000Z'],
    ['2026-07-01', '2026-06-30T22:00:00.000Z'],
  ])('%s', async (written, iso) => expect(await timesOf(`timestamp,value\n${written},1\n`, 'Europe/Berlin')).toEqual([iso]));

  it('the hour that autumn has twice is told apart by the order of rows', async () => {
    const hours = ['01:00', '02:00', '02:00', '03:00'].map((hour) => `2026-10-25 ${hour},1`);
    expect(await timesOf(hours.join('\n'), 'Europe/Berlin')).toEqual(
      ['2026-10-24T23', '2026-10-25T00', '2026-10-25T01', '2026-10-25T02'].map((hour) => `${hour}:00:00.000Z`),
    );
  });

  it('the hour that spring leaves out is as if the clock had not been put forward', async () => {
    expect(await timesOf('2026-03-29 01:30,1\n2026-03-29 02:30,1\n2026-03-29 03:30,1', 'Europe/Berlin')).toEqual([
      '2026-03-29T00:30:00.000Z',
      '2026-03-29T01:30:00.000Z',
      '2026-03-29T01:30:00.000Z',
    ]);
  });
});

describe('what is wrong is told with file, line and column', () => {
  it.each([
    [
      'timestamp,value\n2026-03-01,1\n2026-02-30,1',
      '',
      'a.csv:3, column 1: expected a time such as 2026-03-01T00:00:00Z, 2026-03-01 00:00 or 1772323200, got "2026-02-30"',
    ],
    ['timestamp,value\n2026-03-01,1\n2026-03-02,1 GB', '', 'a.csv:3, column 2: expected a number such as 12.5, got "1 GB"'],
    ['timestamp,value\n2026-03-01,"1,5"', '', 'a.csv:2, column 2: expected a number such as 12.5, got "1,5"'],
    ['timestamp,value\n"2026-03-01,1', '', 'a.csv:2: a cell that begins with a quote has no closing one'],
    [
      'date,orders,users\n2026-03-01,1,2',
      '',
      'a.csv:1: there are 2 columns with values: orders, users: name one as the query of the series',
    ],
    ['date,orders\n2026-03-01,1', 'sales', 'a.csv:1: there is no column "sales"; there are: orders'],
    ['timestamp\n2026-03-01', '', 'a.csv:1: there is no column with values'],
    ['2026-03-01,1,2,3', '', 'a.csv:1: expected timestamp,value or timestamp,region,value, got 4 columns without a header'],
    ['2026-03-01,1', 'sales', 'a.csv has no header, so that no column is called "sales"'],
  ])('%j', async (text, query, message) => {
    expect(await outcomeOf(() => read(text, query))).toMatchObject({refused: true, exit: 64, message});
  });

  it('a file that is not there, is a folder or no text', async () => {
    const missing = csvMetrics({file: join(dir, 'none.csv'), shown: 'none.csv', timeZone: 'UTC'});
    expect(await outcomeOf(() => missing.series('', ALL, live()))).toMatchObject({
      ...{exit: 69, code: 'metrics-unreadable', message: 'the file none.csv cannot be read: there is no such file'},
    });
    const folder = csvMetrics({file: dir, shown: 'folder', timeZone: 'UTC'});
    expect(await outcomeOf(() => folder.series('', ALL, live()))).toMatchObject({
      exit: 69,
      message: 'the file folder cannot be read: it is no regular file',
    });
    expect(await outcomeOf(() => sourceOf(Buffer.from([0x32, 0xff, 0xfe])).series('', ALL, live()))).toMatchObject({
      ...{exit: 69, message: 'the file a.csv cannot be read: it is not UTF-8 text'},
    });
  });

  // Looking up a zone's offset anew for each row took longer than this test may.
  it('100,000 rows of a zone are read', async () => {
    const text = Array.from(
      {length: 100_000},
      (_, index) => `${new Date(1.77e12 + index * 300_000).toISOString().slice(0, 19)},${index}`,
    ).join('\n');
    const source = sourceOf(text, 'Europe/Berlin');
    expect((await source.series('', ALL, live())).sets[0]?.readings).toHaveLength(100_000);
  });
});

metricsContract({describe, it, expect}, async () => {
  const rows = Array.from({length: 48}, (_, hour) => `${new Date(1.7e12 + hour * 3_600_000).toISOString()},us-east,${hour}`);
  const file = join(mkdtempSync(join(dir, 'world-')), 'a.csv');
  writeFileSync(file, `timestamp,region,value\n${rows.join('\n')}\n`);
  return {
    metrics: csvMetrics({file, shown: 'a.csv', timeZone: 'UTC'}),
    ...{query: 'value', range: {from: 1.7e12, to: 1.7e12 + 47 * 3_600_000, stepMs: 3_600_000}, wrong: 'sales'},
    unreachable: csvMetrics({file: `${file}.gone`, shown: 'a.csv', timeZone: 'UTC'}),
    secrets: [],
  };
});
