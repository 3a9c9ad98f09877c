import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import {linkName} from '../output/lag-text.ts';
import {BREAKER, type BreakerNow} from '../replication/breaker.ts';
import type {LagRow} from '../replication/lag.ts';

/** The share of new traffic per region, 0 to 100. A region that is not named has none. */
export type Weights = Readonly<Record<string, number>>;

/** A link as it was looked at now. `isFresh` false = what was read of it is too old to say anything of now. */
export type DrainLink = Pick<LagRow, 'store' | 'from' | 'to' | 'link' | 'state' | 'seconds'> & {
  readonly breaker: BreakerNow;
  readonly isFresh: boolean;
};

/**
 * Whether a region's copies can be relied on for reads. `open` = all of a store's members there are too late, `well` = none of its stores is late at all,
 * `unknown` = neither can be told. `isFine` = what was read just now is below every `warn`, whatever the breakers remember. `lagMs` null = not known.
 */
export type RegionLag = {
  readonly state: 'open' | 'well' | 'unknown';
  readonly isFine: boolean;
  readonly lagMs: number | null;
  readonly says: string;
};

/**
 * A region that is held off a route. `weight` is what it had; `since` ISO 8601; `run` is the run that did it; `fineSince` (ISO 8601) = since when it was fine at
 * each look; null = it is not; `seenAt` (ISO 8601) = the last look.
 */
export type Held = {
  readonly weight: number;
  readonly since: string;
  readonly run: string;
  readonly says: string;
  readonly fineSince: string | null;
  readonly seenAt: string;
};

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

