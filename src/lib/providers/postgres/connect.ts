import type {Socket} from 'node:net';
import type {Client, ClientConfig} from 'pg';
import {inTime} from '../../awake.ts';
import {unavailable} from '../../errors.ts';
import type {SecretVault} from '../../fleet/secrets.ts';
import {readTls, type TlsSettings} from '../tls/credentials.ts';
import type {Handshake} from '../tls/secure-over.ts';
import type {Address} from './conninfo.ts';
import {secureLine} from './secure-line.ts';
import {troubleOf} from './trouble.ts';

/**
 * Where a session leads. `label` is the member's name for messages; the password is asked for at each connection and not kept. `reads`: nothing can
 * be changed over it, no lock is waited for, and no statement outlasts the time that we wait for one. `application` (default regionctl) is what the
 * server shows of it. `secure`: TLS, which is insisted on, and whom it
 * trusts, read anew at each connection; without it nothing is encrypted.
 */
export type Place = Address & {
  readonly label: string;
  readonly user: string;
  readonly database: string;
  readonly password: () => Promise<string>;
  readonly reads?: true;
  readonly application?: string;
  readonly secure?: () => Promise<Handshake>;
};

/** The part of a place that says how TLS is spoken there; null = it is not. A file that cannot be used throws `probe-failed` (69) with its field. */
export function secureBy(tls: TlsSettings | null, secrets: SecretVault): Pick<Place, 'secure'> {
  if (tls === null) return {};
  const secure = async (): Promise<Handshake> => {
    const files = await readTls(tls, secrets);
    if ('trouble' in files) throw unavailable(files.trouble.code, `${files.field} in the fleet file: ${files.trouble.detail}.`);
    return {...files, serverName: tls.serverName};
  };
  return {secure};
}

/** TLS takes six round trips where four are enough without it. */
const patience = ({secure}: Place, ms: number): number => (secure === undefined ? ms : ms * 1.5);

/** How long a statement may take when nothing else was said. */
export const STATEMENT_MS = 1500;
/* A catalog that somebody holds locked is told from a server that does not answer by this being shorter. */
const READS_ONLY = '-c default_transaction_read_only=on -c lock_timeout=500';

/** `reached`: whether the server has accepted one of the connections that were tried last. */
export type Opener = {open(limitMs: number): Promise<Client>; reached(): boolean; close(): void};

/**
 * Opens one client after another to the same place. A frozen server answers in the order of its queue: an attempt that got into it is kept beside
 * newer ones, so that a thaw is met at once, however many have queued up since.
 */
export function createOpener(place: Place, onEnd: (client: Client) => void): Opener {
  let kept: Attempt | null = null;
  let closed = false;
  let trying: readonly (Attempt | null)[] = [];
  const keep = (attempt: Attempt | null, others: readonly (Attempt | null)[]): void => {
    kept = attempt;
    for (const each of others) if (each !== attempt) each?.drop();
    // Nobody waits for it alone.
    if (attempt !== null) attempt.stream()?.unref();
  };
  return {
    open: async (limitMs) => {
      closed = false;
      const both = [kept?.isGone() === true ? null : kept, attemptClient(place, onEnd)] as const;
      trying = both;
      try {
        const client = await inTime(firstOf(...both), patience(place, limitMs));
        kept = null;
        for (const each of both) if (each?.client() !== client) each?.drop();
        streamOf(client)?.ref();
        return client;
      } catch (error) {
        // Who is refused anew is not waiting in any queue.
        const isLate = !closed && troubleOf(error).code === 'timeout';
        keep(isLate ? (both.find((each) => each?.isWaiting()) ?? null) : null, both);
        throw error;
      }
    },
    reached: () => [kept, ...trying].some((each) => each?.wasAccepted() === true),
    close: () => {
      closed = true;
      keep(null, [kept]);
    },
  };
}

