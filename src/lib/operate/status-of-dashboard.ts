import {worstVerdict} from '../health/verdict.ts';
import {type StatusParts, statusDocument} from '../observe/status.ts';
import type {StatusDocument} from '../observe/status-document.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {known, unknown} from '../snapshot/cell.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import type {StoreSnapshot} from '../snapshot/snapshot.ts';
import {REST_MS} from '../state/rest.ts';
import type {DashboardParts} from './dashboard-view.ts';
import {readingAgeMs} from './lag-verdict.ts';
import {regionFacts} from './region-facts.ts';
import {keepStatus} from './status-cache.ts';

/** Answers with what keeps what a dashboard shows for `status --cached`, once every source has answered or failed. It never throws: the state is told of by whoever needs it. */
export function dashboardKeeper({
  fleet,
  clock,
  state,
}: Pick<OpenFleet, 'fleet' | 'clock' | 'state'>): (parts: DashboardParts) => Promise<void> {
  let restUntil = Number.NEGATIVE_INFINITY;
  return async (parts) => {
    if (clock.now() < restUntil || !isWhole(parts)) return;
    try {
      keepStatus(await state(), fleet, statusOfDashboard(parts));
    } catch {
      restUntil = clock.now() + REST_MS;
    }
  };
}

/** Half a picture must not take the place of a whole one. */
function isWhole({health, lag, stores, routers, loss, ready, headroom, runs}: DashboardParts): boolean {
  const all = [
    ...Object.values(stores),
    ...Object.values(routers),
    ...Object.values(loss),
    ready,
    runs,
    ...(headroom === null ? [] : [headroom]),
  ];
  return (
    all.every(({at, failing}) => at !== null || failing !== null) &&
    lag.waiting.length === 0 &&
    health.regions.every(({verdict}) => verdict !== null)
  );
}

/** The document of `status` out of what a dashboard knows. What its source does not tell any more is not known: nobody sees its colour fade here. */
export function statusOfDashboard(parts: DashboardParts): StatusDocument {
  const {fleet, at, lag, stores, routers, runs} = parts;
  const notes = [
    ...parts.health.notes,
    ...lag.notes.filter((note) => !parts.health.notes.includes(note)),
    ...(runs.failing === null ? [] : [`the runs could not be read: ${runs.failing.reason}`]),
  ];
  return statusDocument({
    fleet,
    health: {...healthOf(parts), notes},
    snapshot: {
      stores: Object.fromEntries(fleet.stores.map((spec) => [spec.name, storeOf(spec, stores[spec.name], at)])),
      routers: Object.fromEntries(
        fleet.routes.map(({name}) => {
          const {value, at: read, why} = lastOf(routers[name]);
          return [name, value === null || read === null ? unknown('unread', why, at) : known(value, read, 'here')];
        }),
      ),
    },
    links: lag.links.map((link) => ({...link.row, ageMs: readingAgeMs(link, at), breaker: link.breaker})),
    unread: [...lag.unread, ...lag.waiting.map((store) => ({store, reason: 'not asked yet'}))],
    runs: runs.value?.list ?? [],
    steps: runs.value?.active?.steps ?? [],
    facts: Object.fromEntries(fleet.regions.map(({name}) => [name, regionFacts(name, parts)])),
  });
}

function healthOf({health, at}: DashboardParts): Omit<StatusParts['health'], 'notes'> {
  const judged = health.regions.flatMap((region) => (region.verdict === null ? [] : [region]));
  return {
    at: new Date(at).toISOString(),
    verdict: worstVerdict(health.regions.map(({verdict}) => verdict ?? 'unknown')),
    regions: judged.map(({region, verdict, since, reason}) => ({
      region,
      verdict,
      since: new Date(since).toISOString(),
      reason,
      endpoints: health.endpoints.flatMap((each) =>
        each.region === region && each.judged !== null ? [{ageMs: Math.max(0, Math.round(at - each.judged.reading.at))}] : [],
      ),
    })),
  };
}

function storeOf(
  {engine, members}: DashboardParts['fleet']['stores'][number],
  sampled: Sampled<StoreSnapshot> | undefined,
  at: number,
): StoreSnapshot {
  const {value, why} = lastOf(sampled);
  if (value !== null) return value;
  return {
    engine,
    ack: unknown('unread', why, at),
    members: Object.fromEntries(members.map(({name}) => [name, unknown('unread', why, at)])),
  };
}

function lastOf<T>(sampled: Sampled<T> | undefined): {readonly value: T | null; readonly at: number | null; readonly why: string} {
  if (sampled === undefined || sampled.failing !== null) return {value: null, at: null, why: sampled?.failing?.reason ?? 'not asked yet'};
  return {value: sampled.value, at: sampled.at, why: 'not asked yet'};
}
