import {getEventListeners} from 'node:events';
import {afterEach, describe, expect, it, vi} from 'vitest';
import {type Client, createClient} from '../../../src/lib/providers/redis/client.ts';
import {encode} from '../../../src/lib/providers/redis/resp.ts';
import {deadPort, type Listener, listen} from '../listener.ts';
import {silentPort} from '../silent-port.ts';
import {env, PASSWORD, vault} from './probe-under-test.ts';
import {redisStore} from './store-under-test.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(ends.splice(0).map((end) => end()));
});

/** A client of a server that answers everything it is sent with `say`. */
async function clientOf(
  say: (text: string, connection: number) => string | null,
  password?: string,
): Promise<Client & {readonly connections: () => number}> {
  let connections = 0;
  const listener: Listener = await listen((socket) => {
    connections += 1;
    const own = connections;
    socket.on('data', (bytes) => {
      const answer = say(bytes.toString(), own);
      if (answer === null) socket.destroy();
      else socket.write(answer);
    });
  });
  return {...to(listener.port, password), connections: () => connections};
}

function to(port: number, password?: string): Client {
  const {password: secret = null} = redisStore.schema.parse(password === undefined ? {} : {password: env(password)}) as {password?: never};
  const client = createClient({label: 'eu', host: '127.0.0.1', port, user: null, password: secret, tls: null}, vault);
  ends.push(() => client.close());
  return client;
}

const limits = (timeoutMs = 2000) => ({timeoutMs, signal: new AbortController().signal});

