import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {type DnsTarget, dnsProbe} from '../../../src/lib/providers/dns/dns-probe.ts';
import {nameServer} from './name-server.ts';

describe('dns probe', () => {
  let server: Awaited<ReturnType<typeof nameServer>>;
  beforeAll(async () => {
    server = await nameServer({
      'app.example': {a: ['10.0.0.1', '10.0.0.2'], txt: ['v=1.']},
      'refused.example': {code: 5},
      'failed.example': {code: 2},
      'odd.example': 'garbage',
      'lost.example': 'silence',
    });
  });
  afterAll(() => server.close());

  const check = (more: Partial<DnsTarget>) =>
    dnsProbe({
      ...{name: 'app.example', record: 'A', server: {host: '127.0.0.1', port: server.port}, expect: null, timeoutMs: 400},
      ...more,
    }).check(new AbortController().signal);

  it('tells the records, in the words of dig', async () => {
    expect(await check({})).toMatchObject({
      ok: true,
      detail: 'A of app.example is 10.0.0.1, 10.0.0.2',
      facts: {answers: ['10.0.0.1', '10.0.0.2']},
    });
    for (const text of ['v=1.', '"v=1."'])
      expect(await check({record: 'TXT', expect: [text]})).toMatchObject({ok: true, detail: 'TXT of app.example is "v=1."'});
    expect(await check({expect: ['10.0.0.2']})).toMatchObject({ok: true});
  });

  it('fails when an expected record is not among them', async () => {
    expect(await check({expect: ['10.0.0.1', '10.9.9.9']})).toMatchObject({
      ok: false,
      code: 'unexpected-answer',
      detail: 'A of app.example is 10.0.0.1, 10.0.0.2, expected 10.9.9.9',
      latencyMs: expect.any(Number),
    });
  });

  it.each([
    ['no.example', 'A', 'no-record', /there is no such name \(ENOTFOUND\)$/],
    ['app.example', 'AAAA', 'no-record', /there is no such record \(ENODATA\)$/],
    ['refused.example', 'A', 'name-server', /the name server refused the question/],
    ['failed.example', 'A', 'name-server', /the name server failed/],
  ] as const)('tells a name server that says no: %s %s', async (name, record, code, says) => {
    const result = await check({name, record});
    expect(result).toMatchObject({ok: false, code, latencyMs: null});
    expect(result.detail).toMatch(says);
  });

  it('from one that says nothing, or no DNS', async () => {
    expect(await check({name: 'lost.example'})).toMatchObject({ok: false, code: 'timeout'});
    expect((await check({name: 'odd.example'})).ok).toBe(false);
  });

  it('is unknown, not failed, for a name that nobody can be asked', async () => {
    expect(await check({name: `${'a'.repeat(64)}.example`})).toMatchObject({ok: null, code: 'probe-failed'});
  });

  it('asks a name server by its address only', async () => {
    expect(await check({server: {host: 'ns.example', port: 53}})).toMatchObject({ok: null, code: 'probe-failed'});
  });
});
