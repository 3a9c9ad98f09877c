import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createProbe} from '../../../src/lib/providers/postgres/probe.ts';
import {type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {openStore, signal, testContext} from './open-store.ts';

describe('the postgres probe', () => {
  let servers: Servers;
  let [a, b] = [] as unknown as [Server, Server];
  beforeAll(async () => {
    servers = await startServers(['us', 'eu']);
    [a, b] = servers.all as [Server, Server];
  });
  afterAll(() => servers?.end());

  const probe = (server: Server, expected: 'primary' | 'standby' | 'any', timeoutMs = 1000) => {
    const password = {source: 'env', name: 'X', toString: () => 'X', toJSON: () => 'X'} as const;
    const config = {host: '127.0.0.1', port: server.port, user: 'regionctl', password, database: 'orders', expect: expected};
    return createProbe(config, {region: 'us-east', endpoint: 'postgres', timeoutMs}, testContext);
  };

  it('answers with the role, and fails on the wrong one', async () => {
    expect(await (await probe(a, 'primary')).check(signal())).toMatchObject({ok: true, code: 'ok', facts: {role: 'primary'}});
    expect(await (await probe(b, 'any')).check(signal())).toMatchObject({ok: true, facts: {role: 'standby'}});
    expect(await (await probe(b, 'primary')).check(signal())).toMatchObject({ok: false, code: 'wrong-role'});
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
