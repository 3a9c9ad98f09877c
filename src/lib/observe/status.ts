import {EXIT} from '../exit-codes.ts';
import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {HealthDocument, HealthRegion} from '../health/document.ts';
import {exitVerdict, type Verdict, worstVerdict} from '../health/verdict.ts';
import type {RegionFacts} from '../operate/region-facts.ts';
import type {StepRow} from '../plan/plan-document.ts';
import {worst} from '../replication/lag.ts';
import {worstLink} from '../replication/worst-link.ts';
import {activeRun} from '../run/active.ts';
import {roleIn, type Snapshot} from '../snapshot/snapshot.ts';
import type {StatusDocument, StatusLink, StatusRegion, StatusRole, StatusRun} from './status-document.ts';
import {ageAt, factsPart, NO_FACTS} from './status-region.ts';
import {storeNotes} from './store-notes.ts';

/** A region as it was judged, and how long ago each of its endpoints had been asked. */
type JudgedRegion = Pick<HealthRegion, 'region' | 'verdict' | 'since' | 'reason'> & {
  readonly endpoints: readonly {readonly ageMs: number}[];
};

/** `facts` by region; absent = nothing more is known of any. `steps` = those of the run that goes on. */
export type StatusParts = {
  readonly fleet: Fleet;
  readonly snapshot: Pick<Snapshot, 'stores' | 'routers'>;
  readonly health: Pick<HealthDocument, 'at' | 'verdict' | 'notes'> & {readonly regions: readonly JudgedRegion[]};
  readonly links: readonly StatusLink[];
  /** Stores whose links could not be read. */
  readonly unread: readonly {readonly store: string; readonly reason: string}[];
  readonly runs: readonly StatusRun[];
  readonly steps?: readonly StepRow[];
  readonly facts?: Readonly<Record<string, RegionFacts>>;
};

/**
 * One picture of the fleet for one screen. Regions, jurisdictions and members come from the fleet file, so a region that cannot be reached is there
 * all the same. The verdict is the worst of the regions', the stores' and the links', by what `replication lag` says of them; a link that misses its RPO makes
 * it degraded.
 */
export function statusDocument(parts: StatusParts): StatusDocument {
  const {fleet, snapshot, health, links, unread, runs, steps = []} = parts;
  const stores = fleet.stores.map((store) => storeNotes(store, snapshot.stores[store.name]));
  const active = activeRun(runs);
  return {
    fleet: fleet.name,
    at: health.at,
    verdict: worstVerdict([
      health.verdict,
      ...stores.map(({verdict}) => verdict),
      ...links.map(verdictOfLink),
      ...unread.map(() => 'unknown' as const),
    ]),
    regions: fleet.regions.map(({name, jurisdiction}) => regionPart(name, jurisdiction, parts)),
    activeRun: active === undefined ? null : {...active, steps},
    notes: [
      ...health.notes,
      ...stores.flatMap(({notes}) => notes),
      ...unread.map(({store, reason}) => `${store}: its links could not be read: ${reason}`),
      ...links.flatMap(linkNotes),
      ...fleet.routes.flatMap((route) => routeNotes(route, snapshot)),
      ...runs
        // What a breaker began is gone on from by the next look, not resumed.
        .filter(({outcome, kind}) => outcome === 'interrupted' && kind !== 'shift')
        .map(({runId, kind}) => `${kind} ${runId} was interrupted: regionctl runs show ${runId} says how to go on`),
    ],
  };
}

/** As `replication lag` judges it: one rule for both. */
function verdictOfLink(link: StatusLink): Verdict {
  const verdict = exitVerdict(worst([link]));
  return verdict === 'healthy' && link.withinRpo === false ? 'degraded' : verdict;
}

/** What is wrong with a link, a sentence each: how it stands with its objective, and its breaker. */
function linkNotes(link: StatusLink): string[] {
  const {store, link: own, from, to, state, withinRpo, reason, breaker, code, seconds} = link;
  const name = `${own === undefined ? store : `${store}/${own}`} ${from} → ${to}`;
  const isWell = worst([{state, code, seconds}]) === EXIT.good;
  const wrong = [
    ...(isWell ? [] : [state === 'unknown' ? 'is not known' : `is ${state}`]),
    ...(withinRpo === false ? ['misses its RPO'] : []),
  ];
  return [
    ...(wrong.length === 0 ? [] : [`${name} ${wrong.join(' and ')}: ${reason}`]),
    ...(breaker === undefined || breaker.state === 'closed' ? [] : [`breaker of ${name} ${breaker.reason}`]),
  ];
}

