import type {Client} from 'pg';
import {isRegionctlError, unavailable} from '../../errors.ts';
import type {Address} from './conninfo.ts';
import {addressText} from './conninfo.ts';
import {codeOf, troubleOf} from './trouble.ts';

/** Where a session leads. `label` is the member's name for messages; the password is asked for at each connection and not kept. */
export type Place = Address & {
  readonly label: string;
  readonly user: string;
  readonly database: string;
  readonly password: () => Promise<string>;
};

/** Limits of one statement: its own time-out (default 1500 ms), and a signal that gives up waiting for it. */
export type Limits = {readonly timeoutMs?: number; readonly signal?: AbortSignal | undefined};

/**
 * One connection that is opened when it is first needed and opened anew after it was lost. Statements run one after the other.
 * Every failure is a RegionctlError (exit 69) whose code tells the reason: timeout, refused, reset, auth, starting, sql, …
 */
export type Session = {
  rows<Row>(sql: string, values?: readonly unknown[], limits?: Limits): Promise<readonly Row[]>;
  close(): Promise<void>;
};

const CONNECT_MS = 1000;
const STATEMENT_MS = 1500;
/** A member that was silent for a whole connection attempt gets shorter ones for a while, so that it does not slow down every step of a failover. */
const SILENT_CONNECT_MS = 300;
const SILENT_FOR_MS = 3000;
/** pg's own time-out is left out of it: see `inTime`. */
const NEVER_MS = 2 ** 31 - 1;
/** A timer that is this late was slept over; what was asked then gets this much more. */
const SLEPT_MS = 200;
const GRACE_MS = 300;

/** A session that opens itself on its first statement. */
export function createSession(place: Place): Session {
  let current: Promise<Client> | null = null;
  let silentSince = Number.NEGATIVE_INFINITY;
  const forget = (opened: Promise<Client>): void => {
    if (current === opened) current = null;
  };
  const acquire = (): Promise<Client> => {
    if (current !== null) return current;
    const isSilent = performance.now() - silentSince < SILENT_FOR_MS;
    const opened: Promise<Client> = openClient(place, isSilent ? SILENT_CONNECT_MS : CONNECT_MS, () => forget(opened));
    opened.catch((error: unknown) => {
      forget(opened);
      if (!isSilent && troubleOf(error).code === 'timeout') silentSince = performance.now();
    });
    current = opened;
    return opened;
  };
  let last: Promise<unknown> = Promise.resolve();
  /* Waiting for one's turn counts, and a statement whose caller gave up meanwhile is never sent. pg's timers are real ones, so is this clock. */
  const inTurn = <T>(timeoutMs: number, signal: AbortSignal | undefined, work: (leftMs: number) => Promise<T>): Promise<T> => {
    const end = performance.now() + timeoutMs;
    const turn = last.then(() => {
      signal?.throwIfAborted();
      const leftMs = Math.ceil(end - performance.now());
      if (leftMs <= 0) throw new Error('timeout expired');
      return work(leftMs);
    });
    last = turn.catch(() => undefined);
    return turn;
  };
  const run = async <Row>(sql: string, values: readonly unknown[], timeoutMs: number, signal?: AbortSignal): Promise<readonly Row[]> => {
    const opened = acquire();
    const client = await opened;
    signal?.throwIfAborted();
    const query = {...planName(sql), text: sql, values: [...values], query_timeout: NEVER_MS};
    try {
      const result = await inTime(client.query<Row & Record<string, unknown>>(query), timeoutMs);
      return result.rows;
    } catch (error) {
      // After a time-out the answer may still come and would be taken for the next statement's.
      if (!isAnswer(error)) {
        forget(opened);
        destroy(client);
        if (troubleOf(error).code === 'timeout') silentSince = performance.now();
      }
      throw error;
    }
  };
  return {
    rows: (sql, values = [], limits = {}) =>
      withLimits(place, limits, (timeoutMs) => inTurn(timeoutMs, limits.signal, (leftMs) => run(sql, values, leftMs, limits.signal))),
    close: async () => {
      const opened = current;
      current = null;
      if (opened !== null) await opened.then(endClient, () => undefined);
    },
  };
}

