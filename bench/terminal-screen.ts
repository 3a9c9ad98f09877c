/** A character on the screen with the SGR codes that it was written under. */
type Cell = {readonly character: string; readonly style: string};

/** What one frame did to the screen. `cleared`: at some moment the whole screen was blank. `rows`: how many were written or erased, in part or whole; `of`: how many have something on them. */
export type Touched = {readonly cleared: boolean; readonly rows: number; readonly of: number};

const BLANK: Cell = {character: ' ', style: ''};
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
const TOKEN = /(\u001B\[[0-9;:?<>=]*[A-Za-z]|\u001B\][^\u0007]*\u0007)/;
/** A code ends those that it takes the place of. */
const ENDS: readonly (readonly [RegExp, RegExp])[] = [
  [/^22$/, /^[12]$/],
  [/^23$/, /^3$/],
  [/^24$/, /^4$/],
  [/^27$/, /^7$/],
  [/^(3[0-9]|9[0-7])/, /^(3[0-8]|9[0-7])/],
  [/^(4[0-9]|10[0-7])/, /^(4[0-8]|10[0-7])/],
];

/** The screen of a terminal, kept up as frames come: what is on it, and what a frame did to it. It does not scroll: a view on the alternate screen never makes it. */
export class TerminalScreen {
  readonly #rows: Cell[][] = [];
  readonly #height: number;
  #x = 0;
  #y = 0;
  #styles: readonly string[] = [];
  #touched = new Set<number>();
  #cleared = false;

  constructor(height: number) {
    this.#height = height;
  }

  /** Writes what came, whole escape sequences only, and tells what that did. */
  write(text: string): Touched {
    this.#touched = new Set();
    this.#cleared = false;
    for (const part of text.split(TOKEN)) {
      if (part.startsWith('\u001B[')) this.#control(part.slice(2, -1), part.slice(-1));
      else if (!part.startsWith('\u001B')) for (const character of part) this.#put(character);
    }
    return {cleared: this.#cleared, rows: this.#touched.size, of: this.#rows.filter((row) => !isBlank(row)).length};
  }

  /** The lines, without colours. */
  lines(): readonly string[] {
    return this.#rows.map((row) =>
      row
        .map(({character}) => character)
        .join('')
        .trimEnd(),
    );
  }

  /** The bytes that it takes to write this screen whole: its lines to their last character, and an escape sequence wherever the style changes. */
  repaintBytes(): number {
    let text = '';
    for (const [index, row] of this.#rows.entries()) {
      let style = '';
      const end = row.findLastIndex(({character, style: its}) => character !== ' ' || its.includes('7'));
      for (const cell of row.slice(0, end + 1)) {
        if (cell.style !== style) text += `\u001B[0;${cell.style}m`;
        style = cell.style;
        text += cell.character;
      }
      if (index < this.#rows.length - 1) text += '\r\n';
    }
    return Buffer.byteLength(text);
  }

  #put(character: string): void {
    if (character === '\n') this.#y = Math.min(this.#height - 1, this.#y + 1);
    else if (character === '\r') this.#x = 0;
    else if (character >= ' ') {
      const row = this.#row(this.#y);
      while (row.length < this.#x) row.push(BLANK);
      row[this.#x] = {character, style: this.#styles.join(';')};
      this.#x += 1;
      this.#touched.add(this.#y);
    }
  }

  #control(codes: string, letter: string): void {
    const [first = 0, second = 0] = codes.split(';').map((code) => Number(code) || 0);
    const by = Math.max(1, first);
    if (letter === 'm') this.#style(codes);
    else if (letter === 'A' || letter === 'F') this.#y = Math.max(0, this.#y - by);
    else if (letter === 'B' || letter === 'E') this.#y = Math.min(this.#height - 1, this.#y + by);
    else if (letter === 'C') this.#x += by;
    else if (letter === 'D') this.#x = Math.max(0, this.#x - by);
    else if (letter === 'G') this.#x = by - 1;
    else if (letter === 'd') this.#y = by - 1;
    else if (letter === 'H' || letter === 'f') [this.#x, this.#y] = [Math.max(1, second) - 1, by - 1];
    else if (letter === 'K') this.#eraseLine(first);
    else if (letter === 'J') this.#eraseScreen(first);
    if (letter === 'E' || letter === 'F') this.#x = 0;
  }

  #eraseLine(how: number): void {
    const row = this.#row(this.#y);
    if (how === 0) row.splice(this.#x);
    else if (how === 2) row.splice(0);
    else row.fill(BLANK, 0, Math.min(row.length, this.#x + 1));
    this.#erase(this.#y);
  }

  #eraseScreen(how: number): void {
    if (how === 3) {
      this.#cleared = true;
      return;
    }
    if (how === 0) this.#row(this.#y).splice(this.#x);
    const from = how === 0 ? this.#y + 1 : 0;
    const to = how === 1 ? this.#y : this.#rows.length;
    for (let y = from; y < to; y += 1) this.#row(y).splice(0);
    for (let y = Math.min(from, this.#y); y < Math.max(to, this.#y + 1); y += 1) this.#erase(y);
  }

  /** Erased row by row before anything is written again is cleared all the same. */
  #erase(y: number): void {
    this.#touched.add(y);
    if (this.#rows.every(isBlank)) this.#cleared = true;
  }

  #style(codes: string): void {
    // A colour of 256 or of 24 bits is one code with several numbers.
    for (const [code] of codes.matchAll(/(?:38|48)[;:](?:5[;:]\d+|2(?:[;:]\d*){3})|\d+|^$/gu)) {
      if (code === '' || code === '0') this.#styles = [];
      else {
        const ended = ENDS.find(([begins]) => begins.test(code))?.[1];
        const kept = this.#styles.filter((each) => each !== code && ended?.test(each) !== true);
        this.#styles = /^(2[2-9]|39|49)$/.test(code) ? kept : [...kept, code];
      }
    }
  }

  #row(y: number): Cell[] {
    while (this.#rows.length <= y) this.#rows.push([]);
    return this.#rows[y] ?? [];
  }
}

function isBlank(row: readonly Cell[]): boolean {
  return row.every(({character}) => character === ' ');
}
