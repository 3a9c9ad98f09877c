/** A row of a CSV file. `line` counts from 1 and is that on which the row begins. */
export type CsvRow = {readonly line: number; readonly cells: readonly string[]};

/** All rows, or where the file is not CSV. */
export type CsvText =
  | {readonly ok: true; readonly rows: readonly CsvRow[]}
  | {readonly ok: false; readonly line: number; readonly says: string};

const [COMMA, QUOTE, NEWLINE, RETURN, SPACE] = [44, 34, 10, 13, 32];

/**
 * Reads CSV as RFC 4180 has it: cells between commas, in quotes where they hold commas, quotes (doubled) or line breaks; lines end with LF or CRLF. A byte order
 * mark, empty lines, and spaces around quotes are skipped; all other spaces are part of their cells.
 */
export function csvRows(text: string): CsvText {
  const reader = new Reader(text.startsWith('\uFEFF') ? text.slice(1) : text);
  const rows: CsvRow[] = [];
  while (!reader.isAtEnd()) {
    const {line} = reader;
    const cells = reader.row();
    if (cells === null) return {ok: false, line: reader.line, says: reader.trouble};
    if (cells.length > 1 || cells[0] !== '') rows.push({line, cells});
  }
  return {ok: true, rows};
}

class Reader {
  readonly #text: string;
  #at = 0;
  line = 1;
  trouble = '';

  constructor(text: string) {
    this.#text = text;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The cells up to the end of the line; null = it is no row, and `trouble` says why. */
  row(): readonly string[] | null {
    const cells: string[] = [];
    for (;;) {
      const quote = this.#pastSpaces(this.#at);
      const isQuoted = this.#text.charCodeAt(quote) === QUOTE;
      if (isQuoted) this.#at = quote;
      const cell = isQuoted ? this.#quoted() : this.#plain();
      if (cell === null) return null;
      cells.push(cell);
      if (this.#text.charCodeAt(this.#at) === COMMA) {
        this.#at += 1;
        continue;
      }
      if (this.#text.charCodeAt(this.#at) === RETURN) this.#at += 1;
      if (this.#text.charCodeAt(this.#at) === NEWLINE) this.#at += 1;
      this.line += 1;
      return cells;
    }
  }

  #plain(): string {
    const begin = this.#at;
    while (!this.isAtEnd() && !this.#endsCell()) this.#at += 1;
    return this.#text.slice(begin, this.#at);
  }

  #quoted(): string | null {
    let cell = '';
    for (;;) {
      const end = this.#text.indexOf('"', this.#at + 1);
      if (end === -1) return this.#fail('a cell that begins with a quote has no closing one');
      const part = this.#text.slice(this.#at + 1, end);
      cell += part;
      this.#at = end + 1;
      if (this.#text.charCodeAt(this.#at) !== QUOTE) break;
      cell += '"';
    }
    this.line += cell.split('\n').length - 1;
    this.#at = this.#pastSpaces(this.#at);
    return this.isAtEnd() || this.#endsCell() ? cell : this.#fail('after a closing quote there is more text');
  }

  #pastSpaces(from: number): number {
    let at = from;
    while (this.#text.charCodeAt(at) === SPACE) at += 1;
    return at;
  }

  #endsCell(): boolean {
    const code = this.#text.charCodeAt(this.#at);
    return (
      code === COMMA ||
      code === NEWLINE ||
      (code === RETURN && this.#text.charCodeAt(this.#at + 1) === NEWLINE) ||
      (code === RETURN && this.#at === this.#text.length - 1)
    );
  }

  #fail(says: string): null {
    this.trouble = says;
    return null;
  }
}
