import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {noRedis, type RedisServer, startRedis} from '../../servers/redis.ts';
import {deadPort} from '../listener.ts';
import {env, PASSWORD, probeOf} from './probe-under-test.ts';

describe.skipIf(noRedis !== null)(`the redis probe${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const servers: RedisServer[] = [];
  beforeAll(async () => {
    for (let each = 0; each < 2; each += 1) servers.push(await startRedis({password: PASSWORD}));
    servers[1]?.freeze();
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.end()));
  });
  const probe = (port: number | undefined) => probeOf({port, password: env('PASSWORD')}, 1000);

  probeContract({describe, it, expect}, async () => ({
    healthy: await probe(servers[0]?.port),
    refusing: await probe(await deadPort()),
    hanging: await probe(servers[1]?.port),
    secrets: [PASSWORD],
  }));
});
