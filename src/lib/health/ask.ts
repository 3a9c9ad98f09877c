import {unlessAborted} from '../awake.ts';
import {isRegionctlError, messageOf} from '../errors.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {Probe, ProbeResult} from '../ports/probe.ts';
import type {Observer} from './observer.ts';
import {isUnanswered} from './quorum.ts';

/** How often a failing endpoint is asked before it counts as failed: `fall` failures in a row (default 2), `pauseMs` apart (default 100). */
export type Attempts = {readonly fall: number; readonly pauseMs: number};

export type AskOptions = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly attempts: Attempts;
  /** Tells whether we ourselves were fit meanwhile. */
  readonly observer: Pick<Observer, 'lostSince' | 'jumpedSince'>;
};

/** What was answered in the end, and how often it took asking. */
export type Answered = {readonly result: ProbeResult; readonly attempts: number};

/** How endpoints are asked unless it is told otherwise. */
export const ATTEMPTS: Attempts = {fall: 2, pauseMs: 100};
/** The code of what was late while this process itself stood still. */
const OVERLOADED = 'observer-overloaded';
/** The code of what failed while the clock was set, or the machine slept. */
const JUMPED = 'clock-jumped';
/** The code of what this process did not get as far as to ask. */
const NOT_ASKED = 'not-asked';
/** Having stood still for this share of an endpoint's timeout, once or in all, makes a timeout say more about us than about the endpoint. */
const STALL_SHARE = 0.25;
/** What a probe waits for one after the other at the most: shorter stalls than this part of that share cannot add up to it, however many there are. */
const ROUND_TRIPS = 10;
/** A smaller jump of the wall clock is a correction. */
const JUMP_MS = 1000;
/** Probes end by the same deadline on their own; we come second, so that theirs is the answer when it has one. */
const BEHIND_MS = 20;
/** After that, how long a probe may take to put its end in words, before we do it. */
const WORDS_MS = 25;

/** How long it may take to count an endpoint as failed, in ms: it fails each time right before its deadline, or is late at the last. */
export function longestAskMs(timeoutMs: number, {fall, pauseMs}: Attempts = ATTEMPTS): number {
  return fall * timeoutMs + (fall - 1) * pauseMs + BEHIND_MS + WORDS_MS;
}

/**
 * Asks one endpoint until it is well or has failed often enough in a row. What failed while we ourselves were not fit says nothing of the endpoint:
 * it is asked once more, and if we are unfit again, it is not judged. Never rejects; when `signal` is aborted, the answer is unknown, `interrupted`.
 */
export async function askUntilSure(probe: Probe, timeoutMs: number, options: AskOptions): Promise<Answered> {
  const {attempts: limits, clock, signal} = options;
  let unfit = false;
  if (probe.ready !== undefined) await unlessAborted(probe.ready(), signal).catch(() => undefined);
  for (let attempts = 1; ; attempts += 1) {
    const result = await askFit(probe, timeoutMs, options);
    if (!unfit && isUnfit(result) && !signal.aborted) {
      unfit = true;
      attempts -= 1;
      continue;
    }
    // A timeout has waited long enough to count: asking once more would only double the wait.
    const settled = result.ok !== false || result.code === 'timeout' || attempts >= limits.fall;
    // A pause that is cut short by the signal is no failure: the next attempt says `interrupted`.
    if (settled) return {result, attempts};
    await clock.sleep(limits.pauseMs, signal).catch(() => {});
  }
}

const isUnfit = ({code}: ProbeResult): boolean => [OVERLOADED, JUMPED, NOT_ASKED].includes(code);

async function askFit(probe: Probe, timeoutMs: number, options: AskOptions): Promise<ProbeResult> {
  const {observer} = options;
  const began = performance.now();
  const result = await askOnce(probe, timeoutMs, options);
  if (!isUnanswered(result)) return result;
  const jumpMs = observer.jumpedSince(began);
  if (jumpMs > JUMP_MS) {
    return unjudged(JUMPED, `not judged: this machine's clock moved by ${Math.round(jumpMs)} ms meanwhile, or it slept`);
  }
  const mostMs = timeoutMs * STALL_SHARE;
  const stallMs = result.code === 'timeout' ? observer.lostSince(began, mostMs / ROUND_TRIPS) : 0;
  if (stallMs <= mostMs) return result;
  return unjudged(OVERLOADED, `not judged: this process itself stood still for ${Math.round(stallMs)} ms of a ${timeoutMs} ms deadline`);
}

/** The deadline holds for a probe that does not heed its signal, too. */
function askOnce(probe: Probe, timeoutMs: number, {clock, signal}: AskOptions): Promise<ProbeResult> {
  if (signal.aborted) return Promise.resolve(interrupted());
  return new Promise((resolve) => {
    const stop = new AbortController();
    let isLate = false;
    const end = (result: ProbeResult): void => {
      callOff();
      signal.removeEventListener('abort', cancel);
      resolve(result);
    };
    // The caller's own end must not be read as the endpoint's.
    const cancel = (): void => {
      stop.abort(signal.reason);
      end(interrupted());
    };
    let callOff = after(clock, timeoutMs + BEHIND_MS, () => {
      isLate = true;
      stop.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'));
      callOff = after(clock, WORDS_MS, () => end(late(timeoutMs)));
    });
    signal.addEventListener('abort', cancel, {once: true});
    void ask(probe, stop.signal).then((result) => end(isLate ? lateIs(result, timeoutMs) : result));
  });
}

/** What is unknown for another reason than that it was late. */
const OTHERWISE_UNKNOWN: ReadonlySet<string> = new Set(['secret-missing', 'vantage-silent', 'vantage-refused', NOT_ASKED]);

/** Cancelled by the deadline is late, not unknown, though a probe cannot tell by whom it was cancelled. What kept it from asking stays unknown. */
function lateIs(result: ProbeResult, timeoutMs: number): ProbeResult {
  if (result.ok !== null || OTHERWISE_UNKNOWN.has(result.code)) return result;
  return {...late(timeoutMs), ...(result.connected === true ? {connected: true} : {})};
}

/** A probe that throws is broken itself: that is unknown, not a failure of the endpoint. */
async function ask(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
  try {
    return await probe.check(signal);
  } catch (error) {
    return unjudged(isRegionctlError(error) ? error.code : 'probe-failed', `the probe could not run: ${messageOf(error)}`);
  }
}

function late(timeoutMs: number): ProbeResult {
  return {ok: false, latencyMs: null, code: 'timeout', detail: `no answer within ${timeoutMs} ms`};
}

function interrupted(): ProbeResult {
  return unjudged('interrupted', 'the check was cancelled before it answered');
}

function unjudged(code: string, detail: string): ProbeResult {
  return {ok: null, latencyMs: null, code, detail};
}
