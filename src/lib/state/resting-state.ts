import type {Clock} from '../ports/clock.ts';
import type {State} from '../ports/state.ts';
import {REST_MS} from './rest.ts';

/**
 * Opens the same state for who remembers what he sees and goes on without: after a write that failed, the next ones fail with the same error for half a minute without being
 * tried, since each try may hold this process up for seconds. Runs, leases and whatever is read are as they are.
 */
export function restingState(open: () => Promise<State>, clock: Clock): () => Promise<State> {
  let rest: {readonly until: number; readonly error: unknown} | null = null;
  const attempt = <T>(work: () => T): T => {
    if (rest !== null && clock.now() < rest.until) throw rest.error;
    try {
      return work();
    } catch (error) {
      rest = {until: clock.now() + REST_MS, error};
      throw error;
    }
  };
  return async () => {
    const state = await open();
    return {
      ...state,
      remember: (key, value) => attempt(() => state.remember(key, value)),
      note: (topic, data, at) => attempt(() => state.note(topic, data, at)),
      together: (work) => attempt(() => state.together(work)),
    };
  };
}
