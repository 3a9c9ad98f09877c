import {isRegionctlError, RegionctlError, unavailable} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Ctx} from '../plan/action.ts';
import type {Run} from './context.ts';

/** How long work that was told to end may take for it, before it is left alone. */
const GRACE_MS = 500;

/**
 * Runs work under a deadline of its own. `cancel` (null = nothing cancels it) and the deadline abort the signal that the work is given, and
 * it is then waited for, since an effect that goes on alone could meet its own undo. Only the second Ctrl+C, or work that does not end
 * within the grace, is not waited for. Throws codes `deadline`, `interrupted`, `left`, or what the work threw.
 */
export async function within<T>(run: Run, ms: number, cancel: AbortSignal | null, work: (ctx: Ctx) => Promise<T>): Promise<T> {
  if (run.stop.aborted) throw left();
  if (isAborted(cancel)) throw interrupted();
  const over = new AbortController();
  const late = new AbortController();
  const ctx: Ctx = {
    runId: run.runId,
    token: run.lease.token,
    signal: AbortSignal.any([late.signal, run.stop, ...(cancel === null ? [] : [cancel])]),
    now: () => run.clock.now(),
    deadline: run.clock.now() + ms,
  };
  try {
    return await Promise.race([work(ctx), giveUp(run, ms, late, over.signal), leave(run, over.signal)]);
  } catch (error) {
    if (run.stop.aborted) throw left();
    // What the work itself says of being late (which fact does not hold) tells more than the deadline alone.
    if (late.signal.aborted) throw isRegionctlError(error) ? error : deadlinePassed(ms, error);
    if (isAborted(cancel)) throw interrupted(error);
    throw error;
  } finally {
    over.abort();
  }
}

/** Waits; throws `left` or `interrupted` when it is cut short. */
export async function pause(run: Run, ms: number, cancel: AbortSignal | null): Promise<void> {
  const signal = cancel === null ? run.stop : AbortSignal.any([run.stop, cancel]);
  try {
    await run.clock.sleep(ms, signal);
  } catch (error) {
    if (run.stop.aborted) throw left();
    if (isAborted(cancel)) throw interrupted(error);
    throw error;
  }
}

/** The second Ctrl+C: nothing more is done. */
export function left(): RegionctlError {
  return new RegionctlError('left', EXIT.interrupted, 'left at once');
}

function isAborted(signal: AbortSignal | null): boolean {
  return signal?.aborted === true;
}

async function giveUp(run: Run, ms: number, late: AbortController, over: AbortSignal): Promise<never> {
  await run.clock.sleep(ms, over);
  late.abort(deadlinePassed(ms));
  await run.clock.sleep(GRACE_MS, over);
  throw deadlinePassed(ms);
}

function leave(run: Run, over: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    run.stop.addEventListener('abort', () => reject(left()), {once: true, signal: over});
  });
}

function deadlinePassed(ms: number, cause?: unknown): RegionctlError {
  return unavailable('deadline', `not done within ${formatMs(ms)}`, {cause});
}

function interrupted(cause?: unknown): RegionctlError {
  return new RegionctlError('interrupted', EXIT.interrupted, 'interrupted', {cause});
}