describe('the connection to a Redis', () => {
  it('answers each command in its turn, over one connection, to all who ask at once', async () => {
    const client = await clientOf((text) =>
      text
        .split('*')
        .slice(1)
        .map((each) => `+${/\r\n([a-z])\r\n$/.exec(each)?.[1]}\r\n`)
        .join(''),
    );
    const [first, second] = await Promise.all([client.ask([['a'], ['b']], limits()), client.ask([['c']], limits())]);
    expect(first).toEqual([
      {kind: 'line', text: 'a'},
      {kind: 'line', text: 'b'},
    ]);
    expect(second).toEqual([{kind: 'line', text: 'c'}]);
    expect(client.connections()).toBe(1);
    expect(client.reached()).toBe('127.0.0.1');
  });

  it('reads lists, and that there is nothing', async () => {
    const client = await clientOf(() => '*2\r\n$1\r\na\r\n$0\r\n\r\n*-1\r\n$-1\r\n*0\r\n');
    expect(await client.ask([['a'], ['b'], ['c'], ['d']], limits())).toEqual([
      {kind: 'list', texts: ['a', '']},
      {kind: 'nothing'},
      {kind: 'nothing'},
      {kind: 'list', texts: []},
    ]);
  });

  it('tells what a server has against a command, and goes on', async () => {
    const client = await clientOf(() => '-NOPERM no\r\n+OK\r\n');
    const [refused, fine] = await client.ask([['CONFIG', 'GET', 'x'], ['PING']], limits());
    expect(refused).toMatchObject({
      kind: 'refused',
      code: 'privilege',
      says: expect.stringMatching(/^eu: 127\.0\.0\.1:\d+ does not let this user ask CONFIG GET x \(NOPERM\)$/),
    });
    expect(fine).toEqual({kind: 'line', text: 'OK'});
  });

  it('asks anew over another connection when the one that it kept was closed', async () => {
    const client = await clientOf((_text, connection) =>
      connection === 1 ? (client.connections() === 1 && asked++ === 0 ? '+OK\r\n' : null) : '+OK\r\n',
    );
    let asked = 0;
    await client.ask([['PING']], limits());
    expect(await client.ask([['PING']], limits())).toEqual([{kind: 'line', text: 'OK'}]);
    expect(client.connections()).toBe(2);
  });

  it('takes the one thing that a server says before it closes for its answer to everything', async () => {
    const listener = await listen((socket) => socket.end('-DENIED Redis is running in protected mode\r\n'));
    ends.push(() => listener.close());
    await expect(to(listener.port).ask([['INFO'], ['PING']], limits())).rejects.toMatchObject({
      code: 'auth',
      message: expect.stringContaining('protected mode'),
    });
  });

  it.each([
    ['HTTP', 'HTTP/1.1 400 Bad Request\r\n'],
    ['a list within a list', '*1\r\n*1\r\n$1\r\na\r\n'],
    ['a list without an end', '*1001\r\n'],
    ['a list of what is no text', '*1\r\n+a\r\n'],
  ])('takes %s for no answer of Redis, and the next call makes another connection', async (_name, said) => {
    const client = await clientOf((_text, connection) => (connection === 1 ? said : '+OK\r\n'));
    await expect(client.ask([['INFO']], limits())).rejects.toMatchObject({
      code: 'unexpected-answer',
      message: expect.stringContaining('bytes that are no answer of Redis'),
    });
    expect(await client.ask([['INFO']], limits())).toEqual([{kind: 'line', text: 'OK'}]);
  });

  it('shows no secret, whatever is said to a login', async () => {
    for (const said of [encode(['AUTH', PASSWORD]), `+${PASSWORD}\r\n`, `-ERR unknown command AUTH ${PASSWORD}\r\n`, `$5\r\nhello\r\n`]) {
      const client = await clientOf(() => said, 'PASSWORD');
      const error = await client.ask([['INFO']], limits()).catch((thrown: Error) => thrown);
      expect(error).toMatchObject({code: expect.stringMatching(/^(auth|unexpected-answer)$/), exit: 69});
      expect(String(error)).not.toContain(PASSWORD);
    }
  });

  it('gives up a server that hangs, at its deadline, for all who wait on it', async () => {
    const client = await clientOf(() => '');
    const began = performance.now();
    const both = await Promise.allSettled([client.ask([['INFO']], limits(300)), client.ask([['INFO']], limits(2000))]);
    expect(performance.now() - began).toBeLessThan(1500);
    expect(both).toMatchObject([
      {
        status: 'rejected',
        reason: {code: 'timeout', message: expect.stringMatching(/^eu: no answer from 127\.0\.0\.1:\d+ within 300 ms$/)},
      },
      {status: 'rejected', reason: {code: 'timeout'}},
    ]);
  });

  it('gives up a port where nobody takes the connection, and one that is closed', async () => {
    const silent = await silentPort();
    ends.push(() => silent.close());
    const began = performance.now();
    await expect(to(silent.port).ask([['INFO']], limits(300))).rejects.toMatchObject({code: 'timeout'});
    expect(performance.now() - began).toBeLessThan(1500);
    await expect(to(await deadPort()).ask([['INFO']], limits())).rejects.toMatchObject({code: 'refused'});
  });

  it('lets go of one who is cancelled, and serves the other', async () => {
    let answer = (): void => undefined;
    const listener = await listen((socket) => {
      answer = () => socket.write('+a\r\n+b\r\n');
    });
    const client = to(listener.port);
    const cancelled = new AbortController();
    const [one, two] = [client.ask([['a']], {timeoutMs: 2000, signal: cancelled.signal}), client.ask([['b']], limits())];
    setTimeout(() => cancelled.abort(), 50);
    await expect(one).rejects.toMatchObject({code: 'interrupted'});
    answer();
    expect(await two).toEqual([{kind: 'line', text: 'b'}]);
    await expect(client.ask([['c']], {timeoutMs: 2000, signal: cancelled.signal})).rejects.toThrow();
  });

  it('is over when it is closed: what waits is told, and nothing is asked any more', async () => {
    const client = await clientOf(() => '');
    const waiting = client.ask([['INFO']], limits());
    setTimeout(() => client.close(), 50);
    await expect(waiting).rejects.toMatchObject({code: 'interrupted'});
    await expect(client.ask([['INFO']], limits())).rejects.toMatchObject({code: 'interrupted'});
    expect(client.connections()).toBe(1);
  });

  it.each([
    ['over one connection', 1],
    ['over a connection each, as the server closes them', 40],
  ])('leaves nothing behind on a signal that lives on, %s', async (_name, connections) => {
    // Whoever listens on any signal meanwhile: the one that is given, and the client's own.
    const listened = new Set<AbortSignal>();
    const spy = vi.spyOn(AbortSignal.prototype, 'addEventListener').mockImplementation(function (this: AbortSignal, ...args) {
      listened.add(this);
      return EventTarget.prototype.addEventListener.apply(this, args as Parameters<EventTarget['addEventListener']>);
    });
    ends.push(() => spy.mockRestore());
    const answered = new Set<number>();
    const client = await clientOf((_text, connection) => {
      if (connections > 1 && answered.has(connection)) return null;
      answered.add(connection);
      return '+OK\r\n';
    });
    const {signal} = new AbortController();
    for (let call = 0; call < 40; call += 1) await client.ask([['PING']], {timeoutMs: 2000, signal});
    expect(client.connections()).toBe(connections);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(listened.size).toBeGreaterThan(40);
    expect(listened.has(signal)).toBe(true);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    const most = Math.max(...[...listened].map((each) => getEventListeners(each, 'abort').length));
    expect(most, 'but one for the connection that is open').toBeLessThanOrEqual(1);
  });
});
