import type {Clock} from '../ports/clock.ts';
import type {Senses} from './senses.ts';

const LOOK_MS = 500;

/** Waits until clients can write. Answers null then, and what was seen last where they still cannot at `until` (monotonic, ms). Throws when `signal` aborts. */
export async function untilWritable(
  {senses, clock}: {readonly senses: Pick<Senses, 'writable'>; readonly clock: Clock},
  until: number,
  signal: AbortSignal,
): Promise<string | null> {
  for (;;) {
    const {holds, says} = await senses.writable(signal);
    if (holds === true) return null;
    if (clock.now() >= until) return says;
    await clock.sleep(LOOK_MS, signal);
  }
}
