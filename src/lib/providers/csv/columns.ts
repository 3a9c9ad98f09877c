import type {CsvRow} from '../../csv-rows.ts';
import {usageError} from '../../errors.ts';
import {readTime} from './read-time.ts';

/** Which column is what, by place. `region` null = all rows are of one series. */
export type Columns = {readonly time: number; readonly region: number | null; readonly value: number; readonly hasHeader: boolean};

const TIMES = ['timestamp', 'time', 'date', 'datetime', 'at', 'ds'];

/**
 * Finds the columns: by the names of a header, else by their order (time, value, or time, region, value). `wanted` = name of the column of values; empty =
 * the one called `value`, or the only one that is left. Throws a usage error that names the file and what there is.
 */
export function columnsOf(first: CsvRow, wanted: string, shown: string): Columns {
  const cells = first.cells.map((cell) => cell.trim());
  if (readTime(cells[0] ?? '') === null) return namedColumns(cells, wanted, `${shown}:${first.line}`);
  if (wanted !== '')
    throw usageError(`${shown} has no header, so that no column is called "${wanted}"`, {
      suggestions: ['Add a first line with the names of the columns, or leave the query out.'],
    });
  if (cells.length === 2) return {time: 0, region: null, value: 1, hasHeader: false};
  if (cells.length === 3) return {time: 0, region: 1, value: 2, hasHeader: false};
  throw usageError(
    `${shown}:${first.line}: expected timestamp,value or timestamp,region,value, got ${cells.length} columns without a header`,
    {
      suggestions: ['Add a first line with the names of the columns, and name one as the query of the series.'],
    },
  );
}

function namedColumns(cells: readonly string[], wanted: string, place: string): Columns {
  const names = cells.map((cell) => cell.toLowerCase());
  const time = Math.max(
    0,
    names.findIndex((name) => TIMES.includes(name)),
  );
  const region = names.indexOf('region');
  const base = {time, region: region === -1 ? null : region, hasHeader: true};
  const others = cells.map((_, index) => index).filter((index) => index !== time && index !== region);
  const listed = others.map((index) => cells[index]).join(', ');
  if (wanted !== '') {
    const value = cells.indexOf(wanted);
    if (value !== -1) return {...base, value};
    throw usageError(`${place}: there is no column "${wanted}"; there are: ${listed}`, {
      suggestions: ['Name one of them as the query of the series.'],
    });
  }
  const value = names.indexOf('value');
  if (value !== -1) return {...base, value};
  const [only, ...more] = others;
  if (only === undefined) throw usageError(`${place}: there is no column with values`, {suggestions: ['Add one called value.']});
  if (more.length === 0) return {...base, value: only};
  throw usageError(`${place}: there are ${others.length} columns with values: ${listed}: name one as the query of the series`, {
    suggestions: ['Where they are named after regions: query: $region.'],
  });
}
