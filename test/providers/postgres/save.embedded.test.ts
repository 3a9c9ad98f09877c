import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {countByTable, createTables, ctx, goSeparateWays, linesOf, OWN, ownLines} from './diverged.ts';
import {type FullStore, hostOf, openStore, testCtx} from './open-store.ts';

describe('keeping what a former primary holds alone', () => {
  let servers: Servers;
  let store: FullStore;
  let dir: string;
  let [old, next] = [] as unknown as [Server, Server];

  beforeEach(async () => {
    servers = await startServers(['us', 'eu']);
    [old, next] = servers.all as [Server, Server];
    store = await openStore(servers.all, {us: hostOf(old, servers.all)});
    dir = join(mkdtempSync(join(tmpdir(), 'regionctl-test-')), 'kept');
    await createTables(old);
  });
  afterEach(async () => {
    await store?.close();
    await servers?.end();
    rmSync(join(dir, '..'), {recursive: true, force: true});
  });

  const save = () => store.abilities.rejoin.save?.(ctx(), 'us', 'eu', dir);
  const standbyOfNobody = async () =>
    (await old.sql('select pg_is_in_recovery() as standby, count(*)::int as receivers from pg_stat_wal_receiver'))[0];

  it('of one that was killed: exactly its rows and its log, from a standby of nobody', async () => {
    await goSeparateWays(store, old, next);
    await old.kill();
    const saved = await save();
    expect(await standbyOfNobody()).toEqual({standby: true, receivers: 0});
    const lines = linesOf(join(dir, 'rows.ndjson'));
    expect(saved?.missing).toBeUndefined();
    expect(countByTable(lines)).toEqual(OWN);
    expect(lines).toEqual(await ownLines(old));
    expect(saved).toMatchObject({rows: lines.length, tables: Object.keys(OWN)});
    expect(saved?.missing).toBeUndefined();
    expect(saved?.walBytes).toBeGreaterThan(10_000);
    const summary = JSON.parse(readFileSync(join(dir, 'summary.json'), 'utf8'));
    expect(summary).toMatchObject({
      member: 'us',
      upstream: 'eu',
      parted: {timeline: 1},
      end: {timeline: 1},
      comparedWith: {timeline: 2},
      tablesRead: 5,
    });
    // The log begins with the segment in which they parted, byte by byte as the server has it.
    const segments = readdirSync(join(dir, 'wal')).toSorted();
    for (const name of segments)
      expect(readFileSync(join(dir, 'wal', name)).equals(readFileSync(join(old.dir, 'pg_wal', name)))).toBe(true);
    expect(saved?.files.toSorted()).toEqual(
      [join(dir, 'rows.ndjson'), join(dir, 'summary.json'), ...segments.map((name) => join(dir, 'wal', name))].toSorted(),
    );
    for (const folder of [dir, join(dir, 'wal')]) expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const file of saved?.files ?? []) expect(statSync(file).mode & 0o777).toBe(0o600);
    // Twice is as good as once.
    expect(await save()).toEqual(saved);
    expect(linesOf(join(dir, 'rows.ndjson'))).toEqual(lines);
  });

  it('not of one that was promoted past its upstream: what it holds must not be thrown away', async () => {
    await goSeparateWays(store, old, next);
    await store.abilities.fence.fence(ctx(), 'eu');
    const other = store.abilities.rejoin.save?.(ctx(), 'eu', 'us', dir);
    await expect(other).rejects.toMatchObject({
      code: 'newer-timeline',
      exit: 77,
      message: expect.stringContaining('eu is on timeline 2, later than'),
    });
    expect(readdirSync(join(dir, '..'))).toEqual([]);
  });

  it('of one that runs and is closed: read as it is', async () => {
    await goSeparateWays(store, old, next);
    await expect(save()).rejects.toMatchObject({code: 'not-fenced', exit: 77});
    expect(await store.abilities.fence.fence(ctx(), 'us', {keepRunning: true})).toMatchObject({kind: 'closed', leaks: []});
    const saved = await save();
    expect(countByTable(linesOf(join(dir, 'rows.ndjson')))).toEqual(OWN);
    expect(saved?.missing).toBeUndefined();
    expect((await store.observe(AbortSignal.timeout(5000))).us).toMatchObject({known: true, value: {role: 'primary'}});
    expect(await store.abilities.fence.prove(ctx(), 'us')).toMatchObject({kind: 'closed'});
  });

  it('of one that stopped cleanly after the other had everything: there is nothing, and nothing is written', async () => {
    const {claim, fence, seal, promote} = store.abilities;
    await claim.claim(ctx());
    await fence.fence(ctx(), 'us');
    const {eu} = await seal.seal(ctx(), ['eu']);
    if (eu === undefined) throw new Error('not sealed');
    await promote.promote(ctx(), 'eu', {from: eu, until: performance.now() + 1000});
    await next.sql(`insert into orders (id) values (1000001)`);
    expect(await save()).toBeNull();
    expect(() => statSync(dir)).toThrow();
    expect(await claim.held(ctx())).toBe(true);
  });

  it('keeps too much rather than too little where the log is gone, and says so', async () => {
    await goSeparateWays(store, old, next);
    await old.sql('alter system set wal_keep_size = 0');
    await old.sql('alter system set max_wal_size = 2');
    await old.sql('alter system set min_wal_size = 2');
    await old.sql('select pg_reload_conf()');
    for (let round = 0; round < 6; round++) {
      await old.sql('select pg_switch_wal()');
      await old.sql('checkpoint');
    }
    await old.kill();
    const saved = await save();
    expect(saved?.missing).toEqual([
      expect.stringMatching(/^The log of us could not be read: the server has removed \d+ segments of it already.*only eu has changed\.$/),
      'public.no_key has no primary key, so its rows could not be compared.',
    ]);
    const counts = countByTable(linesOf(join(dir, 'rows.ndjson')));
    // 7 and 8 were changed over there only; nothing tells any more.
    expect(counts).toEqual({...OWN, 'public.no_key': undefined, 'public.orders': (OWN['public.orders'] ?? 0) + 2});
    expect(saved?.tables).toEqual(['public."odd ""name"', 'public.orders', 'public.times']);
  });

  it('takes the own operator of a key, and what only one of the two has', async () => {
    await old.sql(`create schema "o p"; create type "o p".pair as (a int, b text)`);
    await old.sql('create table paired (p "o p".pair primary key, at timestamptz default now())');
    await old.sql('create table later_gone (id int primary key)');
    await old.sql('create table rekeyed (id int primary key, other int unique not null)');
    await goSeparateWays(store, old, next);
    await old.sql(`insert into paired values (row(1, 'x,"y'))`);
    await old.sql('insert into later_gone values (1)');
    await old.sql('insert into rekeyed values (1, 2)');
    await old.sql('create table only_here (id int primary key)');
    await old.sql('insert into only_here values (7)');
    await next.sql('drop table later_gone');
    await next.sql('alter table rekeyed drop constraint rekeyed_pkey, add primary key (other)');
    await old.kill();
    await save();
    expect(countByTable(linesOf(join(dir, 'rows.ndjson')))).toEqual({
      ...OWN,
      ...{'public.paired': 1, 'public.later_gone': 1, 'public.rekeyed': 1, 'public.only_here': 1},
    });
  });

  it('stops a member that comes up as a primary all the same', async () => {
    await goSeparateWays(store, old, next);
    await old.kill();
    await store.close();
    const host = hostOf(old, servers.all);
    store = await openStore(servers.all, {us: {...host, startAsStandby: () => host.start(AbortSignal.timeout(30_000))}});
    await expect(save()).rejects.toMatchObject({code: 'not-in-recovery', exit: 77});
    expect(old.running()).toBe(false);
  });

  it('says why it cannot: no host, a folder that is a file, no time', async () => {
    await goSeparateWays(store, old, next);
    await old.kill();
    writeFileSync(dir, 'a file');
    await expect(save()).rejects.toMatchObject({code: 'cannot-keep', exit: 73, message: expect.stringContaining(dir)});
    await expect(store.abilities.rejoin.save?.(testCtx('run-1', 1), 'us', 'eu', dir)).rejects.toThrow();
    await old.kill();
    await store.close();
    store = await openStore(servers.all);
    await expect(save()).rejects.toMatchObject({code: 'unreachable', exit: 69});
  });
});
