import {readFileSync} from 'node:fs';
import {createSecureServer, createServer, type Http2SecureServer, type Http2Server} from 'node:http2';
import {createServer as createHttps} from 'node:https';
import type {AddressInfo, Server} from 'node:net';
import {join} from 'node:path';
import {createServer as createTls, type Server as TlsServer} from 'node:tls';
import {afterEach, describe, expect, it} from 'vitest';
import {probeContract} from '../../../src/kit/testing.ts';
import {type HttpTarget, httpProbe} from '../../../src/lib/providers/http/http-probe.ts';
import {deadPort, http, listen, speaks} from '../listener.ts';
import {CA_FILE} from '../tls/tls-server.ts';

const SECRETS = {reveal: async () => 's3cret', scrub: (text: string) => text};
const authorization = {source: 'env', name: 'X', toString: () => '', toJSON: () => ''} as const;
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

const pem = (name: string) => readFileSync(join(import.meta.dirname, '../tls/certificates', name));
const keyed = (name: 'good' | 'expired' | 'other') => ({key: pem('server.key'), cert: pem(`${name}.pem`)});

async function portOf(server: Server | TlsServer | Http2Server | Http2SecureServer): Promise<number> {
  const sockets = new Set<{destroy(): void}>();
  server.on('connection', (socket) => sockets.add(socket));
  server.on('secureConnection', (socket) => sockets.add(socket));
  server.on('error', () => undefined);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', () => done()));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers in HTTP/2: /json, /text, /moved, and 404 elsewhere; says what it was told in a header. */
function answering(server: Http2Server | Http2SecureServer): typeof server {
  return server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    const told = {'x-told': String(headers.authorization ?? 'nothing')};
    if (headers[':path'] === '/moved') return stream.respond({':status': 301, location: '/text', ...told}, {endStream: true});
    const body = headers[':path'] === '/json' ? '{"writable": true}' : headers[':path'] === '/text' ? 'all is well' : '';
    if (headers[':path'] === '/host') Object.assign(told, {'x-told': `${headers[':authority'] ?? ''}|${headers.host ?? ''}`});
    stream.respond({':status': body === '' ? 404 : 200, ...told});
    stream.end(body);
  });
}

const secure = (name: 'good' | 'expired' | 'other' = 'good') => portOf(answering(createSecureServer(keyed(name))));
const open = () => portOf(answering(createServer()));
const ask = (url: string, more: Partial<HttpTarget> = {}) =>
  httpProbe(
    {url, expectStatus: 200, expectText: null, headers: {}, timeoutMs: 1000, caFile: CA_FILE, httpVersion: 2, ...more},
    SECRETS,
  ).check(new AbortController().signal);

probeContract({describe, it, expect}, async () => {
  const [good, silent] = [await open(), await listen(() => undefined)];
  const probe = (port: number) =>
    httpProbe(
      {
        url: `http://127.0.0.1:${port}/text`,
        expectStatus: 200,
        expectText: 'well',
        headers: {authorization},
        timeoutMs: 500,
        httpVersion: 2,
      },
      SECRETS,
    );
  return {
    healthy: probe(good),
    refusing: probe(await deadPort()),
    hanging: probe(silent.port),
    secrets: ['s3cret'],
    close: async () => {
      await silent.close();
    },
  };
});

