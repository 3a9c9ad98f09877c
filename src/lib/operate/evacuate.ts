import {chooseTables} from '../consistency/audit/choose-tables.ts';
import {messageOf, usageError} from '../errors.ts';
import type {PlanCapacity} from '../failover/capacity-gate.ts';
import type {Outbound} from '../failover/peer-loss.ts';
import {answeringOf, isOnlyPeers, peerStores, sidesOf, unfitness} from '../failover/peers.ts';
import {chooseEvacuated, planEvacuation} from '../failover/plan-evacuation.ts';
import {type AuditSize, chooseReadmitted, planReadmission} from '../failover/plan-readmission.ts';
import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import {objectivesOf, regionOf} from '../fleet/lookup.ts';
import {formatBytes} from '../output/units.ts';
import type {Plan} from '../plan/plan.ts';
import type {State} from '../ports/state.ts';
import type {LinkReading} from '../ports/store.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {askInTime} from './ask-in-time.ts';
import {newRunId} from './conduct.ts';
import {evacuationMarks} from './earlier-runs.ts';
import type {PrepareOptions} from './prepare.ts';
import {recallLag, streamMember} from './remember-lag.ts';

/** Links of a region that hangs must not hold an evacuation up, in ms. */
const LINKS_MS = 3000;
const TABLES_MS = 5000;

type Asking = Pick<PrepareOptions, 'from' | 'to' | 'overrides' | 'signal'> & {
  readonly state: State | null;
  readonly capacity?: PlanCapacity | undefined;
};

/**
 * The fleet as an evacuation and a readmission are planned for it: without stores of peers whose engine cannot be asked for what it has not sent, or not
 * compared. null = nothing is left of it that they could be planned for, or there is a store with a primary, which plans are about as ever.
 */
export function fleetOfPeers(open: OpenFleet, snapshot: Snapshot): Fleet | null {
  const peers = peerStores(open.fleet, snapshot);
  const fleet = {...open.fleet, stores: open.fleet.stores.filter((spec) => !peers.includes(spec) || isAble(open, spec))};
  return isOnlyPeers(fleet, snapshot) ? fleet : null;
}

function isAble({stores}: OpenFleet, {name}: StoreSpec): boolean {
  const {outbound, audit, claim, links} = stores[name]?.abilities ?? {};
  return outbound !== undefined && audit !== undefined && claim !== undefined && links !== undefined;
}

/** What such a plan says of the stores that it is not about. */
function leftOut(open: OpenFleet, fleet: Fleet, snapshot: Snapshot, says: (store: string) => string): readonly string[] {
  return peerStores(open.fleet, snapshot).flatMap((spec) => (fleet.stores.includes(spec) ? [] : [says(spec.name)]));
}

/** The evacuation that a snapshot of a fleet of peers leads to: what the region has not sent is asked of its streams, or remembered. */
export async function evacuationFrom(
  open: OpenFleet,
  fleet: Fleet,
  snapshot: Snapshot,
  {from: given, to, overrides, signal, state, capacity}: Asking,
  more: {readonly witness: boolean; readonly approve: boolean},
): Promise<Plan> {
  if (to !== undefined) throw usageError('--to: every region of this fleet takes writes, so all others share what one had: leave it out');
  if (given !== undefined) regionOf(fleet, given);
  const from = chooseEvacuated(fleet, snapshot, given);
  const stores = peerStores(fleet, snapshot);
  const outbound = await Promise.all(
    stores.map(async (spec) => [spec.name, await outboundOf(open, snapshot, spec, {from, state, signal})] as const),
  );
  const plan = planEvacuation({
    ...{id: newRunId('evacuation', open.clock.wall()), fleet, snapshot, from, overrides, capacity, ...more},
    ...{outbound: Object.fromEntries(outbound), objectives: objectivesOf(fleet)},
  });
  const others = leftOut(open, fleet, snapshot, (name) => `what ${from} has not sent of ${name} is not waited for: its engine cannot tell`);
  return {...plan, remarks: [...(plan.remarks ?? []), ...others]};
}

