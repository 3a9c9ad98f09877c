import type {FleetNow, LastVerdict, RouteNow} from '../capacity/survive/now.ts';
import {healthHistory} from '../health/history.ts';
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
    const at = open.clock.wall();
    const {regions} = healthHistory(open.fleet, await open.state(), {at, since: at});
    return regions.map(({region, verdict, lookedAt}) => ({region, verdict, at: lookedAt === null ? null : Date.parse(lookedAt)}));
  } catch {
    // Then nothing is known of any region, and that is said.
    return [];
  }
}
