import type {Clock} from '../ports/clock.ts';
import {createPoster, type Poster} from './post.ts';
import {type LogWriter, type Outcome, openWitnessLog, readWitnessLog, type WitnessLog} from './witness-log.ts';

/** `every` and `deadline` in ms. `run` begins every reference, so that the writes of a run can be read back. `signal` ends it at once. */
export type WitnessOptions = {
  readonly url: string;
  readonly run: string;
  readonly everyMs: number;
  readonly deadlineMs: number;
  readonly logFile: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** What the stream has taken of a core so far, in ms; absent = it shares its thread with others, and it is not known. */
  readonly cpuMs?: () => number;
};

/**
 * Where each numbered write goes: `member` null = through the front door. `send` answers what gives the write up; `ended` may be told by that
 * already, with more than that it is unknown. `by`: who acknowledged it, where that is known and no member says it.
 */
export type Lane = {
  readonly member: string | null;
  refOf(n: number): string;
  send(ref: string, ended: (outcome: Outcome, unsent?: 'unsent', by?: string) => void): () => void;
  close(): void;
};

/** The counts so far, over all processes that carried this run's witness. `sinceLastAckMs` is null before the first acknowledgement. */
export type WitnessSnapshot = {
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly unknown: number;
  /** Writes that were not sent because our own process stood still. */
  readonly late: number;
  readonly longestGapMs: number;
  readonly sinceLastAckMs: number | null;
};

/** A running write stream. */
export type Witness = {
  /** Ms since the last acknowledgement; before the first one, since the start. */
  gapMs(): number;
  snapshot(): WitnessSnapshot;
  /** Calls back at each acknowledgement with its time (epoch ms). Answers a function that ends it. */
  onAck(listener: (at: number) => void): () => void;
  /** Sends no more, waits for what is outstanding (at most its deadline), and answers the whole log. Asked twice it answers the same. */
  stop(): Promise<WitnessLog>;
};

type Counts = {sent: number; acknowledged: number; failed: number; unknown: number; late: number};
type Outstanding = {readonly n: number; readonly ref: string; readonly member: string | null; readonly sentAt: number; giveUp: () => void};
type State = {
  readonly options: WitnessOptions;
  readonly lanes: readonly Lane[];
  readonly log: LogWriter;
  /** Epoch ms of a monotonic reading. A wall clock that jumps does not bend the measurement. */
  readonly epoch: (now: number) => number;
  readonly startedAt: number;
  readonly cpuAtStart: number;
  readonly base: number;
  readonly outstanding: Map<string, Outstanding>;
  readonly listeners: Set<(at: number) => void>;
  readonly counts: Counts;
  next: number;
  lastAck: number | null;
  longestGapMs: number;
  /** Since when nothing more is sent; null = it sends. */
  stoppedAt: number | null;
};

/* How often the end of the outstanding writes is looked for after a stop. */
const DRAIN_MS = 20;

/**
 * Starts the open-loop write stream: the n-th write leaves at start + n * everyMs, whatever is outstanding, and each has its own deadline.
 * If `logFile` holds an earlier part of the same run it is carried on; the time in between is a hole that measureWitness knows of.
 */
export async function startWitness(options: WitnessOptions): Promise<Witness> {
  return await startStream(options, async () => [frontDoor(options.run, await createPoster(options.url, 2 * options.deadlineMs))]);
}

function frontDoor(run: string, poster: Poster): Lane {
  return {
    member: null,
    refOf: (n) => `${run}-${n}`,
    send: (ref, ended) => poster.post(JSON.stringify({ref, item: 'witness', quantity: 1}), (outcome, by) => ended(outcome, undefined, by)),
    close: poster.close,
  };
}

/** The same over lanes of any kind: the n-th write goes into each of them. References must be distinct over lanes. */
export async function startStream(options: WitnessOptions, openLanes: () => Promise<readonly Lane[]>): Promise<Witness> {
  const earlier = await readWitnessLog(options.logFile);
  const lanes = await openLanes();
  const state = await opening(options, earlier, lanes).catch((error: unknown) => {
    for (const lane of lanes) lane.close();
    throw error;
  });
  const ended = run(state);
  // The stream lives on its own: whoever stops it hears of a log that could not be written.
  ended.catch(() => undefined);
  return {
    gapMs: () => options.clock.now() - (state.lastAck ?? state.startedAt),
    snapshot: () => snapshotOf(state),
    onAck(listener) {
      state.listeners.add(listener);
      return () => state.listeners.delete(listener);
    },
    async stop() {
      state.stoppedAt ??= options.clock.now();
      await ended;
      return await readWitnessLog(options.logFile);
    },
  };
}

/**
 * That it began is on disk before anything leaves: whoever carries it on must not use its numbers again, however soon it dies. What that takes counts as
 * a stall of our own.
 */
async function opening(options: WitnessOptions, earlier: WitnessLog, lanes: readonly Lane[]): Promise<State> {
  const log = await openWitnessLog(options.logFile, options.clock);
  const state = beginning(options, earlier, log, lanes);
  log.append({mark: 'open', at: state.epoch(state.startedAt), url: options.url});
  await log.flush().catch(async (error: unknown) => {
    await log.close().catch(() => undefined);
    throw error;
  });
  return state;
}

