import type {WitnessWriter} from '../ports/store.ts';
import type {Meter} from './meter.ts';

export type Outcome = 'acknowledged' | 'failed' | 'unknown';

/** A connection that takes one write at a time. */
export type Line = {
  /**
   * Sends one write; `ended` is told what became of it, also when the connection breaks. Answers what gives it up and breaks the connection off:
   * `failed` = nothing had been sent.
   */
  write(ref: string, ended: (outcome: Outcome) => void): () => 'failed' | 'unknown';
  destroy(): void;
};

/** A line that is being made. */
export type Dial = {
  readonly line: Promise<Line>;
  /** The other end has taken the connection and has not let us in yet. */
  isAccepted(): boolean;
  drop(): void;
};

/** `dial` calls `gone` once a line that was made is there no more. `most`: how many connections there may be now. `now` is monotonic, in ms. */
export type LineOptions = {
  dial(gone: () => void): Dial;
  most(): number;
  readonly now: () => number;
  readonly meter: Meter;
};

type Write = {
  readonly ref: string;
  readonly ended: (outcome: Outcome, unsent?: 'unsent') => void;
  line: Line | null;
  /** It found as many connections as there may be, none of them free. */
  held: boolean;
  giveUp: () => Outcome;
};
type Attempt = {readonly dial: Dial; readonly since: number};
type Pool = {
  readonly options: LineOptions;
  /** In the order of the writes. */
  readonly waiting: Set<Write>;
  readonly busy: Map<Line, Write>;
  readonly idle: Line[];
  readonly attempts: Set<Attempt>;
  readonly gone: WeakSet<Line>;
  lastDial: number;
  /** How long the quickest attempt took that was let in, in ms. */
  loginMs: number;
  closed: boolean;
};

/* More idle lines than these find out late, and at the price of a write each, that their other end is gone. */
const MOST_IDLE = 4;
/* An attempt that takes longer than so long, and than so many times the shortest one, does not keep further ones back: it may have been sent into a void. */
const PROMPT_MS = 100;
const TIMES_LONGER = 3;
/* Until one was let in. */
const FIRST_LOGIN_MS = 1000;
const AGAIN_MS = 40;
/* A first packet that was lost is sent again after a second: a new attempt is sooner. */
const LOST_MS = 800;
/* Whoever was taken and heard nothing waits in the queue of a server that stands still, and is served first when it goes on: the oldest are kept.
   Should it have been started anew without a word to them, one of the newest is heard. A crowd would be in its own way. */
const KEPT = 3;
const NEWEST = 3;
/* The longer nobody answers the fewer are tried: what a server that stands still is left with grows with the logarithm of the time. */
const RARER = 25;

/**
 * Writes to one member, each over a line that is free, or over a new one: a write that hangs holds up no other. What no line was found for by its
 * deadline has failed, since nothing was sent. There are no timers: whoever writes drives it, so it ends with its last write.
 */
export function writeLines(options: LineOptions): WitnessWriter {
  const lastDial = Number.NEGATIVE_INFINITY;
  const pool: Pool = {
    options,
    waiting: new Set(),
    busy: new Map(),
    idle: [],
    attempts: new Set(),
    gone: new WeakSet(),
    lastDial,
    loginMs: FIRST_LOGIN_MS,
    closed: false,
  };
  return {
    write: (ref, ended) => options.meter.around(() => take(pool, ref, ended)),
    tookMs: () => options.meter.tookMs(),
    close: () => close(pool),
  };
}

function take(pool: Pool, ref: string, ended: Write['ended']): () => void {
  const write: Write = {ref, ended, line: null, held: false, giveUp: () => 'failed'};
  if (pool.closed) {
    ended('failed');
    return () => undefined;
  }
  pool.waiting.add(write);
  const line = pool.idle.pop();
  if (line !== undefined) send(pool, write, line);
  else write.held = !dialMore(pool);
  return () => giveUp(pool, write);
}

