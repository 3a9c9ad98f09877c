import {isRegionctlError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {gateOpen, gateRows} from '../plan/plan-document.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {prepareFailover} from './prepare.ts';
import type {World} from './world.ts';

/** The drill itself holds the lease: that it is not alone says nothing of the fleet. */
const OURS: ReadonlySet<string> = new Set(['run-alone']);

/** The gates that refuse a failover of the fleet as it is now, or why none can be planned; none = it would be carried out. Nothing is written. */
export async function refusals(
  open: OpenFleet,
  world: World,
  to: string | null,
  signal: AbortSignal,
): Promise<readonly {readonly gate: string; readonly says: string}[]> {
  try {
    const {plan} = await prepareFailover(open, world, {to: to ?? undefined, overrides: [], signal});
    return gateRows(plan).flatMap((gate) => (gateOpen(gate) || OURS.has(gate.id) ? [] : [{gate: gate.id, says: gate.says}]));
  } catch (error) {
    signal.throwIfAborted();
    if (isRegionctlError(error) && error.exit === EXIT.refused) return [{gate: error.code, says: error.message}];
    throw error;
  }
}
