import type {Client} from 'pg';
import {afterAwake, GRACE_MS, inTime, unlessAborted} from '../../awake.ts';
import {isRegionctlError, refused, unavailable} from '../../errors.ts';
import {createOpener, destroy, endClient, type Place, STATEMENT_MS} from './connect.ts';
import {addressText} from './conninfo.ts';
import {getReady, isReady} from './driver.ts';
import {named, readAhead} from './plans.ts';
import {adviceOf, codeOf, troubleOf} from './trouble.ts';

/** One connection of a session, for telling it from the next one. */
export type Connection = object;

/**
 * Limits of one statement: its own time-out (default 1500 ms), and a signal that gives up waiting for it. With `on` it is sent over that very
 * connection or not at all (code `claim-lost`). `tell` hears over which one the answer came.
 */
export type Limits = {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly on?: Connection;
  readonly tell?: (connection: Connection) => void;
};

/**
 * One connection that is opened when it is first needed and opened anew after it was lost. Statements run one after the other.
 * Every failure is a RegionctlError (exit 69) whose code tells the reason: timeout, refused, reset, auth, starting, sql, …; `not-asked` = this process
 * did not get as far as to ask, which says nothing of the server.
 */
export type Session = {
  /** Waits until this process is able to ask, which is no time of the server's, or until the signal. Never throws. Deadlines begin after it. */
  ready(signal: AbortSignal): Promise<void>;
  rows<Row>(sql: string, values?: readonly unknown[], limits?: Limits): Promise<readonly Row[]>;
  /** Lets the server read statements without running them, so that their first run is as fast as the next ones. Never throws. */
  prepare(sqls: readonly string[]): Promise<void>;
  /** The connection that is open now; null = none. */
  connection(): Connection | null;
  /** Whether the server has accepted a connection of this session, answered on it or not. */
  reached(): boolean;
  close(): Promise<void>;
};

/** A statement in the queue, with when it was asked. */
type Asked = Limits & {readonly since: number};

const CONNECT_MS = 1000;
/** A member that was silent for a whole connection attempt gets shorter ones for a while, so that it does not slow down every step of a failover. */
const SILENT_CONNECT_MS = 300;
const SILENT_FOR_MS = 3000;
/** pg's own time-out is left out of it: see `inTime`. */
const NEVER_MS = 2 ** 31 - 1;

/** A session that opens itself on its first statement. */
export function createSession(place: Place): Session {
  let current: Promise<Client> | null = null;
  let live: Client | null = null;
  let silentSince = Number.NEGATIVE_INFINITY;
  let opened = false;
  let missed: {readonly at: number; readonly error: unknown} | null = null;
  const forget = (opened: Promise<Client>): void => {
    if (current === opened) current = live = null;
  };
  const opener = createOpener(place, (client) => {
    if (live === client) current = live = null;
  });
  const acquire = (): Promise<Client> => {
    if (current !== null) return current;
    const isSilent = performance.now() - silentSince < SILENT_FOR_MS;
    const attempt: Promise<Client> = opener.open(isSilent ? SILENT_CONNECT_MS : CONNECT_MS);
    attempt
      .then((client) => {
        opened = true;
        if (current === attempt) live = client;
      })
      .catch((error: unknown) => {
        forget(attempt);
        if (troubleOf(error).code !== 'timeout') return;
        missed = {at: performance.now(), error};
        if (!isSilent) silentSince = missed.at;
      });
    current = attempt;
    return attempt;
  };
  const inTurn = createTurns();
  const run = async <Row>(sql: string, values: readonly unknown[], timeoutMs: number, asked: Asked): Promise<readonly Row[]> => {
    const {signal, on, tell, since} = asked;
    if (on !== undefined && live !== on) throw claimLost(place);
    // It has waited for that connection too, and does not wait for another one after it.
    if (current === null && missed !== null && missed.at > since) throw missed.error;
    const acquired = acquire();
    const client = await acquired;
    signal?.throwIfAborted();
    if (on !== undefined && client !== on) throw claimLost(place);
    const query = {...named(client, sql), text: sql, values: [...values], query_timeout: NEVER_MS};
    try {
      const result = await inTime(client.query<Row & Record<string, unknown>>(query), timeoutMs);
      tell?.(client);
      return result.rows;
    } catch (error) {
      // After a time-out the answer may still come and would be taken for the next statement's.
      if (!isAnswer(error)) {
        forget(acquired);
        destroy(client);
        if (troubleOf(error).code === 'timeout') silentSince = performance.now();
      }
      throw error;
    }
  };
  return {
    ready: async (signal) => {
      if (!isReady()) await unlessAborted(getReady(place), signal).catch(() => undefined);
    },
    rows: (sql, values = [], limits = {}) => {
      const asked = {...limits, since: performance.now()};
      return withLimits(place, limits, async (timeoutMs) => {
        if (!isReady()) await getReady(place);
        return inTurn(timeoutMs, limits.signal, (leftMs) => run(sql, values, leftMs, asked));
      });
    },
    prepare: (sqls) =>
      inTurn(STATEMENT_MS, undefined, async (leftMs) => inTime(readAhead(await acquire(), sqls), leftMs)).catch(() => undefined),
    connection: () => live,
    reached: () => opened || opener.reached(),
    close: async () => {
      const ending = current;
      current = live = null;
      opener.close();
      if (ending !== null) await ending.then(endClient, () => undefined);
    },
  };
}

/**
 * One thing after the other. Waiting for one's turn counts, but not while this process slept, and a statement whose caller gave up meanwhile is
 * never sent. pg's timers are real ones, so is this clock.
 */
function createTurns() {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(timeoutMs: number, signal: AbortSignal | undefined, work: (leftMs: number) => Promise<T>): Promise<T> => {
    const end = performance.now() + timeoutMs;
    let isOver = false;
    const callOff = afterAwake(timeoutMs, () => {
      isOver = true;
    });
    const turn = last.then(() => {
      callOff();
      signal?.throwIfAborted();
      if (isOver) throw new Error('timeout expired');
      const leftMs = Math.ceil(end - performance.now());
      return work(leftMs > 0 ? leftMs : GRACE_MS);
    });
    last = turn.catch(() => undefined);
    return turn;
  };
}

/** The server itself said no and goes on listening; anything else leaves the connection in doubt. */
const isAnswer = (error: unknown): boolean => /^[0-9A-Z]{5}$/.test(codeOf(error)) && !/^57P|^EPIPE$/.test(codeOf(error));

const claimLost = ({label}: Place): Error =>
  refused('claim-lost', `The connection to ${label} that held the claim is gone, so nothing was sent over another one.`);

/** Turns anything that a statement failed with into the error that callers know. */
export function placeError(place: Pick<Place, 'label' | 'host' | 'port'>, error: unknown): Error {
  if (isRegionctlError(error)) return error;
  const {code, says} = troubleOf(error);
  const advice = adviceOf(error);
  return unavailable(code, `${place.label} (${addressText(place)}) ${says}${advice === null ? '' : `; ${advice}`}.`, {cause: error});
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
    if (!isReady())
      return unavailable('not-asked', `${place.label} (${addressText(place)}) was not asked: this process did not get to it in time.`, {
        cause: reason,
      });
    return unavailable('timeout', `${place.label} (${addressText(place)}) did not answer in time.`, {cause: reason});
  }
  return unavailable('cancelled', `${place.label} (${addressText(place)}) was not waited for: the call was cancelled.`, {cause: reason});
}
