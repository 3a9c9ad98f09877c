import type {Agent, ClientRequest, IncomingMessage, RequestOptions} from 'node:http';
import {httpModule} from '../http-module.ts';
import type {LoadEnd} from './load-log.ts';

/** Which requests are sent. `expectStatus` null = any 2xx or 3xx is an answer as it should be. Redirects are not followed. */
export type LoadTarget = {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly expectStatus: readonly number[] | null;
};

/** How a request ended, but for its deadline, which is the caller's. `text` = the status, or the code of an error. */
export type ClientEnd = {readonly end: Exclude<LoadEnd, 'deadline' | 'error'>; readonly text?: string};

/** Sends requests, each over a connection of its own choosing. `send` answers a function that gives the request up, and its connection with it. */
export type LoadClient = {send(body: string | null, ended: (how: ClientEnd) => void): () => void; close(): void};

const RESET = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED']);

/**
 * A client as a service's own are: connections are kept and used again, one that broke or was given up never is. A request has ended when its answer was
 * read whole. node:http as the witness has it (post.ts says why). A GET whose kept connection the other end had just closed is sent once more over a new
 * one, as HTTP clients do; a POST is not, because it may have arrived.
 */
export async function createLoadClient({url, method, expectStatus}: LoadTarget): Promise<LoadClient> {
  const target = new URL(url);
  const http = httpModule(target.protocol === 'https:');
  const agent: Agent = new http.Agent({keepAlive: true, maxSockets: Number.POSITIVE_INFINITY});
  const counts = (status: number): boolean => (expectStatus === null ? status >= 200 && status < 400 : expectStatus.includes(status));
  return {
    send(body, ended) {
      const options = optionsOf(method, body, agent);
      let givenUp = false;
      const start = (again: boolean): ClientRequest => {
        const request = http.request(target, options);
        request.on('response', (response) => readWhole(response, counts, ended));
        request.on('error', (error) => {
          const how = endOf(error);
          if (again && !givenUp && how.end === 'reset' && request.reusedSocket) current = start(false);
          else ended(how);
        });
        request.end(body ?? undefined);
        return request;
      };
      let current = start(method === 'GET');
      return () => {
        givenUp = true;
        current.destroy();
      };
    },
    close: () => agent.destroy(),
  };
}

function optionsOf(method: string, body: string | null, agent: Agent): RequestOptions {
  if (body === null) return {method, agent, headers: method === 'POST' ? {'content-length': 0} : {}};
  return {
    method,
    agent,
    headers: {'content-type': isJson(body) ? 'application/json' : 'text/plain', 'content-length': Buffer.byteLength(body)},
  };
}

/** Whether the answer came to its end is known when it is closed: a connection that breaks in the middle of it ends it too. */
function readWhole(response: IncomingMessage, counts: (status: number) => boolean, ended: (how: ClientEnd) => void): void {
  const status = response.statusCode ?? 0;
  response.on('error', () => undefined);
  response.on('close', () => {
    if (!response.complete) ended({end: 'reset'});
    else ended(counts(status) ? {end: 'ok'} : {end: 'status', text: String(status)});
  });
  response.resume();
}

/** A host name with several addresses is refused only if every one of them refused. */
function endOf(error: Error): ClientEnd {
  if (error instanceof AggregateError) {
    const ends = (error.errors as Error[]).map(endOf);
    return ends.find(({end}) => end !== 'refused') ?? {end: 'refused'};
  }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
  if (code === 'ECONNREFUSED') return {end: 'refused'};
  return RESET.has(code) ? {end: 'reset'} : {end: 'other', text: code};
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}
