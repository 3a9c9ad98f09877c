/** How the picture is framed. `columns` default: the longest line. */
export type PictureOptions = {readonly title: string; readonly columns?: number};

type Style = {
  readonly fg: string | null;
  readonly bg: string | null;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly inverse: boolean;
};
type Run = {readonly text: string; readonly at: number; readonly style: Style};

const PLAIN: Style = {fg: null, bg: null, bold: false, dim: false, italic: false, underline: false, inverse: false};
const COLOURS = ['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9'];
const BRIGHT = ['#6b7689', '#ff7a85', '#b5e08f', '#ffd68a', '#7cc4ff', '#dd8ef0', '#6fd3df', '#ffffff'];
const INK = '#d8dee9';
const PAPER = '#1b1f27';
const CELL = {width: 8.4, height: 18, size: 14};
const PAD = 16;
const BAR = 34;

/** A picture of a terminal that shows `text` with its colours (SGR). Other escape sequences are left out. */
export function ansiToSvg(text: string, {title, columns}: PictureOptions): string {
  const lines = parseAnsi(text);
  const longest = lines.reduce((max, runs) => Math.max(max, ...runs.map((run) => run.at + [...run.text].length)), 1);
  const width = round((columns ?? longest) * CELL.width + 2 * PAD);
  const height = round(lines.length * CELL.height + BAR + 2 * PAD - 8);
  const rows = lines.flatMap((runs, row) => runs.map((run) => runSvg(run, row)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<rect x="0.5" y="0.5" width="${round(width - 1)}" height="${round(height - 1)}" rx="8" fill="${PAPER}" stroke="#3b4252"/>`,
    ...['#e06c75', '#e5c07b', '#98c379'].map((fill, i) => `<circle cx="${18 + i * 18}" cy="17" r="5.5" fill="${fill}"/>`),
    `<text x="${round(width / 2)}" y="21" text-anchor="middle" font-family="system-ui, sans-serif" font-size="12" fill="#8b95a7">${escaped(title)}</text>`,
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${CELL.size}" fill="${INK}" xml:space="preserve">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** The text as runs of one style per line; `at` is the column of a run. Blank ends are dropped. */
export function parseAnsi(text: string): Run[][] {
  let style = PLAIN;
  const lines = text.replaceAll('\r', '').replace(/\n+$/, '').split('\n');
  return lines.map((line) => {
    const runs: Run[] = [];
    let at = 0;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is parsed
    for (const part of line.split(/(\u001B\[[0-9;:?]*[A-Za-z]|\u001B\][^\u0007]*\u0007)/)) {
      if (part.startsWith('\u001B')) {
        style = part.endsWith('m') ? applySgr(style, part.slice(2, -1)) : style;
        continue;
      }
      if (part !== '') runs.push({text: part, at, style});
      at += [...part].length;
    }
    return runs;
  });
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

/* Every run has its place and its length, so that columns line up in whatever font the reader has. */
function runSvg({text, at, style}: Run, row: number): string {
  const length = [...text].length;
  const [x, y] = [round(PAD + at * CELL.width), round(BAR + PAD - 8 + row * CELL.height)];
  const width = round(length * CELL.width);
  const [fg, bg] = style.inverse ? [style.bg ?? PAPER, style.fg ?? INK] : [style.fg, style.bg];
  const rect = bg === null ? '' : `<rect x="${x}" y="${y}" width="${width}" height="${CELL.height}" fill="${bg}"/>`;
  if (text.trim() === '') return rect;
  const looks = [
    fg === null ? '' : ` fill="${fg}"`,
    style.bold ? ' font-weight="bold"' : '',
    style.dim ? ' opacity="0.6"' : '',
    style.italic ? ' font-style="italic"' : '',
    style.underline ? ' text-decoration="underline"' : '',
  ].join('');
  return `${rect}<text x="${x}" y="${round(y + CELL.size - 0.5)}" textLength="${width}" lengthAdjust="spacingAndGlyphs"${looks}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(/\p{Cc}/gu, '');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
