import {once} from 'node:events';
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';
import {expect, test} from 'vitest';
import {httpProbe} from '../../../src/lib/providers/http/http-probe.ts';

test("a redirect's connection has ended before the next answer comes", async () => {
  let isClosed = false;
  const server = createServer((request, response) => {
    if (request.url === '/b') {
      setTimeout(() => response.end(isClosed ? 'closed' : 'open'), 200);
      return;
    }
    request.socket.once('close', () => {
      isClosed = true;
    });
    response.writeHead(302, {location: '/b'}).write('a body without an end');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a`;
    const target = {url, expectStatus: 200, expectText: 'closed', headers: {}, timeoutMs: 3000, redirects: 1};
    const vault = {scrub: (text: string) => text} as unknown as Parameters<typeof httpProbe>[1];
    expect(await httpProbe(target, vault).check(new AbortController().signal)).toMatchObject({ok: true});
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
