import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {createSession, type Session} from '../../../src/lib/providers/postgres/session.ts';
import {PASSWORD, type Server, type Servers, startServers} from '../../servers/embedded.ts';

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

  it('gives up on a server that does not answer in time', async () => {
    const began = performance.now();
    await expect(session.rows('select pg_sleep(5)', [], {timeoutMs: 200})).rejects.toMatchObject({code: 'timeout', exit: 69});
    expect(performance.now() - began).toBeLessThan(1000);
  });
});
