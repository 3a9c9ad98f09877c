import type {Socket} from 'node:net';
import {describe, expect, it} from 'vitest';
import {createProbe} from '../../../src/lib/providers/postgres/probe.ts';
import type {PostgresProbeConfig} from '../../../src/lib/providers/postgres/provider.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {deadPort, http, listen, speaks} from '../listener.ts';

const SECRET = 'never-shown';
const password = {source: 'env', name: 'X', toString: () => 'x', toJSON: () => 'x'} as const;
const context = {fleet: {}, secrets: {reveal: async () => SECRET, scrub: (text: string) => text}, clock: systemClock(), baseDir: '/'};

/** What the probe says of a port, with a deadline of 500 ms. */
async function ask(port: number) {
  const config = {
    host: '127.0.0.1',
    port,
    user: 'app',
    database: 'orders',
    password,
    expect: 'any',
    expectWritable: false,
  } as PostgresProbeConfig;
  const place = {region: 'eu', endpoint: 'db', timeoutMs: 500};
  const probe = await createProbe(config, place, context as unknown as Parameters<typeof createProbe>[2]);
  return probe.check(new AbortController().signal);
}

async function against(talk: (socket: Socket) => void) {
  const listener = await listen(talk);
  try {
    return await ask(listener.port);
  } finally {
    await listener.close();
  }
}

describe('what is no PostgreSQL', () => {
  it.each([
    ['a web server', speaks(http(400, 'Bad Request'))],
    [
      'noise',
      (socket: Socket) =>
        void socket.once('data', () => socket.write(Buffer.from(Array.from({length: 400}, (_, index) => (index * 37) % 256)))),
    ],
    ['an echo', (socket: Socket) => void socket.pipe(socket)],
    ['endless text', (socket: Socket) => void socket.once('data', () => socket.write('x'.repeat(300_000)))],
    ['a greeting', (socket: Socket) => void socket.write('220 mail.example ESMTP\r\n')],
  ])('fails, in time and without a trace of the password: %s', async (_, talk) => {
    const began = performance.now();
    const result = await against(talk);
    expect(result.ok, JSON.stringify(result)).toBe(false);
    expect(performance.now() - began).toBeLessThan(2500);
    expect(JSON.stringify(result)).not.toContain(SECRET);
  });

  it('tells whether a connection was accepted: a frozen server and a proxy without a backend accept one, a closed port does not', async () => {
    expect(await against(() => undefined)).toMatchObject({ok: false, code: 'timeout', connected: true});
    expect(await against((socket) => void socket.once('data', () => socket.destroy()))).toMatchObject({
      ok: false,
      code: 'reset',
      connected: true,
    });
    const refused = await ask(await deadPort());
    expect(refused).toMatchObject({ok: false, code: 'refused'});
    expect(refused.connected).toBeUndefined();
  });
});
