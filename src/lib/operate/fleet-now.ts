import type {FleetNow, LastVerdict, RouteNow} from '../capacity/survive/now.ts';
import {type Remembered, readRemembered} from '../health/remembered.ts';
import {takeSnapshot} from '../observe/take-snapshot.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/**
 * What the routers send now, and what the last checks of health said. Nothing is probed: endpoints and stores are not asked. A router that does not answer within 5 s
 * is not known; without state, or where nothing was ever checked, no verdict is. It throws only when it is interrupted.
 */
export async function fleetNow(open: OpenFleet, signal: AbortSignal): Promise<FleetNow> {
  const routersOnly = {...open, fleet: {...open.fleet, stores: []}, probes: [], uplinks: []};
  const [{routers}, verdicts] = await Promise.all([takeSnapshot({...routersOnly, signal, vantage: 'here'}), verdictsOf(open)]);
  signal.throwIfAborted();
  const routes = open.fleet.routes.map(({name}): RouteNow => {
    const cell = routers[name];
    return cell?.known === true
      ? {route: name, weights: cell.value, reason: ''}
      : {route: name, weights: null, reason: cell?.reason ?? 'it was not asked'};
  });
  return {at: open.clock.wall(), routes, verdicts};
}

async function verdictsOf(open: OpenFleet): Promise<readonly LastVerdict[]> {
  try {
    const {fleet} = open;
    const state = await open.state();
    return fleet.regions.map(({name}) => verdictOf(name, readRemembered(state.recall(`health/${fleet.name}/${name}`))));
  } catch {
    // Then nothing is known of any region, and that is said.
    return [];
  }
}

/** Who was down when it was last seen is not up because nobody sees it any more. */
function verdictOf(region: string, last: Remembered | null): LastVerdict {
  if (last === null) return {region, verdict: null, at: null};
  const isKnown = last.unseenSince === null || last.state === 'unhealthy';
  return {region, verdict: isKnown ? last.state : 'unknown', at: last.lookedAt};
}
