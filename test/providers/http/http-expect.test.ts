import {readFileSync} from 'node:fs';
import {createServer, type RequestListener} from 'node:http';
import {createServer as createSecureServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import {type HttpTarget, httpProbe} from '../../../src/lib/providers/http/http-probe.ts';
import {CA_FILE} from '../tls/tls-server.ts';

const SECRETS = {reveal: async () => 's3cret', scrub: (text: string) => text};
const CERTIFICATES = join(import.meta.dirname, '../tls/certificates');
const open: {close(): void}[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

async function serve(listener: RequestListener, certificate: string | null = null): Promise<string> {
  const [key, cert] =
    certificate === null ? [] : ['server.key', `${certificate}.pem`].map((file) => readFileSync(join(CERTIFICATES, file)));
  const server = certificate === null ? createServer(listener) : createSecureServer({key, cert}, listener);
  open.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const {port} = server.address() as AddressInfo;
  return certificate === null ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;
}

function check(url: string, more: Partial<HttpTarget> = {}) {
  return httpProbe({url, expectStatus: 200, expectText: null, headers: {}, timeoutMs: 2000, ...more}, SECRETS).check(
    new AbortController().signal,
  );
}

const answers =
  (body: string, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(200, headers).end(body);

describe('what an http probe may expect', () => {
  it('headers, whatever their case', async () => {
    const url = await serve(answers('', {'X-Region': 'eu'}));
    expect(await check(url, {expectHeaders: {'x-region': 'eu'}})).toMatchObject({ok: true});
    expect(await check(url, {expectHeaders: {'x-region': 'ap'}})).toMatchObject({
      ok: false,
      code: 'unexpected-header',
      detail: expect.stringMatching(/answered 200, but its header x-region is "eu", expected "ap"$/),
    });
    expect((await check(url, {expectHeaders: {'x-role': 'primary'}})).detail).toMatch(/but it has no header x-role$/);
  });

  it('values in JSON', async () => {
    const url = await serve(answers(`{"database": {"writable": true, "lag": 0}, "a/b": [null, "x"], "wide": "${'w'.repeat(99)}"}`));
    expect(await check(url, {expectJson: {'/database/writable': true, '/database/lag': 0, '/a~1b/1': 'x', '/a~1b/0': null}})).toMatchObject(
      {ok: true},
    );
    const failing = async (expectJson: NonNullable<HttpTarget['expectJson']>) => (await check(url, {expectJson})).detail;
    expect(await failing({'/database/writable': false})).toMatch(/but there is true at \/database\/writable, expected false$/);
    expect(await failing({'/database/role': 'primary'})).toMatch(/but there is nothing at \/database\/role, expected "primary"$/);
    expect(await failing({'/a~1b/01': 'x'})).toMatch(/there is nothing at/);
    expect(await failing({'/toString': 'x'})).toMatch(/there is nothing at/);
    expect(await failing({'/wide': 'w'})).toMatch(/there is "w{59}… at \/wide/);
    expect(await check(await serve(answers('<html>')), {expectJson: {'/a': 1}})).toMatchObject({ok: false, code: 'unexpected-json'});
  });

  it('JSON up to 1 MiB, with a byte order mark or without; what is shown holds no secret', async () => {
    const long = `\uFEFF{"list": ${JSON.stringify(Array.from({length: 20_000}, (_, index) => index))}, "status": "ok"}`;
    expect(long.length).toBeGreaterThan(64 * 1024);
    expect(await check(await serve(answers(long)), {expectJson: {'/status': 'ok'}})).toMatchObject({ok: true});
    expect((await check(await serve(answers(`"${'x'.repeat(2 ** 20)}"`)), {expectJson: {'/a': 1}})).detail).toMatch(
      /but it is longer than 1 MiB$/,
    );
    const location = 'http://other/place?token=hidden';
    const url = await serve((_, response) => void response.writeHead(302, {location}).end());
    const {detail} = await check(url, {expectStatus: 302, expectHeaders: {location: 'http://other/'}});
    expect(detail).toMatch(/its header location is "http:\/\/other\/place", expected/);
    const echo = httpProbe(
      {
        url: await serve(answers('{"you": "s3cret"}')),
        expectStatus: 200,
        expectText: null,
        headers: {},
        timeoutMs: 2000,
        expectJson: {'/you': 'x'},
      },
      {...SECRETS, scrub: (text) => text.replaceAll('s3cret', '***')},
    );
    expect((await echo.check(new AbortController().signal)).detail).toMatch(/there is "\*\*\*" at \/you/);
  });

  it('a text and JSON at once', async () => {
    const url = await serve(answers('{"status": "ok", "note": "fine"}'));
    expect(await check(url, {expectText: 'fine', expectJson: {'/status': 'ok'}})).toMatchObject({ok: true});
    expect(await check(url, {expectText: 'bad', expectJson: {'/status': 'ok'}})).toMatchObject({ok: false, code: 'unexpected-text'});
  });

  it('redirects, as many as it may; secrets stay with whom they are for', async () => {
    const seen: (string | undefined)[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end('there');
    });
    const url = await serve((request, response) => {
      seen.push(request.headers.authorization);
      const location = request.url === '/' ? '/second' : other;
      response.writeHead(302, {location}).end();
    });
    const authorization = {source: 'env', name: 'X', toString: () => '', toJSON: () => ''} as const;
    expect(await check(url, {redirects: 2, headers: {authorization}, expectText: 'there'})).toMatchObject({ok: true});
    expect(seen).toEqual(['s3cret', 's3cret', undefined]);
    expect(await check(url, {redirects: 1})).toMatchObject({ok: false, code: 'unexpected-status', detail: expect.stringContaining('302')});
    const loop = await serve((_, response) => void response.writeHead(302, {location: '/'}).end());
    expect(await check(loop, {redirects: 10})).toMatchObject({ok: false, code: 'unexpected-status'});
  });

  it('a certificate: trusted, and valid for long enough; how long each part took is told', async () => {
    const url = await serve(answers('fine'), 'good');
    const well = await check(url, {caFile: CA_FILE});
    expect(well).toMatchObject({ok: true, facts: {certificate: {subject: 'localhost'}}});
    const {phases} = well.facts as {phases: Record<string, number>};
    for (const phase of ['dnsMs', 'connectMs', 'tlsMs', 'firstByteMs']) expect(phases[phase]).toBeGreaterThanOrEqual(0);
    expect(await check(url, {caFile: CA_FILE, minValidMs: 1e13})).toMatchObject({ok: true, warning: {code: 'certificate-expires'}});
    expect(await check(url)).toMatchObject({ok: false, code: 'tls'});
    expect((await check(await serve(answers(''), 'expired'), {caFile: CA_FILE})).detail).toContain('its certificate has expired');
    expect((await check(await serve(answers(''), 'other'), {caFile: CA_FILE})).detail).toContain('its certificate is for another name');
    expect(await check(url, {caFile: '/nowhere.pem'})).toMatchObject({ok: null, code: 'probe-failed'});
  });

  it('is not led from a secure place to an open one', async () => {
    const open = await serve(answers('open'));
    const url = await serve((_, response) => void response.writeHead(301, {location: open}).end(), 'good');
    expect(await check(url, {caFile: CA_FILE, redirects: 3})).toMatchObject({ok: false, code: 'unexpected-status'});
  });
});
