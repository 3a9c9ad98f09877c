import {z} from 'zod';
import type {HandlerQuestion} from '../../ports/handler.ts';
import type {Columns} from '../causality/version.ts';
import type {Decision} from './decide.ts';

const row = z.record(z.string(), z.string().nullable());
const answers = z.union([z.strictObject({row: row.nullable()}), z.strictObject({take: z.string()}), z.strictObject({leave: z.string()})]);

/** The line that a hook reads. */
export const questionText = (question: HandlerQuestion): string => `${JSON.stringify(question)}\n`;

/** What is known of the table: the columns that a row has, and those of its key. */
export type HandlerTable = {readonly columns: readonly string[]; readonly key: readonly string[]};

/**
 * The decision that a hook or handler (`who`, such as "hook decide") has answered with one line of JSON: `{"row": {column: text or null}}` (null = the row is to be absent), `{"take": region}` or
 * `{"leave": why}`. An answer that cannot be used leaves the key to a person, with the reason. Pure.
 */
export function answerOf(who: string, text: string, {versions, merged}: HandlerQuestion, table: HandlerTable): Decision {
  const left = (why: string): Decision => ({kind: 'left', left: 'person', why: `The ${who} ${why}.`});
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (lines.length !== 1) return left(`answered ${lines.length} lines instead of one`);
  const read = answers.safeParse(parsed(lines[0] ?? ''));
  if (!read.success) return left('answered something else than {"row": …}, {"take": "region"} or {"leave": "why"}');
  if ('leave' in read.data) return left(`leaves it: ${read.data.leave.replace(/\.$/, '')}`);
  const decided = (chosen: Columns | null, why: string): Decision => {
    return {kind: 'row', layer: 'handler', row: chosen === null ? null : {...chosen, ...merged}, why};
  };
  if ('take' in read.data) {
    const {take} = read.data;
    const version = versions.find(({region}) => region === take);
    return version === undefined
      ? left(`takes the version of ${take}, which there is none of`)
      : decided(version.row, `The ${who} took the version of ${take}.`);
  }
  if (read.data.row === null) return decided(null, `The ${who} wants the row to be absent.`);
  const trouble = troubleOf(read.data.row, versions, table);
  return trouble === null ? decided(read.data.row, `The ${who} made the row.`) : left(trouble);
}

/** Why a row cannot be what is answered: it must have the columns of the table, and the key that was asked for. */
function troubleOf(made: Columns, versions: HandlerQuestion['versions'], {columns, key}: HandlerTable): string | null {
  const unknown = Object.keys(made).find((name) => !columns.includes(name));
  if (unknown !== undefined) return `answered a column ${JSON.stringify(unknown)}, which the table does not have`;
  const missing = columns.find((name) => !Object.hasOwn(made, name));
  if (missing !== undefined) return `answered a row without the column ${JSON.stringify(missing)}`;
  const present = versions.find((version) => version.row !== null)?.row ?? {};
  const moved = key.find((name) => made[name] !== present[name]);
  return moved === undefined ? null : `answered another key: ${moved} is ${JSON.stringify(made[moved] ?? null)}`;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
