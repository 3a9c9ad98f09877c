import {isRegionctlError} from '../errors.ts';
import {PRIMARY_UNKNOWN} from '../failover/no-primary.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {withPromotions} from './earlier-runs.ts';
import {withRememberedAck} from './remember-ack.ts';
import {withBreakers} from './with-breakers.ts';

/** The fleet as it answers, with what is remembered of it. `state` null = it cannot be read. `at` = when all had been asked, by `clock.now()`. */
export type Look = {readonly snapshot: Snapshot; readonly state: State | null; readonly at: number};

/**
 * Makes a plan from a look at the fleet. One that is refused only because a primary could not be asked (`primary-unknown`) is made from a second look: a
 * member or this machine that was too slow for a moment is no finding, and nobody who gets a plan waits for it.
 */
export async function planFromLook<T>(
  open: OpenFleet,
  signal: AbortSignal,
  make: (look: Look) => T | Promise<T>,
): Promise<{made: T; look: Look}> {
  const first = await lookAt(open, signal);
  try {
    return {made: await make(first), look: first};
  } catch (error) {
    if (!isRegionctlError(error) || error.code !== PRIMARY_UNKNOWN || signal.aborted) throw error;
  }
  const look = await lookAt(open, signal);
  return {made: await make(look), look};
}

async function lookAt(open: OpenFleet, signal: AbortSignal): Promise<Look> {
  const [{snapshot: seen}, state] = await Promise.all([observeFleet({...open, signal, vantage: 'here'}), open.state().catch(() => null)]);
  const remembered = withPromotions(state, open.fleet.name, withRememberedAck(state, open.fleet.name, seen));
  return {snapshot: withBreakers(state, open.fleet, remembered), state, at: open.clock.now()};
}
