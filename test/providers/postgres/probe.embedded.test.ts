import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {ProviderContext} from '../../../src/lib/providers/define.ts';
import {createProbe} from '../../../src/lib/providers/postgres/probe.ts';
import type {PostgresProbeConfig} from '../../../src/lib/providers/postgres/provider.ts';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {openStore, signal, testContext} from './open-store.ts';

describe('the postgres probe', () => {
  let servers: Servers;
  let [a, b] = [] as unknown as [Server, Server];
  beforeAll(async () => {
    servers = await startServers(['us', 'eu']);
    [a, b] = servers.all as [Server, Server];
  });
  afterAll(() => servers?.end());

  const probe = (
    server: Server,
    expected: 'primary' | 'standby' | 'any',
    timeoutMs = 1000,
    more: Partial<PostgresProbeConfig> = {},
    context = testContext,
  ) => {
    const password = {source: 'env', name: 'X', toString: () => 'X', toJSON: () => 'X'} as const;
    const config = {
      host: '127.0.0.1',
      port: server.port,
      user: 'regionctl',
      password,
      database: 'orders',
      tls: false,
      expect: expected,
      expectWritable: false,
    };
    return createProbe({...config, ...more}, {region: 'us-east', endpoint: 'postgres', timeoutMs}, context);
  };

  it('answers with the role, and fails on the wrong one', async () => {
    expect(await (await probe(a, 'primary')).check(signal())).toMatchObject({ok: true, code: 'ok', facts: {role: 'primary'}});
    expect(await (await probe(b, 'any')).check(signal())).toMatchObject({ok: true, facts: {role: 'standby'}});
    expect(await (await probe(b, 'primary')).check(signal())).toMatchObject({ok: false, code: 'wrong-role'});
  });

  it('does not call a member of a store of peers a primary', async () => {
    const member = (region: string, port: number) => ({
      name: region,
      region,
      site: null,
      host: null,
      config: {address: {host: '127.0.0.1', port}},
    });
    const stores = [{engine: 'postgres', config: {peers: true}, members: [member('us-east', a.port), member('eu-west', b.port)]}];
    const context = {...testContext, fleet: {stores} as unknown as ProviderContext['fleet']};
    const detail = async (server: Server) => (await (await probe(server, 'any', 1000, {}, context)).check(signal())).detail;
    expect(await detail(a)).toMatch(/^Answered as a peer in /);
    // Nobody's member here, and a standby.
    expect(await detail(b)).toMatch(/^Answered as standby in /);
    expect((await (await probe(a, 'any')).check(signal())).detail).toMatch(/^Answered as primary in /);
  });

  it('fails on a primary that takes no write, or a standby that should', async () => {
    const asked = async (server: Server) => (await probe(server, 'any', 1000, {expectWritable: true})).check(signal());
    expect(await asked(a)).toMatchObject({ok: true, facts: {role: 'primary', writable: true}});
    expect(await asked(b)).toMatchObject({ok: false, code: 'read-only', detail: 'Answered as standby: it takes no write.'});
    await a.sql('alter system set default_transaction_read_only = on');
    await a.sql('select pg_reload_conf()');
    await eventually(async () => ((await asked(a)).code === 'read-only' ? true : null));
    await a.sql('alter system reset default_transaction_read_only');
    await a.sql('select pg_reload_conf()');
    await eventually(async () => ((await asked(a)).ok === true ? true : null));
  });

  it('warns of a standby that is late, and of too many connections', async () => {
    const late = async (server: Server) => (await probe(server, 'any', 1000, {maxReplayAge: 50})).check(signal());
    await a.sql('create table if not exists beat (at timestamptz)');
    await eventually(async () => ((await late(b)).warning === undefined ? true : null));
    // Idle is not late: nothing is missing, and somebody would send.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await late(b)).toMatchObject({ok: true, facts: {replayAgeMs: 0}});
    await b.sql('select pg_wal_replay_pause()');
    await a.sql('insert into beat values (now())');
    const result = await eventually(async () => {
      const seen = await late(b);
      return seen.warning === undefined ? null : seen;
    });
    expect(result).toMatchObject({
      ok: true,
      warning: {code: 'replay-late', says: expect.stringMatching(/^It replayed its last transaction \d.* ago; at most 50 ms is wanted\.$/)},
    });
    await b.sql('select pg_wal_replay_resume()');
    expect(await late(a)).not.toHaveProperty('warning');

    const full = await (await probe(a, 'any', 1000, {maxConnections: 1})).check(signal());
    expect(full).toMatchObject({
      ok: true,
      warning: {
        code: 'connections',
        says: expect.stringMatching(/^\d+ of \d+ connections are in use \(\d+ %\); at most 1 % are wanted\.$/),
      },
    });
    expect(await (await probe(a, 'any', 1000, {maxConnections: 100})).check(signal())).not.toHaveProperty('warning');
  });

  it('ends in time on a frozen server, and tells our cancellation from its silence', async () => {
    b.freeze();
    const began = performance.now();
    expect(await (await probe(b, 'any', 300)).check(signal())).toMatchObject({ok: false, code: 'timeout', latencyMs: null});
    expect(performance.now() - began).toBeLessThan(2000);
    const cancel = new AbortController();
    const running = (await probe(b, 'any')).check(cancel.signal);
    cancel.abort();
    expect(await running).toMatchObject({ok: null, code: 'cancelled'});
    b.thaw();
  });

  it('finds what a failover would stumble over', async () => {
    const store = await openStore(servers.all);
    const found = await store.abilities.inspect.inspect(signal());
    expect(found.map(({check, verdict}) => `${check}: ${verdict}`)).toEqual(['orders us settings: pass', 'orders eu settings: pass']);
    await b.kill();
    expect((await store.abilities.inspect.inspect(signal()))[1]).toMatchObject({
      verdict: 'unknown',
      says: expect.stringContaining('refuses'),
    });
    await store.close();
    expect(await (await probe(b, 'any')).check(signal())).toMatchObject({ok: false, code: 'refused'});
  });
});
