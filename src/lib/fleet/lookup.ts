import {type RegionctlError, usageError} from '../errors.ts';
import type {Objective} from '../plan/plan.ts';
import type {Fleet, Region, StoreMember, StoreSpec} from './fleet.ts';

/** The classes of services, the most urgent first. */
export const SERVICE_CLASSES = ['critical', 'core', 'full', 'rebuild'] as const;

/** The region with this name. Throws a usage error (exit 64) that names the known ones. */
export function regionOf(fleet: Fleet, name: string): Region {
  return fleet.regions.find((region) => region.name === name) ?? notThere('region', name, fleet.regions);
}

/** The store with this name. Throws a usage error (exit 64) that names the known ones. */
export function storeOf(fleet: Fleet, name: string): StoreSpec {
  return fleet.stores.find((store) => store.name === name) ?? notThere('store', name, fleet.stores);
}

/** Every member that stands in the region, with its store, in the order of the file. */
export function membersIn(fleet: Fleet, region: string): readonly {readonly store: StoreSpec; readonly member: StoreMember}[] {
  return fleet.stores.flatMap((store) => store.members.filter((member) => member.region === region).map((member) => ({store, member})));
}

/** The strictest RPO among the data classes that the store keeps, with its class; null when it keeps none. */
export function rpoOf(fleet: Fleet, store: string | StoreSpec): {readonly class: string; readonly rpoMs: number} | null {
  const {dataClasses} = typeof store === 'string' ? storeOf(fleet, store) : store;
  const kept = fleet.dataClasses.filter((dataClass) => dataClasses.includes(dataClass.name));
  const [strictest] = kept.toSorted((a, b) => a.rpoMs - b.rpoMs);
  return strictest === undefined ? null : {class: strictest.name, rpoMs: strictest.rpoMs};
}

/** One RTO per service class that the fleet has: the strictest of its services. Critical first; unknown classes last, by name. */
export function rtoOf(fleet: Fleet): readonly Objective[] {
  const targets = new Map<string, number>();
  for (const service of fleet.services) targets.set(service.class, Math.min(service.rtoMs, targets.get(service.class) ?? service.rtoMs));
  return [...targets]
    .map(([name, targetMs]): Objective => ({class: name, kind: 'rto', targetMs}))
    .toSorted((a, b) => rank(a.class) - rank(b.class) || a.class.localeCompare(b.class));
}

/** Every objective of the fleet: the RTO of each service class, critical first, then the RPO of each data class in the order of the file. */
export function objectivesOf(fleet: Fleet): readonly Objective[] {
  return [...rtoOf(fleet), ...fleet.dataClasses.map(({name, rpoMs}): Objective => ({class: name, kind: 'rpo', targetMs: rpoMs}))];
}

/** The candidate that was probably meant by `name`, or undefined when none is near: at most a third of the letters differ. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  const wanted = name.toLowerCase();
  const most = (candidate: string) => Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3));
  const [best] = candidates
    // Letters that one has more than the other are mistakes already: most candidates need not be compared.
    .filter((candidate) => Math.abs(cut(name).length - cut(candidate).length) <= most(candidate))
    .map((candidate) => ({candidate, distance: distanceOf(wanted, candidate.toLowerCase())}))
    .filter(({candidate, distance}) => distance <= most(candidate))
    .toSorted((a, b) => a.distance - b.distance);
  return best?.candidate;
}

function rank(name: string): number {
  const index = (SERVICE_CLASSES as readonly string[]).indexOf(name);
  return index === -1 ? SERVICE_CLASSES.length : index;
}

function notThere(what: string, name: string, known: readonly {readonly name: string}[]): never {
  throw unknownName(
    what,
    name,
    known.map((one) => one.name),
  );
}

function unknownName(what: string, name: string, known: readonly string[]): RegionctlError {
  const guess = nearest(name, known);
  const list = known.length === 0 ? `the fleet file has no ${what}s` : `known ${what}s: ${known.join(', ')}`;
  return usageError(`unknown ${what} "${name}"; ${list}`, {suggestions: guess === undefined ? [] : [`Did you mean "${guess}"?`]});
}

const cut = (text: string): string => text.slice(0, 64);

/** Edit distance that counts two swapped neighbours as one mistake (optimal string alignment). Names are short: cut at 64 characters. */
function distanceOf(left: string, right: string): number {
  const [a, b] = [cut(left), cut(right)];
  let before: number[] = [];
  let previous = Array.from({length: b.length + 1}, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost, swapped));
    }
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}
