import type {Clock} from '../ports/clock.ts';
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

/** One source that is asked again and again. `now` answers at once with what is known; `ended` resolves when no question is under way any more. */
export type Sampler<T> = {now(): Sampled<T>; readonly ended: Promise<void>};

/**
 * Asks one source at its own pace until `signal` is aborted. What it said last stays, with its time, while it fails or hangs: a dead source ages, and never
 * delays another one.
 */
export function startSampler<T>({clock, signal, everyMs, deadlineMs, ask}: SamplerOptions<T>): Sampler<T> {
  let held: Sampled<T> = {value: null, at: null, failing: null};
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      const began = clock.now();
      const asked = await askInTime(signal, ask, deadlineMs).catch(() => null);
      // Only an interruption is thrown.
      if (asked === null) return;
      const at = clock.wall();
      held = asked.ok
        ? {value: asked.value, at, failing: null}
        : {...held, failing: {code: asked.code, reason: asked.reason, since: held.failing?.since ?? at}};
      await clock.sleep(Math.max(0, everyMs - (clock.now() - began)), signal).catch(() => undefined);
    }
  };
  return {now: () => held, ended: loop()};
}
