import {messageOf} from '../errors.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {regionOf} from '../fleet/lookup.ts';
import {type Monitor, startMonitor} from '../health/monitor.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

export type WatchOptions = {readonly region?: string | undefined; readonly intervalMs?: number | undefined};

/** Starts to watch a fleet, or one region of it. `note` says why what is seen is not kept; null = it is. Throws a usage error for an unknown region. */
export async function watchFleet(
  open: OpenFleet,
  {region, intervalMs}: WatchOptions,
): Promise<{monitor: Monitor; fleet: Fleet; note: string | null}> {
  const fleet = region === undefined ? open.fleet : {...open.fleet, regions: [regionOf(open.fleet, region)]};
  const probes = open.probes.filter(({endpoint}) => fleet.regions.some(({name}) => name === endpoint.region));
  const memory = await open.state().then(
    (state) => ({state, note: null}),
    (error: unknown) => ({state: null, note: `what is seen is not kept: ${messageOf(error)}`}),
  );
  const monitor = startMonitor({fleet, probes, uplinks: open.uplinks, clock: open.clock, memory: memory.state, intervalMs});
  return {monitor, fleet, note: memory.note};
}
