import type {Client} from 'pg';
import {unavailable} from '../../../errors.ts';
import type {Clock} from '../../../ports/clock.ts';
import type {Node} from '../cluster.ts';
import {destroy, endClient, openClient, type Place} from '../connect.ts';
import {addressText} from '../conninfo.ts';
import {placeError} from '../session.ts';
import {watchServer} from './watch-server.ts';

/** What a statement answered: every value as the server prints it. */
export type Rows = readonly (readonly (string | null)[])[];

/** A connection of an audit: it can only read, and everything that it prints reads the same on every member. */
export type Reader = {
  readonly node: Node;
  /** The answer to each statement of a text without parameters. */
  ask(text: string, signal: AbortSignal): Promise<readonly Rows[]>;
  /** The answer to one statement with parameters. */
  rows(text: string, values: readonly unknown[], signal: AbortSignal): Promise<Rows>;
  /** Begins a snapshot, unless one is open that is younger than `maxAgeMs`; answers what `first` (SQL) says in it when it begins, else null. */
  within(maxAgeMs: number, first: string, signal: AbortSignal): Promise<Rows | null>;
  /** Ends the snapshot. None = nothing to do. */
  leave(signal: AbortSignal): Promise<void>;
  /** Another one for each snapshot that was begun; null = none is open. What was read is of one snapshot where this is the same before and after. */
  snapshot(): number | null;
  received(): number;
  close(): Promise<void>;
};

const CONNECT_MS = 3000;
/** One statement reads one slice. One that takes this long is taken for hung. */
const STATEMENT_MS = 600_000;

/** What a value is printed as must not depend on the server's settings; rows that a policy hides must be an error, not missing. */
export const PRINTING: Readonly<Record<string, string>> = {
  standard_conforming_strings: 'on',
  timezone: 'UTC',
  datestyle: 'ISO, YMD',
  intervalstyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  lc_monetary: 'C',
  lc_numeric: 'C',
  xmloption: 'content',
  quote_all_identifiers: 'off',
  search_path: 'pg_catalog',
  row_security: 'off',
  client_encoding: 'UTF8',
};

/** Statements that make settings those of a session. */
export const settingsSql = (settings: Readonly<Record<string, string>>): string =>
  Object.entries(settings)
    .map(([name, value]) => `set ${name} = '${value}'`)
    .join('; ');

/* One processor is enough; and a plan that sorts a whole slice to group it costs twice as much. Vacuum must not be held up by a connection that nobody
   uses. */
const SETTINGS = settingsSql({
  ...PRINTING,
  default_transaction_read_only: 'on',
  default_transaction_isolation: 'read committed',
  idle_session_timeout: '0',
  lock_timeout: '5s',
  statement_timeout: String(STATEMENT_MS),
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  enable_sort: 'off',
  idle_in_transaction_session_timeout: '0',
  synchronize_seqscans: 'off',
});

/* As text: a number of 64 bits would not fit ours. */
const RAW = {rowMode: 'array', types: {getTypeParser: () => (value: string) => value}} as const;
type Raw = {readonly rows: (string | null)[][]};

/** Opens itself on its first question. A connection on which a question failed is closed: what it had read belongs to a snapshot that is gone. */
export function createReader(node: Node, place: Place, clock: Clock): Reader {
  let client: Client | null = null;
  let begunAt: number | null = null;
  let snapshots = 0;
  let earlier = 0;
  const opened = async (): Promise<Client> => {
    if (client !== null) return client;
    const fresh = await openClient({...place, application: 'regionctl audit'}, CONNECT_MS, () => undefined, STATEMENT_MS);
    client = fresh;
    await fresh.query({text: SETTINGS, query_timeout: CONNECT_MS} as never);
    return fresh;
  };
  const drop = async (): Promise<void> => {
    const ending = client;
    client = begunAt = null;
    if (ending === null) return;
    earlier += bytesOf(ending);
    await endClient(ending);
  };
  const sendNow = async (text: string, values: readonly unknown[] | null, signal: AbortSignal): Promise<readonly Raw[]> => {
    signal.throwIfAborted();
    const cut = (): void => {
      if (client !== null) destroy(client);
    };
    signal.addEventListener('abort', cut, {once: true});
    let silent = false;
    const stop = watchServer(place, clock, () => {
      silent = true;
      cut();
    });
    try {
      const query = {text, ...(values === null ? {} : {values: [...values]}), ...RAW, query_timeout: STATEMENT_MS + 1000};
      const answer: unknown = await (await opened()).query(query as never);
      return (Array.isArray(answer) ? answer : [answer]) as Raw[];
    } catch (error) {
      await drop();
      signal.throwIfAborted();
      throw silent
        ? unavailable('timeout', `${node.name}: ${addressText(place)} answers neither what it was asked nor a new connection.`)
        : placeError(node.place, error);
    } finally {
      stop();
      signal.removeEventListener('abort', cut);
    }
  };
  // One after the other: whoever gave up on all members because one refused may ask anew while another is still about to refuse, and its connection with it.
  let last: Promise<unknown> = Promise.resolve();
  const send = (...asked: Parameters<typeof sendNow>): Promise<readonly Raw[]> => {
    const turn = last.then(() => sendNow(...asked));
    last = turn.catch(() => undefined);
    return turn;
  };
  return {
    node,
    ask: async (text, signal) => (await send(text, null, signal)).map(({rows}) => rows),
    rows: async (text, values, signal) => (await send(text, values, signal))[0]?.rows ?? [],
    within: async (maxAgeMs, first, signal) => {
      if (begunAt !== null && clock.now() - begunAt < maxAgeMs) return null;
      const ending = begunAt === null ? '' : 'commit; ';
      const answers = await send(`${ending}begin transaction isolation level repeatable read, read only; ${first}`, null, signal);
      begunAt = clock.now();
      snapshots++;
      return answers.at(-1)?.rows ?? [];
    },
    leave: async (signal) => {
      if (begunAt === null) return;
      await send('commit', null, signal);
      begunAt = null;
    },
    snapshot: () => (begunAt === null ? null : snapshots),
    received: () => earlier + (client === null ? 0 : bytesOf(client)),
    close: drop,
  };
}

const bytesOf = (client: Client): number =>
  (client as unknown as {connection?: {stream?: {bytesRead: number}}}).connection?.stream?.bytesRead ?? 0;
