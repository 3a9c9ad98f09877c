import {isRegionctlError, messageOf} from '../errors.ts';
import type {Endpoint} from '../fleet/fleet.ts';
import type {Clock} from '../ports/clock.ts';
import type {Probe, ProbeResult} from '../ports/probe.ts';
import {type LoopLag, startLoopLag} from './loop-lag.ts';

/** An endpoint with the probe that asks it. */
export type SweepTarget = {readonly endpoint: Endpoint; readonly probe: Probe};

/** What one endpoint answered in the end. `at` is when (epoch ms), `attempts` how often it was asked. */
export type EndpointReading = {readonly endpoint: Endpoint; readonly result: ProbeResult; readonly at: number; readonly attempts: number};

/** How often a failing endpoint is asked before it counts as failed: `fall` failures in a row (default 2), `pauseMs` apart (default 100). */
export type Attempts = {readonly fall: number; readonly pauseMs: number};

export type SweepOptions = {
  readonly endpoints: readonly SweepTarget[];
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly attempts?: Attempts;
  /** For tests: the meter of our own event loop. */
  readonly loopLag?: () => LoopLag;
};

/** How a sweep asks unless it is told otherwise. */
export const ATTEMPTS: Attempts = {fall: 2, pauseMs: 100};
const OVERLOADED = 'observer-overloaded';
/** A lag of this share of an endpoint's timeout makes a timeout say more about us than about the endpoint. */
const STALL_SHARE = 0.25;
/** Probes end by the same deadline on their own; the sweep comes second, so that theirs is the answer when it has one. */
const BEHIND_MS = 20;
/** After that, how long a probe may take to put its end in words, before the sweep does it. */
const WORDS_MS = 25;

/** How long a sweep may take to count an endpoint as failed, in ms: it fails each time right before its deadline, or is late at the last. */
export function longestSweepMs(timeoutMs: number, {fall, pauseMs}: Attempts = ATTEMPTS): number {
  return fall * timeoutMs + (fall - 1) * pauseMs + BEHIND_MS + WORDS_MS;
}

/**
 * Asks every endpoint at once, each with its own deadline: a slow, hanging or broken one neither delays nor hides another. Readings come in
 * the order of `endpoints`. What was late while this process itself stood still is asked once more, since that says nothing of the endpoint;
 * if it stands still again, it is not judged. Never rejects; when `signal` is aborted, what had not answered is unknown with code `interrupted`.
 */
export async function probeAll(options: SweepOptions): Promise<EndpointReading[]> {
  const readings = await probeOnce(options);
  const again = options.endpoints.filter((_, index) => readings[index]?.result.code === OVERLOADED);
  if (again.length === 0 || options.signal.aborted) return readings;
  const second = await probeOnce({...options, endpoints: again});
  return readings.map((reading) => second.find(({endpoint}) => endpoint === reading.endpoint) ?? reading);
}

async function probeOnce(options: SweepOptions): Promise<EndpointReading[]> {
  const lag = (options.loopLag ?? startLoopLag)();
  const readings = await Promise.all(options.endpoints.map((target) => readEndpoint(target, options)));
  const lagMs = lag.stop();
  return readings.map((reading) => distrustStall(reading, lagMs));
}

async function readEndpoint(target: SweepTarget, options: SweepOptions): Promise<EndpointReading> {
  const {fall, pauseMs} = options.attempts ?? ATTEMPTS;
  for (let attempts = 1; ; attempts += 1) {
    const result = await attempt(target, options);
    // A timeout has waited long enough to count: asking once more would only double the wait.
    const settled = result.ok !== false || result.code === 'timeout' || attempts >= fall;
    // A pause that is cut short by the signal is no failure: the next attempt says `interrupted`.
    if (settled) return {endpoint: target.endpoint, result, at: options.clock.wall(), attempts};
    await options.clock.sleep(pauseMs, options.signal).catch(() => {});
  }
}

async function attempt({endpoint, probe}: SweepTarget, {clock, signal}: SweepOptions): Promise<ProbeResult> {
  if (signal.aborted) return interrupted();
  const deadline = new AbortController();
  const done = new AbortController();
  const bounded = AbortSignal.any([signal, deadline.signal]);
  const result = await Promise.race([
    ask(probe, bounded),
    giveUp(endpoint.timeoutMs, deadline, AbortSignal.any([signal, done.signal]), clock),
  ]);
  done.abort();
  // The caller's own deadline must not be read as the endpoint's.
  if (signal.aborted && result.ok !== true) return interrupted();
  return deadline.signal.aborted ? lateIs(result, endpoint.timeoutMs) : result;
}

/** Cancelled by the deadline is late, not unknown, though a probe cannot tell by whom it was cancelled. What kept it from asking stays unknown. */
function lateIs(result: ProbeResult, timeoutMs: number): ProbeResult {
  return result.ok === null && result.code !== 'secret-missing' ? late(timeoutMs) : result;
}

/** A probe that throws is broken itself: that is unknown, not a failure of the endpoint. */
async function ask(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
  try {
    return await probe.check(signal);
  } catch (error) {
    const code = isRegionctlError(error) ? error.code : 'probe-failed';
    return {ok: null, latencyMs: null, code, detail: `the probe could not run: ${messageOf(error)}`};
  }
}

/** The deadline. It holds for a probe that does not heed its signal, too. */
async function giveUp(timeoutMs: number, deadline: AbortController, stop: AbortSignal, clock: Clock): Promise<ProbeResult> {
  try {
    await clock.sleep(timeoutMs + BEHIND_MS, stop);
    deadline.abort(new DOMException(`no answer within ${timeoutMs} ms`, 'TimeoutError'));
    await clock.sleep(WORDS_MS, stop);
  } catch {
    return interrupted();
  }
  return late(timeoutMs);
}

function late(timeoutMs: number): ProbeResult {
  return {ok: false, latencyMs: null, code: 'timeout', detail: `no answer within ${timeoutMs} ms`};
}

function interrupted(): ProbeResult {
  return {ok: null, latencyMs: null, code: 'interrupted', detail: 'the check was cancelled before it answered'};
}

function distrustStall(reading: EndpointReading, lagMs: number): EndpointReading {
  const {result, endpoint} = reading;
  if (result.ok !== false || result.code !== 'timeout' || lagMs <= endpoint.timeoutMs * STALL_SHARE) return reading;
  const detail = `not judged: this process itself stood still for ${Math.round(lagMs)} ms of a ${endpoint.timeoutMs} ms deadline`;
  return {...reading, result: {ok: null, latencyMs: null, code: OVERLOADED, detail}};
}
