import type {Agent, ClientRequest, IncomingMessage, RequestOptions} from 'node:http';
import {httpModule} from '../http-module.ts';
import {serverName} from './server-name.ts';
import type {Outcome} from './witness-log.ts';

/** `by`: who acknowledged it, where the answer says so. */
type Ended = (outcome: Outcome, by?: string) => void;

/** Sends numbered writes, each over a connection of its own choosing. `post` answers a function that gives the write up. */
export type Poster = {post(body: string, ended: Ended): () => void; close(): void};

const MAX_BODY = 4096;
/* Few idle connections: when their other end dies in silence, no more writes than these are spent on finding out. */
const MAX_IDLE = 4;

/**
 * A poster for `url`. node:http rather than undici: at 50 to 200 writes per second it took two thirds of the CPU (2.4 % against 4.4 % of a core),
 * and it tells refused connections from requests that were on their way. `abandonMs` ends a connection on which nothing moves any more.
 */
export async function createPoster(url: string, abandonMs: number): Promise<Poster> {
  const target = new URL(url);
  const http = httpModule(target.protocol === 'https:');
  const agent: Agent = new http.Agent({keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: MAX_IDLE});
  const options = (length: number): RequestOptions => ({
    method: 'POST',
    agent,
    headers: {'content-type': 'application/json', 'content-length': length},
  });
  return {
    post(body, ended) {
      const request = http.request(target, options(Buffer.byteLength(body)));
      request.setTimeout(abandonMs, () => request.destroy());
      watch(request, once(ended));
      request.end(body);
      return () => {
        request.destroy();
        dropIdle(agent);
      };
    },
    close: () => agent.destroy(),
  };
}

function watch(request: ClientRequest, ended: Ended): void {
  request.on('error', (error) => ended(wasRefused(error) ? 'failed' : 'unknown'));
  request.on('response', (response) => {
    const status = response.statusCode ?? 0;
    if (status === 503) return judgeRefusal(response, ended);
    response.on('error', () => undefined);
    response.resume();
    if (status >= 200 && status < 300) ended('acknowledged', serverName(response.headers['x-region']) ?? undefined);
    else ended('unknown');
  });
}

/** Only a service that says in JSON that it did not write is believed; a bare 503 may come from a router that had passed the request on. */
function judgeRefusal(response: IncomingMessage, ended: (outcome: Outcome) => void): void {
  let text = '';
  response.setEncoding('utf8');
  response.on('data', (part: string) => {
    if (text.length < MAX_BODY) text += part;
  });
  response.on('error', () => ended('unknown'));
  response.on('close', () => ended('unknown'));
  response.on('end', () => ended(saysError(text) ? 'failed' : 'unknown'));
}

function saysError(text: string): boolean {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === 'object' && body !== null && 'error' in body;
  } catch {
    return false;
  }
}

/** A host name with several addresses is refused only if every one of them refused. */
function wasRefused(error: Error): boolean {
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(wasRefused);
  return 'code' in error && error.code === 'ECONNREFUSED';
}

function dropIdle(agent: Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
}

function once(ended: Ended): Ended {
  let done = false;
  return (outcome, by) => {
    if (done) return;
    done = true;
    ended(outcome, by);
  };
}
