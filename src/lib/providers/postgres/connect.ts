import type {Socket} from 'node:net';
import type {Client} from 'pg';
import {inTime} from '../../awake.ts';
import type {Address} from './conninfo.ts';
import {troubleOf} from './trouble.ts';

/**
 * Where a session leads. `label` is the member's name for messages; the password is asked for at each connection and not kept. `reads`: nothing can
 * be changed over it, no lock is waited for, and no statement outlasts the time that we wait for one.
 */
export type Place = Address & {
  readonly label: string;
  readonly user: string;
  readonly database: string;
  readonly password: () => Promise<string>;
  readonly reads?: true;
};

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
    if (attempt !== null) streamOf(attempt.client())?.unref();
  };
  return {
    open: async (limitMs) => {
      closed = false;
      const both = [kept?.isGone() === true ? null : kept, attemptClient(place, onEnd)] as const;
      trying = both;
      try {
        const client = await inTime(firstOf(...both), limitMs);
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
type Attempt = {
  readonly opened: Promise<Client>;
  readonly client: () => Client | null;
  /** The connection is there, and the server has not answered on it yet. */
  readonly isWaiting: () => boolean;
  /** A connection was accepted, whatever became of it. */
  readonly wasAccepted: () => boolean;
  readonly isGone: () => boolean;
  readonly drop: () => void;
};

/** `onEnd` is told once the client is gone. */
function attemptClient(place: Place, onEnd: (client: Client) => void, statementMs = 10_000): Attempt {
  let client: Client | null = null;
  let state: 'new' | 'waiting' | 'over' = 'new';
  let gone = false;
  let accepted = false;
  const end = (ended: Client): void => {
    gone = true;
    onEnd(ended);
  };
  const open = async (): Promise<Client> => {
    const {Client: PgClient} = (await import('pg')).default;
    const {host, port, user, database, reads} = place;
    const limits = {query_timeout: STATEMENT_MS, statement_timeout: reads ? STATEMENT_MS : statementMs, keepAlive: true};
    const login = {user, password: await place.password(), application_name: 'regionctl', ...(reads ? {options: READS_ONLY} : {})};
    const made = new PgClient({host, port, database, ...login, ...limits});
    // Without a listener an idle connection that breaks would end the process.
    made.on('error', () => end(made));
    made.on('end', () => end(made));
    if (state === 'over') throw new Error('the attempt was given up');
    client = made;
    streamOf(made)?.once('connect', () => {
      accepted = true;
      if (state === 'new') state = 'waiting';
    });
    try {
      await made.connect();
      return made;
    } catch (error) {
      destroy(made);
      throw error;
    } finally {
      state = 'over';
    }
  };
  const opened = open();
  opened.catch(() => undefined);
  return {
    opened,
    client: () => client,
    isWaiting: () => state === 'waiting' && !gone,
    wasAccepted: () => accepted,
    isGone: () => gone,
    drop: () => {
      state = 'over';
      if (client !== null) destroy(client);
    },
  };
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
    return await inTime(attempt.opened, timeoutMs);
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
