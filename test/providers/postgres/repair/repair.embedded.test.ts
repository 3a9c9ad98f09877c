import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RowChange, RowTexts} from '../../../../src/lib/ports/repair.ts';
import {type Server, type Servers, startServers} from '../../../servers/embedded.ts';
import {openStore, signal, testCtx} from '../open-store.ts';

type Store = Awaited<ReturnType<typeof openStore>>;

describe('rows written by compare-and-set', () => {
  let servers: Servers;
  let server: Server;
  let store: Store;
  beforeAll(async () => {
    servers = await startServers(['one', 'two']);
    [server] = servers.all as [Server];
    store = await openStore(servers.all, {}, 0);
  });
  afterAll(async () => {
    await store?.abilities.repair.release(testCtx(), 'one');
    await store?.close();
    await servers?.end();
  });
  const write = (table: string, ...changes: readonly RowChange[]) =>
    store.abilities.repair.write(testCtx(), 'one', `public.${table}`, changes);
  const change = (key: string, from: RowTexts | null, to: RowTexts | null): RowChange => ({key, from, to});
  const rows = async (table: string): Promise<readonly string[]> =>
    (await server.sql<{row: string}>(`select t::text as row from ${table} t order by 1`)).map(({row}) => row);

  it('writes what is as it was seen, and leaves what is not', async () => {
    await server.sql(`create table plain (id int primary key, n text); insert into plain values (1, 'a'), (2, 'b'), (3, null), (4, 'd')`);
    const stands = await write(
      'plain',
      change('1', {id: '1', n: 'a'}, {id: '1', n: 'A'}),
      change('2', {id: '2', n: 'x'}, {id: '2', n: 'B'}),
      change('3', {id: '3', n: ''}, {id: '3', n: 'C'}),
      change('4', {id: '4', n: 'd'}, null),
      change('5', null, {id: '5', n: 'e'}),
      change('6', {id: '6', n: 'f'}, {id: '6', n: 'F'}),
      change('7', {id: '7', n: 'f'}, null),
      change('1', null, {id: '1', n: 'A'}),
    );
    expect(stands).toEqual(['from', 'other', 'other', 'from', 'from', 'other', 'to', 'other']);
    expect(await rows('plain')).toEqual(['(1,A)', '(2,b)', '(3,)', '(5,e)']);
  });

  it('takes names, keys and columns as they are', async () => {
    await server.sql(`create table "Odd ""t" (
      "Key 1" text collate "C", b char(4), "co""l" bit(3), "n" numeric(6,2), made numeric generated always as (n * 2) stored,
      seen numeric generated always as (n + 1), x int generated always as identity, gone int, primary key ("Key 1", b));
      alter table "Odd ""t" drop column gone; insert into "Odd ""t" ("Key 1", b, "co""l", n) values ('a"\\,(', 'b', '101', 1.5)`);
    const name = 'public."Odd ""t"';
    const {columns, key} = await store.abilities.repair.columns('one', name, signal());
    expect([columns, key]).toEqual([
      ['Key 1', 'b', 'co"l', 'n', 'x'],
      ['Key 1', 'b'],
    ]);
    const row = {'Key 1': 'a"\\,(', b: 'b   ', 'co"l': '101', n: '1.50', x: '1'};
    const id = JSON.stringify(['a"\\,(', 'b   ']);
    const next = {...row, n: '2.50', x: '7'};
    expect(await store.abilities.repair.write(testCtx(), 'one', name, [change(id, row, next)])).toEqual(['from']);
    expect((await server.sql(`select n, made, x from "Odd ""t"`))[0]).toEqual({n: '2.50', made: '5.00', x: 7});
    expect(await store.abilities.repair.write(testCtx(), 'one', name, [change(id, next, row)])).toEqual(['from']);
    const bad = await store.abilities.repair.print(
      'one',
      name,
      [row, {...row, 'co"l': '1010'}, {...row, n: '12345.6'}, {...row, n: '1.005'}],
      signal(),
    );
    expect(bad.map((each) => (each.ok ? each.row.n : each.reason.replace(/^.*error: /, '')))).toEqual([
      '1.50',
      expect.stringContaining('bit string length 4 does not match type bit(3)'),
      expect.stringContaining('numeric field overflow'),
      '1.01',
    ]);
  });

  it('does not take bytes that are lost on the way to us, where a database takes any for text', async () => {
    await server.sql(`create database raw encoding 'SQL_ASCII' locale 'C' template template0`);
    const client = await server.connect({database: 'raw'});
    await client.query(`create table t (id int primary key, v text); insert into t values (1, 'plain'), (2, 'ä'), (3, e'\\xe9t\\xe9')`);
    await client.end();
    const raw = await openStore(servers.all.slice(0, 1), {}, 0, 'regionctl', {database: 'raw'});
    const row = (id: string, v: string): RowTexts => ({id, v});
    const printed = await raw.abilities.repair.print(
      'one',
      'public.t',
      [row('1', 'plain'), row('2', 'ä'), row('3', '\uFFFDt\uFFFD')],
      signal(),
    );
    await raw.close();
    expect(printed.map((each) => (each.ok ? 'ok' : each.reason))).toEqual([
      'ok',
      'ok',
      'v holds bytes that are no UTF-8 (the database is SQL_ASCII)',
    ]);
  });

  it('moves rows between partitions', async () => {
    await server.sql(`create table parts (id int, r text, n int, primary key (id, r)) partition by list (r);
      create table parts_a partition of parts for values in ('a'); create table parts_b partition of parts for values in ('b');
      insert into parts values (1, 'a', 1), (2, 'b', 1)`);
    const stands = await write(
      'parts',
      change('["1","a"]', {id: '1', r: 'a', n: '1'}, {id: '1', r: 'a', n: '2'}),
      change('["2","b"]', {id: '2', r: 'b', n: '1'}, null),
      change('["3","b"]', null, {id: '3', r: 'b', n: '3'}),
    );
    expect(stands).toEqual(['from', 'from', 'from']);
    expect(await rows('parts_a')).toEqual(['(1,a,2)']);
    expect(await rows('parts_b')).toEqual(['(3,b,3)']);
  });

  it('is unseen by triggers and foreign keys, and writes nothing where a replica trigger has other ideas', async () => {
    await server.sql(`create table parent (id int primary key); create table child (id int primary key, p int references parent, n int);
      create function no() returns trigger language plpgsql as $$ begin raise exception 'seen'; end $$;
      create trigger t before insert on child for each row execute function no();`);
    expect(await write('child', change('1', null, {id: '1', p: '99', n: '1'}))).toEqual(['from']);
    await server.sql(`create function clamp() returns trigger language plpgsql as $$ begin new.n := least(new.n, 10); return new; end $$;
      create trigger c before update on child for each row execute function clamp(); alter table child enable replica trigger c`);
    expect(await write('child', change('1', {id: '1', p: '99', n: '1'}, {id: '1', p: '99', n: '5'}))).toEqual(['from']);
    const refused = write(
      'child',
      change('1', {id: '1', p: '99', n: '5'}, {id: '1', p: '99', n: '50'}),
      change('2', null, {id: '2', p: null, n: '1'}),
    );
    await expect(refused).rejects.toMatchObject({code: 'row-not-taken', exit: 77});
    expect(await rows('child')).toEqual(['(1,99,5)']);
    await server.sql(`create or replace function clamp() returns trigger language plpgsql as $$ begin
      if current_setting('regionctl.repair', true) = 'on' then return new; end if; new.n := least(new.n, 10); return new; end $$`);
    expect(await write('child', change('1', {id: '1', p: '99', n: '5'}, {id: '1', p: '99', n: '50'}))).toEqual(['from']);
  });

  it('writes nothing of a step when a unique value stands in the way, and can go on', async () => {
    await server.sql(`create table uniq (id int primary key, u text unique); insert into uniq values (1, 'a'), (2, 'b')`);
    const both = [change('3', null, {id: '3', u: 'c'}), change('1', {id: '1', u: 'a'}, {id: '1', u: 'b'})];
    await expect(write('uniq', ...both)).rejects.toMatchObject({code: 'row-refused', message: expect.stringContaining('uniq_u_key')});
    expect(await rows('uniq')).toEqual(['(1,a)', '(2,b)']);
    // A row that is removed makes room in the same step.
    expect(await write('uniq', change('1', {id: '1', u: 'a'}, {id: '1', u: 'b'}), change('2', {id: '2', u: 'b'}, null))).toEqual([
      'from',
      'from',
    ]);
    expect(await rows('uniq')).toEqual(['(1,b)']);
  });

  it('waits for whoever is writing the row, and then leaves it', async () => {
    await server.sql(`create table busy (id int primary key, n text); insert into busy values (1, 'a')`);
    const other = await server.connect({database: 'orders'});
    await other.query(`begin; update busy set n = 'theirs' where id = 1; insert into busy values (2, 'theirs')`);
    const writing = write('busy', change('1', {id: '1', n: 'a'}, {id: '1', n: 'ours'}), change('2', null, {id: '2', n: 'ours'}));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await other.query('commit');
    expect(await writing).toEqual(['other', 'other']);
    expect(await rows('busy')).toEqual(['(1,theirs)', '(2,theirs)']);
    await other.end();
  });

  it('has a member for itself until it gives it back', async () => {
    await server.sql(`create table mine (id int primary key)`);
    const {repair} = store.abilities;
    await write('mine', change('1', null, {id: '1'}));
    const second = await openStore(servers.all, {}, 0);
    expect(await repair.holder('one', signal())).toBeNull();
    expect(await second.abilities.repair.holder('one', signal())).toContain('the server process');
    const late = second.abilities.repair.write(testCtx(), 'one', 'public.mine', [change('2', null, {id: '2'})]);
    await expect(late).rejects.toMatchObject({
      code: 'lease-held',
      exit: 75,
      message: expect.stringContaining('another repair writes to one'),
    });
    expect(await rows('mine')).toEqual(['(1)']);
    await repair.release(testCtx(), 'one');
    expect(await repair.isReleased('one', signal())).toBe(true);
    await second.abilities.repair.write(testCtx(), 'one', 'public.mine', [change('2', null, {id: '2'})]);
    // What another uses is left to it.
    await repair.release(testCtx(), 'one');
    expect(await server.sql(`select roname from pg_replication_origin`)).toEqual([{roname: 'regionctl_repair'}]);
    await second.abilities.repair.release(testCtx(), 'one');
    expect(await server.sql(`select roname from pg_replication_origin`)).toEqual([]);
    await second.close();
  });

  it('gives each of its transactions the time of its own commit', async () => {
    await server.sql(`create table times (id int primary key)`);
    await write('times', change('1', null, {id: '1'}));
    await new Promise((resolve) => setTimeout(resolve, 300));
    await write('times', change('2', null, {id: '2'}));
    const [{apart} = {apart: 0}] = await server.sql<{apart: number}>(
      `select extract(epoch from max(pg_xact_commit_timestamp(xmin)) - min(pg_xact_commit_timestamp(xmin)))::float8 as apart from times`,
    );
    expect(apart).toBeGreaterThan(0.25);
  });

  it('is refused by a standby', async () => {
    const late = store.abilities.repair.write(testCtx(), 'two', 'public.mine', [change('9', null, {id: '9'})]);
    await expect(late).rejects.toMatchObject({exit: 77, message: expect.stringContaining('two')});
  });
});
