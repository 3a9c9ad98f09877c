import {connect, createServer, type Server, type Socket} from 'node:net';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterEach, describe, expect, it} from 'vitest';
import {CLEAR, FaultyProxy} from '../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../src/lab/ports.ts';

const ports = new PortPicker();
const open: {close(): unknown}[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

/** A server that answers what it hears, and what it was given. */
async function echo() {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  const port = await ports.listen(server);
  const close = () => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  };
  open.push({close});
  return {port, sockets, close};
}

/** What these sockets hear from now on, and how they ended. */
function hearing(sockets: Iterable<Socket>) {
  const heard = {text: '', end: null as null | string};
  for (const each of sockets) {
    each.on('data', (chunk) => {
      heard.text += String(chunk);
    });
    each.on('error', (error: NodeJS.ErrnoException) => {
      heard.end = error.code ?? error.message;
    });
  }
  return heard;
}

async function proxyTo(target: number) {
  const proxy = new FaultyProxy(target);
  const port = await proxy.listen(ports);
  open.push(proxy);
  return {proxy, port};
}

/** A client that collects what it hears and how its connection ended. */
async function dial(port: number) {
  const socket = connect(port, '127.0.0.1');
  const seen = {text: '', bytes: 0, end: null as null | string, at: 0};
  socket.on('data', (chunk) => {
    seen.text = (seen.text + chunk.toString('latin1')).slice(-100);
    seen.bytes += chunk.length;
    seen.at = performance.now();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.end = error.code ?? error.message;
  });
  socket.on('close', () => {
    seen.end ??= 'closed';
  });
  open.push({close: () => socket.destroy()});
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return {socket, seen};
}

const until = (holds: () => boolean) => expect.poll(holds, {timeout: 5000, interval: 2}).toBe(true);

/** A client that has talked through a proxy to a server that echoes. */
async function talking() {
  const server = await echo();
  const {proxy, port} = await proxyTo(server.port);
  const {socket, seen} = await dial(port);
  socket.write('a');
  await until(() => seen.text === 'a');
  return {server, proxy, port, socket, seen};
}

