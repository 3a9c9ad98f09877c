import type {Clock} from '../ports/clock.ts';

/**
 * Does something every `everyMs` from now on, until the signal is aborted. A round that took longer than the time between two leaves out those that it has missed.
 * Throws what a round throws, but for the interruption itself.
 */
export async function everyRound(
  clock: Clock,
  {everyMs, signal}: {readonly everyMs: number; readonly signal: AbortSignal},
  round: () => Promise<void>,
): Promise<void> {
  const began = clock.now();
  while (!signal.aborted) {
    try {
      await round();
      const gone = clock.now() - began;
      await clock.sleep(everyMs - (gone % everyMs), signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
