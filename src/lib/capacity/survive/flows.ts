import type {SurviveFacts} from './facts.ts';

/** Weight of each region. */
export type Weights = Readonly<Record<string, number>>;

/**
 * The traffic of one region on one route that goes elsewhere. `share` = how much of what the region has there, from 0 (all of it stays) to 1. `takers` =
 * who gets it, by weight; none = who the failover order names. `route` null = what is homed there: it counts for loads that no route brings to the region.
 */
export type Flow = {readonly route: string | null; readonly from: string; readonly share: number; readonly takers: Weights};

/**
 * The flows when regions are lost, all at once. A route goes on with its other weights as they are, so what they leave is shared in proportion to them (as
 * an evacuation does: failover/peers.ts); where no other region has a weight, and for what no route leads to, the failover order decides.
 */
export function lossFlows({routes}: Pick<SurviveFacts, 'routes'>, lose: readonly string[]): readonly Flow[] {
  return lose.flatMap((from): readonly Flow[] => [
    {route: null, from, share: 1, takers: {}},
    ...routes
      .filter(({weights}) => (weights[from] ?? 0) > 0)
      .map(({name, weights}) => ({
        route: name,
        from,
        share: 1,
        takers: Object.fromEntries(Object.entries(weights).filter(([region, weight]) => weight > 0 && !lose.includes(region))),
      })),
  ]);
}

/**
 * The flows of a route whose weights are changed. Weights are compared as shares of their sum: a region whose share falls from b to a gives (b - a) / b of
 * its traffic away, and those whose share rises get it in proportion to how much it rises. A region whose share does not fall has a flow of 0: what it has on
 * this route stays. Nobody had any traffic: no flows. Nobody is to have any: it stops, and moves nowhere.
 */
export function changeFlows(route: string, before: Weights, after: Weights): readonly Flow[] {
  const [was, will] = [sharesOf(before), sharesOf(after)];
  if (was === null) return [];
  const regions = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const riseOf = (region: string): number => (will?.[region] ?? 0) - (was[region] ?? 0);
  const takers = Object.fromEntries(regions.filter((region) => riseOf(region) > 0).map((region) => [region, riseOf(region)]));
  return Object.entries(was)
    .filter(([, share]) => share > 0)
    .map(([from, share]) => ({route, from, share: will === null ? 0 : Math.max(0, -riseOf(from)) / share, takers}));
}

/** Weights as shares of their sum; null where there is none. */
function sharesOf(weights: Weights): Weights | null {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  return sum > 0 ? Object.fromEntries(Object.entries(weights).map(([region, weight]) => [region, weight / sum])) : null;
}

/** Every combination of regions that may be lost: each by itself, and with `depth` 2 every two of them. Cold regions serve nobody: their loss moves nothing. */
export function combinationsOf({regions}: Pick<SurviveFacts, 'regions'>, depth: 1 | 2): readonly (readonly string[])[] {
  const names = regions.filter(({tier}) => tier !== 'cold').map(({name}) => name);
  const pairs = names.flatMap((one, index) => names.slice(index + 1).map((other) => [one, other]));
  return [...names.map((name) => [name]), ...(depth === 2 ? pairs : [])];
}
