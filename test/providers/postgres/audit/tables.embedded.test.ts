import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type Server, type Servers, startServers} from '../../../servers/embedded.ts';
import {signal} from '../open-store.ts';
import {type AuditWorld, openPair, openWorld, readTable} from './audit-world.ts';

/** What is on both sides, what is done to the first and the second, and the keys that differ then. */
type Case = {
  readonly a: string;
  readonly b?: string;
  readonly onA?: string;
  readonly onB?: string;
  readonly keys: readonly string[];
  readonly rows?: number;
};

const numbers = (from: number, to: number): string => `select g, 'v' || g from generate_series(${from}, ${to}) g`;

const CASES: Readonly<Record<string, Case>> = {
  'ranges on one side, hashes on the other': {
    a: `create table t (id int, v text, primary key (id)) partition by range (id); create table t1 partition of t for values from (minvalue) to (50);
      create table t2 partition of t for values from (50) to (100); create table t3 partition of t default; insert into t ${numbers(-5, 120)}`,
    b: `create table t (v text, gone int, id int primary key) partition by hash (id); create table t1 partition of t for values with (modulus 2, remainder 0);
      create table t2 (id int not null, also int, v text, gone int); alter table t2 drop also; alter table t attach partition t2 for values with (modulus 2, remainder 1);
      alter table t drop gone; insert into t (id, v) ${numbers(-5, 120)}`,
    onA: "update t set v = 'x' where id = 50; delete from t where id = -5",
    onB: 'delete from t where id = 120',
    keys: ['-5', '120', '50'],
  },
  'partitions of partitions, and a plain table': {
    a: `create table t (k text, n int, v text, primary key (k, n)) partition by list (k); create table t1 partition of t for values in ('a', 'b') partition by hash (n);
      create table t11 partition of t1 for values with (modulus 2, remainder 0); create table t12 partition of t1 for values with (modulus 2, remainder 1);
      create table t2 partition of t default; insert into t select chr(97 + g % 4), g, 'v' from generate_series(1, 40) g`,
    b: "create table t (n int, v text, k text, primary key (k, n)); insert into t (k, n, v) select chr(97 + g % 4), g, 'v' from generate_series(1, 40) g",
    onA: 'delete from t where n = 1',
    onB: "update t set v = null where n = 2; insert into t values (99, 'v', 'zz')",
    keys: ['["b", "1"]', '["c", "2"]', '["zz", "99"]'],
  },
  'as many columns as a table can have': {
    a: `create table t (id int primary key, ${Array.from({length: 1599}, (_, index) => `c${index} ${index % 2 === 0 ? 'int' : 'text'}`).join(', ')});
      insert into t (id, c0, c1598) select g, g, g from generate_series(1, 20) g`,
    onA: "update t set c1598 = null where id = 3; update t set c1597 = '' where id = 4; update t set c600 = 0 where id = 5",
    onB: 'update t set c0 = null, c2 = 7 where id = 7',
    keys: ['3', '4', '5', '7'],
    rows: 20,
  },
  'values beside the table, compressed and not': {
    a: `create table t (id int primary key, plain text, packed text, b bytea); alter table t alter plain set storage external;
      insert into t select g, repeat(md5(g::text), 40000), repeat('a', 500000), decode(repeat(md5(g::text), 80000), 'hex') from generate_series(1, 5) g`,
    onA: `update t set plain = overlay(plain placing '-' from 600000) where id = 1; update t set packed = packed || ' ' where id = 2;
      update t set b = set_byte(b, 1279999, get_byte(b, 1279999) # 1) where id = 3; update t set b = sha256(b) where id = 4`,
    keys: ['1', '2', '3', '4'],
  },
  'a NOT NULL that was never validated': {
    a: 'create table t (id int primary key, v int); insert into t values (1, null), (2, 0), (3, null); alter table t add constraint c not null v not valid',
    b: 'create table t (id int primary key, v int); insert into t values (1, null), (2, 0), (3, 0)',
    keys: ['3'],
  },
  'generated columns: stored ones are data, others are not there': {
    a: 'create table t (id int primary key, v int, s int generated always as (v * 2) stored, n int generated always as (v * 3)); insert into t values (1, 1), (2, 2)',
    b: 'create table t (id int primary key, n int generated always as (v * 5), s int generated always as (v + v % 2) stored, v int); insert into t (id, v) values (1, 1), (2, 2)',
    keys: ['2'],
  },
  'columns that were dropped, in another order': {
    a: "create table t (x int, id int primary key, y text, z text); alter table t drop x; insert into t values (1, 'a', 'b'), (2, 'a', 'b')",
    b: "create table t (z text, id int primary key, y text); insert into t values ('b', 1, 'a'), ('a', 2, 'b')",
    keys: ['2'],
  },
  'names that have to be quoted': {
    a: `create table "t" ("ID "" \\ " int, "sel'ect" text, "a\nb" text, "\u00c4" int, primary key ("\u00c4", "ID "" \\ ")); insert into t values (1, 'x', null, 5), (2, 'y', '', 6)`,
    onB: `update t set "a\nb" = '' where "\u00c4" = 5; update t set "sel'ect" = null where "\u00c4" = 6`,
    keys: ['["5", "1"]', '["6", "2"]'],
  },
  'what inherits from a table is not in it': {
    a: "create table t (id int primary key, v text); create table child (extra int) inherits (t); insert into t values (1, 'a'); insert into child values (2, 'b', 3)",
    onB: "delete from child; update t set v = 'x'",
    keys: ['1'],
    rows: 1,
  },
  'no rows at all': {a: 'create table t (id int primary key)', keys: [], rows: 0},
  'rows on one side only': {
    a: 'create table t (id int primary key)',
    onB: 'insert into t values (-2147483648), (2147483647)',
    keys: ['-2147483648', '2147483647'],
  },
  'rows that the planner does not know of': {
    a: 'create table t (id int8 primary key) with (autovacuum_enabled = off); insert into t select generate_series(1, 100); analyze t',
    onA: 'insert into t select generate_series(1000000, 1000099)',
    onB: 'insert into t select generate_series(1000001, 1000100); insert into t values (-5)',
    keys: ['-5', '1000000', '1000100'],
  },
};

