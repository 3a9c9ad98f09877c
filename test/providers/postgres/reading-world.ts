import {afterAll, beforeAll, expect, it} from 'vitest';
import type {LinkReading} from '../../../src/lib/ports/store.ts';
import {eventually, PASSWORD, type Programs, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, passwordRef, signal} from './open-store.ts';

/** Reads links and slots by a role that has LOGIN and pg_monitor and nothing else: the same on every version. To be called within a `describe`. */
export function readByMonitor(major: number, programs?: Programs): void {
  let servers: Servers;
  let store: FullStore;
  let [a, b, c] = [] as unknown as [Server, Server, Server];

  beforeAll(async () => {
    servers = await startServers(['us', 'eu', 'ap'], programs);
    [a, b, c] = servers.all as [Server, Server, Server];
    await a.sql(`create role watcher login password '${PASSWORD}'; grant pg_monitor to watcher`);
    await a.sql(`select pg_create_physical_replication_slot('eu', true), pg_create_physical_replication_slot('left_behind', true)`);
    await a.sql(`select pg_create_logical_replication_slot('stream', 'pgoutput')`);
    await b.sql(`alter system set primary_slot_name = 'eu'`);
    await b.sql('select pg_reload_conf()');
    await b.sql(`select pg_create_physical_replication_slot('ap', true)`);
    await c.sql(`alter system set primary_conninfo = 'host=127.0.0.1 port=${b.port} user=replicator application_name=ap'`);
    await c.sql('select pg_reload_conf()');
    await a.sql('create table t (id int)');
    await a.sql('insert into t select generate_series(1, 1000)');
    store = await openStore(servers.all, {}, 1, 'regionctl', {monitor: {user: 'watcher', password: passwordRef}});
  });
  afterAll(async () => {
    await store?.close();
    await servers?.end();
  });

  const versionOf = async (server: Server) =>
    Number((await server.sql<{v: string}>(`select current_setting('server_version_num') as v`))[0]?.v);
  const read = () => store.abilities.links.links(signal());
  const figures = ({sendBytes, writeBytes, flushBytes, replayBytes, writeSeconds, flushSeconds, replaySeconds}: LinkReading) => [
    ...[sendBytes, writeBytes, flushBytes, replayBytes],
    ...[writeSeconds, flushSeconds, replaySeconds],
  ];

  it('reads every figure of every link, the one of a cascade from its real upstream', async () => {
    const links = await eventually(async () => {
      const seen = await read();
      return seen.every(({senderState, replayBytes}) => senderState === 'streaming' && replayBytes === 0) && seen[0]?.slot ? seen : null;
    });
    expect(links.map(({from, to, kind, trouble, cause}) => [from, to, kind, trouble, cause])).toEqual([
      ['us', 'eu', 'physical', null, undefined],
      ['eu', 'ap', 'physical', null, undefined],
    ]);
    for (const link of links) {
      expect(figures(link)).toEqual([0, 0, 0, 0, 0, 0, 0]);
      const {endOffset, heldOffset, replayOffset, senderTimeline, receiverTimeline, conflicts, silentAfterMs} = link;
      expect([senderTimeline, receiverTimeline, conflicts, silentAfterMs]).toEqual([1, 1, 0, 3500]);
      for (const offset of [endOffset, heldOffset, replayOffset]) expect(BigInt(offset ?? -1)).toBeGreaterThan(1_000_000n);
      for (const seconds of [link.lastReplayAgeSeconds, link.heardUpstreamAgoMs, link.sampleAgeMs])
        expect(seconds).toBeGreaterThanOrEqual(0);
      expect(link.lastReplayAgeSeconds).toBeLessThan(60);
      expect(link.sync).toBe('async');
    }
    expect(links[0]?.slot).toMatchObject({name: 'eu', kind: 'physical', keptFor: 'eu', active: true, status: 'reserved'});
    expect(links[0]?.runwayBytes).toBeNull();
    expect(links[1]?.slot).toBeNull();
    expect(links[1]?.runwayBytes).toBe(64 * 1_048_576);
  });

  it('lists every slot of every member, and whom it is kept for', async () => {
    const cells = await store.abilities.slots.slots(signal());
    const [us, eu, ap] = ['us', 'eu', 'ap'].map((name) => (cells[name]?.known ? cells[name].value : null));
    expect(us?.map(({name, kind, keptFor, active, database}) => [name, kind, keptFor, active, database])).toEqual([
      ['eu', 'physical', 'eu', true, null],
      ['left_behind', 'physical', null, false, null],
      ['stream', 'logical', null, false, 'orders'],
    ]);
    expect(eu?.map(({name, active}) => [name, active])).toEqual([['ap', false]]);
    expect(ap).toEqual([]);
    for (const slot of us ?? []) {
      expect(slot.retainedBytes).toBeGreaterThanOrEqual(0);
      expect(BigInt(slot.end)).toBeGreaterThan(0n);
      expect([slot.temporary, slot.invalidated, slot.status]).toEqual([false, null, 'reserved']);
    }
    const version = await versionOf(a);
    const kept = us?.find(({name}) => name === 'left_behind');
    if (version >= 170_000) expect(kept?.inactiveSeconds).toBeGreaterThanOrEqual(0);
    else expect(kept?.inactiveSeconds).toBeNull();
  });

  it('measures what a slot on a standby has left to the end of the log, as the primary does and the standby does not', async () => {
    const both = [a, b];
    for (const server of both) {
      await server.sql(`alter system set max_slot_wal_keep_size = '64MB'`);
      await server.sql('select pg_reload_conf()');
      await eventually(async () => (await server.sql(`select 1 where current_setting('max_slot_wal_keep_size') = '64MB'`)).length === 1);
      await server.sql(`select pg_create_physical_replication_slot('limited', true)`);
    }
    const seen = async () => {
      const cells = await store.abilities.slots.slots(signal());
      return ['us', 'eu'].map((name) => {
        const cell = cells[name];
        const slot = cell?.known ? cell.value.find((each) => each.name === 'limited') : undefined;
        return {end: Number(slot?.end), safe: slot?.safeBytes ?? Number.NaN};
      });
    };
    const before = await seen();
    await a.sql(`select pg_logical_emit_message(true, 'test', repeat('x', 3000000))`);
    const after = await eventually(async () => {
      const [us, eu] = await seen();
      return us !== undefined && us.end === eu?.end ? [us, eu] : null;
    });
    for (const [index, {end, safe}] of after.entries()) {
      const first = before[index] ?? {end: 0, safe: 0};
      expect(first.safe).toBeGreaterThan(0);
      expect(end - first.end).toBeGreaterThan(3_000_000);
      expect(first.safe - safe).toBe(end - first.end);
    }
    for (const server of both) {
      await server.sql(`select pg_drop_replication_slot('limited')`);
      await server.sql('alter system reset max_slot_wal_keep_size');
      await server.sql('select pg_reload_conf()');
    }
  });

  // Before 17 servers keep no such copies.
  it.for(major < 17 ? [] : [major])(
    'tells a copy of a slot that PostgreSQL %i keeps on a standby from a slot that nobody uses',
    async () => {
      await a.sql(`select pg_create_logical_replication_slot('feed', 'pgoutput', false, false, true)`);
      await b.sql('alter system set hot_standby_feedback = on');
      await b.sql(`alter system set primary_conninfo = 'host=127.0.0.1 port=${a.port} user=replicator application_name=eu dbname=orders'`);
      await b.sql('select pg_reload_conf()');
      await eventually(async () => {
        // Until the primary has logged what runs, a copy would begin before the place that the standby still has.
        await a.sql(
          `select pg_log_standby_snapshot(), pg_logical_slot_get_binary_changes('feed', null, null, 'proto_version', '1', 'publication_names', '')`,
        );
        await b.sql('select pg_sync_replication_slots()').catch(() => undefined);
        return (await b.sql(`select 1 from pg_replication_slots where slot_name = 'feed' and synced and not temporary`)).length === 1;
      });
      const cells = await store.abilities.slots.slots(signal());
      const [us, eu] = ['us', 'eu'].map((name) => (cells[name]?.known ? cells[name].value : []));
      expect(us?.find(({name}) => name === 'feed')?.copyOf).toBeUndefined();
      expect(eu?.map(({name, copyOf}) => [name, copyOf])).toEqual([
        ['ap', undefined],
        ['feed', 'us'],
      ]);
    },
  );

  it('says what a role may not that lacks pg_monitor', async () => {
    await a.sql(`create role nobody login password '${PASSWORD}'`);
    await eventually(async () => (await c.sql(`select 1 from pg_roles where rolname = 'nobody'`)).length === 1);
    const blind = await openStore(servers.all, {}, 1, 'regionctl', {monitor: {user: 'nobody', password: passwordRef}});
    try {
      const cells = await blind.abilities.slots.slots(signal());
      for (const name of ['us', 'eu', 'ap'])
        expect(cells[name]).toMatchObject({
          known: false,
          code: 'privilege',
          reason: expect.stringMatching(/does not grant what is needed to this role: .*permission denied/),
        });
      for (const link of await blind.abilities.links.links(signal()))
        expect(link).toMatchObject({senderRead: false, receiverConnected: null});
    } finally {
      await blind.close();
    }
  });

  it('takes two connections to a server at most, and leaves none open', async () => {
    const ours = async (server: Server) =>
      server.sql<{usename: string}>(`select usename from pg_stat_activity where application_name = 'regionctl' order by 1`);
    await Promise.all([store.observe(signal()), read(), read(), store.abilities.slots.slots(signal())]);
    for (const server of servers.all) expect(await ours(server)).toEqual([{usename: 'regionctl'}, {usename: 'watcher'}]);
    await store.close();
    for (const server of servers.all) await eventually(async () => (await ours(server)).length === 0);
  });

  it('is not held up by a frozen member', async () => {
    await read();
    c.freeze();
    try {
      const began = performance.now();
      const links = await read();
      expect(performance.now() - began).toBeLessThan(1500 + 300);
      expect(links[0]).toMatchObject({from: 'us', to: 'eu', senderState: 'streaming', trouble: null});
      expect(links[1]).toMatchObject({
        from: 'eu',
        to: 'ap',
        receiverConnected: null,
        trouble: expect.stringContaining('did not answer in time'),
      });
    } finally {
      c.thaw();
    }
  });
}
