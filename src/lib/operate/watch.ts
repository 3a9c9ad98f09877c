import {messageOf} from '../errors.ts';
import {regionOf} from '../fleet/lookup.ts';
import {type Monitor, startMonitor} from '../health/monitor.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

export type WatchOptions = {readonly region?: string | undefined; readonly intervalMs?: number | undefined};

/** Starts to watch a fleet, or one region of it. Throws a usage error for an unknown region. A state that cannot be opened is one of its notes, and tried again now and then. */
export async function watchFleet(open: OpenFleet, {region, intervalMs}: WatchOptions): Promise<Monitor> {
  const fleet = region === undefined ? open.fleet : {...open.fleet, regions: [regionOf(open.fleet, region)]};
  const shown = fleet.regions.map(({name}) => name);
  const probes = open.probes.filter(({endpoint}) => shown.includes(endpoint.region));
  const {state, note} = await open.state().then(
    (opened) => ({state: opened, note: null}),
    (error: unknown) => ({state: null, note: `what is seen is not kept: ${messageOf(error)}`}),
  );
  return startMonitor({
    fleet,
    probes,
    elsewhere: open.probes.filter((target) => !probes.includes(target)),
    uplinks: open.uplinks,
    clock: open.clock,
    memory: state,
    note,
    again: open.state,
    intervalMs,
  });
}
