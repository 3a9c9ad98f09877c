import type {StoreSpec} from '../fleet/fleet.ts';
import {isLeftAlone, type Member, type StoreSnapshot} from '../snapshot/snapshot.ts';

/** The primary of a store as far as a snapshot can tell. `seen` = it answered; otherwise it is inferred and `basis` says from what. */
export type PrimaryFinding = {readonly member: string; readonly region: string; readonly seen: boolean; readonly basis: string};

/**
 * Finds the primary: the member that answers as one with the highest timeline; else the upstream that the standbys name; else the only
 * member that does not answer. `null` when none of these decides, and for a store that no plan moves: of peers, where the silent one is no primary
 * either, or only watched.
 */
export function findPrimary(store: StoreSnapshot, spec: StoreSpec): PrimaryFinding | null {
  if (isLeftAlone(store)) return null;
  return seenPrimary(store) ?? namedUpstream(store, spec) ?? onlySilent(store, spec);
}

/** Every member that answers as a primary, the highest timeline first. More than one is a split. */
export function primariesOf(store: StoreSnapshot): readonly {name: string; member: Member}[] {
  return answering(store)
    .filter(({member}) => member.role === 'primary')
    .sort((a, b) => b.member.durable.epoch - a.member.durable.epoch);
}

/** Whether any member that answers is on a later timeline, or a run made one: then a promotion has passed this primary by, whoever holds it now. */
export function isStale(store: StoreSnapshot, primary: Member): boolean {
  const later = [...answering(store).map(({member}) => member.durable), ...(store.promoted === undefined ? [] : [store.promoted])];
  return later.some(({lineage, epoch}) => lineage === primary.durable.lineage && epoch > primary.durable.epoch);
}

/** The standbys that answer, by name. */
export function standbysOf(store: StoreSnapshot): readonly {name: string; member: Member}[] {
  return answering(store).filter(({member}) => member.role === 'standby');
}

function answering(store: StoreSnapshot): {name: string; member: Member}[] {
  return Object.entries(store.members).flatMap(([name, cell]) => (cell.known ? [{name, member: cell.value}] : []));
}

function seenPrimary(store: StoreSnapshot): PrimaryFinding | null {
  const [first] = primariesOf(store);
  if (first !== undefined && isStale(store, first.member)) return null;
  return first === undefined ? null : {member: first.name, region: first.member.region, seen: true, basis: 'it answers as the primary'};
}

function namedUpstream(store: StoreSnapshot, spec: StoreSpec): PrimaryFinding | null {
  const named = new Set(standbysOf(store).flatMap(({member}) => (member.upstream === null ? [] : [member.upstream])));
  const silent = [...named].filter((name) => store.members[name]?.known !== true);
  const [only] = silent;
  return silent.length === 1 && only !== undefined ? inferred(only, spec, 'the standbys follow it') : null;
}

function onlySilent(store: StoreSnapshot, spec: StoreSpec): PrimaryFinding | null {
  const silent = spec.members.filter(({name}) => store.members[name]?.known !== true);
  const [only] = silent;
  return silent.length === 1 && only !== undefined ? inferred(only.name, spec, 'it is the only member that does not answer') : null;
}

function inferred(name: string, spec: StoreSpec, basis: string): PrimaryFinding | null {
  const member = spec.members.find((candidate) => candidate.name === name);
  return member === undefined ? null : {member: name, region: member.region, seen: false, basis};
}
