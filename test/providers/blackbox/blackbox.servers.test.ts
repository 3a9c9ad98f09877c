import {once} from 'node:events';
import {readFileSync} from 'node:fs';
import {createServer as createTlsServer} from 'node:https';
import type {AddressInfo} from 'node:net';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {probeContract, vantageContract} from '../../../src/kit/testing.ts';
import {kindsOf} from '../../../src/lib/fleet/kinds.ts';
import {blackboxProbe} from '../../../src/lib/providers/blackbox/blackbox-probe.ts';
import {blackboxVantage} from '../../../src/lib/providers/blackbox/blackbox-vantage.ts';
import {createExporter} from '../../../src/lib/providers/blackbox/exporter.ts';
import {blackboxProviders} from '../../../src/lib/providers/blackbox/provider.ts';
import {realClock as clock} from '../../health/real-clock.ts';
import {type Blackbox, noBlackbox, startBlackbox} from '../../servers/blackbox.ts';
import {deadPort, http, type Listener, listen, speaks} from '../listener.ts';

const SECRET = 'exporter-password';
const secrets = {reveal: async () => SECRET, scrub: (text: string) => text.replaceAll(SECRET, '•••')};
const password = {source: 'env', name: 'X', toString: () => 'x', toJSON: () => 'x'} as const;
const modules = {http: 'http_2xx', tcp: 'tcp_connect'};
const live = () => AbortSignal.timeout(10_000);

describe.skipIf(noBlackbox !== null)(`a blackbox exporter${noBlackbox === null ? '' : ` (skipped: no ${noBlackbox})`}`, () => {
  let exporter: Blackbox;
  let good: Listener;
  let wrong: Listener;
  let hanging: Listener;
  let dead: number;
  beforeAll(async () => {
    exporter = await startBlackbox();
    good = await listen(speaks(http(200, 'all is well')));
    wrong = await listen(speaks(http(500, 'no')));
    hanging = await listen(() => {});
    dead = await deadPort();
  });
  afterAll(async () => {
    await exporter?.end();
    await Promise.all([good, wrong, hanging].map((listener) => listener?.close()));
  });

  const at = (url: string) => createExporter({url, user: 'us', password, caFile: null, offsetMs: 500}, secrets);
  const web = (port: number, expectStatus = 200) =>
    ({kind: 'http', url: `http://127.0.0.1:${port}/`, expectStatus, redirects: 0, whole: true}) as const;
  const probe = (target: string, timeoutMs = 1000, module = 'http_2xx') =>
    blackboxProbe({module, target, timeoutMs, minValidMs: 0}, at(exporter.url), clock);

  describe('as a vantage point', () => {
    vantageContract({describe, it, expect}, async () => ({
      vantage: blackboxVantage(modules, at(exporter.url), 500),
      silent: blackboxVantage(modules, at(`http://127.0.0.1:${dead}`), 500),
      good: {http: web(good.port), tcp: {kind: 'tcp', host: '127.0.0.1', port: good.port, whole: true}},
      wrong: web(wrong.port),
      refusing: web(dead),
      hanging: web(hanging.port),
      secrets: [SECRET],
    }));
  });

  describe('as a probe', () => {
    probeContract({describe, it, expect}, async () => ({
      healthy: probe(`http://127.0.0.1:${good.port}/`),
      refusing: probe(`http://127.0.0.1:${dead}/`),
      hanging: probe(`http://127.0.0.1:${hanging.port}/`, 800),
      secrets: [SECRET],
    }));
  });

  it('expects what the endpoint is expected to answer, whatever its module wants', async () => {
    const vantage = blackboxVantage(modules, at(exporter.url), 500);
    expect(await vantage.check(web(wrong.port, 500), 1000, live())).toMatchObject({ok: true, code: 'ok', facts: {status: 500}});
    expect(await vantage.check(web(good.port, 204), 1000, live())).toMatchObject({ok: false, code: 'unexpected-status'});
  });

  it('does not show the query of a URL, which may hold a token', async () => {
    const vantage = blackboxVantage(modules, at(exporter.url), 500);
    const said = await vantage.check({...web(dead), url: `http://127.0.0.1:${dead}/?token=abc123`}, 1000, live());
    expect(JSON.stringify(said)).not.toContain('abc123');
  });

  it('that does not know the module, or is no exporter, could not look', async () => {
    const unknown = await probe(`http://127.0.0.1:${good.port}/`, 1000, 'nothing').check(live());
    expect(unknown).toMatchObject({ok: null, code: 'vantage-refused'});
    expect(unknown.detail).toContain('it answered 400: Unknown module');
    const other = blackboxProbe({module: 'm', target: 't', timeoutMs: 1000, minValidMs: 0}, at(`http://127.0.0.1:${good.port}`), clock);
    expect(await other.check(live())).toMatchObject({
      ok: null,
      code: 'vantage-refused',
      detail: expect.stringContaining('no probe_success'),
    });
  });

  it('that hangs could not look either', async () => {
    const result = await blackboxVantage(modules, at(`http://127.0.0.1:${hanging.port}`), 500).check(
      web(good.port),
      500,
      AbortSignal.timeout(700),
    );
    expect(result).toMatchObject({ok: null, code: 'vantage-silent'});
  });

  it('a text that its module wants is judged, and one that is missing named', async () => {
    expect(await probe(`http://127.0.0.1:${good.port}/`, 1000, 'http_ok').check(live())).toMatchObject({ok: true});
    const bare = await listen(speaks(http(200, 'hm')));
    expect(await probe(`http://127.0.0.1:${bare.port}/`, 1000, 'http_ok').check(live())).toMatchObject({
      ok: false,
      code: 'unexpected-text',
    });
    await bare.close();
  });

  it('warns of a certificate that expires', async () => {
    const read = (name: string) => readFileSync(join(import.meta.dirname, '../tls/certificates', name));
    const server = createTlsServer({cert: read('good.pem'), key: read('server.key')}, (_, response) => response.end('ok')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const ask = (minValidMs: number) =>
      blackboxProbe({module: 'tls_connect', target, timeoutMs: 2000, minValidMs}, at(exporter.url), clock).check(live());
    expect((await ask(0)).warning).toBeUndefined();
    const century = 100 * 365 * 86_400_000;
    expect(await ask(century)).toMatchObject({
      ok: true,
      warning: {code: 'certificate-expires', says: expect.stringMatching(/valid for \d+ days only/)},
    });
    server.close();
  });
});

describe('its part of the fleet file', () => {
  it('has a schema for the probe and for the vantage point', () => {
    const kinds = kindsOf(blackboxProviders);
    const parse = (port: 'probe' | 'vantage', value: object) => kinds[port].blackbox?.schema.safeParse(value);
    expect(parse('vantage', {url: 'http://probe:9115'})?.data).toMatchObject({modules, offset: 500});
    expect(parse('vantage', {url: 'http://probe:9115', module: 'x'})?.success).toBe(false);
    expect(parse('vantage', {url: 'probe:9115'})?.success).toBe(false);
    expect(parse('probe', {url: 'http://probe:9115', module: 'http_2xx', target: 'http://app/'})?.success).toBe(true);
    expect(parse('probe', {url: 'http://probe:9115', module: 'http_2xx'})?.success).toBe(false);
  });
});
