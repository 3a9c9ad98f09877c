import {readFile, stat} from 'node:fs/promises';
import {type CsvRow, csvRows} from '../../csv-rows.ts';
import {messageOf, type RegionctlError, unavailable, usageError} from '../../errors.ts';
import type {LabelledReadings, Metrics} from '../../ports/metrics.ts';
import {type ClockSpan, clockSpans, instantOf} from '../../time-zone.ts';
import {type Columns, columnsOf} from './columns.ts';
import {readTime} from './read-time.ts';

/** A file of series. `shown` = how messages name it; `timeZone` = of times that name none. */
export type CsvPlace = {readonly file: string; readonly shown: string; readonly timeZone: string};

const LARGEST_BYTES = 256 * 1024 * 1024;
const DAY_MS = 86_400_000;
/** What people write where there is no value. */
const NO_VALUE = /^(|-|n\/?a|null|none)$/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const NOT_FINITE = /^[+-]?(nan|inf(inity)?)$/i;

type Row = {readonly region: string; readonly at: number | null; readonly wallMs: number; readonly value: number};

/**
 * A CSV file as a source of series. The query names the column of values; rows with a column `region` are told apart by a label of that name. The file is read anew
 * each time. Throws a usage error (64) with file, line and column for what is no CSV, no time or no number, `metrics-unreadable` (69) when it cannot be read.
 */
export function csvMetrics(place: CsvPlace): Metrics {
  return {
    async series(query, {from, to}, signal) {
      signal.throwIfAborted();
      const text = await readText(place, signal);
      const csv = csvRows(text);
      if (!csv.ok)
        throw usageError(`${place.shown}:${csv.line}: ${csv.says}`, {
          suggestions: ['Write CSV as RFC 4180 has it: quotes within quotes are doubled.'],
        });
      const [first] = csv.rows;
      if (first === undefined) return {sets: [], remarks: []};
      const columns = columnsOf(first, query, place.shown);
      const {rows, empty} = rowsOf(columns.hasHeader ? csv.rows.slice(1) : csv.rows, columns, place);
      const sets = setsOf(rows, columns, place.timeZone);
      const later = sets.reduce((sum, {readings}) => sum + readings.filter(({at}) => at > to).length, 0);
      const remarks = [
        ...(empty === 0 ? [] : [`${rowsText(empty)} of ${place.shown} without a value`]),
        ...(later === 0 ? [] : [`${rowsText(later)} of ${place.shown} later than ${new Date(to).toISOString()}: left out`]),
      ];
      return {
        sets: sets
          .map(({labels, readings}) => ({labels, readings: readings.filter(({at}) => at >= from && at <= to)}))
          .filter(({readings}) => readings.length > 0),
        remarks,
      };
    },
  };
}

const rowsText = (count: number): string => (count === 1 ? '1 row' : `${count} rows`);

async function readText({file, shown}: CsvPlace, signal: AbortSignal): Promise<string> {
  try {
    const info = await stat(file);
    if (!info.isFile()) throw new Error('it is no regular file');
    if (info.size > LARGEST_BYTES) throw new Error(`it has ${info.size} bytes; at most ${LARGEST_BYTES} are read`);
    return new TextDecoder('utf-8', {fatal: true, ignoreBOM: true}).decode(await readFile(file, {signal}));
  } catch (error) {
    signal.throwIfAborted();
    throw unreadable(shown, error);
  }
}

function unreadable(shown: string, error: unknown): RegionctlError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why =
    code === 'ENOENT' ? 'there is no such file' : code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8 text' : messageOf(error);
  return unavailable('metrics-unreadable', `the file ${shown} cannot be read: ${why}`, {
    cause: error,
    suggestions: ['The path of a csv source is relative to the folder of the fleet file.'],
  });
}

function rowsOf(rows: readonly CsvRow[], columns: Columns, {shown}: CsvPlace): {readonly rows: readonly Row[]; readonly empty: number} {
  const read: Row[] = [];
  let empty = 0;
  for (const {line, cells} of rows) {
    const cellAt = (index: number): string => (cells[index] ?? '').trim();
    const text = cellAt(columns.value);
    const time = readTime(cellAt(columns.time));
    if (time === null)
      throw wrong(
        `${shown}:${line}`,
        columns.time,
        cellAt(columns.time),
        'a time such as 2026-03-01T00:00:00Z, 2026-03-01 00:00 or 1772323200',
      );
    if (NO_VALUE.test(text)) {
      empty += 1;
      continue;
    }
    const value = NUMBER.test(text) ? Number(text) : NOT_FINITE.test(text) ? Number.NaN : null;
    if (value === null) throw wrong(`${shown}:${line}`, columns.value, text, 'a number such as 12.5');
    const when = 'at' in time ? {at: time.at, wallMs: 0} : {at: null, wallMs: time.wallMs};
    read.push({region: columns.region === null ? '' : cellAt(columns.region), value, ...when});
  }
  return {rows: read, empty};
}

function wrong(place: string, column: number, got: string, expected: string): RegionctlError {
  const shown = got === '' ? 'nothing' : JSON.stringify(got.length > 40 ? `${got.slice(0, 40)}…` : got);
  return usageError(`${place}, column ${column + 1}: expected ${expected}, got ${shown}`, {
    suggestions: ['Mend the line, or leave it out.'],
  });
}

/** Readings by region. Of an hour that autumn has twice the first rows are of the first one: rows of a region are in order of time where they can be. */
function setsOf(rows: readonly Row[], {region: hasRegion}: Columns, timeZone: string): readonly LabelledReadings[] {
  const spans = spansOf(rows, timeZone);
  const sets = new Map<string, {at: number; value: number}[]>();
  for (const {region, at, wallMs, value} of rows) {
    const set = sets.get(region) ?? [];
    sets.set(region, set);
    set.push({at: at ?? instantOf(wallMs, spans, set.at(-1)?.at), value});
  }
  return [...sets].map(([region, readings]) => ({labels: hasRegion === null ? {} : {region}, readings}));
}

/** The clock of the zone around all times that name none. */
function spansOf(rows: readonly Row[], timeZone: string): readonly ClockSpan[] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const {at, wallMs} of rows) if (at === null) [from, to] = [Math.min(from, wallMs), Math.max(to, wallMs)];
  return from > to ? [] : clockSpans(timeZone, from - 3 * DAY_MS, to + 3 * DAY_MS);
}