const planNames = new Map<string, string>();
/** Texts that are long are few, and looked up as constants; were they made up of names, no more than so many would be kept by a server. */
const MOST_PLANS = 100;
const LONG = 150;

/** A question over the catalogs costs a server more to plan than to answer, and is asked many times: its plan is kept for the session. */
function planName(sql: string): {readonly name?: string} {
  if (sql.length < LONG || !/^\s*(?:select|with)\b/i.test(sql)) return {};
  const known = planNames.get(sql);
  if (known !== undefined) return {name: known};
  if (planNames.size >= MOST_PLANS) return {};
  const name = `regionctl_${planNames.size}`;
  planNames.set(sql, name);
  return {name};
}

/**
 * A timer that comes late tells that this process slept (stopped, or its machine was), not that the server did: the answer may have arrived
 * meanwhile and is read in a moment. Without this, whatever was asked when a process was stopped would fail when it goes on.
 */
async function inTime<T>(answer: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const arm = (forMs: number): void => {
      const due = performance.now() + forMs;
      timer = setTimeout(() => (performance.now() - due > SLEPT_MS ? arm(GRACE_MS) : reject(new Error('timeout expired'))), forMs);
    };
    arm(ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The server itself said no and goes on listening; anything else leaves the connection in doubt. */
const isAnswer = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(codeOf(error)) && !/^57P|^EPIPE$/.test(codeOf(error));

/** Opens one client with the house's limits. `onEnd` is told once it is gone. The caller ends it. */
export async function openClient(place: Place, timeoutMs: number, onEnd: () => void, statementMs = 10_000): Promise<Client> {
  const {Client: PgClient} = (await import('pg')).default;
  const {host, port, user, database} = place;
  const limits = {connectionTimeoutMillis: timeoutMs, query_timeout: STATEMENT_MS, statement_timeout: statementMs, keepAlive: true};
  const client = new PgClient({host, port, user, database, password: await place.password(), application_name: 'regionctl', ...limits});
  // Without a listener an idle connection that breaks would end the process.
  client.on('error', onEnd);
  client.on('end', onEnd);
  try {
    await client.connect();
  } catch (error) {
    destroy(client);
    throw error;
  }
  return client;
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

/** Turns anything that a statement failed with into the error that callers know. */
export function placeError(place: Pick<Place, 'label' | 'host' | 'port'>, error: unknown): Error {
  if (isRegionctlError(error)) return error;
  const {code, says} = troubleOf(error);
  return unavailable(code, `${place.label} (${addressText(place)}) ${says}.`, {cause: error});
}

/** Breaks the connection off at once. */
export function destroy(client: Client): void {
  const {connection} = client as unknown as {connection?: {stream?: {destroy(): void}}};
  connection?.stream?.destroy();
}

async function withLimits<T>(place: Place, limits: Limits, work: (timeoutMs: number) => Promise<T>): Promise<T> {
  const {signal, timeoutMs = STATEMENT_MS} = limits;
  if (signal?.aborted === true) throw abortError(place, signal);
  const running = work(timeoutMs);
  if (signal === undefined) return running.catch((error: unknown) => Promise.reject(placeError(place, error)));
  return new Promise<T>((resolve, reject) => {
    const give = (): void => reject(abortError(place, signal));
    signal.addEventListener('abort', give, {once: true});
    running
      .then(resolve, (error: unknown) => reject(placeError(place, error)))
      .finally(() => signal.removeEventListener('abort', give))
      .catch(() => undefined);
  });
}

/** A deadline is the server's fault, an interruption is not. */
function abortError(place: Place, signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (reason instanceof Error && reason.name === 'TimeoutError') {
    return unavailable('timeout', `${place.label} (${addressText(place)}) did not answer in time.`, {cause: reason});
  }
  return unavailable('cancelled', `${place.label} (${addressText(place)}) was not waited for: the call was cancelled.`, {cause: reason});
}
