import type {Fleet, Region, ServiceSpec, StoreSpec} from '../fleet/fleet.ts';
import {rtoOf} from '../fleet/lookup.ts';
import type {Delay} from '../ports/store.ts';

/** What one failover waits for at worst. What it `concerns` decides whether it counts: nothing named = every failover. */
export type Contribution = Delay & {
  /** Contributions of one name go on at the same time, so that only the longest of them counts. null = it comes on top. */
  readonly together: string | null;
  readonly concerns: {
    /** It counts when this store has to move. */
    readonly store?: string;
    /** It counts for services behind this route. */
    readonly route?: string;
    /** It counts when the failover may go to this region. */
    readonly region?: string;
  };
};

/** What the worst case is worked out from. */
export type WorstCaseInput = {
  readonly fleet: Fleet;
  /** Per store: the region of its primary now; null = it is not known, so it may be any. */
  readonly primaries: Readonly<Record<string, string | null>>;
  readonly contributions: readonly Contribution[];
};

/** One stage in ms (Infinity = nothing limits it), with what was counted, the longest first. */
export type StageTotal = {readonly ms: number; readonly counted: readonly Contribution[]};

/** How long a service is down at worst when a region is lost, from the moment the failover is started. */
export type WorstCase = {
  readonly service: string;
  readonly class: string;
  readonly rtoMs: number;
  /** The region whose loss takes longest; null = no region is known to hold what the service needs. */
  readonly lost: string | null;
  readonly detect: StageTotal;
  readonly cutOver: StageTotal;
  readonly totalMs: number;
  /** What could not be told: the total is at least so long. */
  readonly unknown: readonly Contribution[];
  /** null = it fits as far as it is known, and not all is known. */
  readonly met: boolean | null;
  /** Other services of the class that cannot be met either. */
  readonly others: readonly string[];
};

type ServiceCase = Omit<WorstCase, 'others'>;

/** For each service class, the most urgent first: its service that has the least room left, with the loss that takes longest. */
export function worstCases(input: WorstCaseInput): readonly WorstCase[] {
  return rtoOf(input.fleet).flatMap(({class: name}) => {
    const services = input.fleet.services.filter((service) => service.class === name);
    const cases = services.map((service) => worstOf(service, input)).toSorted(byRoom);
    const [worst, ...rest] = cases;
    if (worst === undefined) return [];
    return [{...worst, others: rest.filter(({met}) => met === false).map(({service}) => service)}];
  });
}

/** Not met comes before not known, and that before met; then whoever has less room. */
function byRoom(a: ServiceCase, b: ServiceCase): number {
  const rank = ({met}: ServiceCase): number => (met === false ? 0 : met === null ? 1 : 2);
  const [roomA, roomB] = [a.rtoMs - a.totalMs, b.rtoMs - b.totalMs];
  // Infinity minus Infinity is no number.
  return rank(a) - rank(b) || (roomA === roomB ? 0 : roomA - roomB);
}

function worstOf(service: ServiceSpec, input: WorstCaseInput): ServiceCase {
  const losses = lossesOf(service, input);
  const cases = (losses.length === 0 ? [null] : losses).map((lost) => caseOf(service, lost, input)).toSorted(byRoom);
  return cases[0] as ServiceCase;
}

/** The regions whose loss takes the service down: those that hold, or may hold, the primary of a store that it needs. */
function lossesOf({stores}: ServiceSpec, {fleet, primaries}: WorstCaseInput): readonly string[] {
  const needed = fleet.stores.filter(({name}) => stores.length === 0 || stores.includes(name));
  return [...new Set(needed.flatMap((spec) => regionsOf(spec, primaries)))];
}

function regionsOf(spec: StoreSpec, primaries: WorstCaseInput['primaries']): readonly string[] {
  const region = primaries[spec.name] ?? null;
  return region === null ? spec.members.map((member) => member.region) : [region];
}

function caseOf(service: ServiceSpec, lost: string | null, input: WorstCaseInput): ServiceCase {
  const counts = input.contributions.filter((each) => concerns(each, service, lost, input));
  const detect = stageOf(counts, 'detect');
  const cutOver = stageOf(counts, 'cut-over');
  const totalMs = detect.ms + cutOver.ms;
  const unknown = counts.filter(({ms}) => ms === null);
  const met = totalMs > service.rtoMs ? false : unknown.length > 0 ? null : true;
  return {service: service.name, class: service.class, rtoMs: service.rtoMs, lost, detect, cutOver, totalMs, unknown, met};
}

/** One plan moves every store of the lost region before it lets traffic in again, so a service waits for all of them. */
function concerns({concerns: whom}: Contribution, service: ServiceSpec, lost: string | null, {fleet, primaries}: WorstCaseInput): boolean {
  const {store, route, region} = whom;
  const spec = fleet.stores.find(({name}) => name === store);
  const moves = store === undefined || lost === null || (spec !== undefined && regionsOf(spec, primaries).includes(lost));
  const enters = route === undefined || service.routes.includes(route);
  return moves && enters && (region === undefined || mayTakeOver(fleet.regions, region, lost));
}

function mayTakeOver(regions: readonly Region[], region: string, lost: string | null): boolean {
  const from = regions.find(({name}) => name === lost);
  return from === undefined ? region !== lost : from.failoverOrder.includes(region);
}

function stageOf(all: readonly Contribution[], stage: Delay['stage']): StageTotal {
  const known = all.filter((each) => each.stage === stage && each.ms !== null && each.ms > 0).toSorted(byLength);
  const seen = new Set<string>();
  const counted = known.filter(({together}) => {
    const again = together !== null && seen.has(together);
    if (together !== null) seen.add(together);
    return !again;
  });
  return {ms: counted.reduce((sum, {ms}) => sum + (ms ?? 0), 0), counted};
}

/** The longest first; of two that are as long, as they came. */
export function byLength(a: Delay, b: Delay): number {
  return a.ms === b.ms ? 0 : (b.ms ?? 0) - (a.ms ?? 0);
}
