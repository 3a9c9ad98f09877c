import {once} from 'node:events';
import {createServer, request} from 'node:http';
import {type AddressInfo, connect, type Socket} from 'node:net';
import type {Haproxy} from '../../servers/haproxy.ts';
import type {Listener} from '../listener.ts';

/** A web server that answers its name. */
export async function answers(name: string): Promise<Listener & {name: string}> {
  const server = createServer((_, response) => void response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    name,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Asks through the front end, one request after the other, and counts who answered. An answer that is none of theirs counts by its status. */
export async function tally({frontPort}: Haproxy, times: number): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let time = 0; time < times; time += 1) {
    const name = await new Promise<string>((resolve, reject) => {
      const asking = request({host: '127.0.0.1', port: frontPort, agent: false, signal: AbortSignal.timeout(10_000)}, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve(response.statusCode === 200 ? text : String(response.statusCode)));
      });
      asking.on('error', reject).end();
    });
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return Object.fromEntries(Object.entries(counts).toSorted(([a], [b]) => a.localeCompare(b)));
}

/** A session through the front end, with the name of the server that took it. */
export async function openSession(port: number): Promise<{name: string; closed(): boolean}> {
  const socket: Socket = connect(port, '127.0.0.1');
  socket.setEncoding('utf8').on('error', () => undefined);
  const [name] = (await once(socket, 'data', {signal: AbortSignal.timeout(10_000)})) as [string];
  socket.resume();
  return {name, closed: () => socket.closed || socket.destroyed || socket.readableEnded};
}
