import {createServer} from 'node:http';
import {listenFrom} from './order-server.ts';

/** One of the servers behind a door: its rows by its own ids. `region` null = its pages do not name it. `next`: what every page says of the next one. */
export type DoorServer = {
  readonly region: string | null;
  readonly rows: readonly {readonly id: number; readonly ref: string}[];
  readonly next?: number;
};

/** The page that a server answers, of `most` rows at most. */
export function pageOf({region, rows, next}: DoorServer, url: URL, most = 10_000): object {
  const query = url.searchParams;
  const limit = Math.min(most, Number(query.get('limit')));
  const prefix = query.get('prefix') ?? '';
  const orders = rows.filter(({id, ref}) => id > Number(query.get('after')) && ref.startsWith(prefix)).slice(0, limit);
  const more = orders.length < limit ? null : (orders.at(-1)?.id ?? null);
  return {orders, next: next ?? more, ...(region === null ? {} : {region})};
}

/** A front door on loopback: `choose` says which server answers the nth request (from 0), and is told after which id the page begins. */
export async function startDoor(port: number, choose: (nth: number, after: number) => DoorServer) {
  let [nth, connections] = [0, 0];
  const server = createServer((request, answer) => {
    const url = new URL(request.url ?? '/', 'http://door');
    const chosen = choose(nth++, Number(url.searchParams.get('after')));
    answer.end(JSON.stringify(pageOf(chosen, url)));
  });
  server.on('connection', () => {
    connections += 1;
  });
  const taken = await listenFrom(server, port);
  return {
    url: `http://127.0.0.1:${taken}/orders`,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(resolve)).then(() => undefined),
  };
}
