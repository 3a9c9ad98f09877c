import {nearestTick} from '../health/schedule.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import {askInTime} from './ask-in-time.ts';

/** `everyMs`: from one question to the next; one that takes longer delays only its own next one. `deadlineMs`: how long an answer is waited for, default 10 s. */
export type SamplerOptions<T> = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly everyMs: number;
  readonly deadlineMs?: number;
  readonly ask: (signal: AbortSignal) => Promise<T>;
};

/**
 * One source that is asked again and again. `now` answers at once with what is known; `again`: what was asked before counts for little, ask now; `asked` resolves when it
 * has answered or failed once; `ended` when no question is under way any more.
 */
export type Sampler<T> = {now(): Sampled<T>; again(): void; readonly asked: Promise<void>; readonly ended: Promise<void>};

/**
 * Asks one source at its own pace until `signal` is aborted. What it said last stays, with its time, while it fails or hangs: a dead source ages, and never
 * delays another one.
 */
export function startSampler<T>({clock, signal, everyMs, deadlineMs, ask}: SamplerOptions<T>): Sampler<T> {
  let held: Sampled<T> = {value: null, at: null, failing: null};
  const {promise: asked, resolve: onAsked} = Promise.withResolvers<void>();
  // Also while it is asked: what is answered then may be of before.
  let isDue = false;
  let wake = (): void => undefined;
  const rest = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const end = (): void => {
        callOff();
        signal.removeEventListener('abort', end);
        wake = () => undefined;
        resolve();
      };
      const callOff = after(clock, Math.max(0, ms), end);
      signal.addEventListener('abort', end, {once: true});
      wake = end;
    });
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      isDue = false;
      const began = clock.now();
      const answer = await askInTime(signal, ask, deadlineMs).catch(() => null);
      // Only an interruption is thrown.
      if (answer === null) return;
      const at = clock.wall();
      held = answer.ok
        ? {value: answer.value, at, failing: null}
        : {...held, failing: {code: answer.code, reason: answer.reason, since: held.failing?.since ?? at}};
      onAsked();
      if (!isDue && !signal.aborted) await rest(nearestTick(began + everyMs, everyMs) - clock.now());
    }
  };
  const again = (): void => {
    isDue = true;
    wake();
  };
  return {now: () => held, again, asked, ended: loop().finally(onAsked)};
}
