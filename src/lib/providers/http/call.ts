import type {ClientRequest, IncomingHttpHeaders, IncomingMessage} from 'node:http';
import type {NetConnectOpts} from 'node:net';
import type {Readable} from 'node:stream';
import type {ConnectionOptions, TLSSocket} from 'node:tls';
import {type Phases, phaseMarks} from './phases.ts';

/** One GET over a connection of its own. `ca` null = the system's authorities are trusted. */
export type CallOptions = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | null;
  readonly signal: AbortSignal;
};

/** The head of an answer. `secure` is the connection that it came over, null = without TLS. */
export type Answer = {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  readonly secure: TLSSocket | null;
};

/** A call that has begun. `answer` rejects with what went wrong on the way; `end` is called in any case. */
export type Call = {readonly answer: Promise<Answer>; phases(): Phases; connected(): boolean; end(): void};

/** By HTTP/1.1. Without an agent: making one for each request, as `agent: false` does, costs as much as the request. */
export async function callHttp1({url, headers, ca, signal}: CallOptions): Promise<Call> {
  const isSecure = url.protocol === 'https:';
  const [{request}, net, tls] = await Promise.all([
    isSecure ? import('node:https') : import('node:http'),
    import('node:net'),
    isSecure ? import('node:tls') : null,
  ]);
  const marks = phaseMarks();
  const createConnection = (options: object) => {
    const trust = tls === null ? {} : {...options, ...trustOf(url, ca, net.isIP)};
    const socket = tls === null ? net.connect(options as NetConnectOpts) : tls.connect(trust as ConnectionOptions);
    marks.watch(socket);
    return socket;
  };
  const call = request(url, {createConnection, headers, signal});
  return {answer: answerTo(call, marks.answered), phases: marks.read, connected: marks.connected, end: () => void call.destroy()};
}

/** Whom to trust, and under which name: an address is no name that could be asked for. */
export function trustOf(url: URL, ca: string | null, isIP: (text: string) => number): ConnectionOptions {
  const host = hostOf(url);
  return {rejectUnauthorized: true, ...(isIP(host) === 0 ? {servername: host} : {}), ...(ca === null ? {} : {ca})};
}

/** The host of a URL, an IPv6 address without its brackets. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');

async function answerTo(call: ClientRequest, answered: () => void): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    call.once('response', resolve);
    // Stays for the request's life: an error after the answer must not become an uncaught one.
    call.on('error', reject);
    call.end();
  });
  answered();
  const {socket} = response;
  const secure = 'getPeerCertificate' in socket ? (socket as TLSSocket) : null;
  return {statusCode: response.statusCode ?? 0, headers: response.headers, body: response, secure};
}