/** A client that is being opened, for as long as it takes. */
export type Attempt = {
  readonly opened: Promise<Client>;
  readonly client: () => Client | null;
  readonly stream: () => Socket | undefined;
  /** The connection is there, and the server has not answered on it yet. */
  readonly isWaiting: () => boolean;
  /** A connection was accepted, whatever became of it. */
  readonly wasAccepted: () => boolean;
  readonly isGone: () => boolean;
  readonly drop: () => void;
};

/** Begins to open one. `onEnd` is told once the client is gone. Whoever calls it waits for `opened`, and drops what takes too long. */
export function attemptClient(place: Place, onEnd: (client: Client) => void, statementMs = 10_000): Attempt {
  const over = new AbortController();
  let client: Client | null = null;
  let line: Socket | undefined;
  let state: 'new' | 'waiting' | 'over' = 'new';
  let gone = false;
  let accepted = false;
  const end = (ended: Client): void => {
    gone = true;
    onEnd(ended);
  };
  const hear = (socket: Socket | undefined): void => {
    line = socket;
    socket?.once('connect', () => {
      accepted = true;
      if (state === 'new') state = 'waiting';
    });
  };
  const open = async (): Promise<Client> => {
    const [{default: pg}, password, trust] = await Promise.all([import('pg'), place.password(), place.secure?.()]);
    const secure = trust === undefined ? null : await secureLine(place, trust, hear, over.signal);
    const made = new pg.Client({...configOf(place, password, statementMs), ...(secure === null ? {} : {stream: () => secure})});
    // Without a listener an idle connection that breaks would end the process.
    made.on('error', () => end(made));
    made.on('end', () => end(made));
    client = made;
    over.signal.throwIfAborted();
    if (secure === null) hear(streamOf(made));
    await made.connect();
    return made;
  };
  const stream = (): Socket | undefined => streamOf(client) ?? line;
  const opened = open().finally(() => {
    state = 'over';
  });
  opened.catch(() => {
    gone = true;
    stream()?.destroy();
  });
  return {
    opened,
    client: () => client,
    stream,
    isWaiting: () => state === 'waiting' && !gone,
    wasAccepted: () => accepted,
    isGone: () => gone,
    drop: () => {
      state = 'over';
      over.abort();
      stream()?.destroy();
    },
  };
}

/* What the environment says of TLS (PGSSLMODE) is not heard: it may say that no certificate is to be verified. */
function configOf(
  {host, port, user, database, reads, application = 'regionctl'}: Place,
  password: string,
  statementMs: number,
): ClientConfig {
  const limits = {query_timeout: STATEMENT_MS, statement_timeout: reads ? STATEMENT_MS : statementMs, keepAlive: true};
  const login = {user, password, application_name: application, ...(reads ? {options: READS_ONLY} : {})};
  return {host, port, database, ssl: false, ...login, ...limits};
}

/** Whichever is open first; what the newer one fails with. */
function firstOf(older: Attempt | null, newer: Attempt): Promise<Client> {
  return new Promise((resolve, reject) => {
    older?.opened.then(resolve, () => undefined);
    newer.opened.then(resolve, reject);
  });
}

/** Opens one client with the house's limits. `onEnd` is told once it is gone. The caller ends it. */
export async function openClient(place: Place, timeoutMs: number, onEnd: () => void, statementMs?: number): Promise<Client> {
  const attempt = attemptClient(place, onEnd, statementMs);
  try {
    return await inTime(attempt.opened, patience(place, timeoutMs));
  } catch (error) {
    attempt.drop();
    throw error;
  }
}

/** Ends a client politely, for at most 200 ms; a frozen server must not hold up anybody's exit. */
export async function endClient(client: Client): Promise<void> {
  const timer = setTimeout(() => destroy(client), 200);
  try {
    await client.end();
  } catch {
    // It was gone already.
  } finally {
    clearTimeout(timer);
  }
}

/** Breaks the connection off at once. */
export function destroy(client: Client): void {
  streamOf(client)?.destroy();
}

function streamOf(client: Client | null): Socket | undefined {
  return (client as unknown as {connection?: {stream?: Socket}} | null)?.connection?.stream;
}
