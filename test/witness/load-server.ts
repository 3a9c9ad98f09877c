import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo, Socket} from 'node:net';

/** A request that arrived and waits for its answer. `socket` tells connections apart. */
export type Arrived = {
  readonly method: string;
  readonly body: string;
  readonly type: string | undefined;
  readonly socket: Socket;
  answer: ServerResponse;
};

/** A server on loopback that does with each request what `script` says: by default it answers 200 at once. */
export async function startLoadServer(port: number) {
  const arrived: Arrived[] = [];
  const state = {script: ok};
  const server = createServer((request, answer) => {
    bodyOf(request).then(
      (body) => {
        const one = {method: request.method ?? '', body, type: request.headers['content-type'], socket: request.socket, answer};
        arrived.push(one);
        state.script(one);
      },
      () => undefined,
    );
  });
  await listen(server, port);
  const at = (server.address() as AddressInfo).port;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {url: `http://127.0.0.1:${at}/orders`, arrived, state, close, reopen: () => listen(server, at)};
}

export const ok = ({answer}: Arrived): void => void answer.writeHead(200).end('fine');
export const status =
  (code: number) =>
  ({answer}: Arrived): void =>
    void answer.writeHead(code).end('no');

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

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of request) text += String(part);
  return text;
}
