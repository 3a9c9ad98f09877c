import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parseReference} from '../../../src/lib/fleet/references.ts';
import {redisProbe} from '../../../src/lib/providers/redis/redis-probe.ts';
import {noRedis, type RedisServer, startRedis} from '../../servers/redis.ts';
import {CERTIFICATES, certificate, check, env, PASSWORD, vault} from './probe-under-test.ts';

const NAMES = ['good', 'expired', 'other'] as const;
type Name = (typeof NAMES)[number];

describe.skipIf(noRedis !== null)(`the redis probe over TLS${noRedis === null ? '' : ` (skipped: no ${noRedis})`}`, () => {
  const servers: RedisServer[] = [];
  const started = async (name: Name, clients: 'yes' | 'no') => {
    const tls = {cert: certificate(name), key: join(CERTIFICATES, 'server.key'), ca: certificate('ca')};
    const server = await startRedis({password: PASSWORD, tls, settings: {'tls-auth-clients': clients}});
    servers.push(server);
    return server;
  };
  let byName: Readonly<Record<Name, RedisServer>>;
  let strict: RedisServer;
  beforeAll(async () => {
    byName = {good: await started('good', 'no'), expired: await started('expired', 'no'), other: await started('other', 'no')};
    strict = await started('good', 'yes');
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.end()));
  });

  // Names of files are relative to the fleet file.
  const keys = (server: RedisServer, more: object = {}) => ({
    ...{port: server.tlsPort, password: env('PASSWORD'), tls: true, ca: 'ca.pem', serverName: 'localhost'},
    ...more,
  });

  it('answers where the certificate is trusted and for its name, and warns of one that expires', async () => {
    expect(await check(keys(byName.good, {expect: 'primary', minValid: '30d'}))).toMatchObject({ok: true, facts: {role: 'primary'}});
    // By its address, too, which is the default.
    expect(await check(keys(byName.good, {serverName: undefined}))).toMatchObject({ok: true});
    // In a hundred years it does.
    const wanted = {expect: 'any'} as const;
    const secure = {serverName: 'localhost', caFile: certificate('ca'), own: null, minValidMs: 1e13};
    const target = {host: '127.0.0.1', port: byName.good.tlsPort ?? 0, user: null, password: null, tls: secure, wanted, timeoutMs: 2000};
    const soon = await redisProbe({...target, password: parseReference(env('PASSWORD'))}, vault).check(new AbortController().signal);
    expect(soon).toMatchObject({ok: true, warning: {code: 'certificate-expires'}});
    const worse = await check(keys(byName.good, {minReplicas: 1}));
    expect(worse.warning?.code).toBe('replicas');
  });

  it.each([
    ['expired', {}, 'its certificate has expired (CERT_HAS_EXPIRED)'],
    ['other', {}, 'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['good', {serverName: 'cache.example.com'}, 'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['good', {ca: undefined}, 'nobody who is trusted here has signed its certificate'],
  ] as const)('fails for a certificate that is %s, with %j', async (name, more, says) => {
    const result = await check(keys(byName[name], more));
    expect(result).toMatchObject({ok: false, code: 'tls', latencyMs: null});
    expect(result.detail).toContain(says);
  });

  it('shows a certificate to a server that wants one, as Redis does unless told otherwise', async () => {
    const own = {cert: 'good.pem', key: env('KEY')};
    expect(await check(keys(strict, own))).toMatchObject({ok: true});
    const refused = await check(keys(strict));
    expect(refused).toMatchObject({ok: false, code: 'tls'});
    expect(refused.detail).toMatch(/: it wants a certificate of ours \(ERR_SSL_\w+\)$/);
  });

  it('tells TLS from none', async () => {
    const {tls: _, ca: __, serverName: ___, ...plain} = keys(byName.good);
    expect(await check(plain)).toMatchObject({ok: false, code: expect.stringMatching(/^(unexpected-answer|reset)$/)});
    // Redis takes the handshake for the beginning of a command, and waits for the rest.
    expect(await check(keys(byName.good, {port: byName.good.port}), 300)).toMatchObject({ok: false, code: 'timeout'});
  });

  it('ends in time on a server that is frozen after it was reached', async () => {
    byName.good.freeze();
    expect(await check(keys(byName.good), 300)).toMatchObject({ok: false, code: 'timeout'});
    byName.good.thaw();
    expect(await check(keys(byName.good))).toMatchObject({ok: true});
  });
});
