import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal} from './open-store.ts';

describe('what a failover of real servers may wait for', () => {
  let servers: Servers;
  let store: FullStore;
  let [a, b] = [] as unknown as [Server, Server];
  beforeAll(async () => {
    servers = await startServers(['us', 'eu']);
    [a, b] = servers.all as [Server, Server];
    store = await openStore(servers.all);
    await eventually(async () => (await a.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 1);
  });
  afterAll(async () => {
    await store?.close();
    await servers?.end();
  });
  const set = async (server: Server, settings: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(settings)) await server.sql(`alter system set ${name} = '${value}'`);
    await server.sql('select pg_reload_conf()');
    for (const [name, value] of Object.entries(settings))
      await eventually(async () => (await server.sql<{value: string}>(`select current_setting('${name}') as value`))[0]?.value === value);
  };
  const told = async () => (await store.abilities.delays.delays(signal())).map(({what, ms}) => [what, ms]);

  it('is read from their settings, in ms whatever unit they were set in', async () => {
    expect(await told()).toEqual([
      ['a silent member of orders', 1500],
      ['asking orders again', 3000],
      ['a promotion of orders that stalls', 100],
      ['queries that hold up replay in orders', 30_000],
    ]);
    await set(b, {wal_retrieve_retry_interval: '3s', recovery_min_apply_delay: '2min', max_standby_streaming_delay: '-1'});
    await set(a, {wal_retrieve_retry_interval: '7s'});
    expect((await told()).slice(2)).toEqual([
      ['a promotion of orders that stalls', 3000],
      ['queries that hold up replay in orders', Number.POSITIVE_INFINITY],
      ['delayed replay in orders', 120_000],
    ]);
  });

  it('a standby that hangs is not known, and nobody waits for it longer than the deadline', async () => {
    b.freeze();
    const began = performance.now();
    const seen = await told();
    expect(performance.now() - began).toBeLessThan(5000);
    b.thaw();
    expect(seen).toContainEqual(['the settings of eu', null]);
  });
});