/** The readmission that a snapshot of a fleet of peers leads to: with what an audit would read, and what the run that left the region has noted. */
export async function readmissionFrom(
  open: OpenFleet,
  fleet: Fleet,
  snapshot: Snapshot,
  {to: given, overrides, signal, state, capacity}: Asking,
): Promise<Plan> {
  if (given !== undefined) regionOf(fleet, given);
  const to = chooseReadmitted(fleet, snapshot, given);
  const sizes = await Promise.all(
    peerStores(fleet, snapshot).map(async (spec) => [spec.name, await auditSize(open, snapshot, spec, signal)] as const),
  );
  const plan = planReadmission({
    ...{id: newRunId('readmission', open.clock.wall()), fleet, snapshot, to, overrides, capacity},
    ...{objectives: objectivesOf(fleet), sizes: Object.fromEntries(sizes), marks: evacuationMarks(state, fleet.name, to)},
  });
  const others = leftOut(open, fleet, snapshot, (name) => `${name} is not compared: its engine has no digests`);
  return {...plan, remarks: [...(plan.remarks ?? []), ...others]};
}

type Leaving = {readonly from: string; readonly state: State | null; readonly signal: AbortSignal};

async function outboundOf(open: OpenFleet, snapshot: Snapshot, spec: StoreSpec, {from, state, signal}: Leaving): Promise<Outbound> {
  const {inside, outside} = sidesOf(spec, from);
  const own = inside.map(({name}) => name);
  const links = await linksOf(open, spec, signal);
  const others = outside.map(({name}) => name);
  const out = (all: readonly LinkReading[]) =>
    all.filter((link) => link.kind === 'logical' && own.includes(link.from) && others.includes(link.to));
  const streams = typeof links === 'string' ? links : out(links);
  const answers = own.length > 0 && answeringOf(snapshot, spec, inside).length === own.length;
  const history =
    state === null || typeof streams === 'string'
      ? []
      : streams.flatMap(({link}) => {
          const place = {fleet: open.fleet.name, store: spec.name, member: streamMember(link ?? '')};
          return recallLag(state, {...place, now: open.clock.wall()}) ?? [];
        });
  // Who does not answer cannot be waited for: a peer that is down itself gets what it lacks when it is back.
  const there = answeringOf(snapshot, spec, outside);
  const asked = typeof streams === 'string' ? streams : streams.filter(({to}) => there.includes(to));
  const unreached = typeof asked === 'string' ? [] : there.filter((at) => own.some((sender) => !leads(asked, sender, at)));
  return {answers, isWell: unfitness(snapshot, [], from) === null, streams: asked, unreached, history};
}

const leads = (links: readonly LinkReading[], from: string, to: string): boolean =>
  links.some((link) => link.from === from && link.to === to);

async function linksOf(open: OpenFleet, {name}: StoreSpec, signal: AbortSignal): Promise<readonly LinkReading[] | string> {
  const ability = open.stores[name]?.abilities.links;
  if (ability === undefined) return `${name} tells nothing of its streams`;
  const asked = await askInTime(signal, (own) => ability.links(own), LINKS_MS);
  return asked.ok ? asked.value : asked.reason;
}

/** What the catalogs say; no row is read. */
async function auditSize(open: OpenFleet, snapshot: Snapshot, spec: StoreSpec, signal: AbortSignal): Promise<AuditSize> {
  const ability = open.stores[spec.name]?.abilities.audit;
  if (ability === undefined) return 'its engine has no digests';
  const members = answeringOf(snapshot, spec, spec.members);
  const asked = await askInTime(signal, (own) => ability.tables(members, own), TABLES_MS);
  if (!asked.ok) return asked.reason;
  const catalogs = new Map(
    members.flatMap((member) => (asked.value[member]?.known === true ? [[member, asked.value[member].value] as const] : [])),
  );
  try {
    const {tables} = chooseTables(catalogs, {only: spec.consistency?.only ?? null, ignore: spec.consistency?.ignore ?? []});
    const sum = (of: (table: {rows: number; bytes: number}) => number): number => tables.reduce((all, table) => all + of(table), 0);
    return {tables: tables.length, rows: Math.round(sum(({rows}) => rows)), bytes: formatBytes(sum(({bytes}) => bytes))};
  } catch (error) {
    return messageOf(error);
  }
}