function send(pool: Pool, write: Write, line: Line): void {
  pool.waiting.delete(write);
  pool.busy.set(line, write);
  write.line = line;
  write.giveUp = line.write(write.ref, (outcome) => {
    if (pool.busy.get(line) !== write) return;
    pool.busy.delete(line);
    write.ended(outcome);
    // One that broke has told so before it told this.
    free(pool, line);
  });
}

function giveUp(pool: Pool, write: Write): void {
  if (pool.waiting.delete(write)) {
    write.ended('failed', write.held || isFull(pool) ? 'unsent' : undefined);
    return;
  }
  if (write.line === null || pool.busy.get(write.line) !== write) return;
  pool.busy.delete(write.line);
  write.ended(write.giveUp());
}

function free(pool: Pool, line: Line): void {
  if (pool.gone.has(line)) return;
  // The newest has the most time left: where there are too few lines for all, the oldest would each be given up in mid-air.
  const next = [...pool.waiting].at(-1);
  if (pool.closed || (next === undefined && pool.idle.length >= MOST_IDLE)) line.destroy();
  else if (next === undefined) pool.idle.push(line);
  else send(pool, next, line);
}

const isFull = ({options, attempts, busy, idle}: Pool): boolean => attempts.size + busy.size + idle.length >= options.most();

/** false = there are as many as there may be. */
function dialMore(pool: Pool): boolean {
  const {options, attempts, waiting} = pool;
  const now = options.now();
  const promptMs = Math.max(PROMPT_MS, TIMES_LONGER * pool.loginMs);
  dropLate(pool, now, promptMs);
  const [oldest] = attempts;
  const prompt = [...attempts].filter(({since}) => now - since < promptMs).length;
  if (isFull(pool)) return false;
  if (waiting.size <= prompt) return true;
  const silentFor = oldest?.dial.isAccepted() === true ? now - oldest.since : 0;
  const isLate = oldest !== undefined && now - oldest.since >= promptMs;
  if (!isLate || now - pool.lastDial >= Math.max(AGAIN_MS, silentFor / RARER)) dialOne(pool, now);
  return true;
}

function dropLate({attempts}: Pool, now: number, promptMs: number): void {
  const silent = [...attempts].filter(({dial}) => dial.isAccepted());
  const kept = new Set([...silent.slice(0, KEPT), ...silent.slice(KEPT).slice(-NEWEST)]);
  for (const attempt of attempts) {
    const age = now - attempt.since;
    if (attempt.dial.isAccepted() ? kept.has(attempt) || age < promptMs : age < LOST_MS) continue;
    attempts.delete(attempt);
    attempt.dial.drop();
  }
}

function dialOne(pool: Pool, now: number): void {
  const {attempts, options, waiting} = pool;
  pool.lastDial = now;
  let made: Line | null = null;
  const dial = options.dial(() => {
    if (made !== null) forget(pool, made);
  });
  const attempt = {dial, since: now};
  attempts.add(attempt);
  dial.line.then(
    (line) => {
      made = line;
      pool.loginMs = Math.min(pool.loginMs, options.now() - now);
      if (attempts.delete(attempt)) free(pool, line);
      else line.destroy();
    },
    () => {
      if (!attempts.delete(attempt)) return;
      // Whoever was refused has heard it for one write.
      const [write] = waiting;
      if (write !== undefined && waiting.delete(write)) write.ended('failed');
    },
  );
}

function forget(pool: Pool, line: Line): void {
  pool.gone.add(line);
  const index = pool.idle.indexOf(line);
  if (index >= 0) pool.idle.splice(index, 1);
}

function close(pool: Pool): void {
  pool.closed = true;
  for (const {dial} of pool.attempts) dial.drop();
  pool.attempts.clear();
  for (const write of [...pool.waiting, ...pool.busy.values()]) giveUp(pool, write);
  for (const line of pool.idle.splice(0)) line.destroy();
}
