import {MORE_VALUES, TYPE_VALUES} from './type-values.ts';

/** A column, with values as SQL that all differ from each other. */
export type TypeColumn = {readonly name: string; readonly type: string; readonly values: readonly string[]};

const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
const ident = (type: string): string => `pg_catalog."${type}"`;

/** Types that have to be there before the table: a composite and a domain of each built-in one, and an enum. */
export const typesSql = (types: readonly string[]): string =>
  [
    "create type mood as enum ('sad', 'Sad', 'sad ')",
    'create type nothing as ()',
    ...types.flatMap((type) => [`create type "c_${type}" as (f ${ident(type)})`, `create domain "d_${type}" as ${ident(type)}`]),
  ].join(';\n');

/** Each built-in type, its arrays, a domain and a composite of it. */
export function typeColumns(types: readonly string[]): readonly TypeColumn[] {
  return [
    {name: 'mood', type: 'mood', values: ["'sad'", "'Sad'", "'sad '"].map((value) => `${value}::mood`)},
    {name: 'moods', type: 'mood[]', values: ["'{}'", "'{sad}'", "'{Sad}'", '\'{"sad "}\'', "'{NULL}'"].map((value) => `${value}::mood[]`)},
    {name: 'nothing', type: 'nothing', values: ['row()::nothing']},
    ...types.flatMap(columnsOf),
  ];
}

function columnsOf(type: string): readonly TypeColumn[] {
  const values = [...(TYPE_VALUES[type] ?? []).map((text) => `${literal(text)}::${ident(type)}`), ...(MORE_VALUES[type] ?? [])];
  const few = values.slice(0, 5);
  const [first = 'null', second = 'null'] = values;
  const list = (...all: string[]): string => `array[${all.join(', ')}]::${ident(type)}[]`;
  const arrays = [
    ...few.map((value) => list(value)),
    ...[list(), list('null'), list('null', 'null'), list(first, 'null'), list('null', first), list(first, first), list(first, second)],
    ...(type === 'text' ? [list("'NULL'"), list("'{}'"), list("'a,b'"), list("'a'", "'b'")] : []),
    ...[`array_fill(${first}, array[1], array[0])`, `array_fill(${first}, array[1], array[2])`, `array_fill(${first}, array[1,1])`],
  ];
  const composites = [...few.map((value) => `row(${value})::"c_${type}"`), `row(null)::"c_${type}"`];
  return [
    {name: type, type: ident(type), values},
    {name: `a_${type}`, type: `${ident(type)}[]`, values: arrays},
    {name: `d_${type}`, type: `"d_${type}"`, values: few.map((value) => `(${value})::"d_${type}"`)},
    {name: `c_${type}`, type: `"c_${type}"`, values: composites},
  ];
}

export type Cases = {
  readonly create: string;
  readonly a: string;
  readonly b: string;
  readonly differ: readonly string[];
  readonly of: ReadonlyMap<string, string>;
};

/** One row for each pair of values of each column, different on both sides; NULL is one of them. Every value is also in one row that is the same. */
export function casesOf(table: string, columns: readonly TypeColumn[]): Cases {
  const [a, b]: [string[], string[]] = [[], []];
  const of = new Map<string, string>();
  const differ: string[] = [];
  let id = 0;
  for (const {name, values} of columns) {
    const all = ['null', ...values];
    const rows: {one: string; other: string; id: number}[] = [];
    for (const [index, one] of all.entries()) for (const other of all.slice(index)) rows.push({one, other, id: ++id});
    for (const row of rows) {
      of.set(String(row.id), `${name}: ${row.one} and ${row.other}`);
      if (row.one !== row.other) differ.push(String(row.id));
    }
    const insert = (side: 'one' | 'other'): string =>
      `insert into ${table} (id, "${name}") values ${rows.map((row) => `(${row.id}, ${row[side]})`).join(', ')}`;
    a.push(insert('one'));
    b.push(insert('other'));
  }
  const create = `create table ${table} (id int primary key, ${columns.map(({name, type}) => `"${name}" ${type}`).join(', ')})`;
  return {create, a: a.join(';\n'), b: b.join(';\n'), differ: differ.toSorted(), of};
}
