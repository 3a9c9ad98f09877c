import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import {linkName} from '../output/lag-text.ts';
import type {BreakerNow} from '../replication/breaker.ts';
import type {LagRow} from '../replication/lag.ts';

/** The share of new traffic per region, 0 to 100. A region that is not named has none. */
export type Weights = Readonly<Record<string, number>>;

/** A link as it was looked at now. `isFresh` false = what was read of it is too old to say anything of now. */
export type DrainLink = Pick<LagRow, 'store' | 'from' | 'to' | 'link' | 'state' | 'seconds'> & {
  readonly breaker: BreakerNow;
  readonly isFresh: boolean;
};

/**
 * How far a region's copies can be relied on for reads. `open` = all of a store's members there are too late, `closed` = none of its stores is, `unknown` =
 * it cannot be told. `lagMs` null = not known.
 */
export type RegionLag = {readonly state: 'open' | 'closed' | 'unknown'; readonly lagMs: number | null; readonly says: string};

/** A region that is held off a route. `weight` is what it had; `since` ISO 8601; `run` is the run that did it. */
export type Held = {readonly weight: number; readonly since: string; readonly run: string; readonly says: string};

/** The stores whose breakers hold regions off the route. */
export function drainersOf({stores}: Pick<Fleet, 'stores'>, route: string): readonly StoreSpec[] {
  return stores.filter(({breaker}) => breaker?.drain?.routes.includes(route));
}

/** The routes that the fleet file lets breakers drain. */
export function drainedRoutes(fleet: Pick<Fleet, 'stores' | 'routes'>): readonly RouteSpec[] {
  return fleet.routes.filter(({name}) => drainersOf(fleet, name).length > 0);
}

/** How many regions must go on serving the route: the most that any of its stores wants. */
export function keptServing(fleet: Pick<Fleet, 'stores'>, route: string): number {
  return Math.max(1, ...drainersOf(fleet, route).map(({breaker}) => breaker?.drain?.keep ?? 1));
}

/** Whether a member is seen to take the writes of its store: it follows nobody, and is behind nobody. null = not known. */
export type IsPrimary = (store: string, member: string) => boolean | null;

/** How each region of a route stands, by the links of the stores that are read there. */
export function lagOfRegions(
  fleet: Pick<Fleet, 'stores'>,
  route: RouteSpec,
  links: readonly DrainLink[],
  isPrimary: IsPrimary,
): Readonly<Record<string, RegionLag>> {
  const stores = drainersOf(fleet, route.name);
  return Object.fromEntries(Object.keys(route.weights).map((region) => [region, regionLag(stores, region, links, isPrimary)]));
}

function regionLag(stores: readonly StoreSpec[], region: string, links: readonly DrainLink[], isPrimary: IsPrimary): RegionLag {
  const all = stores.flatMap((spec) => {
    const members = spec.members.filter((member) => member.region === region);
    return members.length === 0 ? [] : [storeLag(members.map(({name}) => memberLag(spec.name, name, links, isPrimary)))];
  });
  const worst = latestFirst(all.filter(({state}) => state === 'open'))[0];
  return (
    worst ?? all.find(({state}) => state === 'unknown') ?? all[0] ?? {state: 'closed', lagMs: null, says: `no store is read in ${region}`}
  );
}

/** One good copy in the region can serve its reads; one that is not known may be that one. */
function storeLag(members: readonly RegionLag[]): RegionLag {
  const good = members.find(({state}) => state === 'closed') ?? members.find(({state}) => state === 'unknown');
  return good ?? (latestFirst(members).at(-1) as RegionLag);
}

function memberLag(store: string, member: string, links: readonly DrainLink[], isPrimary: IsPrimary): RegionLag {
  const into = links.filter((link) => link.store === store && link.to === member);
  const open = latestFirst(into.filter(({breaker}) => breaker.state === 'open').map(openLag))[0];
  if (open !== undefined) return open;
  const seen = into.find(({isFresh, state}) => isFresh && state !== 'unknown');
  if (seen !== undefined) return {state: 'closed', lagMs: msOf(seen), says: `${linkName(seen)} can be relied on`};
  if (into.length === 0 && isPrimary(store, member) === true)
    return {state: 'closed', lagMs: 0, says: `${member} is the primary of ${store}`};
  return {state: 'unknown', lagMs: null, says: `it is not known how far ${member} of ${store} is behind`};
}

