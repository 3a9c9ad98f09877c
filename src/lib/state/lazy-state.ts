import {stateError} from '../errors.ts';
import type {Clock} from '../ports/clock.ts';
import type {State} from '../ports/state.ts';
import {REST_MS} from './rest.ts';

/** A state that is opened when it is first asked for. `close` closes what was opened; afterwards nothing is opened any more. */
export type LazyState = {open(): Promise<State>; close(): Promise<void>};

/**
 * Opens once for all who ask. What could not be opened is opened anew by whoever asks half a minute later: a lock or a full disk passes, and a process may run for days. Until
 * then all are told the same: each try may take seconds.
 */
export function lazyState(open: () => Promise<State>, clock: Clock): LazyState {
  let state: Promise<State> | null = null;
  let restUntil = Number.POSITIVE_INFINITY;
  let isClosed = false;
  return {
    open: () => {
      if (isClosed) return state ?? Promise.reject(stateError('state-closed', 'The state is closed: this command has ended.'));
      if (state !== null && clock.now() < restUntil) return state;
      const opening = open();
      state = opening;
      restUntil = Number.POSITIVE_INFINITY;
      opening.catch(() => {
        restUntil = clock.now() + REST_MS;
      });
      return opening;
    },
    close: async () => {
      isClosed = true;
      (await state?.catch(() => undefined))?.close();
    },
  };
}
