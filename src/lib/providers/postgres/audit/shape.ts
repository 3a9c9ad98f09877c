import {refused} from '../../../errors.ts';
import type {CatalogTable} from './catalog.ts';
import type {Column, Form} from './column-hash.ts';
import type {Shape} from './statements.ts';

/** Types whose order is that of numbers of 64 bits, so that every member cuts the table at the same keys. */
const INTEGERS = ['int2', 'int4', 'int8'];

/** With a key that lies in no order on disk, a part of the table would be read row by row from all over it. */
const LEAST_CORRELATION = 0.5;

/** So many pages are read faster out of order than all of them are twice. */
const SMALL_PAGES = 2000;

/**
 * What the members' copies of a table have in common. Throws `not-comparable` with the reason where rows of theirs cannot be compared: then
 * it is no matter of rows that they differ.
 */
export function shapeOf(copies: Readonly<Record<string, CatalogTable>>, form: Form): Shape {
  const entries = Object.entries(copies);
  const [first] = entries;
  if (first === undefined) throw refused('not-comparable', 'No member has the table.');
  for (const other of entries.slice(1)) assertSame(first, other);
  const [, table] = first;
  const tables = entries.map(([, copy]) => copy);
  const nullable = (name: string): boolean => tables.some(({all}) => all.some((column) => column.name === name && column.nullable));
  const all = table.all.map((column): Column => ({...column, nullable: nullable(column.name)}));
  return {key: table.keyColumns, all, form, order: orderOf(tables)};
}

type Copy = readonly [string, CatalogTable];

function assertSame([member, table]: Copy, [other, copy]: Copy): void {
  for (const [name, each] of [
    [member, table],
    [other, copy],
  ] as const) {
    if (each.lacks !== null) throw refused('not-comparable', `${table.name} cannot be compared: on ${name} ${each.lacks}.`);
  }
  if (JSON.stringify(table.key) !== JSON.stringify(copy.key)) {
    const [one, two] = [table, copy].map(({key}) => `(${(key ?? []).join(', ')})`);
    throw refused('not-comparable', `${table.name} has the primary key ${one} on ${member} and ${two} on ${other}.`);
  }
  const missing = (from: CatalogTable, to: CatalogTable): readonly string[] =>
    from.all.filter((column) => !to.all.some((each) => isAlike(column, each))).map(wordOf);
  const [only, others] = [missing(table, copy), missing(copy, table)];
  if (only.length + others.length === 0) return;
  const parts = [
    ...(only.length === 0 ? [] : [`${only.join(', ')} on ${member} only`]),
    ...(others.length === 0 ? [] : [`${others.join(', ')} on ${other} only`]),
  ];
  throw refused('not-comparable', `The columns of ${table.name} are not the same everywhere: ${parts.join('; ')}.`);
}

/** Types of other schemas may be made alike in schemas of other names; none of them is a type of the server. */
const isAlike = (one: Column, other: Column): boolean =>
  one.name === other.name && one.type === other.type && one.builtin === other.builtin;

const wordOf = ({name, type, builtin}: Column): string => `${name} ${type}${builtin ? '' : ' (not built in)'}`;

function orderOf(tables: readonly CatalogTable[]): Shape['order'] {
  const ordered = tables.every(({keyColumns, correlation, heaps}) => {
    const [only, second] = keyColumns;
    if (only === undefined || second !== undefined || !only.builtin || !INTEGERS.includes(only.type)) return false;
    const pages = heaps.reduce((sum, heap) => sum + heap.pages, 0);
    return pages <= SMALL_PAGES || correlation === null || Math.abs(correlation) >= LEAST_CORRELATION;
  });
  return ordered ? 'ordered' : 'scattered';
}