const openLag = (link: DrainLink): RegionLag => ({
  state: 'open',
  lagMs: msOf(link),
  says: `the breaker of ${linkName(link)} is ${link.breaker.reason}`,
});

const msOf = ({seconds}: DrainLink): number | null => (seconds === null ? null : seconds * 1000);

/** What is not known may be the latest of all. */
const latestFirst = (all: readonly RegionLag[]): readonly RegionLag[] => all.toSorted((a, b) => lateness(b) - lateness(a));
const lateness = ({lagMs}: Pick<RegionLag, 'lagMs'>): number => lagMs ?? Number.MAX_VALUE;

/** What decides about one route. `isFit`: whether a region can serve at all; null = not known. */
export type DrainInput = {
  readonly weights: Weights;
  readonly held: Readonly<Record<string, Held>>;
  /** Regions that another hand has given traffic, or taken it from, since: nothing is done to them. */
  readonly left: readonly string[];
  readonly lag: Readonly<Record<string, RegionLag>>;
  readonly isFit: (region: string) => boolean | null;
  readonly keep: number;
};

/** What is to become of a route. `hold` and `giveBack` with the weight that goes or comes back; `stays` = too late, and yet it must serve. */
export type DrainDecision = {
  readonly next: Weights;
  readonly hold: readonly Change[];
  readonly giveBack: readonly Change[];
  readonly stays: readonly {readonly region: string; readonly says: string}[];
};

export type Change = {readonly region: string; readonly weight: number; readonly says: string};

/**
 * Holds off the regions that are too late, the latest first, as long as `keep` regions that are seen to be fit go on serving. Gives back what is well
 * again; and, when no region that could serve is left, the least late of those that are held off: late reads are better than none.
 */
export function decideDrain(input: DrainInput): DrainDecision {
  const {weights, held, lag, isFit, keep} = input;
  const next: Record<string, number> = {...weights};
  const giveBack: Change[] = [];
  const back = (region: string, says: string): void => {
    const weight = held[region]?.weight ?? 0;
    next[region] = weight;
    giveBack.push({region, weight, says});
  };
  const serving = (isServing: (region: string) => boolean): readonly string[] =>
    Object.keys(next).filter((region) => (next[region] ?? 0) > 0 && isServing(region));
  for (const region of Object.keys(held)) if (lag[region]?.state === 'closed') back(region, lag[region].says);
  const {hold, stays} = holdLate(input, next, () => serving((region) => isFit(region) === true));
  for (const {region} of byLag(Object.keys(held), lag).toReversed()) {
    if (serving((each) => isFit(each) !== false).length >= keep) break;
    if (next[region] === 0 && isFit(region) === true)
      back(region, `too few other regions can serve: ${lag[region]?.says ?? 'nothing is known of it'}`);
  }
  return {next, hold, giveBack, stays};
}

function holdLate(
  {held, left, lag, isFit, keep}: DrainInput,
  next: Record<string, number>,
  serving: () => readonly string[],
): Pick<DrainDecision, 'hold' | 'stays'> {
  const hold: Change[] = [];
  const stays: {region: string; says: string}[] = [];
  const late = Object.keys(next).filter((region) => lag[region]?.state === 'open' && !(region in held) && !left.includes(region));
  for (const {region, says} of byLag(late, lag)) {
    const weight = next[region] ?? 0;
    if (weight === 0) continue;
    const others = serving().filter((each) => each !== region);
    if (others.length < keep) {
      const who = others.length === 0 ? 'no other region is seen to be fit' : `only ${others.join(' and ')} would serve`;
      stays.push({region, says: `${says}; it goes on serving: ${who}, and ${keep} must`});
    } else {
      next[region] = 0;
      hold.push({region, weight, says});
    }
  }
  // Whoever is not fit serves nobody anyway, and is no reason to keep what is late.
  return {hold, stays: stays.filter(({region}) => isFit(region) !== false)};
}

/** The latest first. */
function byLag(
  regions: readonly string[],
  lag: Readonly<Record<string, RegionLag>>,
): readonly {readonly region: string; readonly says: string}[] {
  const of = (region: string): number => lateness(lag[region] ?? {lagMs: null});
  return regions.toSorted((a, b) => of(b) - of(a)).map((region) => ({region, says: lag[region]?.says ?? ''}));
}