/** How long a region must have been fine before it gets its share back, in ms: the longest that any of the route's stores wants. */
export function readmitAfter(fleet: Pick<Fleet, 'stores'>, route: string): number {
  return Math.max(0, ...drainersOf(fleet, route).map(({breaker}) => breaker?.readmitMs ?? 0));
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

const NOTHING_READ: RegionLag = {state: 'well', isFine: true, lagMs: null, says: 'no store is read there'};

function regionLag(stores: readonly StoreSpec[], region: string, links: readonly DrainLink[], isPrimary: IsPrimary): RegionLag {
  const all = stores.flatMap((spec) => {
    const members = spec.members.filter((member) => member.region === region);
    return members.length === 0 ? [] : [storeLag(members.map(({name}) => memberLag(spec, name, links, isPrimary)))];
  });
  const open = latestFirst(all.filter(({state}) => state === 'open'))[0];
  const worst = open ?? all.find(({state}) => state === 'unknown') ?? all[0] ?? NOTHING_READ;
  return {...worst, isFine: all.every(({isFine}) => isFine)};
}

/** One good copy in the region can serve its reads; one that is not known may be that one. */
function storeLag(members: readonly RegionLag[]): RegionLag {
  const good = members.find(({state}) => state === 'well') ?? members.find(({state}) => state === 'unknown');
  return good ?? (latestFirst(members).at(-1) as RegionLag);
}

/** By all links that lead to it. An open breaker makes it late only by a link that is seen: what is not seen may be over. */
function memberLag({name: store, breaker}: StoreSpec, member: string, links: readonly DrainLink[], isPrimary: IsPrimary): RegionLag {
  const into = links.filter((link) => link.store === store && link.to === member);
  const isFine = into.length > 0 && into.every((link) => isFineNow(link, (breaker ?? BREAKER).warnMs));
  const open = latestFirst(into.filter((link) => isSeen(link) && link.breaker.state === 'open').map((link) => openLag(link, isFine)))[0];
  if (open !== undefined) return open;
  const [first] = into;
  if (first === undefined && isPrimary(store, member) === true)
    return {state: 'well', isFine: true, lagMs: 0, says: `${member} is the primary of ${store}`};
  // The store was read, the member too, and nothing leads there: it is no copy, so that it cannot be late.
  if (first === undefined && isPrimary(store, member) !== null && links.some((link) => link.store === store && isSeen(link)))
    return {state: 'well', isFine: true, lagMs: null, says: `nothing is sent to ${member} of ${store}`};
  if (first !== undefined && isFine && into.every((link) => link.breaker.state === 'closed'))
    return {state: 'well', isFine, lagMs: msOf(first), says: `${into.map(linkName).join(' and ')} can be relied on`};
  return {state: 'unknown', isFine, lagMs: null, says: `it is not known that ${member} of ${store} can be relied on`};
}

const isSeen = ({isFresh, state}: DrainLink): boolean => isFresh && state !== 'unknown';

/** A link without a figure is fine for nobody. */
function isFineNow(link: DrainLink, warnMs: number): boolean {
  const lagMs = msOf(link);
  return isSeen(link) && link.state !== 'broken' && link.state !== 'stalled' && lagMs !== null && lagMs < warnMs;
}

const openLag = (link: DrainLink, isFine: boolean): RegionLag => ({
  state: 'open',
  isFine,
  lagMs: msOf(link),
  says: `the breaker of ${linkName(link)} is ${link.breaker.reason}`,
});

const msOf = ({seconds}: DrainLink): number | null => (seconds === null ? null : seconds * 1000);

/** What is not known may be the latest of all. */
const latestFirst = (all: readonly RegionLag[]): readonly RegionLag[] => all.toSorted((a, b) => lateness(b) - lateness(a));
const lateness = ({lagMs}: Pick<RegionLag, 'lagMs'>): number => lagMs ?? Number.MAX_VALUE;

/**
 * What decides about one route. `isReady`: whether a region that is held off has been fine for long enough. `isFit`: whether a region can serve at all, as it
 * is seen; null = not known; `fitness` says why, in one clause.
 */
export type DrainInput = {
  readonly weights: Weights;
  readonly held: Readonly<Record<string, Held>>;
  /** Regions that are left alone until their links have closed: another hand has moved them since, or they had to come back. */
  readonly left: readonly string[];
  readonly lag: Readonly<Record<string, RegionLag>>;
  readonly isReady: (region: string) => boolean;
  readonly isFit: (region: string) => boolean | null;
  readonly fitness: (region: string) => string;
  readonly keep: number;
};

/** What is to become of a route. `hold` and `giveBack` with the weight that goes or comes back; `stays` = too late, and not held off. */
export type DrainDecision = {
  readonly next: Weights;
  readonly hold: readonly Change[];
  readonly giveBack: readonly Change[];
  readonly stays: readonly {readonly region: string; readonly says: string}[];
};

/** `isSpared` = it is late still, and came back for want of others. */
export type Change = {readonly region: string; readonly weight: number; readonly says: string; readonly isSpared?: true};

/**
 * Holds off the regions that are too late, the latest first, as long as `keep` regions that are seen to be fit go on serving. Gives back what is well
 * again and not seen to be down; and, when no region that could serve is left, the least late of those that are held off: late reads are better than none.
 */
export function decideDrain(input: DrainInput): DrainDecision {
  const {weights, held, lag, isFit, isReady, keep} = input;
  const next: Record<string, number> = {...weights};
  const giveBack: Change[] = [];
  const back = (region: string, says: string, more: Pick<Change, 'isSpared'> = {}): void => {
    const weight = held[region]?.weight ?? 0;
    next[region] = weight;
    giveBack.push({region, weight, says, ...more});
  };
  const serving = (isServing: (region: string) => boolean): readonly string[] =>
    Object.keys(next).filter((region) => (next[region] ?? 0) > 0 && isServing(region));
  for (const region of Object.keys(held)) {
    const stands = lag[region];
    if (stands?.state === 'well' && isReady(region) && isFit(region) !== false) back(region, stands.says);
  }
  const {hold, stays} = holdLate(input, next, () => serving((region) => isFit(region) === true));
  for (const {region} of byLag(Object.keys(held), lag).toReversed()) {
    if (serving((each) => isFit(each) !== false).length >= keep) break;
    if (next[region] === 0 && isFit(region) === true)
      back(region, `too few other regions can serve: ${lag[region]?.says ?? 'nothing is known of it'}`, {isSpared: true});
  }
  return {next, hold, giveBack, stays};
}

function holdLate(
  {held, left, lag, isFit, fitness, keep}: DrainInput,
  next: Record<string, number>,
  serving: () => readonly string[],
): Pick<DrainDecision, 'hold' | 'stays'> {
  const hold: Change[] = [];
  const stays: {region: string; says: string}[] = [];
  const late = Object.keys(next).filter((region) => lag[region]?.state === 'open' && !(region in held) && (next[region] ?? 0) > 0);
  for (const {region, says} of byLag(late, lag)) {
    const others = serving().filter((each) => each !== region);
    if (left.includes(region)) stays.push({region, says: `${says}; it is left alone until its links have closed once`});
    else if (others.length >= keep) {
      hold.push({region, weight: next[region] ?? 0, says});
      next[region] = 0;
    } else {
      const unfit = Object.keys(next).filter((each) => each !== region && (next[each] ?? 0) > 0 && !others.includes(each));
      const why = unfit.map((each) => ` (${each}: ${fitness(each)})`).join('');
      const who = others.length === 0 ? `no other region is seen to be fit${why}` : `only ${others.join(' and ')} would serve${why}`;
      stays.push({region, says: `${says}; it goes on serving: ${who}, and ${keep} must`});
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
