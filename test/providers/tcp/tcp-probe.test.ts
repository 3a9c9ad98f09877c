import {expect, it} from 'vitest';
import {connectionFailure} from '../../../src/lib/providers/tcp/connection-failure.ts';
import {tcpProbe} from '../../../src/lib/providers/tcp/tcp-probe.ts';
import {deadPort, listen, speaks} from '../listener.ts';

const HOST = '127.0.0.1';
const never = new AbortController().signal;

it('is ok when the connection is accepted', async () => {
  const listener = await listen(() => {});
  const result = await tcpProbe({host: HOST, port: listener.port, timeoutMs: 1000}).check(never);
  await listener.close();
  expect(result).toMatchObject({ok: true, code: 'ok'});
  expect(result.latencyMs).toBeGreaterThan(0);
});

it('says and hears what it is told to, and no more than it needs', async () => {
  const listener = await listen(speaks('+PO', 'NG\r\nand more'));
  const ask = (expect: string, timeoutMs = 1000) =>
    tcpProbe({host: HOST, port: listener.port, send: 'PING\r\n', expect, timeoutMs}).check(never);
  expect(await ask('+PONG')).toMatchObject({ok: true, detail: expect.stringMatching(/ said what is expected in \d/)});
  expect(await ask('-ERR', 100)).toMatchObject({ok: false, code: 'timeout'});
  await listener.close();
  const short = await listen((socket) => void socket.end('220 ready'));
  const asked = await tcpProbe({host: HOST, port: short.port, expect: '250', timeoutMs: 1000}).check(never);
  await short.close();
  expect(asked).toMatchObject({ok: false, code: 'unexpected-text', detail: expect.stringMatching(/ said 9 bytes that do not hold "250"$/)});
});

it('is refused by a dead port', async () => {
  const result = await tcpProbe({host: HOST, port: await deadPort(), timeoutMs: 1000}).check(never);
  expect(result).toMatchObject({ok: false, code: 'refused', latencyMs: null});
});

it('tells its own deadline from a caller that cancels', async () => {
  const probe = tcpProbe({host: HOST, port: await deadPort(), timeoutMs: 1000});
  expect(await probe.check(AbortSignal.abort())).toMatchObject({ok: null, code: 'interrupted'});
  expect(await probe.check(AbortSignal.abort(new DOMException('late', 'TimeoutError')))).toMatchObject({ok: false, code: 'timeout'});
});

it.each([
  ['ECONNREFUSED', 'refused'],
  ['ECONNRESET', 'reset'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENOTFOUND', 'dns'],
  ['CERT_HAS_EXPIRED', 'tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls'],
  ['HPE_INVALID_CONSTANT', 'error'],
])('%s is %s', (symbol, code) => {
  const attempt = {peer: 'a:1', timeoutMs: 1, signal: never};
  const single = Object.assign(new Error('x'), {code: symbol});
  expect(connectionFailure(single, attempt)).toMatchObject({ok: false, code});
  expect(connectionFailure(new AggregateError([single]), attempt).code).toBe(code);
});
