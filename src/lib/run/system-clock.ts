import {setTimeout as delay} from 'node:timers/promises';
import type {Clock} from '../ports/clock.ts';

/** The real clock of this machine. */
export function systemClock(): Clock {
  return {
    wall: () => Date.now(),
    now: () => performance.now(),
    sleep: (ms, signal) => sleep(ms, signal),
    after: (ms, then) => {
      const timer = setTimeout(then, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** Node's timer rejects with an AbortError of its own; the port promises the signal's reason. */
async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  try {
    await delay(ms, undefined, signal === undefined ? {} : {signal});
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