describe('http, version 2', () => {
  it('is negotiated over TLS, and judged as any other: status, text, JSON, header, certificate, phases', async () => {
    const port = await secure();
    expect(await ask(`https://127.0.0.1:${port}/text`, {expectText: 'all is well'})).toMatchObject({ok: true, code: 'ok'});
    expect(
      await ask(`https://localhost:${port}/json`, {
        expectJson: {'/writable': true},
        headers: {authorization},
        expectHeaders: {'X-Told': 's3cret'},
      }),
    ).toMatchObject({ok: true});
    expect(await ask(`https://127.0.0.1:${port}/json`, {expectJson: {'/writable': false}})).toMatchObject({
      ok: false,
      code: 'unexpected-json',
    });
    expect(await ask(`https://127.0.0.1:${port}/nothing`)).toMatchObject({
      ok: false,
      code: 'unexpected-status',
      detail: expect.stringContaining('answered 404, expected 200'),
    });
    const {facts} = await ask(`https://127.0.0.1:${port}/text`);
    expect(facts).toMatchObject({
      certificate: {validTo: expect.any(String)},
      phases: {connectMs: expect.any(Number), tlsMs: expect.any(Number), firstByteMs: expect.any(Number)},
    });
    expect(await ask(`https://127.0.0.1:${port}/text`, {minValidMs: 100 * 365 * 86_400_000})).toMatchObject({
      ok: true,
      warning: {code: 'certificate-expires'},
    });
  });

  it('says each header once, in whatever case its name is written, and says so where one cannot be sent', async () => {
    const url = `http://127.0.0.1:${await open()}`;
    const headers = {AUTHORIZATION: 'a', Authorization: 'b'};
    expect(await ask(`${url}/text`, {headers, expectHeaders: {'x-told': 'b'}})).toMatchObject({ok: true});
    const hosts = {headers: {Host: 'app.example'}, expectStatus: 404, expectHeaders: {'x-told': '|app.example'}};
    expect(await ask(`${url}/host`, hosts)).toMatchObject({ok: true});
    expect(await ask(`${url}/text`, {headers: {Connection: 'close'}})).toMatchObject({
      ok: false,
      detail: expect.stringContaining('ERR_HTTP2_INVALID_CONNECTION_HEADERS'),
    });
  });

  it('follows a redirect where that is allowed', async () => {
    const port = await open();
    expect(await ask(`http://127.0.0.1:${port}/moved`)).toMatchObject({ok: false, code: 'unexpected-status'});
    expect(await ask(`http://127.0.0.1:${port}/moved`, {redirects: 1, expectText: 'well'})).toMatchObject({ok: true});
  });

  it('trusts no certificate that is expired, for another name, or signed by nobody', async () => {
    for (const name of ['expired', 'other'] as const)
      expect(await ask(`https://127.0.0.1:${await secure(name)}/text`), name).toMatchObject({ok: false, code: 'tls'});
    expect(await ask(`https://127.0.0.1:${await secure()}/text`, {caFile: null})).toMatchObject({ok: false, code: 'tls'});
  });

  it('says so where a server speaks HTTP/1.1 only, with and without TLS', async () => {
    const old = await portOf(createHttps(keyed('good'), (_, response) => response.end('old')));
    expect(await ask(`https://127.0.0.1:${old}/`)).toMatchObject({
      ok: false,
      code: 'no-http2',
      detail: `127.0.0.1:${old} does not speak HTTP/2`,
    });
    const plain = await listen(speaks(http(200, 'old')));
    expect(await ask(`http://127.0.0.1:${plain.port}/`)).toMatchObject({ok: false, code: 'no-http2'});
    await plain.close();
  });

  it('is not asked for by a check of version 1.1: who lists h2 alone still answers it', async () => {
    const port = await portOf(createTls({...keyed('good'), ALPNProtocols: ['h2']}, speaks(http(200, 'old'))));
    expect(await ask(`https://127.0.0.1:${port}/`, {httpVersion: 1.1})).toMatchObject({ok: true});
  });

  it('fails for noise, for a hang-up, and by its deadline for silence after the handshake', async () => {
    const noise = await listen((socket) => socket.once('data', () => socket.write('\u0001\u0002 no such protocol \r\n'.repeat(20))));
    expect((await ask(`http://127.0.0.1:${noise.port}/`)).ok).toBe(false);
    const hangUp = await listen((socket) => socket.once('data', () => socket.destroy()));
    expect(await ask(`http://127.0.0.1:${hangUp.port}/`)).toMatchObject({ok: false, code: 'reset'});
    const silent = await portOf(createSecureServer(keyed('good')).on('stream', (stream) => stream.on('error', () => undefined)));
    expect(await ask(`https://127.0.0.1:${silent}/`, {timeoutMs: 300})).toMatchObject({ok: false, code: 'timeout'});
    await Promise.all([noise.close(), hangUp.close()]);
  });
});
