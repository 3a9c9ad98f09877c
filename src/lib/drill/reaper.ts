import {timeoutAwake} from '../awake.ts';
import {messageOf} from '../errors.ts';
import type {Ctx} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import {isRunning, type ProcessMark} from '../processes.ts';
import {type Ended, healOnce, type Looking, lookAtEnd} from './fault-end.ts';
import type {FaultEntry, FaultLedger} from './fault-ledger.ts';
import {healWithin} from './fault-limits.ts';

/** How long a reaper goes on with a fault whose end it cannot prove: two hours after the lease. */
export const GIVE_UP_MS = 2 * 3_600_000;
/* Its longest sleep: the fault may have been healed meanwhile. And the pauses between two attempts. */
const SLICE_MS = 500;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;
/** The deadline of one heal, where the injector does not say more. */
const HEAL_MS = 120_000;
/** A smaller jump of the clock on the wall is a correction. */
const JUMP_MS = 1000;

/** What a reaper has seen of its fault. Times in ms since it was armed, on a clock that nobody sets. */
export type Sight = {
  readonly elapsedMs: number;
  readonly leaseMs: number;
  readonly lateMs: number;
  /** Whether the fault is still in the ledger. */
  readonly listed: boolean;
  readonly injected: boolean;
  /** Since when the injector is gone; null = it runs. Only asked of an injection that has not come to its end. */
  readonly aloneSince: number | null;
  /** It was told to end (SIGTERM): the fault ends now. */
  readonly told: boolean;
  /** How often it has healed, when last, and whether that was proven to be the end. */
  readonly attempts: number;
  readonly lastAt: number;
  readonly proven: boolean;
};

export type Decision = {readonly do: 'wait'; readonly ms: number} | {readonly do: 'heal'} | {readonly do: 'end'; readonly why: ReaperEnd};
export type ReaperEnd = 'healed-elsewhere' | 'proven' | 'gave-up';

/**
 * What a reaper does next. Pure. It heals when the lease is over and never before, unless it is told to; an injection that may still be on its way is
 * healed again until it cannot come any more.
 */
export function decide(sight: Sight): Decision {
  const {elapsedMs, leaseMs, listed, told, attempts, lastAt, proven} = sight;
  if (!listed) return {do: 'end', why: 'healed-elsewhere'};
  if (elapsedMs < leaseMs && !told) return {do: 'wait', ms: Math.min(SLICE_MS, leaseMs - elapsedMs)};
  if (proven && isSettled(sight)) return {do: 'end', why: 'proven'};
  if (elapsedMs - leaseMs >= GIVE_UP_MS) return {do: 'end', why: 'gave-up'};
  const dueAt = attempts === 0 ? 0 : lastAt + pauseAfter(attempts);
  return elapsedMs >= dueAt ? {do: 'heal'} : {do: 'wait', ms: Math.min(SLICE_MS, dueAt - elapsedMs)};
}

/** Whether nothing can come any more: the injection has ended, or its injector is gone for as long as one may go on by itself. */
function isSettled({injected, aloneSince, lateMs, lastAt}: Sight): boolean {
  return injected || (aloneSince !== null && lastAt >= aloneSince + lateMs);
}

function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempts - 1, 20));
}

/** Time that nobody sets: `now` is monotonic; `awake` goes on while the machine sleeps, where the system has such a clock. Both in ms. */
export type ReaperClock = Pick<Clock, 'now' | 'wall' | 'sleep'> & {awake(): number};

export type ReaperDeps = Looking & {
  readonly entry: FaultEntry;
  readonly ledger: Pick<FaultLedger, 'read' | 'remove'>;
  readonly clock: ReaperClock;
  /** Aborted by SIGTERM. */
  readonly told: AbortSignal;
  readonly runs?: (mark: ProcessMark) => boolean;
  /** Told of the end when it is proven, before the record goes: when it was seen (epoch ms), and whether the lease brought it. */
  ended?(at: number, by: 'lease' | 'heal'): Promise<void>;
  log(line: string): void;
};

