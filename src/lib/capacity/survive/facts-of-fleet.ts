import type {Fleet} from '../../fleet/fleet.ts';
import {DEFAULT_HEADROOM, DEFAULT_WINDOW_MS, type LoadRule, type SurviveFacts} from './facts.ts';

/** `windowMs` = instead of the file's; `limited` = only loads that have a limit anywhere: the others are forecast, and can break nothing. */
export type FactsOptions = {readonly windowMs?: number | undefined; readonly limited?: boolean};

/** What the fleet file says of who takes whose load. null = it has no series that move with traffic. */
export function surviveFacts(fleet: Fleet, {windowMs, limited = false}: FactsOptions = {}): SurviveFacts | null {
  const {regions, routes, dataClasses, capacity} = fleet;
  const failover = capacity?.failover;
  const loads = (capacity?.series ?? [])
    .filter((series) => series.moves && series.regions.length > 0 && (!limited || series.regions.some(({limit}) => limit !== null)))
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
