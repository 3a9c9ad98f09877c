import {readdirSync} from 'node:fs';
import type {Socket} from 'node:net';
import fc from 'fast-check';
import {afterEach, describe, expect, it} from 'vitest';
import {type HttpTarget, httpProbe} from '../../../src/lib/providers/http/http-probe.ts';
import {http, type Listener, listen, speaks} from '../listener.ts';

const SECRETS = {reveal: async () => 's3cret', scrub: (text: string) => text};
const open: Listener[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()));
});

async function serve(talk: (socket: Socket) => void): Promise<string> {
  const listener = await listen(talk);
  open.push(listener);
  return `http://127.0.0.1:${listener.port}/`;
}

function check(url: string, more: Partial<HttpTarget> = {}, signal = new AbortController().signal) {
  return httpProbe({url, expectStatus: 200, expectText: null, headers: {}, timeoutMs: 1000, ...more}, SECRETS).check(signal);
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 20));
const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('a check over a socket of its own', () => {
  it('reads an answer that ends with its connection', async () => {
    const url = await serve((socket) => socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nhello')));
    expect(await check(url, {expectText: 'hello'})).toMatchObject({ok: true});
    expect(await check(url, {expectText: 'hallo'})).toMatchObject({ok: false, code: 'unexpected-text'});
  });

  it('takes a reset for the end only where the end of the connection is the end of the answer', async () => {
    const resets = (answer: string) =>
      serve((socket) => socket.once('data', () => socket.write(answer, () => setTimeout(() => socket.resetAndDestroy(), 30))));
    expect(await check(await resets('HTTP/1.0 200 OK\r\n\r\nhello'), {expectJson: {'/a': 1}})).toMatchObject({code: 'unexpected-json'});
    expect(await check(await resets('HTTP/1.0 200 OK\r\n\r\nhello'))).toMatchObject({ok: true, code: 'ok'});
    for (const cut of ['HTTP/1.0 200 OK\r\nA: ', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello'])
      expect(await check(await resets(cut))).toMatchObject({ok: false, code: 'reset'});
  });

  it('does not mix up what many connections say at once, though they read into one buffer', async () => {
    const listener = await listen((socket) => {
      socket.once('data', (request: Buffer) => {
        const name = /^GET \/(\w+) /.exec(request.toString())?.[1] ?? '';
        const answer = http(200, `<${name}>`);
        const half = Math.floor(answer.length / 2);
        socket.write(answer.slice(0, half));
        setTimeout(() => socket.write(answer.slice(half)), Math.random() * 5);
      });
    });
    open.push(listener);
    const asked = Array.from({length: 200}, (_, at) => check(`http://127.0.0.1:${listener.port}/n${at}`, {expectText: `<n${at}>`}));
    for (const result of await Promise.all(asked)) expect(result).toMatchObject({ok: true});
  });

  it.skipIf(process.platform !== 'linux')('leaves no connection behind, whatever became of it', async () => {
    const well = await serve(speaks(http(200, 'fine')));
    const reset = await serve((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const silent = await serve((socket) => socket.resume());
    const endless = await serve((socket) => socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nx')));
    await check(well);
    await turn();
    const before = descriptors();
    for (let round = 0; round < 25; round += 1) {
      const stop = new AbortController();
      setTimeout(() => stop.abort(new Error('over')), 5);
      await Promise.all([
        check(well),
        check(reset),
        check(silent, {timeoutMs: 20}),
        check(endless, {timeoutMs: 20}),
        check(silent, {}, stop.signal),
      ]);
    }
    await turn();
    // The servers' ends are descriptors of this process, too.
    expect(descriptors()).toBeLessThanOrEqual(before + 4);
  });

  it('sends each header once: the last one wins, in whatever case its name is written', async () => {
    const seen: string[] = [];
    const url = await serve((socket) => {
      socket.once('data', (request: Buffer) => {
        seen.push(request.toString('latin1'));
        socket.write(http(200, ''));
      });
    });
    const headers = {'User-Agent': 'a', HOST: 'app.example', CONNECTION: 'Upgrade', AUTHorization: 'b', 'x-one': 'c', 'X-One': 'd'};
    await check(url.replace('127', 'name:word@127'), {headers: {...headers, 'Accept-Encoding': 'gzip'}});
    expect(seen).toEqual([
      'GET / HTTP/1.1\r\nHOST: app.example\r\nCONNECTION: Upgrade\r\nAUTHorization: b\r\nUser-Agent: a\r\nX-One: d\r\nAccept-Encoding: gzip\r\n\r\n',
    ]);
  });

  it('sends nothing but one request, whatever a fleet file has in its path and its headers', async () => {
    const seen: string[] = [];
    const listener = await listen((socket) => {
      socket.once('data', (request: Buffer) => {
        seen.push(request.toString('latin1'));
        socket.write(http(200, ''));
      });
    });
    open.push(listener);
    const text = fc.oneof(fc.string({unit: 'binary', maxLength: 12}), fc.constantFrom('a\r\nX: y', 'a\nb', '\0', ' a ', 'ä', '%0d%0a'));
    await fc.assert(
      fc.asyncProperty(text, text, async (path, value) => {
        seen.length = 0;
        const url = `http://127.0.0.1:${listener.port}/${path}`;
        const result = await check(url, {headers: {'x-own': value}}).catch(() => null);
        for (const request of seen) {
          expect(request.match(/\r\n/g)).toHaveLength(6);
          expect(request).toMatch(/^GET \/[\x21-\x7e]* HTTP\/1\.1\r\nHost: 127\.0\.0\.1:\d+\r\nConnection: close\r\n/);
          expect(
            request
              .split('\r\n')
              .slice(3, 5)
              .map((line) => line.split(':')[0]),
          ).toEqual(['user-agent', 'x-own']);
        }
        if (seen.length === 0) expect(result?.ok ?? false).not.toBe(true);
      }),
      {numRuns: 100},
    );
  });
});