function regionPart(region: string, jurisdiction: string, parts: StatusParts): StatusRegion {
  const {fleet, snapshot, health, links, facts = {}} = parts;
  const seen = health.regions.find((candidate) => candidate.region === region) ?? notChecked(region, health.at);
  const at = Date.parse(health.at);
  const roles = fleet.stores.flatMap((store) => rolesIn(store, region, {snapshot, at}));
  const ages = seen.endpoints.map(({ageMs}) => ageMs);
  const into = links.filter(({store, to}) => regionOf(fleet, store, to) === region);
  return {
    region,
    jurisdiction,
    verdict: seen.verdict,
    since: seen.since,
    reason: seen.reason,
    ageMs: ages.length === 0 ? null : Math.max(...ages),
    roles,
    weightByRoute: Object.fromEntries(fleet.routes.map(({name}) => [name, weight(snapshot, name, region)])),
    ageMsByRoute: Object.fromEntries(fleet.routes.map(({name}) => [name, weightAge(snapshot, name, at)])),
    lagWorst: worstLink(into, (link) => link),
    ...factsPart(facts[region] ?? NO_FACTS, {region, roles, sources: sourcesOf(parts), at}),
  };
}

/** The regions that hold a primary; all where none is seen to. */
function sourcesOf({fleet, snapshot}: StatusParts): readonly string[] {
  const held = fleet.stores.flatMap(({name, members}) => {
    const store = snapshot.stores[name];
    return members.flatMap((member) => (store !== undefined && roleIn(store, member.name) === 'primary' ? [member.region] : []));
  });
  return held.length > 0 ? [...new Set(held)] : fleet.regions.map(({name}) => name);
}

function notChecked(region: string, at: string): JudgedRegion {
  return {region, verdict: 'unknown', reason: 'this region was not checked', since: at, endpoints: []};
}

type Looked = {readonly snapshot: StatusParts['snapshot']; readonly at: number};

function rolesIn(store: StoreSpec, region: string, {snapshot, at}: Looked): StatusRole[] {
  const own = store.members.filter((member) => member.region === region);
  return own.map(({name}) => {
    const cell = snapshot.stores[store.name]?.members[name];
    if (cell === undefined || !cell.known) return {store: store.name, member: name, role: 'unknown', writable: null, ageMs: null};
    return {store: store.name, member: name, role: cell.value.role, writable: cell.value.writable, ageMs: ageAt(cell.at, at)};
  });
}

/** A region that a router does not name gets no traffic from it; a router that could not be read says nothing. */
function weight(snapshot: StatusParts['snapshot'], route: string, region: string): number | null {
  const cell = snapshot.routers[route];
  return cell?.known === true ? (cell.value[region] ?? 0) : null;
}

function weightAge(snapshot: StatusParts['snapshot'], route: string, at: number): number | null {
  const cell = snapshot.routers[route];
  return cell?.known === true ? ageAt(cell.at, at) : null;
}

function regionOf(fleet: Fleet, store: string, member: string): string | null {
  const spec = fleet.stores.find(({name}) => name === store);
  return spec?.members.find(({name}) => name === member)?.region ?? null;
}

function routeNotes(route: Fleet['routes'][number], snapshot: StatusParts['snapshot']): string[] {
  const cell = snapshot.routers[route.name];
  if (cell === undefined) return [];
  if (!cell.known) return [`${route.name}: ${cell.reason}`];
  const differs = Object.entries(route.weights).filter(([region, wanted]) => (cell.value[region] ?? 0) !== wanted);
  if (differs.length === 0) return [];
  return [
    `${route.name}: ${differs.map(([region, wanted]) => `${region} gets ${cell.value[region] ?? 0}, normally ${wanted}`).join('; ')}`,
  ];
}
