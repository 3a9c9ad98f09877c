import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {traffic} from '../capacity/seeded.ts';
import {documentOf, errorOf, expectNoTrace, expectSchema, ROOT, regionctl, shown} from './program.ts';

const folder = mkdtempSync(join(tmpdir(), 'capacity-'));
afterAll(() => rmSync(folder, {recursive: true}));

function fileOf(name: string, rows: readonly string[]): string {
  const file = join(folder, name);
  writeFileSync(file, `${['"V1","V2"', ...rows].join('\r\n')}\r\n`);
  return file;
}

const row = (name: string, values: Float64Array): string => [name, ...values, '', ''].map((cell) => `"${cell}"`).join(',');
const file = fileOf('traffic.csv', [row('web', traffic(720, 1)), row('api', traffic(800, 2)), '"short","4","5"']);
const ask = ['--from-csv', file, '--horizon', '24', '--freq', 'hourly'];

type Paths = Record<string, {mean: number[]; lower95: number[]; upper95: number[]}>;

describe('capacity forecast', () => {
  it('the example of the README: drawn, with its backtest', async () => {
    const args = ['--from-csv', join(ROOT, 'examples/load.csv'), '--horizon', '72', '--freq', 'hourly'];
    const result = await regionctl(['capacity', 'forecast', ...args], {env: {COLUMNS: '80'}});
    expect(result.status, shown(result)).toBe(0);
    expect(result.stdout).toMatch(/requests us-east: ensemble[\s\S]*seasonal-naive[\s\S]*[⠁-⣿][\s\S]*disk us-east GB/u);
  });

  it('--format forecasts: paths by name as JSON, with and without --json', async () => {
    const [plain, json] = await Promise.all([
      regionctl(['capacity', 'forecast', ...ask, '--format', 'forecasts']),
      regionctl(['capacity', 'forecast', ...ask, '--format', 'forecasts', '--json']),
    ]);
    expect(plain.status, shown(plain)).toBe(0);
    const paths = documentOf(plain) as Paths;
    expect(Object.keys(paths)).toEqual(['web', 'api', 'short']);
    for (const {mean, lower95, upper95} of Object.values(paths)) {
      expect([mean, lower95, upper95].map(({length}) => length)).toEqual([24, 24, 24]);
    }
    expect(documentOf(json)).toEqual(paths);
  });

  it('--json: the document of its schema', async () => {
    const result = await regionctl(['capacity', 'forecast', ...ask, '--json']);
    expect(result.status, shown(result)).toBe(0);
    expectSchema('capacity-forecast', documentOf(result));
  });

  it('text: model, backtest and as many steps as asked for; 1 where an objective is missed', async () => {
    const result = await regionctl(['capacity', 'forecast', ...ask, '--rows', '2', '--objective-mape', '1']);
    expect(result.status, shown(result)).toBe(1);
    expect(result.stdout).toContain('web: ensemble');
    expect(result.stdout).toContain('seasonal-naive');
    expect(result.stdout).toContain('MAPE is above the objective of 1 %');
    expect(result.stdout).toContain('22 more steps: --rows 24');
    expect(result.stdout).toContain('Only 2 values are known');
  });

  it('a bad cell is named with file, line and column', async () => {
    const bad = fileOf('bad.csv', ['"a","1","2"', '"b","1","x"']);
    const args = ['capacity', 'forecast', '--from-csv', bad, '--horizon', '2', '--freq', 'daily'];
    const [text, json] = await Promise.all([regionctl(args), regionctl([...args, '--json'])]);
    expect(text.status, shown(text)).toBe(64);
    expect(text.stderr).toContain(`${bad}, line 3, column 3: "x" is not a number`);
    expectNoTrace(text);
    expect(errorOf(json)).toMatchObject({code: 'usage', exit: 64});
  });

  it('a cell that would colour the screen is quoted without its escape characters', async () => {
    const bad = fileOf('escapes.csv', ['a,1,\u001b[31mred']);
    const result = await regionctl(['capacity', 'forecast', '--from-csv', bad, '--horizon', '2', '--freq', 'daily']);
    expect(result.status, shown(result)).toBe(64);
    expect(result.stderr).toContain('line 2, column 3: "\uFFFD[31mred" is not a number');
    expect(result.stderr).not.toContain('\u001b');
  });

  it('a row without a value beside good ones is 3, and the good ones are answered', async () => {
    const some = fileOf('some.csv', [row('web', traffic(200, 3)), 'none,,']);
    const args = ['--from-csv', some, '--horizon', '2', '--freq', 'hourly', '--format', 'forecasts'];
    const [result, drawn] = await Promise.all([
      regionctl(['capacity', 'forecast', ...args]),
      regionctl(['capacity', 'forecast', ...args, '--plot']),
    ]);
    expect(result.status, shown(result)).toBe(3);
    const paths = documentOf(result) as Paths;
    expect(paths.web?.mean).toHaveLength(2);
    expect(paths.none).toEqual({mean: [], lower95: [], upper95: []});
    expect(drawn.status, shown(drawn)).toBe(64);
  });

  it('nothing known is 3', async () => {
    const result = await regionctl([
      'capacity',
      'forecast',
      '--from-csv',
      fileOf('none.csv', ['a,,']),
      '--horizon',
      '2',
      '--freq',
      'daily',
    ]);
    expect(result.status, shown(result)).toBe(3);
    expect(result.stdout).toContain('No value is known');
  });
});

describe('capacity backtest', () => {
  it('a table of models and one of series', async () => {
    const result = await regionctl(['capacity', 'backtest', ...ask, '--origins', '2']);
    expect(result.status, shown(result)).toBe(0);
    expect(result.stdout).toMatch(/^forecast +2 /mu);
    expect(result.stdout).toContain('1 of 3 series is too short for a backtest.');
  });

  it('--json: the document of its schema', async () => {
    const result = await regionctl(['capacity', 'backtest', ...ask, '--origins', '2', '--json', '--objective-mape', '1']);
    expect(result.status, shown(result)).toBe(1);
    expectSchema('capacity-backtest', documentOf(result));
  });
});
