/** One cell: its text, and how it is painted once it has its width. A string is a cell without colour. */
export type Cell = string | {readonly text: string; readonly paint: (text: string) => string};
/** One column. `shrink` false keeps its width as long as any other can give way. */
export type Column = {readonly title?: string; readonly align?: 'left' | 'right'; readonly shrink?: boolean};

/** Between two columns. */
const GAP = '  ';
const NARROWEST = 4;

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

/** Cuts text to a width, with `…` as its last character where something is missing. */
export function cut(text: string, width: number): string {
  const letters = [...oneLine(text)];
  if (letters.length <= width) return letters.join('');
  return width <= 0
    ? ''
    : `${letters
        .slice(0, width - 1)
        .join('')
        .trimEnd()}…`;
}

/** Cuts text from its beginning to a width, with `…` where something is missing, and pads it: the end of a long name tells more than its beginning. */
export function cutStart(text: string, width: number): string {
  const letters = [...oneLine(text)];
  if (letters.length <= width) return letters.join('').padEnd(width);
  return width <= 0 ? '' : `…${letters.slice(letters.length - width + 1).join('')}`;
}

/** Breaks text into lines of at most `width`, at blanks where there are any. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of oneLine(text)
    .split(' ')
    .flatMap((each) => pieces(each, Math.max(1, width)))) {
    if (current !== '' && [...current].length + 1 + [...word].length > width) {
      lines.push(current);
      current = word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return current === '' ? lines : [...lines, current];
}

function pieces(word: string, width: number): readonly string[] {
  const letters = [...word];
  return Array.from({length: Math.ceil(letters.length / width)}, (_, i) => letters.slice(i * width, (i + 1) * width).join(''));
}

function natural(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map((_, i) => Math.max(0, ...rows.map((row) => [...oneLine(textOf(row[i]))].length)));
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
  const blanks = ' '.repeat(Math.max(0, width - [...text].length));
  const painted = typeof value === 'object' ? value.paint(text) : text;
  if (align === 'right') return blanks + painted;
  return last ? painted : painted + blanks;
}

function textOf(value: Cell | undefined): string {
  return typeof value === 'object' ? value.text : (value ?? '');
}

/** Line ends and control characters of foreign text would break the alignment, or worse. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}
