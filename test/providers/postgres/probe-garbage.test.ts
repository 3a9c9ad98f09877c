import type {Socket} from 'node:net';
import {describe, expect, it} from 'vitest';
import {createProbe} from '../../../src/lib/providers/postgres/probe.ts';
import type {PostgresProbeConfig} from '../../../src/lib/providers/postgres/provider.ts';
import {systemClock} from '../../../src/lib/run/system-clock.ts';
import {deadPort, http, listen, speaks} from '../listener.ts';

const SECRET = 'never-shown';
const password = {source: 'env', name: 'X', toString: () => 'x', toJSON: () => 'x'} as const;
const context = {
  fleet: {stores: []},
  secrets: {reveal: async () => SECRET, scrub: (text: string) => text},
  clock: systemClock(),
  baseDir: '/',
};

/** What the probe says of a port, with a deadline of 500 ms. */
async function ask(port: number, tls = false) {
  const config = {
    host: '127.0.0.1',
    port,
    user: 'app',
    database: 'orders',
    password,
    expect: 'any',
    expectWritable: false,
    tls,
  } as PostgresProbeConfig;
  const place = {region: 'eu', endpoint: 'db', timeoutMs: 500};
  const probe = await createProbe(config, place, context as unknown as Parameters<typeof createProbe>[2]);
  return probe.check(new AbortController().signal);
}

async function against(talk: (socket: Socket) => void, tls = false) {
  const listener = await listen(talk);
  try {
    return await ask(listener.port, tls);
  } finally {
    await listener.close();
  }
}

/** What is said to each thing that comes, in turn; null = the connection is closed, nothing more = silence. */
function turns(...says: readonly (string | null)[]): (socket: Socket) => void {
  return (socket) => {
    const left = [...says];
    socket.on('data', () => {
      const next = left.shift();
      if (next === null) socket.end();
      else if (next !== undefined) socket.write(next);
    });
  };
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

  it.each([
    ['a server that offers no TLS', turns('N'), 'no-tls', 'does not offer TLS; set ssl = on'],
    ['one that has more to say in clear', turns('SX'), 'error', 'no answer of PostgreSQL'],
    ['an error', turns('EFATAL'), 'error', 'no answer of PostgreSQL'],
    ['a web server', speaks(http(400, 'Bad Request')), 'error', 'no answer of PostgreSQL'],
    ['one that leaves', turns(null), 'reset', 'broke the connection off'],
    ['one that leaves in the middle of the handshake', turns('S', null), 'reset', 'broke the connection off'],
    ['one that speaks no TLS after it said so', turns('S', 'no TLS at all'), 'tls', 'gives no trusted TLS connection: '],
    ['one that falls silent after it said so', turns('S'), 'timeout', 'did not answer in time'],
    ['one that says nothing', turns(), 'timeout', 'did not answer in time'],
  ] as const)('with tls: true fails, in time and without a word of the login: %s', async (_, talk, code, says) => {
    const heard: Buffer[] = [];
    const began = performance.now();
    const result = await against((socket) => {
      socket.on('data', (chunk) => heard.push(chunk));
      talk(socket);
    }, true);
    expect(result).toMatchObject({ok: false, code, detail: expect.stringContaining(says), connected: true});
    expect(performance.now() - began).toBeLessThan(1500);
    const all = Buffer.concat(heard).toString('latin1');
    expect(all.slice(0, 8)).toBe('\x00\x00\x00\x08\x04\xd2\x16\x2f');
    for (const word of [SECRET, 'user', 'orders']) expect(all).not.toContain(word);
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
