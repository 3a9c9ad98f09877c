/** A row of `timestamp,value`: epoch ms, and NaN for a value that is not known. */
export type CsvRow = {readonly at: number; readonly value: number};

/** What is wrong with a cell: a sentence without file and line. */
export type CsvProblem = {readonly field: 'timestamp' | 'value' | 'row'; readonly says: string};

const TIME = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?)?$/u;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u;
/** How files write that nothing was measured. */
const NOT_KNOWN = /^(?:|nan|null|none|na|n\/a)$/iu;

/** What is wrong with a first row that is no header; null = nothing. A header has two cells, and its second one is no number. */
export function headerProblem(line: string): CsvProblem | null {
  const cells = cellsOf(line);
  if (cells.length !== 2) return tooMany(cells.length, line);
  if (!NUMBER.test(cells[1] ?? '')) return null;
  return {field: 'row', says: `expected a header such as timestamp,value, got "${shown(line)}"`};
}

/** One row. Times without a zone are taken as UTC, so that the answer is the same on every machine. */
export function readCsvRow(line: string): CsvRow | CsvProblem {
  const cells = cellsOf(line);
  if (cells.length !== 2) return tooMany(cells.length, line);
  const [timestamp = '', text = ''] = cells;
  const at = readTime(timestamp);
  if (Number.isNaN(at))
    return {
      field: 'timestamp',
      says: `"${shown(timestamp)}" is no time: expected ISO 8601 such as 2026-03-01T09:30:00Z, or YYYY-MM-DD HH:MM:SS`,
    };
  if (NUMBER.test(text)) {
    const value = Number(text);
    if (Number.isFinite(value)) return {at, value};
  } else if (NOT_KNOWN.test(text)) return {at, value: Number.NaN};
  return {field: 'value', says: `"${shown(text)}" is no number that can be used`};
}

function tooMany(count: number, line: string): CsvProblem {
  return {field: 'row', says: `expected two cells, timestamp and value, got ${count}: "${shown(line)}"`};
}

function readTime(text: string): number {
  const match = TIME.exec(text);
  if (match === null) return Number.NaN;
  const [, date = '', clock = '00:00:00', zone = 'Z'] = match;
  return isDay(date) ? Date.parse(`${date}T${clock}${zone}`) : Number.NaN;
}

/** Date.parse takes 30 February for 2 March. */
function isDay(date: string): boolean {
  const day = Number(date.slice(8));
  return day <= 28 || new Date(Date.parse(date)).getUTCDate() === day;
}

/** Cells may be quoted and padded. */
function cellsOf(line: string): readonly string[] {
  return line.split(',').map((cell) => {
    const bare = cell.trim();
    return bare.length > 1 && bare.startsWith('"') && bare.endsWith('"') ? bare.slice(1, -1).trim() : bare;
  });
}

function shown(text: string): string {
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
