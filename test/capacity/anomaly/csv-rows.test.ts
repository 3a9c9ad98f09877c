import {describe, expect, it} from 'vitest';
import {headerProblem, readCsvRow} from '../../../src/lib/capacity/anomaly/csv-rows.ts';

const AT = Date.UTC(2026, 2, 1, 9, 30);

it.each([
  ['2026-03-01 09:30:00,1.5', AT, 1.5],
  ['2026-03-01T09:30:00Z,-2e3', AT, -2000],
  ['2026-03-01T11:30:00+02:00, 7 ', AT, 7],
  ['2026-03-01T11:30:00.250+0200,7', AT + 250, 7],
  ['"2026-03-01 09:30","0.5"', AT, 0.5],
  ['2026-03-01,.5', Date.UTC(2026, 2, 1), 0.5],
  ['2024-02-29 00:00:00,1', Date.UTC(2024, 1, 29), 1],
])('%s', (line, at, value) => {
  expect(readCsvRow(line)).toEqual({at, value});
});

it.each(['', 'NaN', 'null', 'NA', '""'])('a value of %j is not known', (cell) => {
  expect(readCsvRow(`2026-03-01 09:30:00,${cell}`)).toEqual({at: AT, value: Number.NaN});
});

it.each([
  ['2026-02-30 00:00:00,1', 'timestamp', '"2026-02-30 00:00:00" is no time'],
  ['2026-13-01 00:00:00,1', 'timestamp', 'is no time'],
  ['yesterday,1', 'timestamp', 'expected ISO 8601 such as 2026-03-01T09:30:00Z, or YYYY-MM-DD HH:MM:SS'],
  ['2026-03-01 25:00:00,1', 'timestamp', 'is no time'],
  ['2026-03-01 09:30:00,many', 'value', '"many" is no number that can be used'],
  ['2026-03-01 09:30:00,1e999', 'value', '"1e999" is no number that can be used'],
  ['2026-03-01 09:30:00,0x10', 'value', 'is no number'],
  ['2026-03-01 09:30:00', 'row', 'expected two cells, timestamp and value, got 1'],
  ['2026-03-01 09:30:00,1,2', 'row', 'got 3'],
])('%s: says which field is wrong, and how', (line, field, says) => {
  const problem = readCsvRow(line);
  expect(problem).toMatchObject({field});
  expect('says' in problem ? problem.says : '').toContain(says);
});

describe('the header', () => {
  it.each(['timestamp,value', '"Time","orders per minute"', 'ds, y'])('%s', (line) => {
    expect(headerProblem(line)).toBeNull();
  });

  it('a row of data, or another number of columns, is none', () => {
    expect(headerProblem('2026-03-01 09:30:00,5')?.says).toBe('expected a header such as timestamp,value, got "2026-03-01 09:30:00,5"');
    expect(headerProblem('timestamp')?.says).toContain('got 1');
  });
});
