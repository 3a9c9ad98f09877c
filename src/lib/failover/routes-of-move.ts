import type {Fleet, RouteSpec} from '../fleet/fleet.ts';

/** Which routes a move from one region to another takes along, and what is to be said of others that lead to the region that is left. */
export type RoutesOfMove = {readonly routes: readonly RouteSpec[]; readonly remarks: readonly string[]};

/**
 * A route goes along when it knows the region that is left and the one that takes over (`targetOf`). One that does not know the former sends nothing there: it is none of this
 * move's business. One that does not know the latter cannot send anybody there, and setting it to nothing would take away what else it serves.
 */
export function routesOfMove(fleet: Fleet, from: string, targetOf: (route: RouteSpec) => string): RoutesOfMove {
  const leading = fleet.routes.filter(({weights}) => from in weights);
  const lost = leading.filter((route) => !(targetOf(route) in route.weights));
  return {
    routes: leading.filter((route) => !lost.includes(route)),
    remarks: lost.map((route) => `${route.name} does not lead to ${targetOf(route)}: it is left as it is`),
  };
}
