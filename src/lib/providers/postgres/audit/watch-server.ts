import type {Clock} from '../../../ports/clock.ts';
import {endClient, openClient, type Place} from '../connect.ts';
import {troubleOf} from '../trouble.ts';

/** How long a statement is waited for before the server is asked for a sign of life, and between two of those, in ms. */
const EVERY_MS = 5000;
const CONNECT_MS = 3000;
/** So many attempts in a row without one. */
const MISSES = 2;
/** Whoever says anything is there. */
const SILENT: readonly string[] = ['timeout', 'refused', 'reset', 'unreachable'];

/**
 * A statement may take long, and a frozen server takes for ever: as long as one is waited for, the server is asked for another connection every now and then.
 * `onSilent` is called once, when it has answered none for about 15 s. Answers what ends the watch.
 */
export function watchServer(place: Place, clock: Clock, onSilent: () => void): () => void {
  const over = new AbortController();
  const watch = async (): Promise<void> => {
    for (let misses = 0; misses < MISSES; ) {
      await clock.sleep(EVERY_MS, over.signal);
      misses = (await isThere(place)) ? 0 : misses + 1;
      over.signal.throwIfAborted();
    }
    onSilent();
  };
  watch().catch(() => undefined);
  return () => over.abort();
}

async function isThere(place: Place): Promise<boolean> {
  try {
    await endClient(await openClient({...place, application: 'regionctl audit'}, CONNECT_MS, () => undefined));
    return true;
  } catch (error) {
    return !SILENT.includes(troubleOf(error).code);
  }
}
