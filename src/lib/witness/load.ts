import {GRACE_MS} from '../awake.ts';
import type {Clock} from '../ports/clock.ts';
import {type ClientEnd, createLoadClient, type LoadClient, type LoadTarget} from './load-client.ts';
import {type LoadEnd, type LoadLog, type LoadPhase, readLoadLog} from './load-log.ts';
import {shownUrl} from './load-url.ts';
import {type LoadNow, loadWindow} from './load-window.ts';
import {type LoadWriter, openLoadLog} from './load-writer.ts';

/** `rate` in requests per second; `body` may hold `{n}` and `{run}`. `signal` ends it at once. */
export type LoadOptions = LoadTarget & {
  readonly run: string;
  readonly body: string | null;
  readonly rate: number;
  readonly deadlineMs: number;
  readonly logFile: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** A load that runs. */
export type Load = {
  /** The last 5 s; null = it sends nothing at the moment. */
  now(): LoadNow | null;
  /** From now on requests belong to this part; it is in the log when this has ended. A part that is reached already stays. */
  phase(phase: LoadPhase): Promise<void>;
  /** Sends no more, waits for what is under way (at most its deadline), and answers the whole log. Asked twice it answers the same. */
  stop(): Promise<LoadLog>;
};

/** A request that is this late is not sent: it would be a burst of our own making, and its time would blame the service for it. */
export const LATE_MS = 20;
/** The longest pause of the loop: a stall that is longer than both together is seen, however low the rate. */
const BEAT_MS = 25;
/* What was there to be read when a stall ended is read within this time. */
const SETTLE_MS = 20;

type Outstanding = {readonly n: number; readonly at: number; readonly sent: number; until: number; held: boolean; giveUp: () => void};
type State = {
  readonly options: LoadOptions;
  readonly client: LoadClient;
  readonly log: LoadWriter;
  readonly window: ReturnType<typeof loadWindow>;
  /** Epoch ms of a monotonic reading. A wall clock that jumps does not bend the measurement. */
  readonly epoch: (now: number) => number;
  readonly startedAt: number;
  readonly base: number;
  readonly outstanding: Map<number, Outstanding>;
  /** The next slot, when the loop is to wake, and when the next request is overdue. */
  next: number;
  wakeAt: number;
  expiry: number;
  stall: {readonly from: number; readonly to: number} | null;
  stopping: boolean;
};

/**
 * Starts the open-loop load: the n-th request leaves at start + n / rate, whatever is under way, and each has its own deadline. Its time counts from
 * when it should have left. If `logFile` holds an earlier part of the same run it is carried on, in the part of the drill that was begun last.
 */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const earlier = await readLoadLog(options.logFile);
  const client = await createLoadClient(options);
  const log = await openLoadLog(options.logFile, options.clock);
  const state = beginning(options, earlier, client, log);
  const what = `${options.method} ${shownUrl(options.url)}, ${options.rate} a second`;
  log.append({mark: 'open', at: state.epoch(state.startedAt), kind: 'built-in', what});
  // On disk before anything leaves: whoever carries it on must not use its numbers again, and knows of the hole, however soon it dies.
  await log.flush().catch(async (error: unknown) => {
    client.close();
    await log.close().catch(() => undefined);
    throw error;
  });
  const ended = run(state);
  // The load lives on its own: whoever stops it hears of a log that could not be written.
  ended.catch(() => undefined);
  return {
    now: () => (state.stopping || options.signal.aborted ? null : state.window.read(options.clock.now(), waiting(state))),
    async phase(phase) {
      log.append({mark: 'phase', at: state.epoch(options.clock.now()), phase});
      await log.flush();
    },
    async stop() {
      state.stopping = true;
      await ended;
      return await readLoadLog(options.logFile);
    },
  };
}

function beginning(options: LoadOptions, earlier: LoadLog, client: LoadClient, log: LoadWriter): State {
  const {clock, rate, deadlineMs} = options;
  const startedAt = clock.now();
  const wall = clock.wall();
  const last = earlier.requests.reduce((max, {n}) => Math.max(max, n), -1);
  return {
    options,
    client,
    log,
    window: loadWindow(),
    epoch: (now) => tenths(wall + now - startedAt),
    startedAt,
    // Each process that was killed had requests under way that its log does not name: their numbers are left out, never used twice.
    base: last + 1 + earlier.sessions.length * Math.ceil(((deadlineMs + 5000) * rate) / 1000),
    outstanding: new Map(),
    next: 0,
    wakeAt: startedAt,
    expiry: Number.POSITIVE_INFINITY,
    stall: null,
    stopping: false,
  };
}

