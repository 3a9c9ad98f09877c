import {afterAll, beforeAll, expect, it} from 'vitest';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal} from './open-store.ts';

let servers: Servers;
let store: FullStore;
let [us, eu, ap] = [] as unknown as [Server, Server, Server];

beforeAll(async () => {
  servers = await startServers(['us', 'eu', 'ap']);
  [us, eu, ap] = servers.all as [Server, Server, Server];
  store = await openStore(servers.all);
  await us.sql('create table t (id int)');
  await eventually(async () => (await us.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 2);
});
afterAll(async () => {
  await store?.close();
  await servers?.end();
});

// What failback goes by: such a standby looks like one that follows.
it('a standby whose log went another way hears the primary that it calls, and stays on the timeline that was left', async () => {
  await eu.sql('select pg_promote()');
  await us.sql('insert into t select generate_series(1, 1000)');
  const [end] = await us.sql<{lsn: string}>('select pg_current_wal_flush_lsn()::text as lsn');
  await eventually(async () => (await ap.sql<{ok: boolean}>('select pg_last_wal_replay_lsn() >= $1::pg_lsn as ok', [end?.lsn]))[0]?.ok);
  await ap.stop();
  ap.demote(eu);
  await ap.start();
  const looks = await eventually(async () => {
    const {ap: parted, eu: primary} = await store.observe(signal(), ['eu', 'ap']);
    if (!parted?.known || !primary?.known || parted.value.heardUpstreamAgoMs === null) return null;
    return {parted: parted.value, primary: primary.value};
  }, 20_000);
  expect(looks.parted).toMatchObject({role: 'standby', upstream: 'eu', durable: {epoch: 1, lineage: looks.primary.durable.lineage}});
  expect(looks.primary).toMatchObject({role: 'primary', durable: {epoch: 2}});
});
