import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {createProbe} from '../../../src/lib/providers/postgres/probe.ts';
import {PASSWORD, type Servers, startServers} from '../../servers/embedded.ts';
import {deadPort} from '../listener.ts';
import {testContext} from './open-store.ts';

describe('the postgres probe', () => {
  let servers: Servers;
  beforeAll(async () => {
    servers = await startServers(['us', 'eu']);
    servers.all[1]?.freeze();
  });
  afterAll(() => servers?.end());

  const password = {source: 'env', name: 'X', toString: () => 'X', toJSON: () => 'X'} as const;
  const probe = (port: number | undefined) => {
    const config = {
      host: '127.0.0.1',
      port: port ?? 0,
      user: 'regionctl',
      password,
      database: 'orders',
      tls: false,
      expect: 'any',
      expectWritable: false,
    } as const;
    return createProbe(config, {region: 'us-east', endpoint: 'postgres', timeoutMs: 1000}, testContext);
  };

  probeContract({describe, it, expect}, async () => ({
    healthy: await probe(servers.all[0]?.port),
    refusing: await probe(await deadPort()),
    hanging: await probe(servers.all[1]?.port),
    secrets: [PASSWORD],
  }));
});
