import {formatMs} from '../output/units.ts';
import type {Clock} from '../ports/clock.ts';
import {type Checked, type CheckOptions, checkHealth} from './check.ts';

/** What is waited for: healthy, or at least not down and not unknown. */
export type Wanted = 'healthy' | 'degraded';

export type WaitOptions = CheckOptions & {
  readonly want: Wanted;
  readonly timeoutMs: number;
  /** From the end of one look to the beginning of the next. */
  readonly everyMs: number;
  /** Told whenever the verdict has changed. */
  readonly onChange?: (says: string, elapsedMs: number) => void;
};

const GOOD_ENOUGH: Readonly<Record<Wanted, ReadonlySet<string>>> = {
  healthy: new Set(['healthy']),
  degraded: new Set(['healthy', 'degraded', 'recovering']),
};

/**
 * Asks again and again until all is as good as wanted, or the time is over: the answer is then the last look, with a note. The last look begins
 * when the time is over. Throws like `checkHealth`.
 */
export async function waitForHealth(open: Checked, options: WaitOptions): ReturnType<typeof checkHealth> {
  const {want, timeoutMs, everyMs, onChange, signal} = options;
  const {clock} = open;
  const began = clock.now();
  let last = '';
  for (;;) {
    const result = await checkHealth(open, options);
    const {document} = result;
    const elapsedMs = clock.now() - began;
    const says = `${document.verdict}: ${document.reason}`;
    if (document.verdict !== last) onChange?.(says, elapsedMs);
    last = document.verdict;
    if (GOOD_ENOUGH[want].has(document.verdict)) return result;
    const leftMs = timeoutMs - elapsedMs;
    if (leftMs <= 0) return late(result, options);
    await rest(clock, Math.min(everyMs, leftMs), signal);
  }
}

function late(result: Awaited<ReturnType<typeof checkHealth>>, {want, timeoutMs}: WaitOptions): typeof result {
  const note = `it was not ${want === 'healthy' ? 'healthy' : 'at least degraded'} within ${formatMs(timeoutMs)}`;
  return {...result, document: {...result.document, notes: [...result.document.notes, note]}};
}

async function rest(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  await clock.sleep(ms, signal).catch(() => undefined);
  signal.throwIfAborted();
}