describe('tables of every make', () => {
  let servers: Servers;
  let server: Server;
  let world: AuditWorld;
  beforeAll(async () => {
    servers = await startServers(['one']);
    [server] = servers.all as [Server];
    world = await openPair(server, server, 'tables');
    await world.both(
      Object.keys(CASES)
        .map((_, index) => `create schema s${index}`)
        .join('; '),
    );
  });
  afterAll(async () => {
    await world?.end();
    await servers?.end();
  });

  it.each(Object.entries(CASES).map(([name, each], index) => [name, `s${index}`, each] as const))(
    '%s',
    async (_name, schema, {a, b = a, onA, onB, keys, rows}) => {
      const within = (sql: string): string => `set search_path = ${schema}; ${sql}`;
      await world.audit.rest(signal());
      await world.each(within(a), within(b));
      if (a === b) expect((await readTable(world, `${schema}.t`)).keys).toEqual([]);
      await world.audit.rest(signal());
      await world.each(within(onA ?? 'select 1'), within(onB ?? 'select 1'));
      const seen = await readTable(world, `${schema}.t`);
      expect(seen.keys).toEqual(keys);
      if (rows !== undefined) expect(seen.rows).toBe(rows);
    },
  );

  it('lists what can be audited, says why the rest cannot, and leaves out what is no table of its own', async () => {
    await world.both(`create schema l; set search_path = l; create table ok (id int primary key, v text); create table keyless (v text);
      create unlogged table quick (id int primary key); create view seen as select 1 as one; create materialized view kept as select 1 as one;
      create temporary table temp (id int primary key); create table parted (id int primary key) partition by range (id); create table part partition of parted default;
      create foreign data wrapper w; create server far foreign data wrapper w; create foreign table distant (id int) server far; create sequence counted;
      create table half (id int not null) partition by range (id); create table half1 partition of half default; alter table only half add primary key (id)`);
    const {a} = await world.audit.tables(['a'], signal());
    const own = a?.known === true ? a.value.filter(({name}) => name.startsWith('l.')) : [];
    expect(own.map(({name, key, lacks}) => [name, key, lacks])).toEqual([
      ['l.half', null, 'it has no primary key'],
      ['l.keyless', null, 'it has no primary key'],
      ['l.ok', ['id'], null],
      ['l.parted', ['id'], null],
      ['l.quick', ['id'], 'it is unlogged, and so is not replicated'],
    ]);
  });

  it('refuses what is missing on one side, by name', async () => {
    await world.each('create table only_here (id int primary key)', 'select 1');
    await expect(readTable(world, 'public.only_here')).rejects.toThrow('b has no table public.only_here.');
  });

  it('finds equal what was written anew in another order, whatever the settings of the database and the role', async () => {
    await world.both(`create table again (id int8 primary key, t timestamptz default '2026-11-28 12:00+00', i interval default '1 mon 2 days 03:04:05.6', f float8 default 0.1::float8 + 0.2::float8,
      r float4 default 1.0::float4 / 3, b bytea default '\\x00ff', m money default 1234.5, d date default '0044-03-15 BC', c regclass default 'pg_class', x xml default '<a/>', n numeric default 1.50, l char(9) default 'a');
      create table again_text (id text primary key, v int)`);
    const fill = (order: string): string =>
      `insert into again (id) select g from generate_series(1, 3000) g order by ${order}; insert into again_text select md5(g::text), g from generate_series(1, 3000) g order by ${order}`;
    await world.each(fill('g'), fill('md5(g::text)'));
    await world.on('b', 'vacuum full again');
    await world.on('b', 'cluster again_text using again_text_pkey');
    await world.on('b', 'analyze');
    await world.on(
      'b',
      `alter database tables_b set datestyle = 'SQL, DMY'; alter database tables_b set timezone = 'Asia/Tokyo'; alter database tables_b set intervalstyle = 'iso_8601';
      alter database tables_b set bytea_output = 'escape'; alter database tables_b set extra_float_digits = -3; alter database tables_b set quote_all_identifiers = on; alter database tables_b set search_path = 'nowhere';
      alter database tables_b set standard_conforming_strings = off; alter database tables_b set default_transaction_isolation = 'serializable'; alter database tables_b set xmloption = 'document';
      alter database tables_b set enable_indexscan = off; alter role regionctl in database tables_b set lc_monetary = 'C.utf8'; alter database tables_b set array_nulls = off; alter database tables_b set enable_hashagg = off`,
    );
    const other = openWorld(['a', 'b'].map((name) => ({name, port: server.port, database: `tables_${name}`})));
    try {
      expect(await readTable(other, 'public.again')).toMatchObject({keys: [], rows: 3000});
      expect(await readTable(other, 'public.again_text')).toMatchObject({keys: [], rows: 3000});
      await world.on('a', "update again set i = '1 mon 2 days 03:04:05.600001' where id = 77; update again set f = 0.3 where id = 78");
      expect((await readTable(other, 'public.again')).keys).toEqual(['77', '78']);
    } finally {
      await world.on('b', 'alter database tables_b reset all; alter role regionctl in database tables_b reset all');
      await other.end();
    }
  });

  it('never takes hidden rows for missing ones, nor one table that is denied for all of them', async () => {
    await world.both(`create table hidden (id int primary key, who text); insert into hidden values (1, 'me'), (2, 'you'); alter table hidden enable row level security;
      create policy mine on hidden using (who = 'me'); create table denied (id int primary key); create table granted (id int primary key); insert into granted values (1)`);
    await server.sql(`do $$ begin create role reading login password 'only-for-tests'; end $$`);
    await world.both('grant select on hidden, granted to reading; grant usage on schema public to reading');
    const other = openWorld(['a', 'b'].map((name) => ({name, port: server.port, database: `tables_${name}`, user: 'reading'})));
    try {
      expect(await readTable(other, 'public.granted')).toMatchObject({keys: [], rows: 1});
      await expect(readTable(other, 'public.hidden')).rejects.toThrow('row-level security');
      await expect(readTable(other, 'public.denied')).rejects.toThrow('permission denied');
      expect(await readTable(other, 'public.granted')).toMatchObject({keys: [], rows: 1});
    } finally {
      await other.end();
    }
  });

  it('sees what was truncated or altered on both sides after the snapshot, and what is in partitions that came since', async () => {
    await world.both(
      "create table early (id int primary key); create table rewritten (id int primary key, v text, w int); insert into rewritten values (1, '1', 1)",
    );
    await world.each('select 1', "update rewritten set v = '2'");
    await readTable(world, 'public.early');
    // The snapshot is some ms old; to it, a table that was written anew since is empty.
    await world.both('alter table rewritten alter w type int using w * 1');
    const form = await world.audit.open('public.rewritten', world.names, {sliceMs: 500}, signal());
    const slice = form.next(null, null);
    if (slice === null) throw new Error('no slice');
    const [a, b] = await Promise.all(world.names.map((name) => form.digest(name, slice, async () => undefined, signal())));
    expect(a?.chunks).toMatchObject([{rows: 1}]);
    expect(a?.chunks[0]?.sum).not.toBe(b?.chunks[0]?.sum);
    await world.both(
      "create table growing (k text primary key, v int) partition by list (k); create table growing1 partition of growing for values in ('a'); insert into growing values ('a', 1)",
    );
    await world.audit.rest(signal());
    await world.audit.tables(world.names, signal());
    const growing = await world.audit.open('public.growing', world.names, {sliceMs: 500}, signal());
    await world.both("create table growing2 partition of growing default; insert into growing values ('b', 1)");
    const part = growing.next(null, null);
    if (part === null) throw new Error('no slice');
    expect((await growing.digest('a', part, async () => undefined, signal())).chunks.reduce((sum, chunk) => sum + chunk.rows, 0)).toBe(2);
  });
});
