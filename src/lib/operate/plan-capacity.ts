import {surviveFacts} from '../capacity/survive/facts-of-fleet.ts';
import type {PlanCapacity} from '../failover/capacity-gate.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** A plan does not wait longer for metrics: they often go with the region. */
const METRICS_MS = 5000;

/**
 * What a plan judges the capacity of the others by; undefined = the fleet file has no series that move with traffic and have a limit. Begin it before looking at the fleet, and
 * await it when planning. `ms` = how long each series is waited for. It never throws but for an interruption, and nobody has to await it.
 */
export function planCapacity(open: OpenFleet, signal: AbortSignal, ms = METRICS_MS): Promise<PlanCapacity | undefined> {
  const reading = read(open, signal, ms);
  reading.catch(() => undefined);
  return reading;
}

async function read(open: OpenFleet, signal: AbortSignal, ms: number): Promise<PlanCapacity | undefined> {
  const facts = surviveFacts(open.fleet, {limited: true});
  if (facts === null) return undefined;
  const names = facts.loads.map(({name}) => name);
  // Most fleets have no such loads, and a failover begins without this.
  const {loadInTime} = await import('./load-in-time.ts');
  return {facts, loads: await loadInTime(open, {names, ms, signal})};
}
