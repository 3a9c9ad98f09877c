import {isRegionctlError, leaseHeld, messageOf} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {isLeaseHeld} from '../state/lease.ts';
import {refuseWhileDrilled, refuseWhileHeld} from './conduct.ts';
import {drillLease} from './leases.ts';

/** The fleet while it is cleaned. `state` null = it cannot be opened. `troubles`: why nothing can be recorded; none = it can. */
export type CleanHold = {readonly state: State | null; readonly troubles: readonly string[]; release(): void};

/**
 * Takes the fleet's lease for a cleaning; a dry run only looks at it. Where the state cannot be written, faults are ended all the same: then the lease's own
 * lock tells whether a run acts. Throws `lease-held` (75) while one does.
 */
export async function holdToClean(open: OpenFleet, dryRun: boolean): Promise<CleanHold> {
  try {
    await refuseWhileHeld(open);
    await refuseWhileDrilled(open);
    const state = await open.state();
    // Nothing is written in a dry run, and taking the lease is.
    const lease = dryRun ? null : state.lease(open.fleet.name, null);
    // A drill that leaves this lease to others looks at it once it has its own: one of the two sees the other.
    if (lease !== null)
      await refuseWhileDrilled(open).catch((error: unknown) => {
        lease.release();
        throw error;
      });
    return {state, troubles: [], release: () => lease?.release()};
  } catch (error) {
    if (!isRegionctlError(error) || error.exit !== EXIT.state || error.code === 'state-busy') throw error;
    await refuseWhileLocked(open, error);
    const state = await open.state().catch(() => null);
    return {state, troubles: [`nothing can be recorded: ${messageOf(error)}`], release: () => undefined};
  }
}

/** A lock that cannot be asked is no reason to leave a fault where it is. */
async function refuseWhileLocked({fleet, stateDir}: OpenFleet, cause: Error): Promise<void> {
  for (const name of [fleet.name, drillLease(fleet.name)]) {
    if ((await isLeaseHeld(stateDir, name)) !== true) continue;
    throw leaseHeld(`The lease "${name}" is held by a run that acts on the fleet; which one cannot be read: ${messageOf(cause)}`, {
      cause,
      suggestions: ['Try again when it has ended; its faults are its own, and end with their leases in any case'],
    });
  }
}
