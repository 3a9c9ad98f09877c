import {readFile} from 'node:fs/promises';
import {afterEach, expect, it} from 'vitest';
import {readLag} from '../../src/lib/operate/lag.ts';
import {addressOf} from '../../src/lib/providers/postgres/conninfo.ts';
import {FACTS, type Facts, withoutPasswords} from '../../src/lib/providers/postgres/facts.ts';
import type {Reading} from '../../src/lib/providers/postgres/reading.ts';
import {READING} from '../../src/lib/providers/postgres/reading-sql.ts';
import type {LagRow} from '../../src/lib/replication/lag.ts';
import {openStore, signal} from '../providers/postgres/open-store.ts';
import {eventually, PASSWORD, type Programs, type Server, startServers} from '../servers/embedded.ts';
import {openFleet, pause} from './lag-world.ts';
import {type LogicalWorld, type Reader, startLogicalWorld} from './logical-world.ts';

/** What the function does on such a server. One that is built in stays what it is, whatever it is replaced by: so there is another of its name. */
const WITHOUT_LIBXML = `
alter function pg_catalog.query_to_xml rename to query_to_xml_of_others;
create function pg_catalog.query_to_xml(query text, nulls boolean, tableforest boolean, targetns text) returns xml language plpgsql as $$
begin
  raise exception using errcode = 'feature_not_supported', message = 'unsupported XML feature';
end $$`;
const READERS: readonly Reader[] = ['superuser', 'monitor'];

