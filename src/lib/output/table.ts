import {headOf, padRight, tailOf, textWidth} from './text-width.ts';

/** One cell: its text, and how it is painted once it has its width. A string is a cell without colour. */
export type Cell = string | {readonly text: string; readonly paint: (text: string) => string};
/** One column. `shrink` false keeps its width as long as any other can give way. `drop`: may be left out where there is no room, the highest number first; see `fitting`. */
export type Column = {
  readonly title?: string;
  readonly align?: 'left' | 'right';
  readonly shrink?: boolean;
  readonly drop?: number;
};

/** Between two columns. */
const GAP = '  ';
const NARROWEST = 4;
/** A name that is cut shorter than this is hard to tell from others: columns are left out before. */
const READABLE = 8;

/**
 * Aligned columns as lines that are no wider than `width`; what does not fit is cut with `…`. Titles make a first line. Line ends never
 * have blanks. Nothing is known of a terminal here.
 */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): readonly string[] {
  const titled = columns.some((column) => column.title !== undefined);
  const all = titled ? [columns.map((column) => column.title ?? ''), ...rows] : rows;
  const widths = fittedWidths(columns, natural(columns, all), width);
  return all.map((row) => line(columns, row, widths, width));
}

/**
 * Which columns (by index, in order) have room within `width`, so that nothing of those that do not shrink is cut, and names stay readable. Of those with a `drop` as many are
 * left out as it takes; the others stay, whatever the width.
 */
export function fitting(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): readonly number[] {
  const least = natural(columns, [columns.map(({title = ''}) => title), ...rows]).map((each, i) =>
    columns[i]?.shrink === false ? each : Math.min(each, READABLE),
  );
  const kept = columns.map((_, i) => i);
  const needed = (): number => kept.reduce((sum, i) => sum + (least[i] ?? 0) + GAP.length, -GAP.length);
  while (needed() > width) {
    const last = kept.reduce((most, i) => ((columns[i]?.drop ?? 0) > (columns[most]?.drop ?? 0) ? i : most), kept[0] ?? 0);
    if (columns[last]?.drop === undefined) break;
    kept.splice(kept.indexOf(last), 1);
  }
  return kept;
}

/** Cuts text to a width in columns, with `…` as its last character where something is missing. */
export function cut(text: string, width: number): string {
  const line = oneLine(text);
  if (textWidth(line) <= width) return line;
  return width <= 0 ? '' : `${headOf(line, width - 1).trimEnd()}…`;
}

/** Cuts text from its beginning to a width, with `…` where something is missing, and pads it: the end of a long name tells more than its beginning. */
export function cutStart(text: string, width: number): string {
  const line = oneLine(text);
  if (textWidth(line) <= width) return padRight(line, width);
  return width <= 0 ? '' : padRight(`…${tailOf(line, width - 1)}`, width);
}

/** Breaks text into lines of at most `width`, at blanks where there are any. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of oneLine(text)
    .split(' ')
    .flatMap((each) => pieces(each, Math.max(1, width)))) {
    if (current !== '' && textWidth(current) + 1 + textWidth(word) > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return current === '' ? lines : [...lines, current];
}

function pieces(word: string, width: number): readonly string[] {
  const parts: string[] = [];
  let rest = word;
  while (textWidth(rest) > width) {
    // A letter that is wider than the line has a line of its own all the same.
    const head = headOf(rest, width) || headOf(rest, 2) || rest;
    parts.push(head);
    rest = rest.slice(head.length);
  }
  return rest === '' ? parts : [...parts, rest];
}

function natural(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map((_, i) => Math.max(0, ...rows.map((row) => textWidth(oneLine(textOf(row[i]))))));
}

/** Takes from the widest column first, from those that should not shrink only when nothing else is left to take. */
function fittedWidths(columns: readonly Column[], widths: readonly number[], width: number): readonly number[] {
  const fitted = [...widths];
  const room = width - GAP.length * (columns.length - 1);
  for (let excess = fitted.reduce((sum, each) => sum + each, 0) - room; excess > 0; excess--) {
    const index = widest(fitted, (i) => columns[i]?.shrink !== false) ?? widest(fitted, () => true);
    if (index === null) break;
    fitted[index] = (fitted[index] ?? 0) - 1;
  }
  return fitted;
}

function widest(widths: readonly number[], may: (index: number) => boolean): number | null {
  let best: number | null = null;
  for (const [i, each] of widths.entries()) {
    if (may(i) && each > NARROWEST && (best === null || each > (widths[best] ?? 0))) best = i;
  }
  return best;
}

function line(columns: readonly Column[], row: readonly Cell[], widths: readonly number[], width: number): string {
  const last = row.findLastIndex((cell) => textOf(cell) !== '');
  let used = 0;
  const cells: string[] = [];
  for (const [i, column] of columns.entries()) {
    if (i > last || used >= width) break;
    const room = Math.min(widths[i] ?? 0, width - used);
    cells.push(cell(row[i], room, column.align ?? 'left', i === last));
    used += room + GAP.length;
  }
  return cells.join(GAP);
}

function cell(value: Cell | undefined, width: number, align: 'left' | 'right', last: boolean): string {
  const text = cut(textOf(value), width);
  const blanks = ' '.repeat(Math.max(0, width - textWidth(text)));
  const painted = typeof value === 'object' ? value.paint(text) : text;
  if (align === 'right') return blanks + painted;
  return last ? painted : painted + blanks;
}

function textOf(value: Cell | undefined): string {
  return typeof value === 'object' ? value.text : (value ?? '');
}

/** Foreign text as one line: its line ends and control characters would break the alignment, or worse. */
export function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
