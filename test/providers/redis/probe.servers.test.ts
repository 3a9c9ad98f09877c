import {once} from 'node:events';
import {rmSync} from 'node:fs';
import {connect} from 'node:net';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {eventually} from '../../servers/embedded.ts';
import {noRedis, type RedisOptions, type RedisServer, startRedis} from '../../servers/redis.ts';
import {deadPort} from '../listener.ts';
import {check, env, PASSWORD, probeOf} from './probe-under-test.ts';

const password = env('PASSWORD');

describe.skipIf(noRedis !== null)(`the redis probe against Debian's Redis${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  let [primary, standby] = [] as unknown as [RedisServer, RedisServer];
  const others: RedisServer[] = [];
  beforeAll(async () => {
    primary = await startRedis({password: PASSWORD});
    standby = await startRedis({password: PASSWORD, upstream: primary});
    await primary.cli('set', 'order', '1');
    await primary.cli('wait', '1', '5000');
  });
  afterAll(async () => {
    await Promise.all([primary, standby].map((server) => server?.end()));
  });
  afterEach(async () => {
    await Promise.all(others.splice(0).map((server) => server.end()));
  });

  const start = async (options: RedisOptions): Promise<RedisServer> => {
    const server = await startRedis(options);
    others.push(server);
    return server;
  };
  const of = ({port}: RedisServer, more: object = {}) => ({port, password, ...more});

  it('answers with the role, the links, the offset, the memory and the version', async () => {
    const seen = await eventually(async () => {
      const result = await check(of(primary, {expect: 'primary', minReplicas: 1, maxReplicationAge: '30s'}));
      return (result.facts as {replicaBehindBytes: number}).replicaBehindBytes === 0 ? result : null;
    });
    expect(seen).toMatchObject({ok: true, code: 'ok', latencyMs: expect.any(Number)});
    expect(seen.detail).toMatch(/^Answered as primary in \d+\.\d ms\.$/);
    expect(seen).not.toHaveProperty('warning');
    const {version, usedMemoryBytes, offset, replicaLagMs, ...rest} = seen.facts as Record<string, number>;
    expect(rest).toEqual({role: 'primary', replicas: 1, onlineReplicas: 1, replicaBehindBytes: 0, maxMemoryBytes: null});
    expect(version).toBe(/redis_version:(\S+)/.exec(await primary.cli('info', 'server'))?.[1]);
    expect(usedMemoryBytes).toBeGreaterThan(100_000);
    expect(replicaLagMs).toBeLessThan(5000);

    const other = await check(of(standby, {expect: 'standby', maxReplicationAge: '30s'}));
    expect(other).toMatchObject({ok: true, facts: {role: 'standby', primary: `127.0.0.1:${primary.port}`, link: 'up'}});
    expect(other).not.toHaveProperty('warning');
    // Both count the same stream: the standby has all of what the primary had sent before.
    expect((other.facts as {offset: number}).offset).toBeGreaterThanOrEqual(offset as number);
  });

  it('fails on the wrong role', async () => {
    const wrong = await check(of(standby, {expect: 'primary', maxReplicationAge: '0s'}));
    expect(wrong).toMatchObject({
      ok: false,
      code: 'wrong-role',
      detail: 'Answered as standby, expected primary.',
      facts: {role: 'standby'},
    });
    expect(await check(of(primary, {expect: 'standby'}))).toMatchObject({ok: false, code: 'wrong-role'});
  });

  it('fails on a wrong password, without one, and with one that the server does not have', async () => {
    const peer = `127.0.0.1:${primary.port}`;
    expect(await check(of(primary, {password: env('WRONG')}))).toMatchObject({
      ...{ok: false, code: 'auth', latencyMs: null},
      detail: `${peer} refuses the login: wrong user or password (WRONGPASS)`,
    });
    expect(await check(of(primary, {user: 'nobody'}))).toMatchObject({ok: false, code: 'auth'});
    expect(await check({port: primary.port})).toMatchObject({
      ...{ok: false, code: 'auth'},
      detail: `${peer} wants a login: give user and password (NOAUTH)`,
    });
    const open = await start({});
    expect(await check(of(open))).toMatchObject({
      ...{ok: false, code: 'auth'},
      detail: `127.0.0.1:${open.port} has no password, and one is given: whoever reaches it may do anything`,
    });
    expect(await check({port: open.port})).toMatchObject({ok: true});
  });

  it('never shows a password, not even where the server repeats what it was given', async () => {
    const forgetful = await start({settings: {'rename-command': 'AUTH ""'}});
    const {password: _, ...bare} = of(forgetful);
    expect(await check(bare)).toMatchObject({ok: true});
    expect(await check(of(forgetful, {user: 'probe'}))).toMatchObject({
      ...{ok: false, code: 'auth'},
      detail: `127.0.0.1:${forgetful.port} refuses the login`,
    });
  });

  it('needs a user that may ask INFO and nothing else', async () => {
    await primary.cli('acl', 'setuser', 'probe', 'on', `>${PASSWORD}`, '+info');
    expect(await check(of(primary, {user: 'probe'}))).toMatchObject({ok: true});
    await primary.cli('acl', 'setuser', 'probe', '-info');
    expect(await check(of(primary, {user: 'probe'}))).toMatchObject({ok: false, code: 'privilege'});
  });

  it('fails on a port that refuses, and on a server without a free connection', async () => {
    expect(await check({port: await deadPort()})).toMatchObject({ok: false, code: 'refused'});
    const full = await start({settings: {maxclients: '1'}});
    const held = await heldConnection(full.port);
    expect(await check({port: full.port})).toMatchObject({
      ok: false,
      code: 'exhausted',
      detail: `127.0.0.1:${full.port} has no free connection`,
    });
    held.end();
  });

  it('ends in time on a frozen server, and tells our cancellation from its silence', async () => {
    standby.freeze();
    const began = performance.now();
    expect(await check(of(standby), 300)).toMatchObject({ok: false, code: 'timeout', latencyMs: null});
    expect(performance.now() - began).toBeLessThan(2000);
    const cancel = new AbortController();
    const running = (await probeOf(of(standby))).check(cancel.signal);
    setTimeout(() => cancel.abort(), 30);
    expect(await running).toMatchObject({ok: null, code: 'interrupted'});
    // To its primary it is online for another minute.
    const seen = await eventually(async () => {
      const result = await check(of(primary, {minReplicas: 1, maxReplicationAge: '1s'}));
      return result.warning === undefined ? null : result;
    });
    expect(seen).toMatchObject({ok: true, facts: {replicas: 1, onlineReplicas: 1}});
    expect(seen.warning).toEqual({code: 'replicas', says: '0 standbys are online and heard from within 1 s; at least 1 is wanted.'});
    expect(await check(of(primary, {minReplicas: 1}))).not.toHaveProperty('warning');
    standby.thaw();
    expect((await check(of(primary, {minReplicas: 2}))).warning).toEqual({
      code: 'replicas',
      says: '1 standby is online; at least 2 are wanted.',
    });
  });

  it('warns of memory that runs out, and of a server without a limit', async () => {
    const small = await start({settings: {maxmemory: '8mb'}});
    expect(await check({port: small.port, maxMemory: 90})).not.toHaveProperty('warning');
    await small.cli('eval', "for i = 1, 6 do redis.call('set', i, string.rep('x', 1000000)) end", '0');
    const full = await check({port: small.port, maxMemory: 75});
    expect(full).toMatchObject({ok: true, facts: {maxMemoryBytes: 8 * 1024 * 1024}, warning: {code: 'memory'}});
    expect(full.warning?.says).toMatch(/^It uses \d(\.\d)? MiB of 8 MiB of memory \(\d+\.\d %\); at most 75 % are wanted\.$/);
    await small.cli('flushall');
    expect(await check({port: small.port, maxMemory: 75})).not.toHaveProperty('warning');
    expect((await check(of(primary, {maxMemory: 75}))).warning?.says).toMatch(
      /^It uses .* and has no maxmemory; at most 75 % of it are wanted\.$/,
    );
  });

  it('warns of data that could not be written to disk', async () => {
    const stuck = await start({settings: {save: '3600 1'}});
    await stuck.cli('set', 'order', '1');
    expect(await check({port: stuck.port})).not.toHaveProperty('warning');
    rmSync(stuck.dir, {recursive: true});
    await stuck.cli('bgsave');
    const seen = await eventually(async () => {
      const result = await check({port: stuck.port});
      return result.warning === undefined ? null : result;
    });
    expect(seen).toMatchObject({
      ok: true,
      warning: {
        code: 'persistence',
        says: 'Its last snapshot to disk failed: unless stop-writes-on-bgsave-error is off it takes no write.',
      },
    });
    await expect(stuck.cli('set', 'order', '2')).rejects.toThrow(/MISCONF/);
  });

  it('fails while the data is being loaded', async () => {
    const slow = await start({settings: {'enable-debug-command': 'yes'}});
    await slow.cli('debug', 'populate', '20000', 'order', '100');
    await slow.cli('save');
    await slow.cli('config', 'set', 'key-load-delay', '500');
    await slow.cli('config', 'set', 'loading-process-events-interval-bytes', '1024');
    const reload = slow.cli('debug', 'reload', 'nosave').catch(() => '');
    const seen = await eventually(async () => {
      const result = await check({port: slow.port});
      return result.ok === false ? result : null;
    });
    expect(seen.code).toBe('starting');
    expect(seen.detail).toMatch(/^It is loading its data: \d+(\.\d+)? % are done, .* to go\.$/);
    await slow.kill();
    await reload;
  });

  it('fails on one that is held up by a script', async () => {
    const busy = await start({settings: {'busy-reply-threshold': '50'}});
    const script = busy.cli('eval', 'while true do end', '0').catch(() => '');
    const seen = await eventually(async () => {
      const result = await check({port: busy.port}, 500);
      return result.code === 'busy' ? result : null;
    });
    expect(seen.detail).toMatch(/ is busy with a script and answers nothing else \(BUSY\)$/);
    await busy.cli('script', 'kill');
    await script;
  });

  it('is not content with a Sentinel', async () => {
    const sentinel = await start({sentinel: true});
    expect(await check({port: sentinel.port})).toMatchObject({
      ...{ok: false, code: 'unexpected-answer'},
      detail: 'Answered as a Sentinel, which has no role.',
    });
  });
});

async function heldConnection(port: number): Promise<{end(): void}> {
  // redis-cli's own connection may not be gone yet.
  return eventually(async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    socket.write('PING\r\n');
    const [said] = (await once(socket, 'data')) as [Buffer];
    return said.toString().startsWith('+PONG') ? {end: () => socket.destroy()} : null;
  });
}
