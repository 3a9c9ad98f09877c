import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {HealthDocument, HealthRegion} from '../health/document.ts';
import {type Verdict, worstVerdict} from '../health/verdict.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {storeNotes} from './store-notes.ts';

/** A replication link as `replication lag` reports it: what the status needs of it. */
export type StatusLink = {
  readonly store: string;
  readonly from: string;
  readonly to: string;
  readonly state: string;
  readonly replayBytes: number | null;
  readonly seconds: number | null;
  readonly ageMs: number | null;
  readonly withinRpo: boolean | null;
  readonly reason: string;
  readonly messages?: {readonly depth: number | null};
};

/** A run as the list of runs shows it. Newest first where there are several. */
export type StatusRun = {
  readonly runId: string;
  readonly kind: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly outcome: string;
  /** ISO 8601. */
  readonly startedAt: string;
};

/** A member's role in its store; `unknown` and null when it could not be read. */
export type StatusRole = {
  readonly store: string;
  readonly member: string;
  readonly role: 'primary' | 'standby' | 'peer' | 'unknown';
  readonly writable: boolean | null;
};

/** A region in the `status` document. `weightByRoute`: null = the router could not be read. */
export type StatusRegion = {
  readonly region: string;
  readonly jurisdiction: string;
  readonly verdict: Verdict;
  readonly since: string;
  readonly reason: string;
  readonly roles: readonly StatusRole[];
  readonly weightByRoute: Readonly<Record<string, number | null>>;
  readonly lagWorst: StatusLink | null;
};

/** The document of `status --json`. `notes` are sentences that need a person's eye. */
export type StatusDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly verdict: Verdict;
  readonly regions: readonly StatusRegion[];
  readonly activeRun: StatusRun | null;
  readonly notes: readonly string[];
};

export type StatusParts = {
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly health: HealthDocument;
  readonly links: readonly StatusLink[];
  readonly runs: readonly StatusRun[];
};

const ACTIVE = new Set(['running', 'paused', 'interrupted']);

/**
 * One picture of the fleet for one screen. Regions, jurisdictions and members come from the fleet file, so a region that cannot be reached is there
 * all the same. The verdict is the worst of the regions', the stores' and the links': degraded when one misses its RPO, is broken or stalled, and unknown
 * when it is not known how one is.
 */
export function statusDocument(parts: StatusParts): StatusDocument {
  const {fleet, snapshot, health, links, runs} = parts;
  const stores = fleet.stores.map((store) => storeNotes(store, snapshot.stores[store.name]));
  const bad = links.flatMap((link) => linkPart(link) ?? []);
  const regions = fleet.regions.map(({name, jurisdiction}) => regionPart(name, jurisdiction, parts));
  return {
    fleet: fleet.name,
    at: health.at,
    verdict: worstVerdict([health.verdict, ...stores.map(({verdict}) => verdict), ...bad.map(({verdict}) => verdict)]),
    regions,
    activeRun: runs.find(({outcome}) => ACTIVE.has(outcome)) ?? null,
    notes: [
      ...stores.flatMap(({notes}) => notes),
      ...bad.map(({note}) => note),
      ...fleet.routes.flatMap((route) => routeNotes(route, snapshot)),
      ...runs
        .filter(({outcome}) => outcome === 'interrupted')
        .map(({runId, kind}) => `${kind} ${runId} was interrupted: regionctl runs resume ${runId}`),
    ],
  };
}

/** null = nothing is wrong with it. That the objective still has room is no word for a link that nothing comes over. */
function linkPart({store, from, to, state, withinRpo, reason}: StatusLink): {readonly verdict: Verdict; readonly note: string} | null {
  const link = `${store} ${from} → ${to}`;
  if (withinRpo === false) return {verdict: 'degraded', note: `${link} misses its RPO: ${reason}`};
  if (state === 'unknown') return {verdict: 'unknown', note: `${link} is unknown: ${reason}`};
  return state === 'broken' || state === 'stalled' ? {verdict: 'degraded', note: `${link} is ${state}: ${reason}`} : null;
}

function regionPart(region: string, jurisdiction: string, {fleet, snapshot, health, links}: StatusParts): StatusRegion {
  const seen = health.regions.find((candidate) => candidate.region === region) ?? notChecked(region, health.at);
  return {
    region,
    jurisdiction,
    verdict: seen.verdict,
    since: seen.since,
    reason: seen.reason,
    roles: fleet.stores.flatMap((store) => rolesIn(store, region, snapshot)),
    weightByRoute: Object.fromEntries(fleet.routes.map(({name}) => [name, weight(snapshot, name, region)])),
    lagWorst: worstLink(links.filter(({store, to}) => regionOf(fleet, store, to) === region)),
  };
}

const NOT_SEEN = {flappingSince: null, agree: 0, asked: 1, endpoints: []};

function notChecked(region: string, at: string): HealthRegion {
  return {region, verdict: 'unknown', code: 'not-checked', reason: 'this region was not checked', since: at, ...NOT_SEEN};
}

function rolesIn(store: StoreSpec, region: string, snapshot: Snapshot): StatusRole[] {
  const own = store.members.filter((member) => member.region === region);
  return own.map(({name}) => {
    const cell = snapshot.stores[store.name]?.members[name];
    if (cell === undefined || !cell.known) return {store: store.name, member: name, role: 'unknown', writable: null};
    return {store: store.name, member: name, role: cell.value.role, writable: cell.value.writable};
  });
}

/** A region that a router does not name gets no traffic from it; a router that could not be read says nothing. */
function weight(snapshot: Snapshot, route: string, region: string): number | null {
  const cell = snapshot.routers[route];
  return cell?.known === true ? (cell.value[region] ?? 0) : null;
}

function regionOf(fleet: Fleet, store: string, member: string): string | null {
  const spec = fleet.stores.find(({name}) => name === store);
  return spec?.members.find(({name}) => name === member)?.region ?? null;
}

/** A link that is broken or not known comes before any figure: no number is not a small one. */
function worstLink(links: readonly StatusLink[]): StatusLink | null {
  const rank = ({state}: StatusLink) => ['broken', 'unknown', 'stalled'].indexOf(state) + 1 || 4;
  const size = ({replayBytes, messages}: StatusLink) => replayBytes ?? messages?.depth ?? Number.POSITIVE_INFINITY;
  const [worst] = links.toSorted((a, b) => rank(a) - rank(b) || size(b) - size(a));
  return worst ?? null;
}

function routeNotes(route: Fleet['routes'][number], snapshot: Snapshot): string[] {
  const cell = snapshot.routers[route.name];
  if (cell === undefined) return [];
  if (!cell.known) return [`${route.name}: ${cell.reason}`];
  const differs = Object.entries(route.weights).filter(([region, wanted]) => (cell.value[region] ?? 0) !== wanted);
  if (differs.length === 0) return [];
  return [
    `${route.name}: ${differs.map(([region, wanted]) => `${region} gets ${cell.value[region] ?? 0}, normally ${wanted}`).join('; ')}`,
  ];
}
