import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import {worstVerdict} from '../health/verdict.ts';
import {worstLink} from '../replication/worst-link.ts';
import type {DashboardEvent, DashboardParts, DashboardRegion, DashboardView, LastRole, RoleNow, TrafficNow} from './dashboard-view.ts';
import {regionFacts} from './region-facts.ts';

/** One picture out of what all sources said last. Regions, members and routes are those of the fleet file, so that what cannot be reached is there all the same. Pure. */
export function dashboardView(parts: DashboardParts, events: readonly DashboardEvent[]): DashboardView {
  const {fleet, at, health, lag, runs} = parts;
  const regions = fleet.regions.map((region) => regionNow(region.name, region.jurisdiction, parts));
  const judged = regions.some(({verdict}) => verdict !== null);
  return {
    fleet: fleet.name,
    at,
    // Unknown is not good: a region that was not judged yet counts.
    verdict: judged ? worstVerdict(regions.map(({verdict}) => verdict ?? 'unknown')) : null,
    regions,
    links: lag.links,
    linksEveryMs: parts.linksEveryMs ?? 1000,
    endpoints: health.endpoints,
    run: runs.value?.active ?? null,
    runs: runs.value?.list ?? [],
    events,
    notes: notesOf(parts),
    health,
    lag,
  };
}

function regionNow(region: string, jurisdiction: string, parts: DashboardParts): DashboardRegion {
  const {fleet, health, lag, routers, stores} = parts;
  const judged = health.regions.find((each) => each.region === region);
  const own = {region, jurisdiction, ...verdictOf(judged, region, parts)};
  return {
    ...own,
    traffic: fleet.routes.map(({name}) => trafficOf(name, region, routers[name])),
    roles: fleet.stores.flatMap((store) => rolesOf(store, region, stores[store.name], parts.lastRoles?.get(store.name))),
    lag: worstLink(
      lag.links.filter(({row}) => memberRegion(fleet, row.store, row.to) === region),
      ({row, breaker}) => ({...row, breaker}),
    ),
    ...regionFacts(region, parts),
  };
}

function verdictOf(judged: DashboardParts['health']['regions'][number] | undefined, region: string, {health}: DashboardParts) {
  const own = health.endpoints.filter((each) => each.region === region);
  const askedEveryMs = own.reduce((most, {everyMs}) => Math.max(most, everyMs), 0);
  if (judged === undefined || judged.verdict === null) return {verdict: null, since: null, reason: 'asking', seenAt: null, askedEveryMs};
  const seen = own.flatMap((each) => each.judged?.reading.at ?? []);
  const {verdict, since, reason} = judged;
  return {verdict, since, reason, seenAt: seen.length === 0 ? null : Math.min(...seen), askedEveryMs};
}

function trafficOf(route: string, region: string, sampled: DashboardParts['routers'][string] | undefined): TrafficNow {
  const {value = null, at = null, failing = null} = sampled ?? {};
  const sum = value === null ? 0 : Object.values(value).reduce((all, weight) => all + weight, 0);
  // A route that sends nothing anywhere sends nothing here.
  const share = value === null ? null : sum > 0 ? (100 * (value[region] ?? 0)) / sum : 0;
  return {route, share, at, why: failing?.reason ?? (value === null ? 'asking' : null)};
}

function rolesOf(
  store: StoreSpec,
  region: string,
  sampled: DashboardParts['stores'][string] | undefined,
  lastSeen: ReadonlyMap<string, LastRole> | undefined,
): readonly RoleNow[] {
  return store.members
    .filter((member) => member.region === region)
    .map(({name}): RoleNow => {
      const own = {store: store.name, member: name, last: lastSeen?.get(name) ?? null};
      const cell = sampled?.value?.members[name];
      if (cell === undefined) return {...own, role: null, writable: null, at: null, why: sampled?.failing?.reason ?? 'asking'};
      if (!cell.known) return {...own, role: null, writable: null, at: cell.at, why: cell.reason};
      return {...own, role: cell.value.role, writable: cell.value.writable, at: cell.at, why: sampled?.failing?.reason ?? null};
    });
}

const memberRegion = (fleet: Fleet, store: string, member: string): string | null =>
  fleet.stores.find(({name}) => name === store)?.members.find(({name}) => name === member)?.region ?? null;

/** What needs a person's eye and has no row of its own. */
function notesOf({health, lag, runs, routers, headroom}: DashboardParts): readonly string[] {
  return [
    ...health.notes,
    ...lag.notes.filter((note) => !health.notes.includes(note)),
    ...lag.unread.map(({store, reason}) => `${store}: its links could not be read: ${reason}`),
    ...Object.entries(routers).flatMap(([route, {failing}]) => (failing === null ? [] : [`${route}: ${failing.reason}`])),
    ...(runs.failing === null ? [] : [`the runs could not be read: ${runs.failing.reason}`]),
    ...(headroom?.failing == null ? [] : [`capacity: ${headroom.failing.reason}`]),
  ];
}
