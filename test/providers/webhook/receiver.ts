import {createServer, type IncomingMessage, type ServerResponse} from 'node:http';
import type {AddressInfo} from 'node:net';

/** One request as it arrived, with its whole body. */
export type Arrival = {readonly method: string; readonly path: string; readonly headers: IncomingMessage['headers']; readonly body: string};

/** A real HTTP server that writes down what it is sent. `attempts` counts requests, also those whose connection it then broke. */
export type Receiver = {readonly url: string; readonly arrivals: readonly Arrival[]; attempts(): number; close(): Promise<void>};

/** Answers with `talk`, which is told how many requests there were. By default everything is taken with 204. */
export async function receive(
  talk: (response: ServerResponse, attempt: number) => void = (response) => void response.writeHead(204).end(),
): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  let attempts = 0;
  const server = createServer((request, response) => {
    attempts += 1;
    let body = '';
    request.setEncoding('utf8');
    request.on('error', () => undefined);
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      arrivals.push({method: request.method ?? '', path: request.url ?? '', headers: request.headers, body});
      talk(response, attempts);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    attempts: () => attempts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
