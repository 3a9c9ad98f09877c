import {isDeepStrictEqual} from 'node:util';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RowTexts} from '../../../../src/lib/ports/repair.ts';
import {type Servers, startServers} from '../../../servers/embedded.ts';
import {typeColumns, typesSql} from '../audit/type-cases.ts';
import {MORE_VALUES, TYPE_VALUES} from '../audit/type-values.ts';
import {openStore, testCtx} from '../open-store.ts';

/** There are thousands of rows of hundreds of columns. */
const signal = (): AbortSignal => AbortSignal.timeout(100_000);

/** What they print is a name that two functions have, so that it cannot be read back. */
const AMBIGUOUS = Object.keys(MORE_VALUES).flatMap((type) => [type, `a_${type}`, `d_${type}`, `c_${type}`]);

describe('rows of every type, written as texts', () => {
  let servers: Servers;
  let store: Awaited<ReturnType<typeof openStore>>;
  const columns = typeColumns(Object.keys(TYPE_VALUES));
  const of = new Map<string, string>();
  beforeAll(async () => {
    servers = await startServers(['one']);
    const [server] = servers.all as [Servers['all'][number]];
    await server.sql(typesSql(Object.keys(TYPE_VALUES)));
    await server.sql(`create table types (id int primary key, ${columns.map(({name, type}) => `"${name}" ${type}`).join(', ')})`);
    let id = 0;
    for (const {name, values} of columns) {
      const rows = ['null', ...values].map((value) => ({id: ++id, value}));
      for (const row of rows) of.set(String(row.id), `${name}: ${row.value}`);
      await server.sql(`insert into types (id, "${name}") values ${rows.map((row) => `(${row.id}, ${row.value})`).join(', ')}`);
    }
    await server.sql('create table copies (like types including all)');
    store = await openStore(servers.all, {}, 0);
  });
  afterAll(async () => {
    await store?.close();
    await servers?.end();
  });

  const rowsOf = async (keys: readonly string[]): Promise<readonly RowTexts[]> => {
    const {audit} = store.abilities;
    await audit.tables(['one'], signal());
    const table = await audit.open('public.types', ['one'], {sliceMs: 1000}, signal());
    const names = (await store.abilities.repair.columns('one', 'public.types', signal())).columns;
    return (await table.versions('one', keys, names, signal())).map(({row}) => row ?? {});
  };

  it('are printed as they were, or refused', async () => {
    const keys = [...of.keys()];
    const rows = await rowsOf(keys);
    const printed = await store.abilities.repair.print('one', 'public.types', rows, signal());
    const refused = keys.filter((_, index) => printed[index]?.ok === false);
    expect(refused.map((key) => of.get(key)?.split(':')[0]).filter((name) => !AMBIGUOUS.includes(name ?? ''))).toEqual([]);
    const other = keys.filter((_, index) => printed[index]?.ok === true && !isDeepStrictEqual({...printed[index].row}, {...rows[index]}));
    expect(other.map((key) => of.get(key))).toEqual([]);
    expect(refused.length).toBeGreaterThan(0);
  });

  it('are made, changed back and forth, and removed, byte by byte', async () => {
    // A third of them, some of each column: what is printed as it was was asked of all.
    const all = [...of.keys()].filter((_, index) => index % 3 === 0);
    const rows = await rowsOf(all);
    const fit = await store.abilities.repair.print('one', 'public.types', rows, signal());
    const chosen = all.flatMap((key, index) => (fit[index]?.ok === true ? [{key, row: rows[index] as RowTexts}] : []));
    const {repair} = store.abilities;
    const blank = (row: RowTexts): RowTexts =>
      Object.fromEntries(Object.keys(row).map((name) => [name, name === 'id' ? (row.id ?? null) : null]));
    const write = async (changes: Parameters<typeof repair.write>[3]) => {
      const stands = await repair.write(testCtx('run-1', 60_000), 'one', 'public.copies', changes);
      expect(new Set(stands)).toEqual(new Set(['from']));
      expect(new Set(await repair.stand('one', 'public.copies', changes, signal()))).toEqual(new Set(['to']));
    };
    const [server] = servers.all as [Servers['all'][number]];
    const keys = chosen.map(({key}) => key);
    const dump = async (table: string): Promise<string> =>
      (
        await server.sql<{dump: string}>(
          `select string_agg(t::text, chr(10) order by id) as dump from ${table} t where id::text = any($1)`,
          [keys],
        )
      )[0]?.dump ?? '';
    const original = await dump('types');
    await write(chosen.map(({key, row}) => ({key, from: null, to: row})));
    expect(await dump('copies')).toBe(original);
    await write(
      chosen.filter(({row}) => JSON.stringify(row) !== JSON.stringify(blank(row))).map(({key, row}) => ({key, from: row, to: blank(row)})),
    );
    await write(
      chosen.filter(({row}) => JSON.stringify(row) !== JSON.stringify(blank(row))).map(({key, row}) => ({key, from: blank(row), to: row})),
    );
    expect(await dump('copies')).toBe(original);
    await write(chosen.map(({key, row}) => ({key, from: row, to: null})));
    expect(await server.sql('select count(*)::int as rows from copies')).toEqual([{rows: 0}]);
    await repair.release(testCtx(), 'one');
    expect(await repair.isReleased('one', signal())).toBe(true);
  });
});
