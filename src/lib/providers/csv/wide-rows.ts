import {createReadStream} from 'node:fs';
import {messageOf, type RegionctlError, usageError} from '../../errors.ts';

/** One row: a name and its values in order. NaN = the cell is empty, between values. */
export type WideRow = {readonly name: string; readonly values: Float64Array};

const QUOTE = 34;
const COMMA = 44;
/** How the competition files and spreadsheets write that there is no value. */
const MISSING = /^(|na|n\/a|nan|null)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads rows of `name,value,value,…` under a header row, one series each: cells may be quoted, rows may be padded with empty cells at the end, lines may end with CRLF.
 * The file is read in pieces, so it may be larger than memory would hold as text.
 *
 * Throws a usage error (64) with file, line and column for a cell that is no number, a row without a name, a name that is there twice, a quote that does not
 * end, and for a file without rows or that cannot be read.
 */
export async function readWideRows(file: string): Promise<readonly WideRow[]> {
  const rows = new Map<string, WideRow>();
  let line = 0;
  for await (const text of linesOf(file)) {
    line++;
    if (line === 1 || text.trim() === '') continue;
    const row = parseRow(text, {file, line});
    if (rows.has(row.name))
      throw trouble({file, line, column: 1}, `the series "${row.name}" is there twice`, 'Give each row a name of its own.');
    rows.set(row.name, row);
  }
  if (rows.size === 0)
    throw usageError(`${file} has no rows below its header`, {suggestions: ['A row is a name and its values: web,120,131,128']});
  return [...rows.values()];
}

/** The lines of a file without their ends and without the mark of UTF-8. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  let first = true;
  try {
    for await (const piece of createReadStream(file, {encoding: 'utf8', highWaterMark: 1 << 20})) {
      const lines = `${rest}${first ? String(piece).replace(/^\uFEFF/, '') : piece}`.split('\n');
      first = false;
      rest = lines.pop() ?? '';
      for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line;
    }
  } catch (error) {
    throw usageError(`${file} cannot be read: ${messageOf(error)}`, {suggestions: ['Check the path and its permissions.'], cause: error});
  }
  if (rest !== '') yield rest;
}

type Place = {readonly file: string; readonly line: number; readonly column: number};

function parseRow(text: string, at: {readonly file: string; readonly line: number}): WideRow {
  const cells = cellsOf(text, at);
  const name = (cells[0] ?? '').trim();
  if (name === '') throw trouble({...at, column: 1}, 'the row has no name', 'Put the name of the series into its first cell.');
  let end = cells.length;
  while (end > 1 && (cells[end - 1] as string).trim() === '') end--;
  const values = new Float64Array(end - 1);
  for (let column = 1; column < end; column++) values[column - 1] = numberIn((cells[column] as string).trim(), {...at, column: column + 1});
  return {name, values};
}

function numberIn(text: string, place: Place): number {
  if (NUMBER.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw trouble(place, `${text} is too large for a number`, 'Use a larger unit.');
  }
  if (MISSING.test(text)) return Number.NaN;
  throw trouble(
    place,
    `"${text.slice(0, 40)}" is not a number`,
    'Leave the cell empty where no value is known, and write decimals with a point.',
  );
}

function cellsOf(text: string, at: {readonly file: string; readonly line: number}): readonly string[] {
  const cells: string[] = [];
  // One beyond the end follows a last comma: an empty cell.
  for (let from = 0; from <= text.length; ) {
    const place = {...at, column: cells.length + 1};
    const end = text.charCodeAt(from) === QUOTE ? endOfQuoted(text, from, place) : endOfPlain(text, from);
    const cell = text.slice(from, end);
    cells.push(text.charCodeAt(from) === QUOTE ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    from = end + 1;
  }
  return cells;
}

function endOfPlain(text: string, from: number): number {
  const end = text.indexOf(',', from);
  return end < 0 ? text.length : end;
}

/** Where a cell ends that begins with a quote. Two quotes in a row are one that is meant. */
function endOfQuoted(text: string, open: number, place: Place): number {
  let close = text.indexOf('"', open + 1);
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  if (close < 0) throw trouble(place, 'a quote is opened and not closed', 'Close it, or double a quote that is meant.');
  if (close + 1 < text.length && text.charCodeAt(close + 1) !== COMMA) {
    throw trouble(place, 'text follows a quoted cell', 'Put the whole cell into quotes.');
  }
  return close + 1;
}

function trouble({file, line, column}: Place, what: string, next: string): RegionctlError {
  return usageError(`${file}, line ${line}, column ${column}: ${what}`, {suggestions: [next]});
}
