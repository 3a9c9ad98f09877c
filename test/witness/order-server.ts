import {createServer, type IncomingMessage, type RequestListener, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';

/** How the server treats the next orders: it may store one and answer otherwise, keep silent, or hang up. */
export type Behaviour = (ref: string, answer: ServerResponse, store: () => void) => void;

export const accept: Behaviour = (_ref, answer, store) => {
  store();
  answer.writeHead(201, {'x-region': 'here'}).end('{"id":1}');
};

/** An order service on loopback whose behaviour can be changed while it runs. Port 0 would give a port above 32768, so one is tried. */
export async function startOrderServer(port: number) {
  const rows: {id: number; ref: string}[] = [];
  const sockets = new Set<Socket>();
  const state = {behave: accept};
  const listener: RequestListener = (request, answer) => {
    if (request.method === 'GET') return list(request, answer, rows);
    readRef(request).then(
      (ref) => state.behave(ref, answer, () => rows.push({id: rows.length + 1, ref})),
      () => undefined,
    );
  };
  const server = createServer(listener);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const taken = await listenFrom(server, port);
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return {url: `http://127.0.0.1:${taken}/orders`, rows, sockets, state, close, reopen: () => listen(server, taken)};
}

/** Listens on the first free port from this one on, and answers it. */
export async function listenFrom(server: ReturnType<typeof createServer>, port: number): Promise<number> {
  await listen(server, port);
  return (server.address() as AddressInfo).port;
}

async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
  for (let candidate = port; ; candidate += 1) {
    const error = await new Promise<unknown>((resolve) => {
      server.once('error', resolve);
      server.listen(candidate, '127.0.0.1', () => resolve(null));
    });
    if (error === null) return;
    if (candidate > port + 50) throw error;
  }
}

function list(request: IncomingMessage, answer: ServerResponse, rows: readonly {id: number; ref: string}[]): void {
  const query = new URL(request.url ?? '/', 'http://local').searchParams;
  const prefix = query.get('prefix') ?? '';
  const limit = Number(query.get('limit'));
  const found = rows.filter((row) => row.id > Number(query.get('after')) && row.ref.startsWith(prefix));
  const orders = found.slice(0, limit);
  answer.end(JSON.stringify({orders, region: 'here', next: found.length > limit ? orders.at(-1)?.id : null}));
}

async function readRef(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return (JSON.parse(text) as {ref: string}).ref;
}