async function run(state: State): Promise<void> {
  const {clock, signal} = state.options;
  try {
    while (!signal.aborted && !(state.stopping && state.outstanding.size === 0)) {
      turn(state, clock.now());
      await clock.sleep(Math.max(0, Math.ceil(state.wakeAt - clock.now())), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    const left = state.outstanding.size;
    for (const {giveUp} of state.outstanding.values()) giveUp();
    state.outstanding.clear();
    state.client.close();
    state.log.append({mark: 'close', at: state.epoch(clock.now()), left});
    await state.log.close();
  }
}

function turn(state: State, now: number): void {
  const late = state.stopping ? 0 : skipLate(state, now);
  if (now - state.wakeAt > LATE_MS) noteStall(state, now, late);
  expire(state, now);
  if (!state.stopping) sendDue(state, now);
  state.wakeAt = Math.min(state.stopping ? Number.POSITIVE_INFINITY : dueAt(state, state.next), state.expiry, now + BEAT_MS);
}

function dueAt({startedAt, options}: State, slot: number): number {
  return startedAt + (slot * 1000) / options.rate;
}

/** Missed slots are counted, not made up for. */
function skipLate(state: State, now: number): number {
  const from = state.next;
  while (now - dueAt(state, state.next) > LATE_MS) state.next += 1;
  return state.next - from;
}

/** What ran out of time meanwhile may have been answered in time: it is given a moment to be read, and its time is not known. */
function noteStall(state: State, now: number, late: number): void {
  const {log, epoch, wakeAt: from} = state;
  state.stall = {from, to: now};
  log.append({mark: 'stall', from: epoch(from), to: epoch(now), late});
  for (const request of state.outstanding.values()) {
    if (request.until > now) continue;
    request.held = true;
    request.until = now + GRACE_MS;
  }
  state.expiry = earliest(state);
}

function sendDue(state: State, now: number): void {
  for (; dueAt(state, state.next) <= now; state.next += 1) send(state, state.base + state.next, dueAt(state, state.next), now);
}

function send(state: State, n: number, at: number, sent: number): void {
  const {body, run: runId, deadlineMs} = state.options;
  const request: Outstanding = {n, at, sent, until: at + deadlineMs, held: false, giveUp: () => undefined};
  state.outstanding.set(n, request);
  state.expiry = Math.min(state.expiry, request.until);
  const text = body === null ? null : body.replaceAll('{n}', String(n)).replaceAll('{run}', runId);
  request.giveUp = state.client.send(text, (how) => settle(state, request, how));
}

function expire(state: State, now: number): void {
  if (now < state.expiry) return;
  for (const request of state.outstanding.values()) {
    if (now < request.until) continue;
    settle(state, request, {end: 'deadline'});
    request.giveUp();
  }
  state.expiry = earliest(state);
}

function earliest({outstanding}: State): number {
  let first = Number.POSITIVE_INFINITY;
  for (const {until} of outstanding.values()) first = Math.min(first, until);
  return first;
}

function settle(state: State, request: Outstanding, how: ClientEnd | {readonly end: LoadEnd; readonly text?: string}): void {
  if (!state.outstanding.delete(request.n)) return;
  const now = state.options.clock.now();
  const {n, at, sent} = request;
  const ms = tenths(now - at);
  const held = request.held || endedInStall(state, request, now) ? {held: true as const} : {};
  state.window.ended(now, {end: how.end, ms, ...held});
  state.log.append({n, at: state.epoch(at), sent: state.epoch(sent), ms, ...how, ...held});
}

/** Sockets are read before the loop learns that it is late, or right after it. */
function endedInStall({wakeAt, stall}: State, {sent}: Outstanding, now: number): boolean {
  if (now - wakeAt > LATE_MS) return true;
  return stall !== null && sent < stall.to && now <= stall.to + SETTLE_MS;
}

/** One that a stall held up has waited for us, not for the service. */
function waiting({outstanding, stall, options}: State): number[] {
  const now = options.clock.now();
  return [...outstanding.values()].filter(({sent}) => stall === null || sent >= stall.to).map(({at}) => now - at);
}

function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
