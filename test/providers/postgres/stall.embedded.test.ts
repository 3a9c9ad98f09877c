import {chmodSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type pg from 'pg';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {eventually, PASSWORD, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, hostOf, openStore, testCtx} from './open-store.ts';

const LEAKS = ['synchronous_commit=local', 'synchronous_commit=off', 'cancelled commits'];

describe('fencing a primary whose access rules may not be written', () => {
  let servers: Servers;
  let store: FullStore;
  let [a, b] = [] as unknown as [Server, Server];

  beforeEach(async () => {
    servers = await startServers(['us', 'eu']);
    [a, b] = servers.all as [Server, Server];
    store = await openStore(servers.all);
    await a.sql('create table t (id int primary key)');
    await a.sql('grant all on t to public');
    await eventually(async () => (await a.sql(`select 1 from pg_stat_replication where state = 'streaming'`)).length === 1);
    chmodSync(join(a.dir, 'pg_hba.conf'), 0o444);
  });
  afterEach(async () => {
    await store?.close();
    await servers?.end();
  });

  const fence = () => store.abilities.fence.fence(testCtx(), 'us');
  const prove = () => store.abilities.fence.prove(testCtx(), 'us');
  const lift = () => store.abilities.fence.lift(testCtx(), 'us', 'undo');
  const app = () => a.connect({user: 'app', database: 'orders'});
  const waiting = async (): Promise<number> => (await a.sql(`select 1 from pg_stat_activity where wait_event = 'SyncRep'`)).length;
  const altered = (): string[] => readFileSync(join(a.dir, 'postgresql.auto.conf'), 'utf8').split('\n').toSorted();
  /** Sends statements and says whether the last of them was acknowledged; a session that is ended is not. */
  const send = (client: pg.Client, ...statements: string[]) => {
    const sent = {acknowledged: false, done: Promise.resolve()};
    sent.done = (async () => {
      for (const statement of statements) await client.query(statement);
      sent.acknowledged = true;
    })().catch(() => undefined);
    return sent;
  };

  it('every commit waits for ever: what was open, what comes anew, what was prepared', async () => {
    const before = altered();
    const open = await app();
    const preparing = await app();
    await preparing.query(`begin; insert into t values (1); prepare transaction 'p'`);
    await preparing.end();

    const proof = await fence();
    expect(proof).toMatchObject({kind: 'closed', survivesRestart: true, leaks: LEAKS, position: {epoch: 1}});
    await expect(open.query('insert into t values (2)')).rejects.toThrow();
    const fresh = await app();
    await expect(fresh.query('insert into t values (3)')).rejects.toMatchObject({code: '25006'});
    const [writer, second] = [await app(), await app()];
    const commits = [send(writer, 'begin read write', 'insert into t values (4)', 'commit'), send(second, `commit prepared 'p'`)];
    const own = send(fresh, 'set default_transaction_read_only = off', 'insert into t values (5)');
    await eventually(async () => (await waiting()) === 3);
    // The standby still gets everything, and that is of no use to them.
    await eventually(async () => (await b.sql('select id from t order by id')).length === 3);
    expect([...commits, own].map(({acknowledged}) => acknowledged)).toEqual([false, false, false]);
    expect(await prove()).toMatchObject({kind: 'closed', leaks: LEAKS});
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(false);

    // Fenced twice, they are ended waiting; and after a restart it is as before.
    await fence();
    await Promise.all([...commits, own].map(({done}) => done));
    expect([...commits, own].map(({acknowledged}) => acknowledged)).toEqual([false, false, false]);
    await a.stop();
    await a.start();
    expect(await prove()).toMatchObject({kind: 'closed', survivesRestart: true, leaks: LEAKS});
    const again = await app();
    const late = send(again, 'begin read write', 'insert into t values (6)', 'commit');
    await eventually(async () => (await waiting()) === 1);

    await expect(store.abilities.fence.lift(testCtx(), 'us', 'following')).rejects.toMatchObject({code: 'lift-refused', exit: 77});
    await lift();
    await late.done;
    expect(altered()).toEqual(before);
    expect(await prove()).toBeNull();
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(true);
    await a.sql('insert into t values (7)');
    await lift();
    for (const client of [writer, second, fresh, again, open]) await client.end().catch(() => undefined);
  });

  it('leaks what it says that it leaks', async () => {
    await fence();
    const client = await app();
    await client.query('set default_transaction_read_only = off');
    for (const [id, level] of [
      [1, 'local'],
      [2, 'off'],
    ] as const) {
      await client.query(`set synchronous_commit = ${level}`);
      await client.query('insert into t values ($1)', [id]);
    }
    await client.query('reset synchronous_commit');
    const cancelled = send(client, 'insert into t values (3)');
    await eventually(async () => (await waiting()) === 1);
    await a.sql(`select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'`);
    await cancelled.done;
    expect(cancelled.acknowledged).toBe(true);
    await client.end();
  });

  it('puts back what was set before, also when the process before had ended in the middle of it', async () => {
    await a.sql(`alter system set synchronous_standby_names = 'ANY 1 ("eu", "it''s \\"odd\\"")'`.replaceAll('\\"', '""'));
    await a.sql('alter system set synchronous_commit = remote_apply');
    await a.sql('select pg_reload_conf()');
    await eventually(async () => (await a.sql<{c: string}>(`select current_setting('synchronous_commit') as c`))[0]?.c === 'remote_apply');
    const before = altered();
    await fence();
    expect(altered()).not.toEqual(before);
    await a.sql('alter system reset default_transaction_read_only');
    await a.sql('select pg_reload_conf()');
    await eventually(async () => (await prove()) === null);
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(false);
    await fence();
    expect(await prove()).toMatchObject({kind: 'closed'});
    await lift();
    expect(altered()).toEqual(before);
    await a.sql('insert into t values (1)');
  });

  it.each([
    ['role app', 'alter role app set synchronous_commit = off'],
    ['database orders', 'alter database orders set synchronous_commit = local'],
  ])('is none for a %s that does not wait: it refuses, and has changed nothing', async (who, sql) => {
    await a.sql(sql);
    const before = altered();
    await expect(fence()).rejects.toMatchObject({
      code: 'fence-impossible',
      exit: 77,
      message: expect.stringMatching(
        new RegExp(`Not closed: .*Permission denied.*Not made to wait with every commit: ${who} on us has synchronous_commit`),
      ),
    });
    expect(altered()).toEqual(before);
    expect(await prove()).toBeNull();
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(true);
  });

  it('is undone on a member that follows after a clean stop', async () => {
    await store.close();
    const host = hostOf(a, servers.all);
    // The stall ends the senders: a stop ships everything only to who is connected again.
    const stop = async (until: AbortSignal) => {
      await eventually(
        async () => !a.running() || (await a.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 1,
      );
      await host.stop(until);
    };
    store = await openStore(servers.all, {us: {...host, stop}});
    const {claim, seal, promote, rejoin} = store.abilities;
    await claim.claim(testCtx());
    expect(await fence()).toMatchObject({kind: 'stopped', survivesRestart: false});
    const {eu} = await seal.seal(testCtx(), ['eu']);
    if (eu === undefined) throw new Error('not sealed');
    await promote.promote(testCtx(), 'eu', {from: eu, until: performance.now() + 1000});
    await rejoin.rejoin(testCtx(), 'us', 'follow', 'eu');
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(false);
    await store.abilities.fence.lift(testCtx(), 'us', 'following');
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(true);
    expect(altered().filter((line) => /synchronous|read_only/.test(line))).toEqual([]);
  });

  it('needs no superuser, but refuses where a session cannot be ended', async () => {
    await a.sql(`create role ops login password '${PASSWORD}'`);
    await a.sql('grant pg_monitor, pg_signal_backend to ops');
    await a.sql('grant execute on function pg_reload_conf() to ops');
    await a.sql('grant alter system on parameter synchronous_standby_names, synchronous_commit, default_transaction_read_only to ops');
    await store.close();
    store = await openStore(servers.all, {}, 1, 'ops');
    const root = await a.connect({database: 'orders'});
    await expect(fence()).rejects.toMatchObject({code: 'fence-impossible', message: expect.stringContaining('Not made to wait')});
    expect(await prove()).toBeNull();
    await lift();
    await root.end();
    const open = await app();
    expect(await fence()).toMatchObject({kind: 'closed', leaks: LEAKS});
    await expect(open.query('select 1')).rejects.toThrow();
    expect(await prove()).toMatchObject({kind: 'closed', leaks: LEAKS});
    await lift();
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(true);
    await a.sql('insert into t values (1)');
  });
});
