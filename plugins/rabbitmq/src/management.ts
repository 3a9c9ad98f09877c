import type {Agent, IncomingMessage} from 'node:http';
import {
  connectionFailure,
  isRegionctlError,
  readCa,
  type SecretRef,
  type SecretVault,
  timeoutAwake,
  unavailable,
  type z,
} from 'regionctl/kit';

/** Where a broker's management API is, and who asks. `caFile` null = the authorities of the system are trusted. */
export type ManagementPlace = {
  readonly url: string;
  readonly user: string;
  readonly password: SecretRef;
  readonly caFile: string | null;
};

/** What was answered. `at` is the broker's own time in epoch ms, to the second; null = it did not say. */
export type Answer<T> = {readonly value: T; readonly status: number; readonly at: number | null};

/** How long one request may take, what cuts it short, and which statuses besides 200 are answers. */
export type AskOptions = {readonly signal: AbortSignal; readonly timeoutMs?: number; readonly accept?: readonly number[]};

/**
 * The management API of one broker. `get` throws a RegionctlError (exit 69) whose code says why there is no answer: `refused`, `timeout`, `reset`,
 * `dns`, `unreachable`, `tls`, `unauthorized`, `not-found`, `unexpected-status`, `bad-answer`; `interrupted` and `probe-failed` say nothing of the broker.
 */
export type Management = {
  readonly peer: string;
  get<T>(path: string, shape: z.ZodType<T>, options: AskOptions): Promise<Answer<T>>;
  close(): void;
};

const TIMEOUT_MS = 2000;
/** Far more than any answer that is asked for here. */
const LIMIT_BYTES = 16 * 1024 * 1024;
const SAID_CHARACTERS = 200;

/** Codes that come from here and not from the broker. */
export const OWN_TROUBLE: ReadonlySet<string> = new Set(['interrupted', 'probe-failed', 'secret-missing', 'cancelled']);

/** Connections are opened when they are first needed, and kept until `close`. */
export function createManagement(place: ManagementPlace, secrets: SecretVault): Management {
  const base = new URL(place.url);
  const peer = peerOf(base);
  let agent: Promise<Agent> | null = null;
  const connections = (): Promise<Agent> => {
    agent ??= openAgent(base, place);
    return agent;
  };
  return {
    peer,
    get: async (path, shape, {signal, timeoutMs = TIMEOUT_MS, accept = []}) => {
      const bounded = AbortSignal.any([signal, timeoutAwake(timeoutMs)]);
      try {
        bounded.throwIfAborted();
        const headers = await headersFor(place, secrets);
        const url = new URL(`${base.pathname.replace(/\/+$/, '')}/api/${path}`, base);
        const response = await request(url, {agent: await connections(), headers, signal: bounded});
        return await judge({response, peer, path, accept, scrub: secrets.scrub, user: place.user}, shape);
      } catch (error) {
        if (isRegionctlError(error)) throw error;
        const {code, detail} = connectionFailure(error, {peer, timeoutMs, signal: bounded});
        throw unavailable(code, detail, {cause: error});
      }
    },
    close: () => {
      agent?.then((open) => open.destroy()).catch(() => undefined);
    },
  };
}

async function openAgent(url: URL, {caFile}: ManagementPlace): Promise<Agent> {
  const options = {keepAlive: true, maxSockets: 4};
  if (url.protocol !== 'https:') return new (await import('node:http')).Agent(options);
  const trusted = await readCa(caFile);
  if ('trouble' in trusted) throw unavailable(trusted.trouble.code, trusted.trouble.detail);
  const {Agent} = await import('node:https');
  return new Agent({...options, ...(trusted.ca === null ? {} : {ca: trusted.ca})});
}

async function headersFor({user, password}: ManagementPlace, secrets: SecretVault): Promise<Record<string, string>> {
  const pair = `${user}:${await secrets.reveal(password)}`;
  return {'user-agent': 'regionctl', accept: 'application/json', authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}`};
}

type Call = {readonly agent: Agent; readonly headers: Record<string, string>; readonly signal: AbortSignal};

async function request(url: URL, options: Call): Promise<{readonly head: IncomingMessage; readonly text: string}> {
  const {get} = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const head = await new Promise<IncomingMessage>((resolve, reject) => {
    // Stays for the request's life: an error after the answer must not become an uncaught one.
    get(url, options, resolve).on('error', reject);
  });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of head) {
    size += (part as Buffer).length;
    if (size > LIMIT_BYTES) throw unavailable('bad-answer', `${peerOf(url)} answered with more than 16 MiB`);
    parts.push(part as Buffer);
  }
  return {head, text: Buffer.concat(parts).toString('utf8')};
}

type Said = {
  readonly response: {readonly head: IncomingMessage; readonly text: string};
  readonly peer: string;
  readonly path: string;
  readonly user: string;
  readonly accept: readonly number[];
  readonly scrub: (text: string) => string;
};

async function judge<T>({response, peer, path, user, accept, scrub}: Said, shape: z.ZodType<T>): Promise<Answer<T>> {
  const {head, text} = response;
  const {statusCode: status = 0, headers} = head;
  const body = jsonOf(text);
  const asked = `GET /api/${path.replace(/\?.*$/s, '')}`;
  if (status === 401 || status === 403)
    throw unavailable('unauthorized', `${peer} refuses ${asked} to the user ${user}: ${scrub(reasonIn(body, text))}`, {
      suggestions: [`Give the user ${user} the tag monitoring and access to the virtual host, or mend its password.`],
    });
  if (status === 404) throw unavailable('not-found', `${peer} has nothing at ${asked}`);
  if (status !== 200 && !accept.includes(status))
    throw unavailable('unexpected-status', `${peer} answered ${status} to ${asked}: ${scrub(reasonIn(body, text))}`);
  const parsed = shape.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const why = body === undefined ? 'no JSON' : `something else than RabbitMQ does (${issue?.path.join('.')}: ${issue?.message})`;
    throw unavailable('bad-answer', `${peer} answered ${asked} with ${why}`);
  }
  const date = headers.date === undefined ? Number.NaN : Date.parse(headers.date);
  return {value: parsed.data, status, at: Number.isNaN(date) ? null : date};
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function reasonIn(body: unknown, text: string): string {
  const {reason} = (typeof body === 'object' && body !== null ? body : {}) as {reason?: unknown};
  return plain(typeof reason === 'string' ? reason : text);
}

/** One short line out of what a broker says, without the login that a URI in it may hold. */
export function plain(text: string): string {
  const line = text
    .replace(/\b(amqps?:\/\/)[^\s"'/]*@/g, '$1…@')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .replace(/^"(.*)"$/, '$1');
  return line.length > SAID_CHARACTERS ? `${line.slice(0, SAID_CHARACTERS)}…` : line;
}

function peerOf({hostname, port, protocol}: URL): string {
  return `${hostname}:${port === '' ? (protocol === 'https:' ? '443' : '80') : port}`;
}
