import type {Fleet} from '../../fleet/fleet.ts';
import {DEFAULT_HEADROOM, DEFAULT_WINDOW_MS, type LoadRule, type SurviveFacts} from './facts.ts';

/** What the fleet file says of who takes whose load. `windowMs` = instead of the file's. null = it has no series that move with traffic. */
export function surviveFacts(fleet: Fleet, windowMs?: number): SurviveFacts | null {
  const {regions, routes, dataClasses, capacity} = fleet;
  const failover = capacity?.failover;
  const loads = (capacity?.series ?? [])
    .filter((series) => series.moves && series.regions.length > 0)
    .map(
      ({name, moves, dataClass, regions: own}): LoadRule => ({
        ...{name, moves, dataClass},
        routes: failover?.routes[name] ?? null,
        sizes: Object.fromEntries(own.map(({region, size}) => [region, size])),
        regions: own.map(({region}) => region),
      }),
    );
  if (loads.length === 0) return null;
  return {
    ...{regions, routes, dataClasses, loads},
    windowMs: windowMs ?? failover?.windowMs ?? DEFAULT_WINDOW_MS,
    headroom: failover?.headroom ?? DEFAULT_HEADROOM,
  };
}
