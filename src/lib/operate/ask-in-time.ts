import {inTime, within} from '../awake.ts';
import {messageOf} from '../errors.ts';
import type {Abilities} from '../ports/store.ts';

/** What was asked for, or why it could not be had: `code` for scripts, `reason` for people. */
export type Asked<T> = {readonly ok: true; readonly value: T} | {readonly ok: false; readonly code: string; readonly reason: string};

/** Longer than any provider's own deadline: it only ends what does not heed its signal. */
const DEADLINE_MS = 10_000;

/**
 * Asks one part of the fleet so that it can neither delay nor hide the others: with a deadline of its own (default 10 s), and without throwing.
 * An interruption of the whole is thrown.
 */
export async function askInTime<T>(signal: AbortSignal, ask: (signal: AbortSignal) => Promise<T>, ms = DEADLINE_MS): Promise<Asked<T>> {
  signal.throwIfAborted();
  let stop = (): void => undefined;
  // What does not heed its signal must not keep a Ctrl+C waiting either.
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, {once: true});
  });
  try {
    // So that a provider that throws before its first await is caught like any other.
    return {ok: true, value: await within(signal, ms, (own) => inTime(Promise.race([(async () => ask(own))(), stopped]), ms))};
  } catch (error) {
    signal.throwIfAborted();
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unreadable';
    return {ok: false, code, reason: messageOf(error)};
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** The longest that any provider takes to write a heartbeat, and some more. */
const BEAT_MS = 3000;

/** Writes a heartbeat where there is one, and waits for it for 3 s at most. That it could not be written is told by the links. An interruption is thrown. */
export async function beatInTime(signal: AbortSignal, heartbeat: Abilities['heartbeat'] | undefined): Promise<void> {
  if (heartbeat !== undefined) await askInTime(signal, (own) => heartbeat.beat(own), BEAT_MS);
}
