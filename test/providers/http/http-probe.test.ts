import type {Socket} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {type HttpTarget, httpProbe} from '../../../src/lib/providers/http/http-probe.ts';
import {deadPort, http, type Listener, listen, speaks} from '../listener.ts';

const SECRETS = {reveal: async () => 's3cret', scrub: (text: string) => text};
const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

async function serve(talk: (socket: Socket) => void): Promise<string> {
  const listener = await listen(talk);
  open.push(listener);
  return `http://127.0.0.1:${listener.port}/healthz?token=hidden`;
}

function check(url: string, more: Partial<HttpTarget> = {}, signal = new AbortController().signal) {
  return httpProbe({url, expectStatus: 200, expectText: null, headers: {}, timeoutMs: 1000, ...more}, SECRETS).check(signal);
}

describe('http probe against a real listener', () => {
  it('is ok with the latency of the whole answer', async () => {
    const result = await check(await serve(speaks(http(200, 'fine'))));
    expect(result).toMatchObject({ok: true, code: 'ok'});
    expect(result.latencyMs).toBeGreaterThan(0);
    expect(result.detail).toMatch(/^GET \/healthz on 127\.0\.0\.1:\d+ answered 200$/);
  });

  it('counts a slow body into the latency', async () => {
    const url = await serve((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfi');
        setTimeout(() => socket.write('ne'), 60);
      });
    });
    const result = await check(url);
    expect(result.ok).toBe(true);
    expect(result.latencyMs).toBeGreaterThan(50);
  });

  it('says which status came and which was expected', async () => {
    const result = await check(await serve(speaks(http(503, 'no'))));
    expect(result).toMatchObject({ok: false, code: 'unexpected-status'});
    expect(result.detail).toMatch(/answered 503, expected 200$/);
    expect(result.latencyMs).not.toBeNull();
  });

  it('does not follow a redirect', async () => {
    const result = await check(await serve(speaks('HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n')));
    expect(result).toMatchObject({ok: false, code: 'unexpected-status'});
  });

  it('finds a text across chunks and does not wait for the rest', async () => {
    const url = await serve(speaks('HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nwri', 'table: true'));
    expect(await check(url, {expectText: 'writable: true'})).toMatchObject({ok: true});
  });

  it('says that a text is missing', async () => {
    const result = await check(await serve(speaks(http(200, 'fine'))), {expectText: 'writable'});
    expect(result).toMatchObject({ok: false, code: 'unexpected-text'});
    expect(result.detail).toContain('its first 4 bytes do not hold "writable"');
  });

  it('reads no more than 64 KiB of an endless body', async () => {
    const url = await serve((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = () => {
          while (!socket.destroyed && socket.write('x'.repeat(16_384))) {}
        };
        socket.on('drain', more);
        more();
      });
    });
    expect(await check(url)).toMatchObject({ok: true});
    const missing = await check(url, {expectText: 'y'});
    expect(missing).toMatchObject({ok: false, code: 'unexpected-text'});
    expect(missing.detail).toContain('65536');
  });

  it('is refused by a dead port', async () => {
    const port = await deadPort();
    const result = await check(`http://127.0.0.1:${port}/`);
    expect(result).toEqual({ok: false, latencyMs: null, code: 'refused', detail: `127.0.0.1:${port} refused the connection`});
  });

  it('is reset by a peer that hangs up', async () => {
    expect(await check(await serve((socket) => socket.once('data', () => socket.resetAndDestroy())))).toMatchObject({
      ok: false,
      code: 'reset',
    });
  });

  it('times out on a peer that says nothing, and on one that stops in its body', async () => {
    const silent = await check(await serve(() => {}), {timeoutMs: 60});
    expect(silent).toMatchObject({ok: false, code: 'timeout', latencyMs: null});
    expect(silent.detail).toContain('within 60 ms');
    const half = await check(await serve(speaks('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf')), {timeoutMs: 60});
    expect(half).toMatchObject({ok: false, code: 'timeout'});
  });

  it('names what is not HTTP an error, and plain text on https a TLS failure', async () => {
    const url = await serve(speaks('220 mail ready\r\n'));
    expect(await check(url)).toMatchObject({ok: false, code: 'error'});
    expect(await check(url.replace('http:', 'https:'))).toMatchObject({ok: false, code: 'tls'});
  });

  it('names an unknown name', async () => {
    expect(await check('http://no-such-host.invalid/', {timeoutMs: 5000})).toMatchObject({ok: false, code: 'dns'});
  });

  it('is unknown, not failed, when the caller cancels', async () => {
    const stop = new AbortController();
    const asked = check(await serve(() => {}), {}, stop.signal);
    stop.abort();
    expect(await asked).toMatchObject({ok: null, code: 'interrupted'});
  });

  it('takes a new connection each time and sends revealed headers', async () => {
    const seen: string[] = [];
    let connections = 0;
    const url = await serve((socket) => {
      connections += 1;
      socket.once('data', (head) => {
        seen.push(String(head));
        socket.write(http(200, 'fine'));
      });
    });
    const secret = {source: 'env', name: 'X', toString: () => '', toJSON: () => ''} as const;
    const probe = httpProbe({url, expectStatus: 200, expectText: null, headers: {authorization: secret}, timeoutMs: 1000}, SECRETS);
    const results = [await probe.check(AbortSignal.timeout(1000)), await probe.check(AbortSignal.timeout(1000))];
    expect(connections).toBe(2);
    expect(seen[0]).toContain('authorization: s3cret');
    expect(JSON.stringify(results)).not.toMatch(/s3cret|hidden/);
  });
});
