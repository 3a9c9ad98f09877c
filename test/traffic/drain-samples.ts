import type {RouteSpec, StoreSpec} from '../../src/lib/fleet/fleet.ts';
import type {DrainLink, RegionLag, Weights} from '../../src/lib/traffic/read-drain.ts';
import {storeSpec} from '../operate/open-stores.ts';

export const SINCE = '2026-11-21T10:00:00.000Z';

/** A store whose breakers drain the route `reads`. */
export function drainingStore(members: readonly string[], keep = 1, name = 'orders'): StoreSpec {
  return {
    ...storeSpec(name, members),
    breaker: {warnMs: 30_000, openMs: 60_000, readmitMs: 30_000, drain: {routes: ['reads'], keep}},
  };
}

export const route = (weights: Weights, name = 'reads'): RouteSpec => ({
  ...{name, weights, url: null, stages: null},
  router: {kind: 'memory', config: {}, path: ['routes', name]},
});

/** A link as it was looked at. */
export function drainLink(
  from: string,
  to: string,
  state: DrainLink['breaker']['state'] = 'closed',
  more: Partial<DrainLink> = {},
): DrainLink {
  const reason = state === 'closed' ? 'closed: 0 s behind' : `${state}: 75 s behind`;
  return {
    store: 'orders',
    from,
    to,
    state: 'streaming',
    seconds: state === 'closed' ? 0 : 75,
    isFresh: true,
    breaker: {state, since: SINCE, reason},
    ...more,
  };
}

export const lagOf = (state: RegionLag['state'], lagMs: number | null = state === 'open' ? 75_000 : 0): RegionLag => ({
  state,
  isFine: state === 'well',
  lagMs,
  says: `it is ${state}`,
});
