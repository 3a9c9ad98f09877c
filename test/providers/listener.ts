import {type AddressInfo, connect, createServer, type Server, type Socket} from 'node:net';

/** A loopback server on a free port, gone with its connections when disposed. */
export type Listener = {readonly port: number; close(): Promise<void>};

/** Listens and hands every connection to `talk`. */
export async function listen(talk: (socket: Socket) => void): Promise<Listener> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    talk(socket);
  });
  const port = await bound(server);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        for (const socket of open) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** A port on which nobody listens, now or later: one that the system gives to nobody who asks for a free one. */
export async function deadPort(): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const port = 500 + Math.floor(Math.random() * 500);
    if (await refused(port)) return port;
  }
  throw new Error('no port below 1000 refuses connections');
}

function refused(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  });
}

/** Answers every request with this raw text once its head has come. */
export function speaks(...parts: readonly string[]): (socket: Socket) => void {
  return (socket) => {
    socket.once('data', () => {
      for (const part of parts) socket.write(part);
    });
  };
}

/** An HTTP answer with a body and its length. */
export function http(status: number, body: string): string {
  return `HTTP/1.1 ${status} X\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function bound(server: Server): Promise<number> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
}
