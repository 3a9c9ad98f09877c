import {checkConsistency} from './consistency-checks.ts';
import {repeated, unknownName, unknownNames} from './name-checks.ts';
import type {Finding, Path} from './problem.ts';
import type {FleetFile} from './schema.ts';

type Store = FleetFile['stores'][string];

/** Cross checks of the stores: members, quorum, addresses, data classes and where they may be. */
export function checkStores(file: FleetFile): readonly Finding[] {
  return Object.entries(file.stores).flatMap(([name, store]) => {
    const path = ['stores', name];
    return [
      ...unknownNames(store.dataClasses, Object.keys(file.dataClasses), 'data class', [...path, 'dataClasses']),
      ...repeated(store.dataClasses, [...path, 'dataClasses']),
      ...checkQuorum(store, path),
      ...checkBreaker(store, [...path, 'breaker']),
      ...checkConsistency(file, store, [...path, 'consistency']),
      ...checkDrain(file, store, [...path, 'breaker', 'drain', 'routes']),
      ...Object.entries(store.members).flatMap(([member, spec]) => checkPlace(file, spec, [...path, 'members', member])),
      ...checkUpstreams(store, [...path, 'members']),
      ...checkAddresses(store, [...path, 'members']),
      ...checkResidency(file, store, [...path, 'members']),
    ];
  });
}

function checkQuorum({quorum, members}: Store, path: Path): readonly Finding[] {
  const count = Object.keys(members).length;
  if (count === 0) {
    return [
      {
        path: [...path, 'members'],
        at: 'key',
        message: 'a store needs at least one member',
        suggestion: 'Add a member, or take the store out.',
      },
    ];
  }
  if (quorum < count) return [];
  const message = `a quorum of ${quorum} needs ${quorum + 1} members (the primary and ${quorum} others); there ${count === 1 ? 'is 1' : `are ${count}`}`;
  return [
    {path: [...path, 'quorum'], at: 'value', message, suggestion: `Write ${count === 1 ? '0' : `${count - 1} or less`}, or add members.`},
  ];
}

function checkBreaker({breaker: {warn, open}}: Store, path: Path): readonly Finding[] {
  if (open > warn) return [];
  const message = 'a breaker opens at a larger lag than it warns at';
  return [{path: [...path, 'open'], at: 'value', message, suggestion: 'Write a longer duration than that of warn.'}];
}

function checkDrain({routes}: FleetFile, {breaker: {drain}}: Store, path: Path): readonly Finding[] {
  return drain === null ? [] : [...unknownNames(drain.routes, Object.keys(routes), 'route', path), ...repeated(drain.routes, path)];
}

function checkPlace(file: FleetFile, {region, site}: Store['members'][string], path: Path): readonly Finding[] {
  const spec = Object.hasOwn(file.regions, region) ? file.regions[region] : undefined;
  if (spec === undefined) return [unknownName(region, Object.keys(file.regions), 'region', [...path, 'region'], 'value')];
  const sites = Object.keys(spec.sites);
  return site === null || sites.includes(site) ? [] : [unknownName(site, sites, 'site', [...path, 'site'], 'value')];
}

/** `upstreams` belongs to the engine, but its keys are members of the store whatever the engine is. */
function checkUpstreams({members}: Store, path: Path): readonly Finding[] {
  const known = Object.keys(members);
  return Object.entries(members).flatMap(([name, {upstreams}]) => {
    if (typeof upstreams !== 'object' || upstreams === null || Array.isArray(upstreams)) return [];
    return Object.keys(upstreams).flatMap((upstream): readonly Finding[] => {
      const place = [...path, name, 'upstreams', upstream];
      if (upstream === name)
        return [{path: place, at: 'key', message: `the member "${name}" cannot be its own upstream`, suggestion: 'Take this line out.'}];
      return known.includes(upstream) ? [] : [unknownName(upstream, known, 'member', place, 'key')];
    });
  });
}

/** Two members behind one address are one server: a failover between them would promote what it has just fenced. */
function checkAddresses({members}: Store, path: Path): readonly Finding[] {
  const seen = new Map<string, string>();
  return Object.entries(members).flatMap(([name, {address}]): readonly Finding[] => {
    if (typeof address !== 'string') return [];
    const other = seen.get(address.toLowerCase());
    if (other === undefined) seen.set(address.toLowerCase(), name);
    const message = `the members "${other}" and "${name}" have the same address ${address}`;
    return other === undefined
      ? []
      : [{path: [...path, name, 'address'], at: 'value', message, suggestion: 'Give each member the address of its own server.'}];
  });
}

function checkResidency(file: FleetFile, {dataClasses, members}: Store, path: Path): readonly Finding[] {
  return Object.entries(members).flatMap(([name, {region}]) => {
    const jurisdiction = Object.hasOwn(file.regions, region) ? file.regions[region]?.jurisdiction : undefined;
    if (jurisdiction === undefined) return [];
    const [refusing] = dataClasses.filter((one) => !(allowedOf(file, one)?.includes(jurisdiction) ?? true));
    if (refusing === undefined) return [];
    const allowed = allowedOf(file, refusing) ?? [];
    const message = `the data class "${refusing}" may be in ${allowed.join(', ')} only; ${region} is in ${jurisdiction}`;
    return [
      {
        path: [...path, name, 'region'],
        at: 'value' as const,
        message,
        suggestion: `Move the member, or add ${jurisdiction} to dataClasses.${refusing}.allowed.`,
      },
    ];
  });
}

function allowedOf(file: FleetFile, dataClass: string): readonly string[] | null {
  return Object.hasOwn(file.dataClasses, dataClass) ? (file.dataClasses[dataClass]?.allowed ?? null) : null;
}
