import {appendFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal} from './open-store.ts';

let servers: Servers;
let store: FullStore;
let [us, eu, ap, sa] = [] as unknown as [Server, Server, Server, Server];

beforeAll(async () => {
  servers = await startServers(['us', 'eu', 'ap', 'sa']);
  [us, eu, ap, sa] = servers.all as [Server, Server, Server, Server];
  store = await openStore(servers.all);
  await us.sql('create table t (id int)');
  await eventually(async () => (await us.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 3);
  await replayed(sa);
  // What it lacks is in the log that eu has from before it was promoted.
  await sa.stop();
  await us.sql('insert into t select generate_series(1, 1000)');
  await replayed(eu);
  await eu.sql('select pg_promote()');
  await us.sql('insert into t select generate_series(1, 1000)');
  await replayed(ap);
});
afterAll(async () => {
  await store?.close();
  await servers?.end();
});

/** Waits until a standby has replayed what us has written. */
async function replayed(standby: Server): Promise<void> {
  const [end] = await us.sql<{lsn: string}>('select pg_current_wal_flush_lsn()::text as lsn');
  await eventually(
    async () => (await standby.sql<{ok: boolean}>('select pg_last_wal_replay_lsn() >= $1::pg_lsn as ok', [end?.lsn]))[0]?.ok,
  );
}

/** What is seen of a standby once it hears eu. */
const heard = (name: string) =>
  eventually(async () => {
    const {[name]: standby, eu: primary} = await store.observe(signal(), ['eu', name]);
    if (!standby?.known || !primary?.known || standby.value.heardUpstreamAgoMs === null) return null;
    return {standby: standby.value, primary: primary.value};
  }, 20_000);

// What switchover and failback go by: both look alike but for that.
it('a standby whose log went another way hears the primary that it calls, and is known for it', async () => {
  await ap.stop();
  ap.demote(eu);
  await ap.start();
  const {standby, primary} = await heard('ap');
  expect(standby).toMatchObject({role: 'standby', upstream: 'eu', diverged: true, durable: {epoch: 1, lineage: primary.durable.lineage}});
  expect(primary).toMatchObject({role: 'primary', durable: {epoch: 2}});
  expect((await store.observe(signal(), ['ap'])).ap, 'alone it cannot be told').not.toHaveProperty('value.diverged');
});

it('one that is behind the fork, since it applies late, is not', async () => {
  appendFileSync(join(sa.dir, 'postgresql.conf'), `recovery_min_apply_delay = '1h'\n`);
  sa.demote(eu);
  await sa.start();
  const {standby} = await heard('sa');
  expect(standby).toMatchObject({role: 'standby', upstream: 'eu', durable: {epoch: 1}});
  expect(standby).not.toHaveProperty('diverged');
  await sa.sql("alter system set recovery_min_apply_delay = '0'");
  await sa.sql('select pg_reload_conf()');
  await eventually(async () => (await heard('sa')).standby.durable.epoch === 2, 20_000);
});
