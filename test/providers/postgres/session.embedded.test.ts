import {type AddressInfo, connect, createServer, type Socket} from 'node:net';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {timeoutAwake} from '../../../src/lib/awake.ts';
import {createSession, type Session} from '../../../src/lib/providers/postgres/session.ts';
import {eventually, PASSWORD, type Server, type Servers, startServers} from '../../servers/embedded.ts';

describe('a session', () => {
  let servers: Servers;
  let server: Server;
  let session: Session;
  beforeAll(async () => {
    servers = await startServers(['us']);
    server = servers.all[0] as Server;
    const place = {host: '127.0.0.1', port: server.port, label: 'us', user: 'regionctl', database: 'orders'};
    session = createSession({...place, password: async () => PASSWORD});
  });
  afterAll(async () => {
    await session?.close();
    await servers?.end();
  });

  it('that only reads can change nothing, waits for no lock and outlasts nobody', async () => {
    const place = {host: '127.0.0.1', port: server.port, label: 'us', user: 'regionctl', database: 'orders'};
    const reader = createSession({...place, password: async () => PASSWORD, reads: true});
    try {
      await expect(reader.rows('create table t (x int)')).rejects.toMatchObject({code: 'sql', message: expect.stringContaining('25006')});
      const sql = `select name, setting from pg_settings where name in ('lock_timeout', 'statement_timeout', 'application_name') order by 1`;
      expect((await reader.rows<{setting: string}>(sql)).map(({setting}) => setting)).toEqual(['regionctl', '500', '1500']);
    } finally {
      await reader.close();
    }
  });

  const pid = async () => (await session.rows<{pid: number}>('select pg_backend_pid() as pid'))[0]?.pid;

  it('takes an answer that came while this process slept, and keeps its connection', async () => {
    const before = await pid();
    const answer = session.rows<{n: number}>('select 1 as n, pg_sleep(0.05)', [], {timeoutMs: 200});
    await new Promise((resolve) => setTimeout(resolve, 20));
    // As SIGSTOP would: the timer is long over when this process goes on.
    const until = performance.now() + 800;
    while (performance.now() < until);
    expect(await answer).toMatchObject([{n: 1}]);
    expect(await pid()).toBe(before);
  });

  it('sends what waited for its turn while this process slept', async () => {
    const first = session.rows<{n: number}>('select 1 as n, pg_sleep(0.05)', [], {timeoutMs: 200});
    const second = session.rows<{n: number}>('select 2 as n', [], {timeoutMs: 200, signal: timeoutAwake(300)});
    await new Promise((resolve) => setTimeout(resolve, 20));
    const until = performance.now() + 800;
    while (performance.now() < until);
    expect([...(await first), ...(await second)]).toMatchObject([{n: 1}, {n: 2}]);
  });

  it('does not send what its turn came too late for', async () => {
    const first = session.rows('select pg_sleep(0.5)');
    await expect(session.rows(`select set_config('application_name', 'late', false)`, [], {timeoutMs: 200})).rejects.toMatchObject({
      code: 'timeout',
    });
    await first;
    expect(await session.rows(`select current_setting('application_name') as "name"`)).not.toEqual([{name: 'late'}]);
  });

  it('lets a server read statements ahead, once, without running them', async () => {
    const ahead = `select set_config('application_name', 'ran', false) as "name", $1::text as "given" /* ${'long '.repeat(40)} */`;
    const wrong = `select * from ${'nowhere_'.repeat(7)}, ${'nowhere_'.repeat(7)} where ${'nothing_'.repeat(7)} = 1 and true`;
    await session.prepare([ahead, wrong, ahead]);
    await session.prepare([ahead]);
    const [seen] = await session.rows<{name: string; read: string[]}>(
      `select current_setting('application_name') as "name", array(select left(statement, 80) from pg_prepared_statements) as "read"`,
    );
    expect(seen?.name).not.toBe('ran');
    expect(seen?.read.filter((text) => text.startsWith(`select set_config('application_name', 'ra`))).toHaveLength(1);
    expect(await session.rows(ahead, ['x'])).toEqual([{name: 'ran', given: 'x'}]);
    // One that a server cannot read says so when it is run.
    await expect(session.rows(wrong)).rejects.toMatchObject({code: 'sql'});
  });

  it('gives up on a server that does not answer in time', async () => {
    const began = performance.now();
    await expect(session.rows('select pg_sleep(5)', [], {timeoutMs: 200})).rejects.toMatchObject({code: 'timeout', exit: 69});
    expect(performance.now() - began).toBeLessThan(3000);
  });

  it('keeps its place in the queue of a frozen server, however often it tries', async () => {
    const ways: Socket[] = [];
    const relay = createServer((from) => {
      const to = connect(server.port, '127.0.0.1');
      ways.push(to);
      from.pipe(to).on('error', () => from.destroy());
      to.pipe(from).on('error', () => to.destroy());
    });
    await new Promise<void>((done) => relay.listen(0, '127.0.0.1', done));
    const {port} = relay.address() as AddressInfo;
    const place = {host: '127.0.0.1', port, label: 'us', user: 'regionctl', database: 'orders'};
    const other = createSession({...place, password: async () => PASSWORD});
    try {
      server.freeze();
      for (let tries = 0; tries < 3; tries++) await expect(other.rows('select 1')).rejects.toMatchObject({code: 'timeout'});
      expect(ways.length).toBeGreaterThanOrEqual(3);
      server.thaw();
      // Where both are let in at once, either may be the first.
      const first = `select 1 from pg_stat_activity where state = 'idle' and client_port = ${ways[0]?.localPort}`;
      await eventually(async () => (await server.sql(first)).length === 1);
      const [row] = await other.rows<{port: number}>('select inet_client_port() as port');
      expect(row?.port).toBe(ways[0]?.localPort);
      // And the one that it has is kept.
      const opened = ways.length;
      await other.rows('select 1');
      expect(ways).toHaveLength(opened);
    } finally {
      server.thaw();
      await other.close();
      relay.close();
    }
  });
});