/** Every fault of a link that carries changes of rows. `version` = what the servers are. To be called within a `describe`. */
export function logicalFaults(version: number, programs?: Programs): void {
  let world: LogicalWorld | null = null;
  afterEach(async () => {
    await world?.end();
    world = null;
  });
  const begin = async (options = '', names: readonly string[] = ['us', 'eu']) => {
    world = await startLogicalWorld(names, programs);
    const {server, subscribe} = world;
    const [us, eu] = [server('us'), server('eu')];
    await us.sql(`insert into o select n, 'x' from generate_series(1, 100) n`);
    await subscribe('eu', 'us', options);
    return {...world, us, eu};
  };
  const ready = async () => {
    const begun = await begin();
    await healthy(() => begun.lag('eu_us'));
    return begun;
  };
  const until = (look: () => Promise<LagRow>, code: string, ms = 20_000) =>
    eventually(async () => {
      const row = await look();
      return row.code === code ? row : null;
    }, ms);
  const healthy = (look: () => Promise<LagRow>) =>
    eventually(async () => {
      const row = await look();
      return row.state === 'streaming' && row.replayBytes === 0 && row.subscription?.tables.copying === 0 ? row : null;
    }, 20_000);

  it.each(READERS)('a first reading asks each server one question only, also where subscriptions lead (%s)', async (reader) => {
    const {eu, us, fresh} = await ready();
    for (const server of [eu, us]) {
      await server.sql(`alter system set log_statement = 'all'`);
      await server.sql(`alter system set log_line_prefix = '%a|'`);
      await server.sql('select pg_reload_conf()');
      await eventually(async () => (await server.sql(`select 1 where current_setting('log_line_prefix') = '%a|'`)).length === 1);
    }
    const asked = async ({dir}: Server) => (await readFile(`${dir}.log`, 'utf8')).match(/^regionctl\|LOG: +(execute|statement).*$/gm) ?? [];
    const before = await Promise.all([asked(eu), asked(us)]);
    const other = await fresh(reader);
    try {
      expect(await other.rows()).toMatchObject([{from: 'us', to: 'eu', link: 'eu_us', state: 'streaming'}]);
    } finally {
      await other.close();
    }
    const after = await Promise.all([asked(eu), asked(us)]);
    // A link that has something outstanding is looked at twice.
    expect(after.map((lines, index) => new Set(lines.slice(before[index]?.length)).size)).toEqual([1, 1]);
  });

  it('the password in a connection string stays on its server, however it is written', async () => {
    const {eu} = await begin();
    const strings = [
      ...[`host=h password=${PASSWORD} dbname=d`, `host=h password = 'a b ${PASSWORD}'`, `host=h password=a\\ b${PASSWORD} dbname=d`],
      `postgresql://u:${PASSWORD}@h:1/d`,
    ];
    for (const [index, text] of strings.entries())
      await eu.sql(`create subscription s${index} connection $c$${text}$c$ publication p with (connect = false)`);
    const [row] = await eu.sql<Reading>(READING);
    expect(row?.leads).toHaveLength(5);
    expect(JSON.stringify(row?.leads)).toContain('postgresql://h:1/d');
    expect(JSON.stringify(row)).not.toContain(PASSWORD);
    for (const text of strings) {
      const [said] = await eu.sql<{said: string}>(`select ${withoutPasswords('$1::text')} as said`, [text]);
      expect(said?.said, 'whom a standby follows').toMatch(/h(ost=h|:1)/);
      expect(said?.said).not.toContain(PASSWORD);
    }
    await eu.sql(`alter system set primary_conninfo = 'host=h password=${PASSWORD} port=7'`);
    await eu.sql('select pg_reload_conf()');
    const facts = await eventually(async () => (await eu.sql<Facts>(FACTS)).find(({conninfo}) => conninfo !== ''));
    expect(addressOf(facts.conninfo)).toEqual({host: 'h', port: 7});
    expect(facts.conninfo).not.toContain(PASSWORD);
  });

  it('where subscriptions lead is read whatever their strings are like, also by a server that was built without libxml', async () => {
    const {eu} = await begin();
    await eu.sql(WITHOUT_LIBXML);
    const strings = [`host=h dbname='<d> & "e" \\\\ \\'f\\' äß 日本 🙂'`, `host=h options='${'日本 '.repeat(3000)}' dbname=d`];
    for (const [index, text] of strings.entries())
      await eu.sql(`create subscription s${index} connection $c$${text}$c$ publication p with (connect = false)`);
    const [row] = await eu.sql<Reading>(READING);
    expect(row?.leads?.map(({conninfo}) => conninfo)).toEqual(expect.arrayContaining(strings));
    for (const index of strings.keys()) await eu.sql(`alter subscription s${index} set (slot_name = none); drop subscription s${index}`);
    await eu.sql('alter subscription eu_us disable; alter subscription eu_us set (slot_name = none); drop subscription eu_us');
    expect((await eu.sql<Reading>(READING))[0]?.leads, 'there is none').toEqual([]);
  });

  it.each(READERS)('one link with its figures, and no primary is called a former one (%s)', async (reader) => {
    const {lag, rows, stores, all} = await begin();
    const lineages = await Promise.all(all.map((server) => server.sql('select system_identifier::text as id from pg_control_system()')));
    expect(lineages[0]).not.toEqual(lineages[1]);
    const row = await healthy(() => lag('eu_us', reader));
    expect(await rows(reader)).toHaveLength(1);
    expect(row).toMatchObject({
      ...{from: 'us', to: 'eu', link: 'eu_us', kind: 'logical', state: 'streaming', code: 'ok', seconds: 0, sync: 'async'},
      ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, writeSeconds: 0, flushSeconds: 0, replaySeconds: 0},
      ...{senderTimeline: 1, receiverTimeline: null, conflicts: null, runwayBytes: null},
      slot: {name: 'eu_us', active: true, status: 'reserved', invalidated: null, safeBytes: null},
      subscription: {
        name: 'eu_us',
        enabled: true,
        tables: {ready: 1, copying: 0},
        applyErrors: 0,
        syncErrors: 0,
        skipping: null,
        origin: 'any',
      },
    });
    expect(row.heardUpstreamAgoMs).toBeGreaterThanOrEqual(0);
    expect(row.slot?.retainedBytes).toBeGreaterThanOrEqual(0);
    const conflicts = row.subscription?.conflicts;
    if (version >= 18) expect(conflicts).toMatchObject({insert_exists: 0, update_origin_differs: 0});
    else expect(conflicts).toBeNull();
    const slots = (await stores[reader].abilities.slots?.slots(signal()))?.us;
    expect(slots?.known && slots.value).toMatchObject([{name: 'eu_us', kind: 'logical', keptFor: 'eu', database: 'orders', active: true}]);
  });

  it('is never called stalled while single rows come in', async () => {
    const {us, lag} = await ready();
    for (let n = 0; n < 6; n++) {
      await us.sql('insert into o values ($1)', [1000 + n]);
      expect((await lag('eu_us')).state).toBe('streaming');
    }
  });

  it('the subscription is disabled', async () => {
    const {eu, lag} = await ready();
    await eu.sql('alter subscription eu_us disable');
    expect(await until(() => lag('eu_us', 'monitor'), 'subscription-disabled')).toMatchObject({
      state: 'broken',
      reason: expect.stringMatching(/^The subscription eu_us on eu is disabled: it takes nothing from us/),
      subscription: {enabled: false},
    });
  });

  it('a change cannot be applied: broken, with how many errors', async () => {
    const {us, eu, lag} = await ready();
    await eu.sql(`insert into o values (500, 'mine')`);
    await us.sql(`insert into o values (500, 'theirs')`);
    const row = await until(() => lag('eu_us', 'monitor'), 'apply-error');
    expect(row).toMatchObject({from: 'us', state: 'broken'});
    expect(row.reason).toMatch(
      /^eu_us on eu (has no worker now, after \d+ errors? in applying what comes from us|cannot apply what comes from us: \d+ errors, \d+ of them in the last)/,
    );
    expect(row.subscription?.applyErrors).toBeGreaterThan(0);
    if (version >= 18) await eventually(async () => ((await lag('eu_us')).subscription?.conflicts?.insert_exists ?? 0) > 0);
    await eu.sql('delete from o where id = 500');
    await healthy(() => lag('eu_us', 'monitor'));
  });

  it('a transaction is to be skipped', async () => {
    const {eu, lag} = await ready();
    await eu.sql(`alter subscription eu_us skip (lsn = 'F0/0')`);
    expect(await lag('eu_us', 'monitor')).toMatchObject({
      ...{state: 'catching-up', code: 'skipping', subscription: {skipping: 'F0/0'}},
      reason: 'eu_us on eu will skip the transaction of us that ends at F0/0: its rows will differ.',
    });
  });

  it('tables are still being copied', async () => {
    const {eu, lag, subscribe} = await begin('with (copy_data = false)');
    await eu.sql('drop subscription eu_us');
    // There and in this mode: a slot waits for whoever has changed something when it is made, and a subscription for whoever keeps all others out.
    const holder = await eu.connect({database: 'orders'});
    await holder.query('begin; lock table o in share mode');
    await subscribe('eu', 'us');
    expect(await until(() => lag('eu_us', 'monitor'), 'copying')).toMatchObject({
      state: 'catching-up',
      reason: expect.stringMatching(/^eu_us on eu is still copying 1 of 1 tables from us/),
    });
    await holder.end();
    await healthy(() => lag('eu_us', 'monitor'));
  });

  it('a lock holds up the worker: whose', async () => {
    const {us, eu, lag} = await ready();
    const holder = await eu.connect({database: 'orders'});
    await holder.query('begin; lock table o in access exclusive mode');
    const {rows} = await holder.query('select pg_backend_pid() as pid');
    await us.sql('insert into o values (600)');
    const row = await until(() => lag('eu_us', 'monitor'), 'apply-blocked');
    expect(row.state).toBe('stalled');
    expect(row.reason).toMatch(
      new RegExp(`^eu_us on eu waits for the lock of a transaction of postgres \\(pid ${rows[0].pid}, open for .+\\); eu is .+ behind`),
    );
    const plan = await eu.sql<{'QUERY PLAN': string}>(`explain ${READING}`);
    const lines = plan.map((line) => line['QUERY PLAN']);
    expect(
      lines.filter((line) => /Filter:.*pg_blocking_pids/.test(line)),
      'not asked again for each session of the server',
    ).toEqual([]);
    await holder.end();
    await healthy(() => lag('eu_us'));
  });

  it('nobody reads the slot', async () => {
    const {us, eu, lag} = await ready();
    await eu.sql('alter system set max_logical_replication_workers = 0');
    await eu.stop();
    await eu.start();
    await us.sql('insert into o values (700)');
    const row = await until(() => lag('eu_us', 'monitor'), 'slot-inactive');
    expect(row).toMatchObject({state: 'broken', slot: {active: false}});
    expect(row.reason).toMatch(/^Nobody reads the slot eu_us on us: no worker runs for eu_us on eu/);
    if (version >= 17) expect(row.reason).toMatch(/; us last heard from it .+ ago/);
  });

  it('the slot is dropped', async () => {
    const {us, eu, lag, fresh} = await ready();
    await eu.sql('alter subscription eu_us disable');
    await eventually(
      async () => (await us.sql(`select pg_drop_replication_slot('eu_us') from pg_replication_slots where not active`)).length > 0,
    );
    await eu.sql('alter subscription eu_us enable');
    const says = {
      from: 'us',
      state: 'broken',
      slot: null,
      reason: expect.stringMatching(/^The subscription eu_us on eu uses the slot eu_us, which us does not have/),
    };
    for (const reader of READERS) {
      expect(await until(() => lag('eu_us', reader), 'no-slot'), reader).toMatchObject(says);
      const other = await fresh(reader);
      expect(await other.rows(), reader).toMatchObject([says]);
      await other.close();
    }
  });

  it('the slot is lost', async () => {
    const {us, eu, lag} = await ready();
    await eu.stop();
    await us.sql(`alter system set max_slot_wal_keep_size = '1MB'`);
    await us.sql(`alter system set wal_keep_size = 0`);
    await us.sql('select pg_reload_conf()');
    for (let n = 0; n < 5; n++) {
      await us.sql(`update o set v = repeat('y', 5000)`);
      await us.sql('select pg_switch_wal()');
    }
    await us.sql('checkpoint');
    await eu.start();
    expect(await until(() => lag('eu_us', 'monitor'), 'slot-lost')).toMatchObject({
      state: 'broken',
      runwayBytes: 0,
      slot: {status: 'lost'},
    });
  });

  it('the publisher is frozen: whose link it is is known all the same, and the others are read', async () => {
    const {us, lag, fresh} = await ready();
    us.freeze();
    const look = async (reader: Reader): Promise<void> => {
      expect(await lag('eu_us', reader), reader).toMatchObject({from: 'us', to: 'eu', state: 'unknown', code: 'sender-unread'});
      const other = await fresh(reader);
      const [row, ...more] = await other.rows();
      expect(more, reader).toEqual([]);
      expect(row, reader).toMatchObject({from: 'us', to: 'eu', kind: 'logical'});
      expect(['unknown', 'stalled', 'broken'], reader).toContain(row?.state);
      await other.close();
    };
    try {
      await Promise.all(READERS.map(look));
    } finally {
      us.thaw();
    }
  });

  it('the subscriber is frozen: its slot tells that nothing is applied', async () => {
    const {us, eu, rows} = await ready();
    eu.freeze();
    try {
      await us.sql(`update o set v = 'z'`);
      await pause(300);
      const [row, ...more] = await rows('monitor');
      expect(more).toEqual([]);
      expect(row).toMatchObject({from: 'us', to: 'eu', link: 'eu_us', kind: 'logical', state: 'stalled', code: 'stalled'});
      expect(row?.reason).toMatch(/eu .+ did not answer in time/);
    } finally {
      eu.thaw();
    }
  });

  it('the link is cut while there are writes: stalled within two samples, then nobody reads the slot, then back', async () => {
    const {us, lag, way} = await ready();
    way({blackHole: true});
    await us.sql(`update o set v = 'z'`);
    const row = await lag('eu_us', 'monitor');
    expect(row).toMatchObject({state: 'stalled', code: 'stalled'});
    expect(row.reason).toMatch(/^[\d.]+ KiB have not arrived on eu: nothing arrived for 1(\.\d)? s/);
    await eventually(async () => (await lag('eu_us', 'monitor')).state === 'broken', 20_000);
    way({});
    await healthy(() => lag('eu_us', 'monitor'));
  });

  it('two primaries of one lineage: former ones of each other until one subscribes', async () => {
    const servers = await startServers(['us', 'eu'], programs);
    const [us, eu] = servers.all as [Server, Server];
    const store = await openStore(servers.all);
    try {
      await us.sql('create table o (id int primary key, v text); create publication p for table o');
      await eventually(async () => (await eu.sql(`select 1 from pg_publication where pubname = 'p'`)).length === 1);
      await eu.sql('select pg_promote()');
      const read = async () => (await readLag(openFleet(store, ['us', 'eu']), {signal: signal()})).document.links;
      await eventually(async () => (await read())[0]?.code === 'promoted');
      expect(await read()).toMatchObject([{from: 'eu', to: 'us', kind: 'physical', state: 'broken', code: 'promoted'}]);
      const conninfo = `host=127.0.0.1 port=${us.port} user=regionctl password=${PASSWORD} dbname=orders`;
      await eu.sql(`create subscription s connection '${conninfo}' publication p`);
      await us.sql('insert into o values (1)');
      const rows = await eventually(async () => {
        const seen = await read();
        return seen[0]?.state === 'streaming' && seen[0].replayBytes === 0 ? seen : null;
      }, 20_000);
      expect(rows).toMatchObject([{from: 'us', to: 'eu', link: 's', kind: 'logical', code: 'ok'}]);
      await eu.sql('drop subscription s');
      expect(await read()).toMatchObject([{to: 'us', code: 'promoted'}]);
    } finally {
      await store.close();
      await servers.end();
    }
  });

  // Before 16 a change that was applied is published again, so it would never end.
  if (version < 16) return;
  it('three primaries that subscribe to one another: six links, none of them a former primary', async () => {
    const {rows, subscribe, server, stores} = await begin('with (origin = none, copy_data = false)', ['us', 'eu', 'ap']);
    for (const [to, from] of [
      ['us', 'eu'],
      ['us', 'ap'],
      ['eu', 'ap'],
      ['ap', 'us'],
      ['ap', 'eu'],
    ] as const)
      await subscribe(to, from, 'with (origin = none, copy_data = false)');
    const all = ['eu_us', 'us_eu', 'us_ap', 'eu_ap', 'ap_us', 'ap_eu'].toSorted();
    for (const reader of READERS) {
      const seen = await eventually(async () => {
        const links = await rows(reader);
        return links.every(({state, replayBytes}) => state === 'streaming' && replayBytes === 0) ? links : null;
      }, 20_000);
      expect(seen.map(({link}) => link).toSorted()).toEqual(all);
      for (const {link, from, to, subscription} of seen) {
        expect(link).toBe(`${to}_${from}`);
        expect(subscription?.origin).toBe('none');
      }
    }
    server('ap').freeze();
    try {
      const seen = await rows('monitor');
      expect(seen.map(({link}) => link).toSorted()).toEqual(all);
      for (const {link, state} of seen.filter(({from}) => from === 'ap')) expect([link, state]).toEqual([link, 'unknown']);
      expect(seen.find(({link}) => link === 'eu_us')).toMatchObject({state: 'streaming'});
    } finally {
      server('ap').thaw();
    }
    expect(stores.monitor.engine).toBe('postgres');
  });
}
