import type {Socket} from 'node:net';
import {bounded} from '../../awake.ts';
import {type RegionctlError, unavailable} from '../../errors.ts';
import type {SecretVault} from '../../fleet/secrets.ts';
import {connectionFailure, failure} from '../tcp/connection-failure.ts';
import {refusalOf} from './refusal.ts';
import {encode, type Reply, repliesIn} from './resp.ts';
import {asError, openSocket, type Place} from './socket.ts';

export type {Place} from './socket.ts';

/** An answer: what came, or what the server has against the command (a stable code and a sentence that begins with its label). */
export type Answer =
  | Exclude<Reply, {kind: 'garbage'} | {kind: 'error'}>
  | {readonly kind: 'refused'; readonly code: string; readonly says: string; readonly text: string};

/** One connection to one server, made when it is first used and kept. */
export type Client = {
  /**
   * Sends all commands at once and answers each of them. Throws (69) when the server cannot be reached, refuses the login, says what is no answer, or takes
   * longer than `timeoutMs`; then the connection is given up, and the next call makes another.
   */
  ask(
    commands: readonly (readonly string[])[],
    limits: {readonly timeoutMs: number; readonly signal: AbortSignal},
  ): Promise<readonly Answer[]>;
  /** The address that the server was last reached by; null = it was not. */
  reached(): string | null;
  close(): void;
};

/** A connection in use. `turn` ends when the last answer that was asked for is read: they come in the order of the commands. */
type Line = {
  readonly socket: Socket;
  readonly replies: AsyncGenerator<Reply, undefined>;
  readonly address: string | null;
  turn: Promise<unknown>;
  /** Why it is of no use any more. */
  broken: RegionctlError | null;
};

/** One deadline for all that a call needs: the connection, the login and the answers. `until` is monotonic. */
type Limit = {readonly timeoutMs: number; readonly until: number};
/** However late the connection was: an answer that is there already is read. */
const LEAST_MS = 100;
const left = ({until}: Limit): number => Math.max(LEAST_MS, until - performance.now());

type Keeper = {
  readonly place: Place;
  readonly secrets: SecretVault;
  readonly closing: AbortController;
  line: Promise<Line> | null;
  reached: string | null;
};

/** Nothing is connected to yet. */
export function createClient(place: Place, secrets: SecretVault): Client {
  const keeper: Keeper = {place, secrets, closing: new AbortController(), line: null, reached: null};
  return {
    ask: async (commands, {timeoutMs, signal}) => {
      signal.throwIfAborted();
      return unlessCancelled(askKept(keeper, commands, {timeoutMs, until: performance.now() + timeoutMs}), signal, place);
    },
    reached: () => keeper.reached,
    close: () => keeper.closing.abort(),
  };
}

/** One that was kept may have been closed by the server since, as by a restart: that says nothing of the server now. Only reads are sent, so they can be sent again. */
async function askKept(keeper: Keeper, commands: readonly (readonly string[])[], limit: Limit): Promise<readonly Answer[]> {
  const kept = keeper.line;
  try {
    return await exchange(keeper, await lineOf(keeper, limit), commands, limit);
  } catch (error) {
    const wasClosed = kept !== null && (error as {code?: unknown}).code === 'reset' && !keeper.closing.signal.aborted;
    if (!wasClosed) throw error;
    return exchange(keeper, await lineOf(keeper, limit), commands, limit);
  }
}

/** Whoever gives up takes nothing from others who wait on the same connection. */
async function unlessCancelled<T>(answer: Promise<T>, signal: AbortSignal, {label}: Place): Promise<T> {
  let cancel = (): void => undefined;
  const cancelled = new Promise<never>((_, reject) => {
    cancel = () => reject(unavailable('interrupted', `the look at ${label} was cancelled before it answered`));
    signal.addEventListener('abort', cancel, {once: true});
  });
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, cancelled]);
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

async function lineOf(keeper: Keeper, limit: Limit): Promise<Line> {
  const kept = keeper.line;
  if (kept !== null && (await kept).broken === null) return kept;
  // Somebody else who found it broken may have been faster.
  if (keeper.line !== kept && keeper.line !== null) return keeper.line;
  const made = connectTo(keeper, limit);
  keeper.line = made;
  try {
    return await made;
  } catch (error) {
    if (keeper.line === made) keeper.line = null;
    throw error;
  }
}

