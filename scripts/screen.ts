/** How a character looks. Null = the terminal's own colour. */
export type Style = {
  readonly fg: string | null;
  readonly bg: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
};

/** Text of one style; `at` is the column where it begins. */
export type Run = {readonly text: string; readonly at: number; readonly style: Style};

type Cell = {readonly character: string; readonly style: Style};
type Place = {readonly rows: Cell[][]; readonly x: number; readonly y: number};
/** `main`: what comes back when the alternate screen is left; null = it is shown. */
type Screen = {rows: Cell[][]; x: number; y: number; style: Style; main: Place | null};

const PLAIN: Style = {fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false};
const COLOURS = ['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9'];
const BRIGHT = ['#6b7689', '#ff7a85', '#b5e08f', '#ffd68a', '#7cc4ff', '#dd8ef0', '#6fd3df', '#ffffff'];
const BLANK: Cell = {character: ' ', style: PLAIN};
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
const TOKEN = /(\u001B\[[0-9;:?]*[A-Za-z]|\u001B\][^\u0007]*\u0007)/;
/* What Ink writes after each frame. */
const FRAME_END = '\u001B[?2026l';

/**
 * What a terminal shows after `text`: colours, line feeds and the cursor moves that Ink makes. `until`: the last frame that holds this text,
 * for a moment in the middle of a capture. Lines of script(1) about itself are left out.
 */
export function screenOf(text: string, until?: string): Run[][] {
  const screen: Screen = {rows: [], x: 0, y: 0, style: PLAIN, main: null};
  let kept: Run[][] | null = null;
  for (const part of text.replaceAll(/^Script (started|done) on .*\n?/gm, '').split(TOKEN)) {
    if (part.startsWith('\u001B[')) control(screen, part.slice(2, -1), part.slice(-1));
    else if (!part.startsWith('\u001B')) for (const character of part) put(screen, character);
    if (until !== undefined && part === FRAME_END && textOf(screen).includes(until)) kept = runsOf(screen);
  }
  return kept ?? runsOf(screen);
}

function put(screen: Screen, character: string): void {
  if (character === '\n') Object.assign(screen, {x: 0, y: screen.y + 1});
  else if (character === '\r') screen.x = 0;
  else if (character >= ' ') {
    const row = rowAt(screen, screen.y);
    while (row.length < screen.x) row.push(BLANK);
    row[screen.x] = {character, style: screen.style};
    screen.x += 1;
  }
}

/** Programs that draw the whole screen have one for themselves. */
function alternate(screen: Screen, isEntered: boolean): void {
  const {rows, x, y, main} = screen;
  if (isEntered && main === null) Object.assign(screen, {rows: [], x: 0, y: 0, main: {rows, x, y}});
  else if (!isEntered && main !== null) Object.assign(screen, {...main, main: null});
}

function control(screen: Screen, codes: string, letter: string): void {
  const count = Number(codes.split(';')[0]) || 0;
  if (codes === '?1049') alternate(screen, letter === 'h');
  else if (letter === 'm') screen.style = applySgr(screen.style, codes);
  else if (letter === 'K' || letter === 'J') erase(screen, count, letter);
  else move(screen, count, letter);
}

function move(screen: Screen, count: number, letter: string): void {
  const by = Math.max(1, count);
  if (letter === 'A' || letter === 'F') screen.y = Math.max(0, screen.y - by);
  else if (letter === 'B' || letter === 'E') screen.y += by;
  else if (letter === 'C') screen.x += by;
  else if (letter === 'D') screen.x = Math.max(0, screen.x - by);
  else if (letter === 'G') screen.x = by - 1;
  // On the main screen nobody knows where the top of the window is.
  else if (letter === 'H' && screen.main !== null) Object.assign(screen, {x: 0, y: by - 1});
  if (letter === 'E' || letter === 'F') screen.x = 0;
}

function erase(screen: Screen, count: number, letter: 'K' | 'J'): void {
  rowAt(screen, screen.y).splice(count === 0 ? screen.x : 0);
  if (letter === 'J') screen.rows.splice(count === 0 ? screen.y + 1 : 0);
}

function rowAt({rows}: Screen, y: number): Cell[] {
  while (rows.length <= y) rows.push([]);
  return rows[y] ?? [];
}

function textOf({rows}: Screen): string {
  return rows.map((row) => row.map(({character}) => character).join('')).join('\n');
}

function runsOf({rows}: Screen): Run[][] {
  const last = rows.findLastIndex((row) => row.some(({character}) => character !== ' '));
  return rows.slice(0, last + 1).map((row) => {
    const runs: {text: string; at: number; style: Style}[] = [];
    for (const [at, {character, style}] of row.entries()) {
      const current = runs.at(-1);
      if (current !== undefined && sameStyle(current.style, style)) current.text += character;
      else runs.push({text: character, at, style});
    }
    return runs;
  });
}

function sameStyle(a: Style, b: Style): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

function applySgr(style: Style, codes: string): Style {
  const numbers = codes.split(/[;:]/).map(Number);
  let next = style;
  for (let i = 0; i < numbers.length; i += 1) {
    const code = numbers[i] ?? 0;
    if (code === 38 || code === 48) {
      const [colour, used] = extended(numbers.slice(i + 1));
      next = code === 38 ? {...next, fg: colour} : {...next, bg: colour};
      i += used;
    } else next = withCode(next, code);
  }
  return next;
}

function withCode(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code >= 30 && code <= 37) return {...style, fg: COLOURS[code - 30] ?? null};
  if (code >= 90 && code <= 97) return {...style, fg: BRIGHT[code - 90] ?? null};
  if (code >= 40 && code <= 47) return {...style, bg: COLOURS[code - 40] ?? null};
  if (code >= 100 && code <= 107) return {...style, bg: BRIGHT[code - 100] ?? null};
  return {...style, ...FLAGS[code]};
}

const FLAGS: Readonly<Record<number, Partial<Style>>> = {
  1: {bold: true},
  2: {dim: true},
  3: {italic: true},
  4: {underline: true},
  7: {inverse: true},
  22: {bold: false, dim: false},
  23: {italic: false},
  24: {underline: false},
  27: {inverse: false},
  39: {fg: null},
  49: {bg: null},
};

/** A colour of 256 or of 24 bits, and how many numbers it took. */
function extended([kind, a = 0, b = 0, c = 0]: readonly number[]): [string | null, number] {
  if (kind === 2) return [`rgb(${a},${b},${c})`, 4];
  if (kind !== 5) return [null, 1];
  if (a < 8) return [COLOURS[a] ?? null, 2];
  if (a < 16) return [BRIGHT[a - 8] ?? null, 2];
  if (a >= 232) return [`rgb(${[1, 1, 1].map(() => 8 + (a - 232) * 10).join(',')})`, 2];
  const level = (n: number) => (n === 0 ? 0 : 55 + n * 40);
  const cube = a - 16;
  return [`rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`, 2];
}
