import type {IncomingHttpHeaders} from 'node:http';
import type {ConnectionOptions, TLSSocket} from 'node:tls';
import type {Phases} from './phases.ts';

/** One GET over a connection of its own. `ca` null = the system's authorities are trusted. */
export type CallOptions = {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly ca: string | null;
  readonly signal: AbortSignal;
};

/**
 * What follows the head. `read` is called once at most: it gives what comes to `take`, and resolves when that is all of it or `take` says that it is enough;
 * rejects when it is cut off. What is not read is not waited for.
 */
export type AnswerBody = {read(take: (bytes: Buffer) => boolean): Promise<void>};

/** The head of an answer. `secure` is the connection that it came over, null = without TLS. */
export type Answer = {
  readonly statusCode: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: AnswerBody;
  readonly secure: TLSSocket | null;
};

/** A call that has begun. `answer` rejects with what went wrong on the way; `end` is called in any case. */
export type Call = {readonly answer: Promise<Answer>; phases(): Phases; connected(): boolean; end(): void};

/** Whom to trust, and under which name: an address is no name that could be asked for. */
export function trustOf(url: URL, ca: string | null, isIP: (text: string) => number): ConnectionOptions {
  const host = hostOf(url);
  return {rejectUnauthorized: true, ...(isIP(host) === 0 ? {servername: host} : {}), ...(ca === null ? {} : {ca})};
}

/** Names in another case are the same header: the last one wins, as it is written, in the place of the first. */
export function mergedHeaders(...parts: readonly Readonly<Record<string, string>>[]): Record<string, string> {
  const byName = new Map<string, readonly [string, string]>();
  for (const part of parts) for (const [name, value] of Object.entries(part)) byName.set(name.toLowerCase(), [name, value]);
  return Object.fromEntries(byName.values());
}

/** The host of a URL, an IPv6 address without its brackets. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[(.*)\]$/, '$1');
