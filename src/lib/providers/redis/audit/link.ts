import type {Socket} from 'node:net';
import {bounded} from '../../../awake.ts';
import {type RegionctlError, refused, unavailable} from '../../../errors.ts';
import type {SecretVault} from '../../../fleet/secrets.ts';
import {connectionFailure, failure} from '../../tcp/connection-failure.ts';
import {refusalOf} from '../refusal.ts';
import {asError, openSocket, type Place} from '../socket.ts';
import {encodeAll, type Word} from './encode.ts';
import {LONGEST, NoReply, ReplyParser, ServerError, type Value} from './replies.ts';

/** A connection of an audit to one member: any bytes in keys and values. Makes itself when it is first asked. */
export type AuditLink = {
  /**
   * Sends all commands at once, in the database of that number, and answers each. What the server has against one is its answer. Throws (69) when the
   * server cannot be reached, refuses the login or does not answer in time; then the connection is given up, and the next call makes another.
   */
  ask(database: number, commands: readonly (readonly Word[])[], signal: AbortSignal): Promise<readonly Value[]>;
  /** Rises with each connection: what a server keeps for one (WATCH) is gone on the next. */
  generation(): number;
  received(): number;
  /** Commands that were sent so far. */
  asked(): number;
  close(): void;
};

const CONNECT_MS = 3000;
/** All that is asked at once is answered in milliseconds. Commands of others that take long come in between. */
const ANSWER_MS = 15_000;

type Waiting = {readonly want: number; readonly values: Value[]; done(values: readonly Value[]): void; fail(error: unknown): void};
type Line = {readonly socket: Socket; readonly plain: Socket; readonly queue: Waiting[]; database: number; broken: RegionctlError | null};

/** Nothing is connected to yet. */
export function createLink(place: Place, secrets: SecretVault): AuditLink {
  const closing = new AbortController();
  let line: Promise<Line> | null = null;
  let [generation, earlier, asked] = [0, 0, 0];
  let current: Line | null = null;
  const connect = async (): Promise<Line> => {
    const opened = await openLine(place, secrets, closing.signal);
    generation++;
    current = opened;
    opened.plain.once('close', () => {
      earlier += opened.plain.bytesRead;
      if (current === opened) current = null;
    });
    return opened;
  };
  const lineNow = async (): Promise<Line> => {
    const kept = await line?.catch(() => null);
    if (kept !== undefined && kept !== null && kept.broken === null) return kept;
    line = connect();
    return line;
  };
  // Whoever asks at the same time waits for the same connection.
  let turn: Promise<Line> = Promise.reject(new Error('nothing was asked yet'));
  turn.catch(() => undefined);
  return {
    ask: async (database, commands, signal) => {
      signal.throwIfAborted();
      asked += commands.length;
      turn = turn.then(lineNow, lineNow);
      turn.catch(() => undefined);
      return exchange(place, await turn, database, commands, signal);
    },
    generation: () => generation,
    received: () => earlier + (current?.plain.bytesRead ?? 0),
    asked: () => asked,
    close: () => {
      closing.abort();
      current?.socket.destroy();
    },
  };
}

async function openLine(place: Place, secrets: SecretVault, signal: AbortSignal): Promise<Line> {
  const {socket, plain, login} = await openSocket(place, secrets, {signal, ms: CONNECT_MS, saidMs: CONNECT_MS});
  const line: Line = {socket, plain, queue: [], database: 0, broken: null};
  const parser = new ReplyParser((value) => take(line, value));
  socket.on('data', (chunk: Buffer) => {
    try {
      parser.read(chunk);
    } catch (error) {
      end(line, noReply(place, error));
    }
  });
  socket.on('error', () => undefined);
  socket.once('close', () => end(line, asError(place, failure('reset', `${addressOf(place)} closed the connection before it answered`))));
  if (login === null) return line;
  const [answer] = await exchange(place, line, 0, [['AUTH', ...login.map((word) => Buffer.from(word))]], signal);
  if (answer === 'OK') return line;
  socket.destroy();
  if (!(answer instanceof ServerError)) throw asError(place, failure('unexpected-answer', 'the login was answered with something else'));
  throw refusal(place, secrets, answer, 'AUTH');
}

const addressOf = ({host, port}: Place): string => `${host}:${port}`;

/** What is no reply is never shown: it may be an echo of the password. */
function noReply(place: Place, error: unknown): RegionctlError {
  const tooLong = error instanceof NoReply ? error.tooLong : null;
  if (tooLong === null)
    return asError(place, failure('unexpected-answer', `${addressOf(place)} said something that is no answer of Redis`));
  return refused('too-large', `${place.label}: one element has ${tooLong} bytes; an audit reads ${LONGEST} at most.`);
}

function take(line: Line, value: Value): void {
  const first = line.queue[0];
  if (first === undefined) throw new NoReply(null);
  first.values.push(value);
  if (first.values.length < first.want) return;
  line.queue.shift();
  first.done(first.values);
}

function end(line: Line, error: RegionctlError): void {
  line.broken ??= error;
  line.socket.destroy();
  for (const waiting of line.queue.splice(0)) waiting.fail(line.broken);
}

async function exchange(
  place: Place,
  line: Line,
  database: number,
  commands: readonly (readonly Word[])[],
  signal: AbortSignal,
): Promise<readonly Value[]> {
  if (line.broken !== null) throw line.broken;
  // Nothing comes in answer to nothing.
  if (commands.length === 0) return [];
  const selects = line.database !== database;
  line.database = database;
  const sent = selects ? [['SELECT', String(database)], ...commands] : commands;
  const limit = bounded(signal, ANSWER_MS);
  const giveUp = (): void => {
    const {code, detail} = connectionFailure(null, {peer: addressOf(place), timeoutMs: ANSWER_MS, signal: limit.signal, connected: true});
    end(line, asError(place, {code, detail}));
  };
  limit.signal.addEventListener('abort', giveUp, {once: true});
  try {
    const values = await new Promise<readonly Value[]>((done, fail) => {
      line.queue.push({want: sent.length, values: [], done, fail});
      line.socket.write(encodeAll(sent));
    });
    if (!selects) return values;
    if (values[0] === 'OK') return values.slice(1);
    // What others have asked meanwhile would be answered out of another database.
    end(line, unavailable('unexpected-answer', `${place.label}: database ${database} cannot be selected`));
    throw line.broken ?? values[0];
  } finally {
    limit.end();
    limit.signal.removeEventListener('abort', giveUp);
  }
}

/** Why a command was not answered, as an error of the place. */
export function refusal({label, host, port}: Place, {scrub}: SecretVault, {text}: ServerError, asked: string): RegionctlError {
  const {code, says} = refusalOf(text, asked, scrub);
  return unavailable(code, `${label}: ${host}:${port} ${says}`);
}
