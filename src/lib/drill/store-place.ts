import {bounded} from '../awake.ts';
import {messageOf} from '../errors.ts';
import type {Clock} from '../ports/clock.ts';
import type {Abilities} from '../ports/store.ts';

/** A place that is being made. `end` gives it up, unless it is made, and answers what stood in the way last; null = it is made. */
export type Making = {end(): Promise<string | null>};

type Made = {readonly ability: Abilities['witness']; readonly clock: Clock; readonly life: AbortSignal};

const TRY_MS = 10_000;
const AGAIN_MS = 500;

/**
 * Makes the place for a store's writes again, while the run goes on: it tries until that succeeds. A run that is resumed in the gap must not wait for its
 * witness, and no primary may be there yet.
 */
export function makeAgain({ability, clock, life}: Made): Making {
  const over = new AbortController();
  const signal = AbortSignal.any([life, over.signal]);
  const making = (async () => {
    for (let trouble: string | null = null; ; ) {
      if (signal.aborted) return trouble ?? 'there was no time for it';
      const tried = bounded(signal, TRY_MS);
      try {
        await ability.prepare(tried.signal);
        return null;
      } catch (error) {
        // What is given up says nothing of the store.
        if (!signal.aborted) trouble = messageOf(error);
      } finally {
        tried.end();
      }
      await clock.sleep(AGAIN_MS, signal).catch(() => undefined);
    }
  })();
  return {
    end() {
      over.abort();
      return making;
    },
  };
}
