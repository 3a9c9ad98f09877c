import type {DrillValidation} from '../operate/drill-validate.ts';
import type {Layout} from './run-text.ts';
import {wrap} from './table.ts';

/** `drill validate` for people: each file, and under it what is wrong and what to do. */
export function drillValidateText({drills, fleet}: DrillValidation, {columns, paint}: Layout): string {
  return drills
    .flatMap(({file, name, valid, problems, more, unsure}) => [
      `${valid ? paint.good('valid') : paint.critical('invalid')}  ${file}${name === null ? '' : `  ${paint.muted(`(${name} on ${fleet})`)}`}`,
      ...problems.flatMap(({line, column, field, message, suggestion}) => [
        ...indented(
          `${[...(line === null ? [] : [`${line}:${column}`]), ...(field === '' ? [] : [field])].join(' ')}: ${message}`,
          2,
          columns,
        ),
        ...indented(suggestion, 4, columns).map((text) => paint.muted(text)),
      ]),
      ...(more === 0 ? [] : [`  and ${more} more problems`]),
      ...unsure.flatMap((text) => indented(`not known: ${text}`, 2, columns)),
    ])
    .join('\n');
}

function indented(text: string, by: number, columns: number): string[] {
  return wrap(text, Math.max(20, columns - by)).map((line) => `${' '.repeat(by)}${line}`);
}
