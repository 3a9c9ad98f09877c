import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, hostOf, openStore, testCtx} from './open-store.ts';

describe('fencing a primary', () => {
  let servers: Servers;
  let store: FullStore;
  let [a, b] = [] as unknown as [Server, Server];

  beforeEach(async () => {
    servers = await startServers(['us', 'eu']);
    [a, b] = servers.all as [Server, Server];
    store = await openStore(servers.all);
    await a.sql('create table t (id int primary key)');
    await a.sql('grant all on t to public');
  });
  afterEach(async () => {
    await store?.close();
    await servers?.end();
  });

  it('closes it: nothing that was open or that comes anew can write', async () => {
    const before = readFileSync(join(a.dir, 'pg_hba.conf'), 'utf8');
    await a.sql("alter role app set default_transaction_read_only = 'off'");
    const open = await a.connect({user: 'app', database: 'orders'});
    const writing = await a.connect({user: 'app', database: 'orders'});
    await writing.query('begin read write');
    await writing.query('insert into t values (1)');
    const preparing = await a.connect({user: 'app', database: 'orders'});
    await preparing.query('begin');
    await preparing.query('insert into t values (2)');
    await preparing.query("prepare transaction 'p'");
    const logical = await a.connect({user: 'postgres', database: 'orders', replication: 'database'} as never);

    const proof = await store.abilities.fence.fence(testCtx(), 'us');
    expect(proof).toMatchObject({kind: 'closed', survivesRestart: true, leaks: []});
    expect(proof.position?.epoch).toBe(1);
    await expect(writing.query('commit')).rejects.toThrow();
    await expect(open.query('insert into t values (3)')).rejects.toThrow();
    await expect(preparing.query("commit prepared 'p'")).rejects.toThrow();
    await expect(logical.query('insert into t values (4)')).rejects.toThrow();
    await expect(a.connect({user: 'app', database: 'orders'})).rejects.toMatchObject({code: '28000'});
    await expect(a.connect({user: 'postgres', database: 'orders'})).rejects.toMatchObject({code: '28000'});
    expect(await store.abilities.fence.prove(testCtx(), 'us')).toMatchObject({kind: 'closed'});
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(false);

    // The rows that were in flight are not there, and replication goes on.
    expect(await b.sql('select id from t')).toEqual([]);
    await a.stop();
    await a.start();
    await expect(a.connect({user: 'app', database: 'orders'})).rejects.toMatchObject({code: '28000'});
    expect(await store.abilities.fence.prove(testCtx(), 'us')).toMatchObject({kind: 'closed'});

    // Twice is as good as once: the kept file is still the original.
    await store.abilities.fence.fence(testCtx(), 'us');
    await expect(store.abilities.fence.lift(testCtx(), 'us', 'following')).rejects.toMatchObject({code: 'lift-refused', exit: 77});
    await store.abilities.fence.lift(testCtx(), 'us', 'undo');
    expect(await store.abilities.fence.open(testCtx(), 'us')).toBe(true);
    expect(await store.abilities.fence.prove(testCtx(), 'us')).toBeNull();
    expect(readFileSync(join(a.dir, 'pg_hba.conf'), 'utf8').trimEnd()).toBe(before.trimEnd());
    expect(await a.sql('select 1 as one')).toEqual([{one: 1}]);
  });

  it('holds against clients that keep trying to come back', async () => {
    let going = true;
    let acknowledged = 0;
    const clients = Array.from({length: 4}, async () => {
      while (going) {
        try {
          const client = await a.connect({user: 'app', database: 'orders', connectionTimeoutMillis: 500});
          for (; going; ) {
            await client.query('insert into t select coalesce(max(id), 0) + 1 from t on conflict do nothing');
            acknowledged++;
          }
          await client.end();
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
    });
    await eventually(() => acknowledged > 20);
    await store.abilities.fence.fence(testCtx(), 'us');
    const after = acknowledged;
    await new Promise((resolve) => setTimeout(resolve, 300));
    going = false;
    await Promise.all(clients);
    expect(acknowledged).toBe(after);
  });

  it('refuses with every reason when it has no means, and for a standby', async () => {
    await a.kill();
    await expect(store.abilities.fence.fence(testCtx(), 'us')).rejects.toMatchObject({
      code: 'fence-impossible',
      exit: 77,
      message: expect.stringMatching(/no control over its host.*refuses connections/),
    });
    expect(await store.abilities.fence.prove(testCtx(), 'us')).toBeNull();
    await expect(store.abilities.fence.fence(testCtx(), 'eu')).rejects.toThrow(/eu is a standby/);
  });

  it('with a host stops it cleanly after closing, so that it can follow without a rebuild', async () => {
    await store.close();
    store = await openStore(servers.all, {us: hostOf(a, servers.all)});
    const {claim, seal, promote, rejoin, fence, follow} = store.abilities;
    await claim.claim(testCtx());
    const fenced = await fence.fence(testCtx(), 'us');
    expect(fenced).toMatchObject({kind: 'stopped', survivesRestart: true, position: {epoch: 1}});
    expect(await fence.prove(testCtx(), 'us')).toMatchObject({kind: 'stopped'});
    const sealed = await seal.seal(testCtx(), ['eu']);
    expect(await claim.held(testCtx())).toBe(true);
    const {eu} = sealed;
    if (eu === undefined) throw new Error('not sealed');
    expect(BigInt(eu.offset)).toBeGreaterThanOrEqual(BigInt(fenced.position?.offset ?? 0));
    expect(await promote.promote(testCtx(), 'eu', {from: eu, until: performance.now() + 1000})).toMatchObject({epoch: 2});
    await b.sql('insert into t values (7)');
    expect(await rejoin.options('us', AbortSignal.timeout(5000))).toMatchObject([{how: 'follow'}, {how: 'rebuild'}]);
    await rejoin.rejoin(testCtx(), 'us', 'follow', 'eu');
    expect(await follow.following(testCtx(), 'us')).toBe('eu');
    await fence.lift(testCtx(), 'us', 'following');
    expect(await a.sql('select id from t')).toEqual([{id: 7}]);
    expect(await claim.held(testCtx())).toBe(true);
  });

  it('comes back over a slot that its new upstream does not have yet', async () => {
    await store.close();
    const host = hostOf(a, servers.all);
    const startAsStandby = async (upstream: string | null): Promise<void> => {
      writeFileSync(join(a.dir, 'postgresql.conf'), `${readFileSync(join(a.dir, 'postgresql.conf'), 'utf8')}primary_slot_name = 'us'\n`);
      await host.startAsStandby(upstream, AbortSignal.timeout(30_000));
    };
    store = await openStore(servers.all, {us: {...host, startAsStandby}});
    const {claim, seal, promote, rejoin, fence} = store.abilities;
    await claim.claim(testCtx());
    await fence.fence(testCtx(), 'us');
    const {eu} = await seal.seal(testCtx(), ['eu']);
    if (eu === undefined) throw new Error('not sealed');
    await promote.promote(testCtx(), 'eu', {from: eu, until: performance.now() + 1000});
    await rejoin.rejoin(testCtx(), 'us', 'follow', 'eu');
    expect(await b.sql('select slot_name, active from pg_replication_slots')).toEqual([{slot_name: 'us', active: true}]);
  });

  it('undo starts a member that its host stopped', async () => {
    await store.close();
    store = await openStore(servers.all, {us: hostOf(a, servers.all)});
    await store.abilities.claim.claim(testCtx());
    await store.abilities.fence.fence(testCtx(), 'us');
    await store.abilities.fence.lift(testCtx(), 'us', 'undo');
    await a.sql('insert into t values (1)');
    expect(await store.abilities.claim.held(testCtx())).toBe(true);
  });

  it('a primary that went on after the promotion cannot follow: it says so at once', async () => {
    await store.close();
    store = await openStore(servers.all, {us: hostOf(a, servers.all)});
    const {claim, seal, promote, rejoin} = store.abilities;
    await claim.claim(testCtx());
    const {eu} = await seal.seal(testCtx(), ['eu']);
    if (eu === undefined) throw new Error('not sealed');
    await a.sql('insert into t values (1)');
    await promote.promote(testCtx(), 'eu', {from: eu, until: performance.now() + 1000});
    await b.sql('insert into t values (2)');
    expect(await rejoin.options('us', AbortSignal.timeout(5000))).toMatchObject([{how: 'rebuild', bytes: expect.any(Number)}]);
    const began = performance.now();
    await expect(rejoin.rejoin(testCtx(), 'us', 'follow', 'eu')).rejects.toMatchObject({code: 'cannot-follow'});
    expect(performance.now() - began).toBeLessThan(4000);
  });
});