async function connectTo(keeper: Keeper, within: Limit): Promise<Line> {
  const {place, secrets, closing} = keeper;
  const {
    socket,
    plain,
    login: words,
  } = await openSocket(place, secrets, {signal: closing.signal, ms: left(within), saidMs: within.timeoutMs});
  const line: Line = {
    socket,
    replies: repliesIn(socket, {lists: true}),
    address: plain.remoteAddress ?? null,
    turn: Promise.resolve(),
    broken: null,
  };
  const end = (): void => void socket.destroy();
  closing.signal.addEventListener('abort', end, {once: true});
  socket.once('close', () => {
    // Or a member that is frozen, or lets nobody in, would leave one behind at each look.
    closing.signal.removeEventListener('abort', end);
    line.broken ??= closed(place);
  });
  try {
    if (words !== null) await login(keeper, line, words, within);
  } catch (error) {
    plain.destroy();
    throw error;
  }
  keeper.reached = line.address;
  return line;
}

async function login(keeper: Keeper, line: Line, words: readonly string[], limit: Limit): Promise<void> {
  const [answer] = await exchange(keeper, line, [['AUTH', ...words]], limit);
  if (answer?.kind === 'line' && answer.text === 'OK') return;
  if (answer?.kind === 'refused') throw unavailable(answer.code, answer.says);
  throw unavailable('unexpected-answer', `${keeper.place.label}: the login was answered with something that is no answer of Redis`);
}

/** Written at once, read in turn. Whoever takes too long costs the connection: nobody could tell whose answer comes next. */
async function exchange(
  {place, secrets, closing}: Keeper,
  line: Line,
  commands: readonly (readonly string[])[],
  within: Limit,
): Promise<readonly Answer[]> {
  if (line.broken !== null) throw line.broken;
  const {timeoutMs} = within;
  const limit = bounded(closing.signal, left(within));
  const giveUp = (): void => {
    line.broken ??= asError(
      place,
      connectionFailure(null, {peer: `${place.host}:${place.port}`, timeoutMs, signal: limit.signal, connected: true}),
    );
    line.socket.destroy();
  };
  limit.signal.addEventListener('abort', giveUp, {once: true});
  line.socket.write(commands.map(encode).join(''));
  const answers = line.turn.then(() => readAnswers(place, secrets, line, commands));
  line.turn = answers.catch(() => undefined);
  try {
    return await answers;
  } finally {
    limit.end();
    limit.signal.removeEventListener('abort', giveUp);
  }
}

/** A server that has no room for us, or lets nobody in from here, says so once and closes: that is the answer to all of it. */
async function readAnswers(
  place: Place,
  secrets: SecretVault,
  line: Line,
  commands: readonly (readonly string[])[],
): Promise<readonly Answer[]> {
  const read: Answer[] = [];
  try {
    for (const [name = '', ...rest] of commands) {
      read.push(await nextAnswer(place, secrets, line, name === 'AUTH' ? name : [name, ...rest].join(' ')));
    }
    return read;
  } catch (error) {
    const [first] = read;
    throw first?.kind === 'refused' ? unavailable(first.code, first.says) : error;
  }
}

/** What is no answer is counted and never shown: it may be an echo of the password. */
async function nextAnswer(place: Place, {scrub}: SecretVault, line: Line, asked: string): Promise<Answer> {
  const peer = `${place.host}:${place.port}`;
  const next = await line.replies.next().catch(() => ({value: undefined}));
  if (next.value === undefined) {
    line.broken ??= closed(place);
    line.socket.destroy();
    throw line.broken;
  }
  const reply = next.value;
  if (reply.kind === 'garbage') {
    line.broken ??= asError(place, failure('unexpected-answer', `${peer} said ${reply.bytes} bytes that are no answer of Redis`));
    line.socket.destroy();
    throw line.broken;
  }
  if (reply.kind !== 'error') return reply;
  const {code, says} = refusalOf(reply.text, asked, scrub);
  return {kind: 'refused', code, says: `${place.label}: ${peer} ${says}`, text: asked === 'AUTH' ? '' : reply.text};
}

const closed = (place: Place): RegionctlError =>
  asError(place, failure('reset', `${place.host}:${place.port} closed the connection before it answered`));
