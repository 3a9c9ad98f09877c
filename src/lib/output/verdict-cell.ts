import type {Verdict} from '../health/verdict.ts';
import type {Paint} from './paint.ts';
import {VERDICT_SIGNS} from './signs.ts';
import {type Cell, wrap} from './table.ts';

/** What every text for people is given: the terminal's width, the colours, and what time it is (epoch ms). */
export type TextOptions = {readonly columns: number; readonly paint: Paint; readonly now: number};

/** A verdict as a cell: always the word, the colour only adds to it. */
export function verdictCell(verdict: Verdict, paint: Paint): Cell {
  return {text: verdict, paint: paint[VERDICT_SIGNS[verdict].meaning]};
}

/** Text broken into lines of at most `columns`, each set in by `indent` blanks. */
export function indented(text: string, columns: number, indent = 2): string[] {
  return wrap(text, Math.max(1, columns - indent)).map((line) => `${' '.repeat(indent)}${line}`);
}

/** The same as an item of a list: what does not fit in its first line begins where its words do. */
export function listItem(text: string, columns: number): string[] {
  return indented(text, columns).map((line, index) => (index === 0 ? `- ${line.slice(2)}` : line));
}

/** Lines as one text; what prints it adds the last line end. */
export function joined(lines: readonly string[]): string {
  return lines.join('\n');
}
