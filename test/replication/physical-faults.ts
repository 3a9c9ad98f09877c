import {afterEach, expect, it} from 'vitest';
import {readLag} from '../../src/lib/operate/lag.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {LagRow} from '../../src/lib/replication/lag.ts';
import {openStore, passwordRef, signal, testCtx} from '../providers/postgres/open-store.ts';
import {eventually, PASSWORD, type Programs} from '../servers/embedded.ts';
import {type LagWorld, type LagWorldOptions, openFleet, pause, startLagWorld} from './lag-world.ts';

/** Every fault of a link that carries the log: state, word and sentence. To be called within a `describe`. */
export function physicalFaults(programs?: Programs): void {
  let world: LagWorld | null = null;
  afterEach(async () => {
    await world?.end();
    world = null;
  });
  const begin = async (options: Partial<LagWorldOptions> = {}) => {
    world = await startLagWorld({members: ['us', 'eu'], programs, ...options});
    const {server} = world;
    return {...world, us: server('us'), eu: server('eu'), ap: () => server('ap')};
  };
  /** Reads until a state is seen, for whatever takes its time by design; answers the row. */
  const until = (look: () => Promise<LagRow>, code: string, ms = 20_000) =>
    eventually(async () => {
      const row = await look();
      return row.code === code ? row : null;
    }, ms);

  const healthy = (look: () => Promise<LagRow>) => eventually(async () => ['streaming', 'idle'].includes((await look()).state), 20_000);

  it('replay is paused: stalled at once, with nothing outstanding and with something', async () => {
    const {eu, us, lag} = await begin();
    await eu.sql('select pg_wal_replay_pause()');
    expect(await lag('eu')).toMatchObject({
      state: 'stalled',
      code: 'replay-paused',
      reason: 'Replay is paused on eu: its queries see nothing new until it is resumed.',
    });
    await us.sql('insert into t select generate_series(1, 10000)');
    const row = await eventually(async () => {
      const seen = await lag('eu');
      return seen.flushBytes === 0 && (seen.replayBytes ?? 0) > 0 ? seen : null;
    });
    expect(row).toMatchObject({state: 'stalled', code: 'replay-paused'});
    expect(row.reason).toMatch(/until it is resumed; eu is [\d.]+ KiB behind \(all of it on its disk\)\.$/);
    await eu.sql('select pg_wal_replay_resume()');
    await until(() => lag('eu'), 'ok');
  });

  it('the link is cut while there are writes: stalled within two samples, then without a connection, then back', async () => {
    const {us, lag, way} = await begin();
    way({blackHole: true});
    await us.sql('insert into t select generate_series(1, 1000)');
    await pause(1100);
    const row = await lag('eu');
    expect(row).toMatchObject({state: 'stalled', code: 'stalled', from: 'us', sync: 'async'});
    expect(row.reason).toMatch(/^[\d.]+ KiB have not arrived on eu: nothing arrived for ([2-9]\d\d ms|1(\.\d)? s)\.$/);
    expect(row.seconds).toBeGreaterThan(1);
    const gone = await until(() => lag('eu'), 'not-connected');
    expect(gone).toMatchObject({
      state: 'broken',
      reason: expect.stringMatching(/^(us has no connection from eu|eu has no connection to us)/),
    });
    way({});
    await healthy(() => lag('eu'));
  });

  it('the link is cut while nobody writes: the standby that asks in vain tells it', async () => {
    const {lag, way} = await begin();
    way({blackHole: true});
    const row = await until(() => lag('eu'), 'sender-silent');
    expect(row).toMatchObject({
      state: 'stalled',
      reason: expect.stringMatching(
        /^eu asked us for a sign of life and has heard nothing for [345](\.\d)? s, while us answers this machine/,
      ),
    });
  });

  it('the link is cut while nobody writes: a heartbeat tells it at the first look, and moves an idle link', async () => {
    const {lag, way, us} = await begin({store: {heartbeat: true}});
    const [before] = await us.sql<{n: string}>('select pg_current_wal_lsn() as n');
    await pause(1100);
    const idle = await lag('eu');
    expect(idle).toMatchObject({state: 'streaming', code: 'ok'});
    // The heartbeat itself may still be on its way.
    expect(idle.seconds).toBeLessThan(0.5);
    const [after] = await us.sql<{n: string}>('select pg_current_wal_lsn() as n');
    expect(after).not.toEqual(before);
    way({blackHole: true});
    await pause(1100);
    expect(await lag('eu')).toMatchObject({
      state: 'stalled',
      code: 'stalled',
      reason: expect.stringMatching(/nothing arrived for ([2-9]\d\d ms|1(\.\d)? s)/),
    });
  });

  it('a heartbeat waits for no standby', async () => {
    const {us, store} = await begin({store: {heartbeat: true}});
    await us.sql(`alter system set synchronous_standby_names = 'nobody'`);
    await us.sql('select pg_reload_conf()');
    await eventually(
      async () => (await us.sql<{s: string}>(`select current_setting('synchronous_standby_names') as s`))[0]?.s === 'nobody',
    );
    const began = performance.now();
    await store.abilities.heartbeat?.beat(AbortSignal.timeout(5000));
    expect(performance.now() - began).toBeLessThan(1000);
    expect(await us.sql(`select 1 from pg_stat_activity where wait_event = 'SyncRep'`)).toEqual([]);
  });

  it('a heartbeat is not written while a run has the store, nor where nobody receives it', async () => {
    const {us, eu, store, servers} = await begin({store: {heartbeat: true}});
    const beats = async (by: Store = store): Promise<boolean> => {
      const xid = async () => (await us.sql<{n: string}>('select pg_snapshot_xmax(pg_current_snapshot())::text as n'))[0]?.n;
      const before = await xid();
      await by.abilities.heartbeat?.beat(AbortSignal.timeout(5000));
      return (await xid()) !== before;
    };
    expect(await beats()).toBe(true);
    const {claim} = store.abilities;
    await claim?.claim(testCtx());
    expect(await beats()).toBe(false);
    await claim?.release(testCtx());
    await eventually(() => beats());
    await us.sql(`create role nobody login password '${PASSWORD}'`);
    const plain = await openStore(servers.all, {}, 1, 'regionctl', {heartbeat: true, monitor: {user: 'nobody', password: passwordRef}});
    expect(await beats(plain)).toBe(true);
    await plain.close();
    await eu.stop();
    await eventually(async () => (await us.sql('select 1 from pg_stat_replication')).length === 0);
    expect(await beats()).toBe(false);
  });

  it('the link is throttled: behind, and it says at which rates and how it will end', async () => {
    const {us, lag, way} = await begin();
    way({downBytesPerSecond: 1_000_000});
    await us.sql(`alter table t add column x text`);
    const writer = await us.connect({database: 'orders'});
    let writing = true;
    const load = (async () => {
      while (writing) await writer.query(`insert into t select n, repeat('x', 1000) from generate_series(1, 500) n`);
    })();
    try {
      const falling = await eventually(async () => {
        const row = await lag('eu');
        return row.reason.includes('falling back') ? row : null;
      }, 30_000);
      expect(falling).toMatchObject({state: 'catching-up'});
      expect(falling.reason).toMatch(/eu is [\d.]+ MiB behind and falling back: [\d.]+ [KM]iB\/s arrive, [\d.]+ [KM]iB\/s are written\.$/);
    } finally {
      writing = false;
      await load;
      await writer.end();
    }
    const closing = await eventually(async () => {
      const row = await lag('eu');
      return row.reason.includes('catching up') ? row : null;
    }, 30_000);
    expect(closing.reason).toMatch(/behind and catching up: [\d.]+ [KM]iB\/s arrive, [\d.]+ \S+\/s are written, about .+ to go\.$/);
    expect(closing.state).toBe('catching-up');
    way({});
    await until(() => lag('eu'), 'ok', 30_000);
  });

  it('the primary is idle: idle, and no lag', async () => {
    const {lag} = await begin();
    const row = await until(() => lag('eu'), 'idle');
    expect(row).toMatchObject({state: 'idle', seconds: 0, replayBytes: 0, replaySeconds: 0});
  });

  it('the standby is restarted: gone, then replaying what it holds, then back', async () => {
    const {us, eu, lag} = await begin();
    await eu.sql(`alter system set recovery_min_apply_delay = '1h'`);
    await eu.sql('select pg_reload_conf()');
    await us.sql('insert into t values (1)');
    const delayed = await until(() => lag('eu'), 'apply-delay');
    expect(delayed).toMatchObject({state: 'catching-up', reason: expect.stringContaining('recovery_min_apply_delay is 1 h')});
    await eu.stop();
    expect(await lag('eu')).toMatchObject({state: 'broken', code: 'not-connected', reason: expect.stringContaining('refuses connections')});
    await eu.start();
    const row = await until(() => lag('eu'), 'replaying');
    expect(row).toMatchObject({
      state: 'catching-up',
      reason: expect.stringMatching(/^eu was restarted and is replaying what it holds before it connects to us/),
    });
    await eu.sql('alter system reset recovery_min_apply_delay');
    await eu.sql('select pg_reload_conf()');
    await until(() => lag('eu'), 'ok');
  });

  it('the slot of a standby is dropped', async () => {
    const {us, eu, lag} = await begin();
    await us.sql(`select pg_create_physical_replication_slot('eu_slot', true)`);
    await eu.sql(`alter system set primary_slot_name = 'eu_slot'`);
    await eu.sql('select pg_reload_conf()');
    await eventually(async () => (await lag('eu')).slot?.active);
    await eu.stop();
    await us.sql(`select pg_drop_replication_slot('eu_slot')`);
    await eu.start();
    expect(await until(() => lag('eu'), 'no-slot')).toMatchObject({
      state: 'broken',
      slot: null,
      reason: expect.stringMatching(/^eu is set to use the slot eu_slot, which us does not have/),
    });
  });

  it('the slot of a standby is lost', async () => {
    const {us, eu, lag} = await begin();
    await us.sql(`select pg_create_physical_replication_slot('eu_slot', true)`);
    await eu.sql(`alter system set primary_slot_name = 'eu_slot'`);
    await eu.sql('select pg_reload_conf()');
    await eventually(async () => (await lag('eu')).slot?.active);
    await eu.stop();
    await us.sql(`alter system set max_slot_wal_keep_size = '1MB'`);
    await us.sql(`alter system set wal_keep_size = 0`);
    await us.sql('select pg_reload_conf()');
    for (let n = 0; n < 5; n++) {
      await us.sql(`insert into t select generate_series(1, 20000)`);
      await us.sql('select pg_switch_wal()');
    }
    await us.sql('checkpoint');
    await eu.start();
    const row = await until(() => lag('eu'), 'slot-lost');
    expect(row).toMatchObject({state: 'broken', runwayBytes: 0, slot: {name: 'eu_slot', status: 'lost', safeBytes: null}});
    expect(row.reason).toMatch(/^us has given up the slot eu_slot of eu( \(wal_removed\))?: what eu needs next may be gone/);
  });

  it('a standby was promoted: whoever stayed behind runs as a primary of its own', async () => {
    const {eu, lag} = await begin();
    await eu.sql('select pg_promote()');
    expect(await until(() => lag('us'), 'promoted')).toMatchObject({
      ...{from: 'eu', to: 'us', state: 'broken', senderTimeline: 2, receiverTimeline: 1},
      reason: expect.stringMatching(/^us runs as a primary of its own on timeline 1[.;]/),
    });
  });

  it('a standby is on an old timeline: where its log went another way, as far as the role may know', async () => {
    const {us, eu, ap, lag, servers} = await begin({members: ['us', 'eu', 'ap']});
    await us.sql(`create role watcher login password '${PASSWORD}'; grant pg_monitor to watcher`);
    await until(() => lag('eu'), 'ok');
    await eventually(async () => (await eu.sql(`select 1 from pg_roles where rolname = 'watcher'`)).length === 1);
    await eu.sql(`alter system set primary_conninfo = ''`);
    await eu.sql('select pg_reload_conf()');
    expect(await until(() => lag('eu'), 'no-upstream')).toMatchObject({
      state: 'broken',
      reason: expect.stringMatching(/^eu is a standby that is set to follow nobody/),
    });
    await us.sql('insert into t select generate_series(1, 1000)');
    await until(() => lag('ap'), 'ok');
    await eu.sql('select pg_promote()');
    await ap().sql(`alter system set primary_conninfo = 'host=127.0.0.1 port=${eu.port} user=replicator application_name=ap'`);
    await ap().sql('select pg_reload_conf()');
    await us.stop();
    const row = await until(() => lag('ap'), 'old-timeline');
    expect(row).toMatchObject({from: 'eu', state: 'broken', senderTimeline: 2, receiverTimeline: 1, flushBytes: null, replayBytes: null});
    expect(row.reason).toMatch(
      /^The log of ap went another way: timeline 2 of eu forked off at 0\/[0-9A-F]+, and ap has timeline 1 up to 0\/[0-9A-F]+/,
    );
    const plain = await startReading(servers);
    try {
      expect(await until(plain.lag, 'old-timeline')).toMatchObject({
        state: 'broken',
        reason: expect.stringMatching(/^ap is on timeline 1 and eu on timeline 2: ap (holds log that eu never sent it|has not come over)/),
      });
    } finally {
      await plain.close();
    }
  });

  it('the primary is frozen: unknown as long as its standby cannot know, then silent, then gone', async () => {
    const {us, eu, lag, rows} = await begin();
    await eu.sql(`alter system set wal_receiver_timeout = '8s'`);
    await eu.sql('select pg_reload_conf()');
    await pause(200);
    us.freeze();
    const began = performance.now();
    expect(await lag('eu')).toMatchObject({state: 'unknown', code: 'sender-unread', seconds: null});
    expect(performance.now() - began).toBeLessThan(1500 + 300);
    const row = await until(() => lag('eu'), 'sender-silent');
    expect(row).toMatchObject({
      state: 'stalled',
      reason: expect.stringMatching(/^us answers neither this machine nor eu, which heard from it [5-8](\.\d)? s ago/),
    });
    expect(await until(() => lag('eu'), 'not-connected')).toMatchObject({state: 'broken'});
    // It gets the log from nobody, so it has no row of its own.
    expect((await rows()).map(({from, to}) => [from, to])).toEqual([['us', 'eu']]);
    us.thaw();
    await healthy(() => lag('eu'));
  });

  it('a standby is frozen: stalled as soon as something is written', async () => {
    const {us, eu, lag} = await begin();
    eu.freeze();
    await us.sql('insert into t select generate_series(1, 1000)');
    const row = await lag('eu');
    expect(row).toMatchObject({state: 'stalled', code: 'stalled', heardUpstreamAgoMs: null});
    expect(row.reason).toMatch(/have not arrived on eu: nothing arrived for .+: eu .+ did not answer in time[.;]/);
  });

  it('a query on a standby holds up replay: whose, for how long, and what ends it', async () => {
    const {us, eu, lag} = await begin();
    await eu.sql(`alter system set max_standby_streaming_delay = '60s'`);
    await eu.sql('select pg_reload_conf()');
    const query = await eu.connect({database: 'orders', user: 'app'});
    await us.sql('grant select on t to app');
    await eventually(async () => (await lag('eu')).replayBytes === 0);
    await query.query('begin isolation level repeatable read; select count(*) from t');
    const [{pid}] = (await query.query('select pg_backend_pid() as pid')).rows;
    await us.sql('truncate t');
    const row = await until(() => lag('eu'), 'recovery-conflict');
    expect(row).toMatchObject({state: 'catching-up'});
    expect(row.reason).toMatch(
      new RegExp(
        `^Replay on eu waits since .+ for a transaction of app \\(pid ${pid}, open for .+\\); max_standby_streaming_delay ends that after 1 min; eu is .+ behind`,
      ),
    );
    await query.query('commit');
    await until(() => lag('eu'), 'ok');
    // Rows that a query may still see are removed: nothing is locked, and here nothing ends it.
    await us.sql('insert into t select generate_series(1, 1000)');
    await eu.sql(`alter system set max_standby_streaming_delay = -1`);
    await eu.sql('select pg_reload_conf()');
    await eventually(async () => (await lag('eu')).replayBytes === 0);
    await query.query('begin isolation level repeatable read; select count(*) from t');
    await us.sql('delete from t');
    await us.sql('vacuum t');
    expect(await until(() => lag('eu'), 'recovery-conflict')).toMatchObject({
      state: 'stalled',
      reason: expect.stringContaining('max_standby_streaming_delay is -1, so it waits until that ends'),
    });
    await query.end();
    await until(() => lag('eu'), 'ok');
  });
}

/** The same servers, read by a role that has pg_monitor only. */
async function startReading({all}: LagWorld['servers']) {
  const store = await openStore(all, {}, 1, 'regionctl', {monitor: {user: 'watcher', password: passwordRef}});
  const names = all.map(({name}) => name);
  const lag = async (): Promise<LagRow> => {
    const {document} = await readLag(openFleet(store, names), {signal: signal()});
    const row = document.links.find(({to}) => to === 'ap');
    if (row === undefined) throw new Error('no link to ap');
    return row;
  };
  return {lag, close: () => store.close()};
}