function beginning(options: WitnessOptions, earlier: WitnessLog, log: LogWriter, lanes: readonly Lane[]): State {
  const {clock, everyMs, deadlineMs} = options;
  const startedAt = clock.now();
  const wall = clock.wall();
  const last = earlier.writes.reduce((max, write) => Math.max(max, write.n), -1);
  const count = (outcome: Outcome) => earlier.writes.filter((write) => write.outcome === outcome).length;
  return {
    options,
    lanes,
    log,
    epoch: (now) => Math.round((wall + now - startedAt) * 10) / 10,
    startedAt,
    cpuAtStart: options.cpuMs?.() ?? 0,
    // Each process that was killed had writes under way that its log does not name: their numbers are left out, never used twice.
    base: last + 1 + earlier.sessions.length * Math.ceil((deadlineMs + 5000) / everyMs),
    outstanding: new Map(),
    listeners: new Set(),
    counts: {
      sent: earlier.writes.length,
      acknowledged: count('acknowledged'),
      failed: count('failed'),
      unknown: count('unknown'),
      late: earlier.stalls.reduce((sum, stall) => sum + stall.late, 0),
    },
    next: 0,
    lastAck: null,
    longestGapMs: 0,
    stoppedAt: null,
  };
}

async function run(state: State): Promise<void> {
  const {clock, signal} = state.options;
  try {
    while (!signal.aborted && !(state.stoppedAt !== null && state.outstanding.size === 0)) {
      const now = clock.now();
      expire(state, now);
      if (state.stoppedAt === null) sendDue(state, now);
      await clock.sleep(pauseMs(state), signal);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    for (const write of state.outstanding.values()) giveUp(state, write);
    for (const lane of state.lanes) lane.close();
    const now = clock.now();
    state.log.append({mark: 'close', at: state.epoch(now), stoppedAt: state.epoch(state.stoppedAt ?? now), ...cpuOf(state)});
    await state.log.close();
  }
}

/** Until the next write is due or the oldest outstanding one is overdue. */
function pauseMs(state: State): number {
  const {clock, everyMs, deadlineMs} = state.options;
  if (state.stoppedAt !== null) return DRAIN_MS;
  const due = state.startedAt + state.next * everyMs;
  const oldest = state.outstanding.values().next().value;
  const overdue = oldest === undefined ? due : oldest.sentAt + deadlineMs;
  return Math.max(0, Math.min(due, overdue) - clock.now());
}

/** Missed slots are counted, not made up for: a burst would be a load of our own making, and its acknowledgements would hide the stall. */
function sendDue(state: State, now: number): void {
  const {everyMs} = state.options;
  const slot = Math.floor((now - state.startedAt) / everyMs);
  if (slot < state.next) return;
  const late = slot - state.next;
  if (late > 0) {
    const from = state.startedAt + state.next * everyMs;
    state.counts.late += late;
    state.log.append({mark: 'stall', from: state.epoch(from), to: state.epoch(now), late});
  }
  state.next = slot + 1;
  for (const lane of state.lanes) send(state, lane, state.base + slot);
}

function send(state: State, lane: Lane, n: number): void {
  const write: Outstanding = {n, ref: lane.refOf(n), member: lane.member, sentAt: state.options.clock.now(), giveUp: () => undefined};
  state.counts.sent += 1;
  state.outstanding.set(write.ref, write);
  write.giveUp = lane.send(write.ref, (...how) => settle(state, write, ...how));
}

/** Outstanding writes are in the order in which they were sent, so the overdue ones come first. */
function expire(state: State, now: number): void {
  for (const write of state.outstanding.values()) {
    if (now - write.sentAt < state.options.deadlineMs) return;
    giveUp(state, write);
  }
}

/** A lane may know better than that it is unknown: what was never sent has failed. */
function giveUp(state: State, write: Outstanding): void {
  write.giveUp();
  settle(state, write, 'unknown');
}

function settle(state: State, {n, ref, member, sentAt}: Outstanding, outcome: Outcome, unsent?: 'unsent', by?: string): void {
  if (!state.outstanding.delete(ref)) return;
  const now = state.options.clock.now();
  state.counts[outcome] += 1;
  const more = {
    ...(member === null ? {} : {member}),
    ...(unsent === undefined ? {} : {unsent: true as const}),
    ...(by === undefined ? {} : {by}),
  };
  state.log.append({n, ref, sentAt: state.epoch(sentAt), endedAt: state.epoch(now), outcome, ...more});
  if (outcome !== 'acknowledged') return;
  if (state.lastAck !== null) state.longestGapMs = Math.max(state.longestGapMs, now - state.lastAck);
  state.lastAck = now;
  for (const listener of state.listeners) listener(state.epoch(now));
}

function snapshotOf(state: State): WitnessSnapshot {
  const since = state.lastAck === null ? null : state.options.clock.now() - state.lastAck;
  return {...state.counts, longestGapMs: Math.max(state.longestGapMs, since ?? 0), sinceLastAckMs: since};
}

function cpuOf({options: {cpuMs}, cpuAtStart}: State): {cpuMs?: number} {
  return cpuMs === undefined ? {} : {cpuMs: Math.round((cpuMs() - cpuAtStart) * 10) / 10};
}
