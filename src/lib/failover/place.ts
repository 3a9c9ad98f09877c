import type {Fleet, StoreMember, StoreSpec} from '../fleet/fleet.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';

/** Where a store goes: the member that is to be promoted, and why there when it is not where the rest goes. `member` null = it stays down. */
export type Place =
  | {readonly member: string; readonly region: string; readonly why: string | null}
  | {readonly member: null; readonly says: string};

/**
 * The place for one store when `from` is left for `to`. Its data classes decide: where they may not be in `to`, the store's secondary site takes
 * over, in the region that is left or in another one of the same jurisdiction, in the failover order. Where there is none it stays down.
 */
export function placeFor(fleet: Fleet, snapshot: Snapshot, spec: StoreSpec, way: {from: string; to: string; primary: string}): Place {
  const barred = barredFrom(fleet, spec, way.to);
  const there = spec.members.filter((member) => member.region === way.to && member.name !== way.primary);
  if (barred === null || way.from === way.to) {
    const [first] = ranked(snapshot, spec, bySite(fleet, spec, there, way.primary));
    if (first !== undefined) return {member: first.name, region: first.region, why: null};
    return {member: null, says: `${spec.name} stays down: ${way.to} has no other member of it`};
  }
  const secondary = secondarySites(fleet, spec, way);
  const [first] = ranked(snapshot, spec, secondary);
  if (first === undefined)
    return {member: null, says: `${spec.name} stays down: ${barred}, and it has no secondary site where its data may be`};
  const where = first.site === null ? first.region : `${first.region}/${first.site}`;
  return {member: first.name, region: first.region, why: `${barred}, so its secondary site ${where} takes over`};
}

/** Why a store's data may not be in a region, or null. */
export function barredFrom(fleet: Fleet, spec: StoreSpec, region: string): string | null {
  const jurisdiction = jurisdictionOf(fleet, region);
  const barred = fleet.dataClasses.filter(
    ({name, allowed}) => spec.dataClasses.includes(name) && allowed !== null && !allowed.includes(jurisdiction),
  );
  return barred.length === 0 ? null : `${barred.map(({name}) => name).join(', ')} may not be in ${region} (${jurisdiction})`;
}

/** Members other than the primary in the jurisdiction that is left: the region's own other sites first, then its failover order. */
function secondarySites(fleet: Fleet, spec: StoreSpec, {from, primary}: {from: string; primary: string}): readonly StoreMember[] {
  const order = [from, ...(fleet.regions.find(({name}) => name === from)?.failoverOrder ?? [])];
  return order
    .filter((region) => jurisdictionOf(fleet, region) === jurisdictionOf(fleet, from) && barredFrom(fleet, spec, region) === null)
    .flatMap((region) =>
      bySite(
        fleet,
        spec,
        spec.members.filter((member) => member.region === region && member.name !== primary),
        primary,
      ),
    );
}

/** The site that the primary's own site fails over to comes first. */
function bySite(fleet: Fleet, spec: StoreSpec, members: readonly StoreMember[], primary: string): readonly StoreMember[] {
  const home = spec.members.find(({name}) => name === primary);
  const sites = fleet.regions.find(({name}) => name === home?.region)?.sites ?? {};
  const next = home?.site == null ? null : (sites[home.site]?.failsOverTo ?? null);
  return members.toSorted((a, b) => rank(a) - rank(b));
  function rank({region, site}: StoreMember): number {
    if (region !== home?.region) return 1;
    return site !== null && site === next ? 0 : site === home.site ? 2 : 1;
  }
}

/** Members that answer as standbys before those that do not; otherwise as given. */
function ranked(snapshot: Snapshot, spec: StoreSpec, members: readonly StoreMember[]): readonly StoreMember[] {
  const answers = ({name}: StoreMember): boolean => {
    const cell = snapshot.stores[spec.name]?.members[name];
    return cell?.known === true && cell.value.role === 'standby';
  };
  return [...members.filter(answers), ...members.filter((member) => !answers(member))];
}

function jurisdictionOf(fleet: Fleet, region: string): string {
  return fleet.regions.find(({name}) => name === region)?.jurisdiction ?? 'an unknown jurisdiction';
}
