import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {HealthDocument, HealthRegion} from '../health/document.ts';
import {exitVerdict, type Verdict, worstVerdict} from '../health/verdict.ts';
import type {BreakerNow} from '../replication/breaker.ts';
import {type LinkStanding, worst} from '../replication/lag.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {storeNotes} from './store-notes.ts';

/** A replication link as `replication lag` reports it: what the status needs of it. */
export type StatusLink = LinkStanding & {
  readonly store: string;
  readonly link?: string;
  readonly from: string;
  readonly to: string;
  readonly replayBytes: number | null;
  readonly ageMs: number | null;
  readonly withinRpo: boolean | null;
  readonly reason: string;
  readonly breaker?: Pick<BreakerNow, 'state' | 'reason'>;
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
  /** It was taken at `at`, and nobody was asked since. Absent = it is of now. */
  readonly cached?: true;
};

export type StatusParts = {
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly health: HealthDocument;
  readonly links: readonly StatusLink[];
  /** Stores whose links could not be read. */
  readonly unread: readonly {readonly store: string; readonly reason: string}[];
  readonly runs: readonly StatusRun[];
};

const ACTIVE = new Set(['running', 'paused', 'interrupted']);

/**
 * One picture of the fleet for one screen. Regions, jurisdictions and members come from the fleet file, so a region that cannot be reached is there
 * all the same. The verdict is the worst of the regions', the stores' and the links', by what `replication lag` says of them; a link that misses its RPO makes
 * it degraded.
 */
export function statusDocument(parts: StatusParts): StatusDocument {
  const {fleet, snapshot, health, links, unread, runs} = parts;
  const stores = fleet.stores.map((store) => storeNotes(store, snapshot.stores[store.name]));
  const regions = fleet.regions.map(({name, jurisdiction}) => regionPart(name, jurisdiction, parts));
  return {
    fleet: fleet.name,
    at: health.at,
    verdict: worstVerdict([
      health.verdict,
      ...stores.map(({verdict}) => verdict),
      ...links.map(verdictOfLink),
      ...unread.map(() => 'unknown' as const),
    ]),
    regions,
    activeRun: runs.find(({outcome, kind}) => ACTIVE.has(outcome) && (kind !== 'shift' || outcome === 'running')) ?? null,
    notes: [
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

/** A link that is down or not known comes before any figure: no number is not a small one. */
function worstLink(links: readonly StatusLink[]): StatusLink | null {
  const order: readonly ExitCode[] = [EXIT.critical, EXIT.unknown, EXIT.warning, EXIT.good];
  const rank = (link: StatusLink) => order.indexOf(worst([link]));
  const size = ({replayBytes, messages}: StatusLink) => replayBytes ?? messages?.depth ?? Number.POSITIVE_INFINITY;
  const [first] = links.toSorted((a, b) => rank(a) - rank(b) || size(b) - size(a));
  return first ?? null;
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