/** Watches over one fault until its end is proven, it was healed by others, or it has tried for long enough. Never throws. */
export async function reap(deps: ReaperDeps): Promise<ReaperEnd> {
  const {clock, log} = deps;
  const [began, awoke] = [clock.now(), clock.awake()];
  const elapsed = (): number => Math.max(clock.now() - began, clock.awake() - awoke);
  const kept = {attempts: 0, lastAt: 0, proven: false, aloneSince: null as number | null};
  let provenAt = clock.wall();
  const wall = wallWatch(clock, elapsed, log);
  for (;;) {
    wall();
    const sight = sightOf(deps, elapsed(), kept);
    kept.aloneSince = sight.aloneSince;
    const next = decide(sight);
    if (next.do === 'end') {
      log(END_SAYS[next.why]);
      if (next.why === 'proven') await forget(deps, provenAt, sight.told);
      return next.why;
    }
    if (next.do === 'wait') await clock.sleep(next.ms, sight.told ? undefined : deps.told).catch(() => undefined);
    else {
      const ended = await healNow(deps);
      log(`attempt ${kept.attempts + 1}: ${ended.says}`);
      if (ended.proven === true && !kept.proven) provenAt = clock.wall();
      Object.assign(kept, {attempts: kept.attempts + 1, lastAt: elapsed(), proven: ended.proven === true});
    }
  }
}

/** A record that cannot be removed is found, and proven once more, by `drill clean`. */
async function forget({ledger, entry, log, ended}: ReaperDeps, provenAt: number, told: boolean): Promise<void> {
  try {
    await ended?.(provenAt, told ? 'heal' : 'lease');
  } catch (error) {
    log(`its end is not in the journal of its run: ${messageOf(error)}`);
  }
  try {
    ledger.remove(entry.id);
  } catch (error) {
    log(messageOf(error));
  }
}

const END_SAYS: Readonly<Record<ReaperEnd, string>> = {
  'healed-elsewhere': 'its fault was healed by others',
  proven: 'the end is proven',
  'gave-up': 'the end could not be proven: "regionctl drill clean" goes on',
};

function sightOf(
  {entry, ledger, told, runs = isRunning}: ReaperDeps,
  elapsedMs: number,
  kept: Pick<Sight, 'attempts' | 'lastAt' | 'proven' | 'aloneSince'>,
): Sight {
  const now = entryNow(ledger, entry);
  const injected = now?.injected ?? entry.injected;
  const aloneSince = injected || runs(entry.by) ? null : (kept.aloneSince ?? elapsedMs);
  return {...kept, elapsedMs, leaseMs: entry.leaseMs, lateMs: entry.lateMs, listed: now !== null, injected, aloneSince, told: told.aborted};
}

/** A file that cannot be read says nothing: only one that is gone means that the fault is. */
function entryNow(ledger: Pick<FaultLedger, 'read'>, entry: FaultEntry): FaultEntry | null {
  try {
    return ledger.read(entry.id);
  } catch {
    return entry;
  }
}

async function healNow({port, outside, entry, clock}: ReaperDeps): Promise<Ended> {
  const {region, kind, before, runId} = entry;
  const ms = healWithin(port, HEAL_MS);
  const signal = timeoutAwake(ms);
  const ctx: Ctx = {runId, token: 'reaper', signal, now: () => clock.now(), deadline: clock.now() + ms};
  try {
    const trouble = await healOnce(port, ctx, {region, kind});
    if (trouble !== null) return {proven: null, active: null, says: trouble};
    return await lookAtEnd({port, outside}, {region, kind, before}, signal);
  } catch (error) {
    return {proven: null, active: null, says: messageOf(error)};
  }
}

/** After each sleep: a clock that was set is told, and nothing else comes of it. */
function wallWatch(clock: ReaperClock, elapsed: () => number, log: (line: string) => void): () => void {
  let offset = clock.wall() - elapsed();
  return () => {
    const moved = clock.wall() - elapsed() - offset;
    if (Math.abs(moved) < JUMP_MS) return;
    offset += moved;
    log(`the clock was set by ${Math.round(moved)} ms; the lease is counted without it`);
  };
}
