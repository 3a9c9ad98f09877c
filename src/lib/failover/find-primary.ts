import type {StoreSpec} from '../fleet/fleet.ts';
import {answering, isStale, primariesOf} from '../snapshot/primaries.ts';
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

/** The standbys that answer, by name. */
export function standbysOf(store: StoreSnapshot): readonly {name: string; member: Member}[] {
  return answering(store).filter(({member}) => member.role === 'standby');
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
