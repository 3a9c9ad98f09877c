import {linesOf} from '../../csv-lines.ts';
import {type RegionctlError, usageError} from '../../errors.ts';

/** One row: a name and its values in order. NaN = the cell is empty, between values. */
export type WideRow = {readonly name: string; readonly values: Float64Array};

const TAB = 9;
const BLANK = 32;
const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const ZERO = 48;
/** A row of millions of values. */
const LONGEST_ROW = 64 * 1024 * 1024;
/** How the competition files and spreadsheets write that there is no value. */
const MISSING = /^(|na|n\/a|nan|null)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/**
 * Reads rows of `name,value,value,…` under a header row, one series each: cells may be quoted and have blanks around them, rows may be padded with empty cells at the end, lines may
 * end with CRLF. The file is read in pieces, so it may be larger than memory would hold as text.
 *
 * Throws a usage error (64) with file, line and column for a cell that is no number, a row without a name, a name that is there twice, a quote that does
 * not end, and for a file without rows or that cannot be read.
 */
export async function readWideRows(file: string): Promise<readonly WideRow[]> {
  const rows = new Map<string, WideRow>();
  let line = 0;
  for await (const texts of linesOf(file, {longest: LONGEST_ROW})) {
    for (const text of texts) {
      line++;
      if (line === 1 || text.trim() === '') continue;
      assertCommas(text, {file, line});
      const row = parseRow(text, {file, line});
      if (rows.has(row.name))
        throw trouble({file, line, column: 1}, `the series "${row.name}" is there twice`, 'Give each row a name of its own.');
      rows.set(row.name, row);
    }
  }
  if (rows.size === 0)
    throw usageError(`${file} has no rows below its header`, {suggestions: ['A row is a name and its values: web,120,131,128']});
  return [...rows.values()];
}

type Line = {readonly file: string; readonly line: number};
type Place = Line & {readonly column: number};

/** Where spreadsheets write decimals with a comma they separate cells with something else. */
function assertCommas(text: string, at: Line): void {
  if (!text.includes(',') && /[;\t]/u.test(text))
    throw trouble({...at, column: 1}, 'the row has no comma', 'Separate cells with commas, and write decimals with a point.');
}

function parseRow(text: string, at: Line): WideRow {
  // As many as there could be.
  const values = new Float64Array(Math.ceil(text.length / 2) + 1);
  let name = '';
  let known = 0;
  // One beyond the end follows a last comma: an empty cell.
  for (let from = 0, column = 1; from <= text.length; column++) {
    const open = quoteAt(text, from);
    const close = open < 0 ? -1 : closeOf(text, open, at, column);
    const first = open < 0 ? from : open + 1;
    const end = open < 0 ? endOfPlain(text, from) : endAfter(text, close, at, column);
    const last = open < 0 ? end : close;
    if (column === 1) name = text.slice(first, last).replaceAll('""', '"').trim();
    else {
      const value = numberIn(text, first, last) ?? carefulNumberIn(text.slice(first, last).trim(), at, column);
      values[column - 2] = value;
      // Empty cells up to the end of the row are padding.
      if (!Number.isNaN(value) || text.slice(first, last).trim() !== '') known = column - 1;
    }
    from = end + 1;
  }
  if (name === '') throw trouble({...at, column: 1}, 'the row has no name', 'Put the name of the series into its first cell.');
  return {name, values: values.slice(0, known)};
}

function endOfPlain(text: string, from: number): number {
  const end = text.indexOf(',', from);
  return end < 0 ? text.length : end;
}

/** Where the quote is that a cell begins with, after blanks; -1 = it has none. */
function quoteAt(text: string, from: number): number {
  const at = afterBlanks(text, from);
  return text.charCodeAt(at) === QUOTE ? at : -1;
}

/** Where the quote is that ends a quoted cell. Two quotes in a row are one that is meant. */
function closeOf(text: string, open: number, at: Line, column: number): number {
  let close = text.indexOf('"', open + 1);
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  if (close < 0) throw trouble({...at, column}, 'a quote is opened and not closed', 'Close it, or double a quote that is meant.');
  return close;
}

/** Where a quoted cell ends: after it there may be blanks only. */
function endAfter(text: string, close: number, at: Line, column: number): number {
  const end = afterBlanks(text, close + 1);
  if (end < text.length && text.charCodeAt(end) !== COMMA) {
    throw trouble({...at, column}, 'text follows a quoted cell', 'Put the whole cell into quotes.');
  }
  return end;
}

function afterBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === BLANK || text.charCodeAt(at) === TAB) at++;
  return at;
}

/**
 * A plain decimal number of at most 15 digits; null = something else. Digits and power of ten are exact then, so that one division rounds right (Clinger
 * 1990): no text has to be cut out for it.
 */
function numberIn(text: string, first: number, last: number): number | null {
  let digits = 0;
  let decimals = -1;
  const length = last - first;
  if (length === 0 || length > 16) return null;
  for (let i = first; i < last; i++) {
    const code = text.charCodeAt(i);
    if (code === POINT && decimals < 0) decimals = 0;
    else {
      if (code < ZERO || code > ZERO + 9) return null;
      digits = digits * 10 + (code - ZERO);
      if (decimals >= 0) decimals++;
    }
  }
  // Without a point there may be 16 digits, and with one it may stand alone.
  if (digits > Number.MAX_SAFE_INTEGER || (decimals === 0 && length === 1)) return null;
  return decimals > 0 ? digits / 10 ** decimals : digits;
}

/** Any other cell. */
function carefulNumberIn(text: string, at: Line, column: number): number {
  if (MISSING.test(text)) return Number.NaN;
  if (NUMBER.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return value;
    throw trouble({...at, column}, `${text} is too large for a number`, 'Use a larger unit.');
  }
  throw trouble(
    {...at, column},
    `"${text.slice(0, 40)}" is not a number`,
    'Leave the cell empty where no value is known, and write decimals with a point.',
  );
}

function trouble({file, line, column}: Place, what: string, next: string): RegionctlError {
  return usageError(`${file}, line ${line}, column ${column}: ${what}`, {suggestions: [next]});
}
