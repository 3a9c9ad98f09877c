import {afterEach, describe, expect, it} from 'vitest';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {deadPort} from '../listener.ts';
import {check} from './probe-under-test.ts';

describe.skipIf(noRedis !== null)(`the redis probe of a standby${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const servers: RedisServer[] = [];
  const start = async (options: RedisOptions): Promise<RedisServer> => {
    const server = await startRedis(options);
    servers.push(server);
    return server;
  };
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.end()));
  });

  it('fails on a standby that its primary does not speak to any more', async () => {
    const mute = await start({settings: {'repl-ping-replica-period': '3600'}});
    const deaf = await start({upstream: mute});
    const late = async () => check({port: deaf.port, maxReplicationAge: '1s'});
    const seen = await eventually(async () => {
      const result = await late();
      return result.ok === false ? result : null;
    });
    expect(seen.code).toBe('replication-late');
    expect(seen.detail).toMatch(/^It last heard from its primary 127\.0\.0\.1:\d+ (?:[2-9]|\d\d) s ago; at most 1 s is wanted\.$/);
    await mute.cli('set', 'order', '2');
    expect(await eventually(async () => ((await late()).ok === true ? true : null))).toBe(true);
  });

  it('warns of a standby whose primary was killed, and fails once that was too long ago', async () => {
    const first = await start({});
    const left = await start({upstream: first});
    await first.kill();
    const warned = await eventually(async () => {
      const result = await check({port: left.port, expect: 'standby'});
      return result.warning === undefined ? null : result;
    });
    expect(warned).toMatchObject({ok: true, facts: {role: 'standby', link: 'down'}, warning: {code: 'replication-link'}});
    expect(warned.warning?.says).toMatch(/^Its link to its primary 127\.0\.0\.1:\d+ has been down for \d+ (ms|s)\.$/);
    const keys = {port: left.port, maxReplicationAge: '1s'};
    const seen = await eventually(async () => {
      const result = await check(keys);
      return result.ok === false ? result : null;
    });
    expect(seen.code).toBe('replication-late');
    expect(seen.detail).toMatch(/^It has had no link to its primary 127\.0\.0\.1:\d+ for (?:[2-9]|\d\d) s; at most 1 s is wanted\.$/);
    await first.start();
    expect(await eventually(async () => ((await check(keys)).ok === true ? true : null))).toBe(true);
  });

  it('tells a standby that never had a link', async () => {
    const lost = await start({settings: {replicaof: `127.0.0.1 ${await deadPort()}`}});
    expect((await check({port: lost.port})).warning?.says).toMatch(/^It has never had a link to its primary 127\.0\.0\.1:\d+\.$/);
    expect(await check({port: lost.port, maxReplicationAge: '576h'})).toMatchObject({ok: false, code: 'replication-late'});
  });
});
