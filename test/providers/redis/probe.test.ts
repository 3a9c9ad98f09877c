import type {Socket} from 'node:net';
import {afterEach, describe, expect, it} from 'vitest';
import {type Listener, listen} from '../listener.ts';
import {silentPort} from '../silent-port.ts';
import {tlsServer} from '../tls/tls-server.ts';
import {infoText, PRIMARY} from './info-text.ts';
import {check, env, probeOf} from './probe-under-test.ts';

const open: {close(): Promise<void>}[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function speaking(talk: (socket: Socket) => void): Promise<Listener> {
  const listener = await listen(talk);
  open.push(listener);
  return listener;
}

const answers = (text: string | Buffer) => (socket: Socket) => socket.once('data', () => socket.write(text));
const text = (body: string): string => `$${Buffer.byteLength(body)}\r\n${body}\r\n`;
const password = env('PASSWORD');

describe('a server that is no Redis, or behaves like none', () => {
  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'said 28 bytes that are no answer of Redis'],
    ['a greeting of SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'said 21 bytes that are no answer of Redis'],
    ['a greeting of POP3', '+OK POP3 ready\r\n', 'answered AUTH with something that is no answer of Redis to it'],
    ['a line for INFO', '+OK\r\n+OK\r\n', 'answered INFO with something that is no answer of Redis to it'],
    ['noise', Buffer.from([0x00, 0xff, 0x0a]), 'said 3 bytes that are no answer of Redis'],
    ['a text that is too long', '+OK\r\n$99999999999\r\n', 'said 14 bytes that are no answer of Redis'],
  ])('gives garbage: %s', async (_name, said, detail) => {
    const {port} = await speaking(answers(said));
    expect(await check({port, password})).toEqual({
      ...{ok: false, latencyMs: null, code: 'unexpected-answer'},
      detail: `127.0.0.1:${port} ${detail}`,
    });
  });

  it('may repeat what it hears: the password is not shown', async () => {
    const {port} = await speaking((socket) => socket.pipe(socket));
    expect(await check({port, password})).toMatchObject({ok: false, code: 'unexpected-answer'});
  });

  it('may know INFO and say nothing in it', async () => {
    const {port} = await speaking(answers(text('hello')));
    expect(await check({port})).toMatchObject({ok: false, code: 'unexpected-answer', detail: 'Answered without a role.'});
  });

  it('may hang up', async () => {
    const {port} = await speaking((socket) => socket.once('data', () => socket.end('+OK\r\n$100\r\nrole:master')));
    expect(await check({port, password})).toMatchObject({
      ...{ok: false, code: 'reset'},
      detail: `127.0.0.1:${port} closed the connection before it answered`,
    });
  });

  it('may never end: the deadline does', async () => {
    const {port} = await speaking((socket) => {
      socket.once('data', () => socket.write('$1000000\r\n'));
      const drip = setInterval(() => socket.write('x'), 10);
      socket.once('close', () => clearInterval(drip));
    });
    const began = performance.now();
    expect(await check({port}, 300)).toMatchObject({ok: false, code: 'timeout', detail: `no answer from 127.0.0.1:${port} within 300 ms`});
    expect(performance.now() - began).toBeLessThan(2000);
  });

  it('may not even accept a connection', async () => {
    const silent = await silentPort();
    open.push(silent);
    expect(await check({port: silent.port}, 300)).toMatchObject({ok: false, code: 'timeout'});
  });

  it('may shake hands and be silent', async () => {
    const silent = await tlsServer('good');
    const keys = {port: silent.port, tls: true, ca: 'ca.pem', serverName: 'localhost'};
    expect(await check(keys, 300)).toMatchObject({ok: false, code: 'timeout'});
    const cancel = new AbortController();
    const running = (await probeOf(keys)).check(cancel.signal);
    setTimeout(() => cancel.abort(), 50);
    expect(await running).toMatchObject({ok: null, code: 'interrupted'});
    // It closes only once no connection is left.
    await silent.close();
  });
});

describe('a check', () => {
  it('has a connection of its own, and leaves none behind', async () => {
    const sockets: Socket[] = [];
    const {port} = await speaking((socket) => {
      sockets.push(socket);
      answers(text(infoText(PRIMARY)))(socket);
    });
    const probe = await probeOf({port});
    for (let time = 0; time < 3; time += 1) expect(await probe.check(new AbortController().signal)).toMatchObject({ok: true});
    expect(sockets.length).toBe(3);
    await Promise.all(sockets.map((socket) => socket.destroyed || new Promise((resolve) => socket.once('close', resolve))));
  });

  it('logs in and asks at once, and only says who it is where that is given', async () => {
    const heard: string[] = [];
    const {port} = await speaking((socket) =>
      socket.once('data', (said) => {
        heard.push(String(said).replaceAll('\r\n', ' '));
        socket.end();
      }),
    );
    await check({port});
    await check({port, password: env('WRONG')});
    await check({port, user: 'probe', password: env('WRONG')});
    expect(heard).toEqual([
      '*1 $4 INFO ',
      '*2 $4 AUTH $16 not-the-password *1 $4 INFO ',
      '*3 $4 AUTH $5 probe $16 not-the-password *1 $4 INFO ',
    ]);
  });

  it.each([
    ['a secret that is not there', {password: env('NOBODY_SET_THIS')}, 'secret-missing', /NOBODY_SET_THIS/],
    ['authorities that cannot be read', {tls: true, ca: 'none.pem'}, 'probe-failed', /certificates\/none\.pem cannot be read \(ENOENT\)$/],
    [
      'a certificate that cannot be read',
      {tls: true, cert: 'none.pem', key: env('KEY')},
      'probe-failed',
      /none\.pem cannot be read \(ENOENT\)$/,
    ],
    ['one that is none', {tls: true, cert: 'server.key', key: env('KEY')}, 'probe-failed', /server\.key holds no certificate in PEM$/],
    [
      'a key that is none',
      {tls: true, cert: 'good.pem', key: env('BAD_KEY')},
      'probe-failed',
      /has a key that is no private key in PEM, or wants a passphrase$/,
    ],
    ['the key of another', {tls: true, cert: 'ca.pem', key: env('KEY')}, 'probe-failed', /ca\.pem has a key that is not its own$/],
  ] as const)('is unknown, not failed, for want of %s', async (_name, keys, code, says) => {
    const {port} = await speaking(() => {
      throw new Error('nobody should connect');
    });
    const result = await check({port, ...keys});
    expect(result).toMatchObject({ok: null, latencyMs: null, code});
    expect(result.detail).toMatch(says);
  });
});
