import {type Cell, type Column, fitting, table} from './table.ts';
import {indented, type TextOptions} from './verdict-cell.ts';

/**
 * A table under dimmed titles; nothing for no rows. Columns with a `drop` are left out before a figure is cut, and a last line names them. `indent` = blanks before
 * each line, default 0.
 */
export function titledTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  {columns: width, paint}: Pick<TextOptions, 'columns' | 'paint'>,
  indent = 0,
): string[] {
  if (rows.length === 0) return [];
  const room = width - indent;
  const kept = fitting(columns, rows, room);
  const isKept = (index: number): boolean => kept.includes(index);
  const [titles = '', ...lines] = table(
    columns.filter((_, i) => isKept(i)),
    rows.map((row) => row.filter((_, i) => isKept(i))),
    room,
  );
  const left = columns.flatMap(({title = ''}, i) => (isKept(i) ? [] : [title]));
  const blanks = ' '.repeat(indent);
  return [
    `${blanks}${paint.muted(titles)}`,
    ...lines.map((line) => `${blanks}${line}`),
    ...(left.length === 0 ? [] : indented(`No room for: ${left.join(', ')}.`, width).map(paint.muted)),
  ];
}
