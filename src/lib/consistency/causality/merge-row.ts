import type {CrdtKind, TableRule} from '../../fleet/fleet.ts';
import {mvRegister} from './mv-register.ts';
import {clockOf} from './relate.ts';
import {mergeStates} from './states.ts';
import {compareClocks, mergeClocks, NO_CLOCK, printClock} from './vector-clock.ts';
import {type Columns, cell, differing, type Present} from './version.ts';

/**
 * What can be said of a row without choosing. `columns`: those that are merged by their type, as they are to be; `clock`: the vector clock of all
 * versions; `rest`: columns that differ and are not merged, without the vector clock where it can be; `notes`: siblings that
 * are left, and why columns that should be merged are not.
 */
export type Merged = {
  readonly columns: Columns;
  readonly clock: Columns;
  readonly rest: readonly string[];
  readonly notes: readonly string[];
};

/** Merges what the rule says is merged, of the columns that differ. */
export function mergeRows(rule: TableRule, rows: readonly Present[]): Merged {
  const columns: Record<string, string | null> = {};
  const notes: string[] = [];
  const differs = differing(rows.map(({row}) => row));
  for (const column of differs) {
    const kind = Object.hasOwn(rule.merge, column) ? rule.merge[column] : undefined;
    if (kind === undefined) continue;
    const texts = rows.map(({row}) => cell(row, column));
    const merged = mergeStates(kind, texts);
    if (merged.ok) columns[column] = merged.value;
    notes.push(...(merged.ok ? siblingsSay(kind, column, merged.value) : [`Not merged: ${column}, because ${merged.reason}.`]));
  }
  const clock = mergedClock(rule, rows, differs);
  const rest = differs.filter((column) => !Object.hasOwn(columns, column) && !Object.hasOwn(clock, column));
  return {columns, clock, rest, notes};
}

function siblingsSay(kind: CrdtKind, column: string, text: string | null): readonly string[] {
  const register = kind === 'mv-register' && text !== null ? mvRegister.parse(text) : null;
  return register?.ok === true && register.value.size > 1 ? [`Siblings left in ${column}: ${register.value.size}.`] : [];
}

/* A clock that cannot be read leaves the column to whatever decides between the versions. */
function mergedClock(rule: TableRule, rows: readonly Present[], differs: readonly string[]): Columns {
  if (rule.vectorClock === null || !differs.includes(rule.vectorClock) || Object.hasOwn(rule.merge, rule.vectorClock)) return {};
  const clocks = rows.map((row) => clockOf(rule, row));
  if (clocks.some(({ok}) => !ok)) return {};
  return {[rule.vectorClock]: printClock(clocks.flatMap((clock) => (clock.ok ? [clock.value] : [])).reduce(mergeClocks, NO_CLOCK))};
}

/** The version whose vector clock contains those of all others, and is none of them; null = there is none. */
export function dominantOf(rule: TableRule, rows: readonly Present[]): Present | null {
  if (rule.vectorClock === null) return null;
  const clocks = rows.map((row) => clockOf(rule, row));
  const isOver = (one: number, other: number): boolean => {
    const [a, b] = [clocks[one], clocks[other]];
    return one === other || (a?.ok === true && b?.ok === true && compareClocks(a.value, b.value) === 'after');
  };
  return rows.find((_, one) => rows.every((__, other) => isOver(one, other))) ?? null;
}
