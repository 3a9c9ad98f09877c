import {type Run, screenOf} from './screen.ts';

/** How the picture is framed. `columns` default: the longest line. `until`: see screenOf. */
export type PictureOptions = {readonly title: string; readonly columns?: number; readonly until?: string};

const INK = '#d8dee9';
const PAPER = '#1b1f27';
const CELL = {width: 8.4, height: 18, size: 14};
const PAD = 16;
const BAR = 34;

/** A picture of a terminal that shows `text` with its colours. */
export function ansiToSvg(text: string, {title, columns, until}: PictureOptions): string {
  const lines = screenOf(text, until);
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
    `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${CELL.size}" fill="${INK}">`,
    ...rows,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/*
 * Every run has its place and its length, so that columns line up in whatever font the reader has. Not every reader of SVG keeps blanks that follow one
 * another, and what is left would be stretched: blanks that do not break are kept.
 */
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
  return `${rect}<text x="${x}" y="${round(y + CELL.size - 0.5)}" textLength="${width}" lengthAdjust="spacingAndGlyphs"${looks}>${escaped(text).replaceAll(/^ | $| (?= )|(?<= ) /gu, '\u00A0')}</text>`;
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
