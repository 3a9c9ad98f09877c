import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import {byUrgency} from './urgency.ts';

/** A store that moves, and the region that it goes to. */
type Moved = {readonly spec: StoreSpec; readonly region: string};

/** Where a route's traffic goes: after the data of its most urgent service, which may have to stay in its jurisdiction; else where the rest goes. */
export function routeTarget(fleet: Fleet, route: RouteSpec, moves: readonly Moved[], to: string): string {
  const needed = fleet.services.filter(({routes}) => routes.includes(route.name)).flatMap(({stores}) => stores);
  const [first] = byUrgency(
    fleet,
    moves.map(({spec}) => spec).filter(({name}) => needed.includes(name)),
  );
  return moves.find(({spec}) => spec.name === first?.name)?.region ?? to;
}

/** The region that must answer a write through the front door: where the route behind the witness's address goes. */
export function writeTarget(fleet: Fleet, routes: readonly RouteSpec[], moves: readonly Moved[], to: string): string {
  const url = fleet.witness?.url;
  const route = routes.find((each) => url !== undefined && each.url !== null && url.startsWith(each.url)) ?? routes[0];
  return route === undefined ? to : routeTarget(fleet, route, moves, to);
}
