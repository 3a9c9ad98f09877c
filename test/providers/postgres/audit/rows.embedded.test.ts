import fc from 'fast-check';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Servers, startServers} from '../../../servers/embedded.ts';
import {type AuditWorld, openPair, readTable} from './audit-world.ts';
import {TYPE_VALUES} from './type-values.ts';

/** Columns of one kind share their values, which can move between them. `n` = it may be NULL. */
const COLUMNS = [
  ...[
    't1 text',
    't2 text',
    't3 text n',
    't4 varchar n',
    'i1 int8',
    'i2 int8',
    'i3 int8 n',
    's1 int4',
    's2 int4 n',
    'h1 int2 n',
    'h2 int2 n',
  ],
  ...['a1 timestamp', 'a2 timestamp', 'a3 timestamp', 'a4 timestamp n', 'z1 timestamptz', 'z2 timestamptz', 'z3 timestamptz n'],
  ...['u1 uuid', 'u2 uuid n', 'b1 bool', 'b2 bool', 'b3 bool n', 'b4 bool n', 'm1 numeric', 'm2 numeric n', 'j1 jsonb n', 'j2 jsonb n'],
  ...['y1 bytea n', 'y2 bytea', 'd1 date', 'd2 date n', 'f1 float8', 'f2 float8 n', 'v1 interval', 'v2 interval', 'p1 inet n', 'p2 inet n'],
].map((word) => {
  const [name = '', type = '', nullable] = word.split(' ');
  return {name, type, nullable: nullable !== undefined};
});

type Row = readonly (string | null)[];

const literal = (value: string | null): string => (value === null ? 'null' : `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`);
const anyOf = (type: string): fc.Arbitrary<string> => fc.constantFrom(...(TYPE_VALUES[type] ?? []));
const anyRow: fc.Arbitrary<Row> = fc.tuple(
  ...COLUMNS.map(({type, nullable}) => (nullable ? fc.option(anyOf(type), {freq: 3}) : anyOf(type))),
);

const index = fc.nat({max: COLUMNS.length - 1});
const place = fc.nat({max: 99});
/** What may have happened to the copy. */
const anyChange = fc.oneof(
  fc.record({kind: fc.constant('set' as const), row: place, column: index, seed: fc.nat()}),
  fc.record({kind: fc.constant('null' as const), row: place, column: index}),
  fc.record({kind: fc.constant('move' as const), row: place, column: index, other: index}),
  fc.record({kind: fc.constant('swap' as const), row: place, other: place, column: index}),
  fc.record({kind: fc.constant('separator' as const), row: place, at: fc.nat({max: 3})}),
  fc.record({kind: fc.constant('delete' as const), row: place}),
);
type Change = typeof anyChange extends fc.Arbitrary<infer T> ? T : never;

/** Puts a value where it may be. */
function put(rows: (Row | null)[], at: number, column: number, value: string | null): void {
  const row = rows[at];
  if (row !== null && row !== undefined && (value !== null || COLUMNS[column]?.nullable === true))
    rows[at] = row.toSpliced(column, 1, value);
}

function swap(rows: (Row | null)[], at: number, other: number, column: number): void {
  const [mine, theirs] = [rows[at], rows[other]];
  if (mine === null || mine === undefined || theirs === null || theirs === undefined) return;
  put(rows, at, column, theirs[column] ?? null);
  put(rows, other, column, mine[column] ?? null);
}

/** The rows after a change; null = the row is gone. */
function change(rows: (Row | null)[], step: Change): void {
  const at = step.row % rows.length;
  const row = rows[at];
  if (row === null || row === undefined) return;
  if (step.kind === 'delete') rows[at] = null;
  if (step.kind === 'null') put(rows, at, step.column, null);
  if (step.kind === 'set') {
    const values = TYPE_VALUES[COLUMNS[step.column]?.type ?? ''] ?? [];
    put(rows, at, step.column, values[step.seed % values.length] ?? null);
  }
  if (step.kind === 'move') {
    const [one, two] = [COLUMNS[step.column], COLUMNS[step.other]];
    if (one?.type !== two?.type) return;
    put(rows, at, step.column, row[step.other] ?? null);
    put(rows, at, step.other, row[step.column] ?? null);
  }
  if (step.kind === 'swap') swap(rows, at, step.other % rows.length, step.column);
  if (step.kind === 'separator') {
    // 'ab' beside 'c' becomes 'a' beside 'bc'.
    const whole = `${row[0]}|${row[1]}`;
    const cut = Math.min(step.at, whole.length);
    put(rows, at, 0, whole.slice(0, cut));
    put(rows, at, 1, whole.slice(cut));
  }
}

describe('rows that differ in any way', () => {
  let servers: Servers;
  let world: AuditWorld;
  beforeAll(async () => {
    servers = await startServers(['one']);
    const [server] = servers.all as [Servers['all'][number]];
    world = await openPair(server, server, 'rows');
    const columns = COLUMNS.map(({name, type, nullable}) => `${name} ${type} ${nullable ? '' : 'not null'}`);
    await world.both(`create table ordered (id int8 primary key, ${columns.join(', ')});
      create table scattered (id text primary key, ${columns.toReversed().join(', ')})`);
  });
  afterAll(async () => {
    await world?.end();
    await servers?.end();
  });

  const fill = (rows: readonly (Row | null)[]): string => {
    const values = rows.flatMap((row, id) => (row === null ? [] : [`('${id}', ${row.map(literal).join(', ')})`]));
    const names = COLUMNS.map(({name}) => name).join(', ');
    return ['ordered', 'scattered']
      .map((table) => `truncate ${table}${values.length === 0 ? '' : `; insert into ${table} (id, ${names}) values ${values.join(', ')}`}`)
      .join('; ');
  };
  const check = async (rows: readonly Row[], changes: readonly Change[]): Promise<void> => {
    const copy: (Row | null)[] = [...rows];
    for (const step of changes) change(copy, step);
    // Its snapshot would not let anybody truncate what it has read.
    await world.audit.rest(AbortSignal.timeout(10_000));
    await world.each(fill(rows), fill(copy));
    const expected = rows.flatMap((row, id) => (JSON.stringify(row) === JSON.stringify(copy[id]) ? [] : [String(id)])).toSorted();
    for (const table of ['public.ordered', 'public.scattered']) {
      const {keys, rows: read} = await readTable(world, table);
      expect({table, keys, read}).toEqual({table, keys: expected, read: rows.length});
    }
  };

  it('are found, every one of them and no other', async () => {
    const rows = fc.array(anyRow, {minLength: 1, maxLength: 40});
    await fc.assert(fc.asyncProperty(rows, fc.array(anyChange, {maxLength: 6}), check), {numRuns: 30});
  }, 60_000);

  it('are found where a value moves beside another one of its type: 1970 hashes to nothing in a function of PostgreSQL', async () => {
    const empty = COLUMNS.map(({type, nullable}) => (nullable ? null : (TYPE_VALUES[type]?.[0] ?? null)));
    const zero = '1970-01-01 00:00:00';
    const [a1, a2, a3] = ['a1', 'a2', 'a3'].map((name) => COLUMNS.findIndex((column) => column.name === name)) as [number, number, number];
    const rows = [zero, '2000-01-01 00:00:00'].map((last) => {
      const row = [...empty];
      [row[a1], row[a2], row[a3]] = [zero, '2026-11-28 13:00:00.123456', last];
      return row;
    });
    await check(rows, [
      {kind: 'move', row: 0, column: a1, other: a2},
      {kind: 'move', row: 1, column: a2, other: a3},
    ]);
  });
});
