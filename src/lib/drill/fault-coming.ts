import type {Ctx} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import {isRunning} from '../processes.ts';
import {type Ended, type FaultPlace, healUntilProven, type Looking} from './fault-end.ts';
import type {FaultEntry} from './fault-ledger.ts';

/**
 * Whether an injection may still be on its way, at a time by the clock on the wall (epoch ms): it never came to its end, and whoever injects runs, or was killed
 * and the injection may go on by itself. That no fault is there now does not say that none will be.
 */
export function isStillComing({injected, by, since, lateMs}: FaultEntry, wall: number): boolean {
  if (injected) return false;
  const age = wall - since;
  return isRunning(by) || (age >= 0 && age < lateMs);
}

/** Until when they may come, a sentence without its end. */
export function comingSays(coming: readonly FaultEntry[]): string {
  const until = Math.max(...coming.map(({since, lateMs}) => since + lateMs));
  return `its injection was cut short and may go on by itself until ${new Date(until).toISOString()}`;
}

function isOwn({by}: FaultEntry): boolean {
  return by.pid === process.pid && isRunning(by);
}

/** How often is looked while an injection may come. */
const AGAIN_MS = 2000;

/**
 * Heals until the end is proven and no injection of `entries` can come any more, or the deadline of `ctx` is near: then the end is not proven (null) where one
 * still may. What this process itself injects has ended when it heals. Throws only the reason of the signal.
 */
export async function healUntilSettled(
  looking: Looking & {readonly clock: Clock},
  ctx: Ctx,
  place: FaultPlace,
  entries: () => readonly FaultEntry[],
): Promise<Ended> {
  const {clock} = looking;
  for (;;) {
    // Before the proof: what could still come when it was asked may have come since.
    const coming = entries().filter((entry) => !isOwn(entry) && isStillComing(entry, clock.wall()));
    const ended = await healUntilProven(looking, ctx, place);
    if (ended.proven !== true || coming.length === 0) return ended;
    if (clock.now() + AGAIN_MS >= ctx.deadline) return {...ended, proven: null, says: `${ended.says}; ${comingSays(coming)}`};
    await clock.sleep(AGAIN_MS, ctx.signal);
  }
}
