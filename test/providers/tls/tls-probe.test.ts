import {afterEach, describe, expect, it} from 'vitest';
import {type TlsTarget, tlsProbe} from '../../../src/lib/providers/tls/tls-probe.ts';
import {listen, speaks} from '../listener.ts';
import {CA_FILE, tlsServer} from './tls-server.ts';

const open: {close(): Promise<void>}[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function check(certificate: 'good' | 'expired' | 'other', more: Partial<TlsTarget> = {}) {
  const server = await tlsServer(certificate);
  open.push(server);
  const target = {host: '127.0.0.1', port: server.port, serverName: 'localhost', caFile: CA_FILE, minValidMs: 0, timeoutMs: 2000};
  return tlsProbe({...target, ...more}).check(new AbortController().signal);
}

describe('tls probe', () => {
  it('tells of a trusted certificate how long it is valid, and how long each part took', async () => {
    const result = await check('good');
    expect(result).toMatchObject({ok: true, code: 'ok', facts: {subject: 'localhost', issuer: 'regionctl test authority'}});
    expect(result.detail).toMatch(/^127\.0\.0\.1:\d+ shows a trusted certificate, valid until 21\d\d-\d\d-\d\d, \d+ days from now$/);
    expect(result.facts).toMatchObject({protocol: 'TLSv1.3', connectMs: expect.any(Number), handshakeMs: expect.any(Number)});
    expect(result).not.toHaveProperty('warning');
    // By its address, too.
    expect(await check('good', {serverName: '127.0.0.1'})).toMatchObject({ok: true});
  });

  it('warns of one that expires soon', async () => {
    const result = await check('good', {minValidMs: 200 * 365 * 86_400_000});
    expect(result).toMatchObject({ok: true, warning: {code: 'certificate-expires'}});
    expect(result.warning?.says).toMatch(/ is valid until .*; at least 73000 days are wanted$/);
  });

  it.each([
    ['expired', {}, 'its certificate has expired (CERT_HAS_EXPIRED)'],
    ['other', {}, 'its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)'],
    ['good', {caFile: null}, 'nobody who is trusted here has signed its certificate'],
  ] as const)('fails for a certificate that is %s %j', async (certificate, more, says) => {
    const result = await check(certificate, more);
    expect(result).toMatchObject({ok: false, code: 'tls', latencyMs: null});
    expect(result.detail).toContain(says);
  });

  it('names what is no TLS', async () => {
    const plain = await listen(speaks('220 mail ready\r\n'));
    open.push(plain);
    expect(await check('good', {port: plain.port})).toMatchObject({ok: false, code: 'tls'});
  });

  it('is unknown, not failed, when its file of authorities cannot be read', async () => {
    expect(await check('good', {caFile: '/nowhere/ca.pem'})).toMatchObject({
      ok: null,
      code: 'probe-failed',
      detail: 'the file of trusted certificates /nowhere/ca.pem cannot be read (ENOENT)',
    });
    // One without a certificate must not stand for the authorities of the system.
    expect(await check('good', {caFile: '/dev/null'})).toMatchObject({
      ok: null,
      detail: 'the file of trusted certificates /dev/null holds no certificate in PEM',
    });
  });
});