describe('FaultyProxy', () => {
  it('passes both ways, and a half-closed connection to its end', async () => {
    const {port} = await proxyTo((await echo()).port);
    const {socket, seen} = await dial(port);
    socket.end('hello');
    await until(() => seen.end === 'closed');
    expect(seen.text).toBe('hello');
  });

  it('resets the client at once when nobody listens', async () => {
    const {port} = await proxyTo(await ports.free());
    const {seen} = await dial(port);
    await until(() => seen.end !== null);
    expect(seen.end).toBe('ECONNRESET');
  });

  it('resets the client when the server breaks off', async () => {
    const {server, seen} = await talking();
    for (const each of server.sockets) each.resetAndDestroy();
    await until(() => seen.end === 'ECONNRESET');
  });

  it('holds everything in a black hole and delivers it after the heal', async () => {
    const {proxy, port} = await proxyTo((await echo()).port);
    const before = await dial(port);
    before.socket.write('a');
    await until(() => before.seen.text === 'a');
    proxy.reshape({...CLEAR, blackHole: true});
    const during = await dial(port);
    before.socket.write('b');
    during.socket.write('c');
    await sleep(50);
    expect([before.seen.text, before.seen.end, during.seen.text, during.seen.end]).toEqual(['a', null, '', null]);
    proxy.reshape(CLEAR);
    await until(() => before.seen.text === 'ab' && during.seen.text === 'c');
  });

  it('does not tell the client of a server that died in a black hole, until the heal', async () => {
    const {server, proxy, seen} = await talking();
    proxy.reshape({...CLEAR, blackHole: true});
    await server.close();
    await sleep(50);
    expect(seen.end).toBeNull();
    proxy.reshape(CLEAR);
    await until(() => seen.end === 'ECONNRESET');
  });

  it('never delivers what a client sent that gave up in a black hole', async () => {
    const {server, proxy, port, socket} = await talking();
    const heard = hearing(server.sockets);
    proxy.reshape({...CLEAR, blackHole: true});
    socket.write('order');
    socket.destroy();
    const late = await dial(port);
    late.socket.write('late order');
    late.socket.end();
    await sleep(50);
    proxy.reshape(CLEAR);
    await until(() => late.seen.end !== null);
    await sleep(20);
    expect([heard.text, late.seen.text]).toEqual(['', '']);
  });

  it('carries only what the client sends while the answers are lost, and the answers after the heal', async () => {
    const {server, proxy, socket, seen} = await talking();
    const heard = hearing(server.sockets);
    proxy.reshape({...CLEAR, blackHole: 'down'});
    socket.write('b');
    await until(() => heard.text === 'b');
    await sleep(30);
    expect([seen.text, seen.end]).toEqual(['a', null]);
    proxy.reshape(CLEAR);
    await until(() => seen.text === 'ab');
  });

  it('carries only the answers while what the client sends is lost', async () => {
    const {server, proxy, socket, seen} = await talking();
    const heard = hearing(server.sockets);
    proxy.reshape({...CLEAR, blackHole: 'up'});
    socket.write('b');
    for (const each of server.sockets) each.write('push');
    await until(() => seen.text === 'apush');
    await sleep(30);
    expect(heard.text).toBe('');
    proxy.reshape(CLEAR);
    await until(() => heard.text === 'b');
  });

  it.each(['up', 'down'] as const)('makes no connection through a hole of one way (%s), until the heal', async (blackHole) => {
    const server = await echo();
    const {proxy, port} = await proxyTo(server.port);
    proxy.reshape({...CLEAR, blackHole});
    const waiting = await dial(port);
    const gone = await dial(port);
    for (const {socket} of [waiting, gone]) socket.write('hello');
    gone.socket.destroy();
    await sleep(50);
    expect([server.sockets.size, waiting.seen.end]).toEqual([0, null]);
    // From one way to the other is no heal.
    proxy.reshape({...CLEAR, blackHole: blackHole === 'up' ? 'down' : 'up'});
    await sleep(20);
    expect(server.sockets.size).toBe(0);
    proxy.reshape(CLEAR);
    await until(() => waiting.seen.text === 'hello');
    expect(server.sockets.size).toBe(1);
  });

  it('does not deliver what a client sent that gave up, when only its way is open again', async () => {
    const {server, proxy, socket} = await talking();
    const heard = hearing(server.sockets);
    proxy.reshape({...CLEAR, blackHole: true});
    socket.write('order');
    socket.destroy();
    await sleep(50);
    proxy.reshape({...CLEAR, blackHole: 'down'});
    await until(() => heard.end !== null);
    expect([heard.text, heard.end]).toEqual(['', 'ECONNRESET']);
  });

  it('tells the server of a client that left while only the answers were lost, and the client of nothing', async () => {
    const server = await echo();
    const {proxy, port} = await proxyTo(server.port);
    const [leaving, staying] = [await dial(port), await dial(port)];
    for (const each of [leaving, staying]) each.socket.write('a');
    await until(() => leaving.seen.text === 'a' && staying.seen.text === 'a');
    proxy.reshape({...CLEAR, blackHole: 'down'});
    const [first] = server.sockets;
    leaving.socket.destroy();
    await until(() => first?.readableEnded === true);
    for (const each of server.sockets) each.destroy();
    await sleep(30);
    expect(staying.seen.end).toBeNull();
    proxy.reshape(CLEAR);
    await until(() => staying.seen.end === 'ECONNRESET');
  });

  it('tells the client of a server that died while only what it sends was lost', async () => {
    const {server, proxy, seen} = await talking();
    proxy.reshape({...CLEAR, blackHole: 'up'});
    for (const each of server.sockets) each.resetAndDestroy();
    await until(() => seen.end === 'ECONNRESET');
  });

  it('delays each way', async () => {
    const {proxy, port} = await proxyTo((await echo()).port);
    proxy.reshape({...CLEAR, latencyMs: 40, jitterMs: 10});
    const {socket, seen} = await dial(port);
    const sent = performance.now();
    socket.write('a');
    await until(() => seen.text === 'a');
    expect(seen.at - sent).toBeGreaterThanOrEqual(79);
    expect(seen.at - sent).toBeLessThan(400);
  });

  it('delivers at once what a healed delay held back', async () => {
    const {proxy, port} = await proxyTo((await echo()).port);
    proxy.reshape({...CLEAR, latencyMs: 60_000});
    const {socket, seen} = await dial(port);
    socket.write('a');
    await sleep(20);
    proxy.reshape(CLEAR);
    await until(() => seen.text === 'a');
  });

  it('throttles one direction', async () => {
    const {proxy, port} = await proxyTo((await echo()).port);
    proxy.reshape({...CLEAR, downBytesPerSecond: 500_000});
    const {socket, seen} = await dial(port);
    const sent = performance.now();
    socket.write(Buffer.alloc(200_000));
    await until(() => seen.bytes === 200_000);
    expect(seen.at - sent).toBeGreaterThanOrEqual(380);
    expect(seen.at - sent).toBeLessThan(1500);
  });

  it('keeps what waits for a slow line waiting when it is told the same again', async () => {
    const {proxy, port} = await proxyTo((await echo()).port);
    const slow = {...CLEAR, downBytesPerSecond: 100_000};
    proxy.reshape(slow);
    const {socket, seen} = await dial(port);
    const sent = performance.now();
    socket.write(Buffer.alloc(50_000));
    await until(() => seen.bytes > 0);
    proxy.reshape({...slow});
    proxy.reshape({...slow, latencyMs: 1});
    await until(() => seen.bytes === 50_000);
    expect(seen.at - sent).toBeGreaterThanOrEqual(400);
  });

  it('passes ten megabytes unchanged through backpressure', async () => {
    const {port} = await proxyTo((await echo()).port);
    const {socket, seen} = await dial(port);
    for (let index = 0; index < 160; index += 1) socket.write(Buffer.alloc(65_536, index));
    socket.end();
    await until(() => seen.end === 'closed');
    expect(seen.bytes).toBe(160 * 65_536);
  });
});
