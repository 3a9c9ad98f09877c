import type {MonitorView} from '../health/monitor.ts';
import {regionCell, takeSnapshot} from '../observe/take-snapshot.ts';
import type {Clock} from '../ports/clock.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {LossDocument} from '../replication/loss.ts';
import {type Cell, known, unknown} from '../snapshot/cell.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import {roleIn, type Snapshot, type StoreSnapshot} from '../snapshot/snapshot.ts';
import type {DashboardEvent, LastRole, LimitNow} from './dashboard-view.ts';
import {headroomNow, limitedQuestions} from './headroom.ts';
import {lossFrom} from './loss.ts';
import {planCapacity} from './plan-capacity.ts';
import {type ReadyDocument, readyFrom} from './ready.ts';
import {withRememberedAck} from './remember-ack.ts';
import {type Sampler, startSampler} from './sampler.ts';
import type {World} from './world.ts';

/** How often each kind of source is asked, in ms. */
export type DashboardPace = {
  readonly stores: number;
  readonly routers: number;
  readonly loss: number;
  readonly ready: number;
  readonly headroom: number;
  readonly runs: number;
};

/** Slow where a look costs a server something and changes seldom. */
export const DASHBOARD_PACE: DashboardPace = {stores: 2000, routers: 2000, loss: 5000, ready: 30_000, headroom: 60_000, runs: 1000};

/** A comparison of both ends that takes longer tells too little to be waited for. */
const COMPARE_MS = 2000;
/** So long the first readiness waits for the first verdicts: the rest of its deadline is for judging. */
const FIRST_VERDICTS_MS = 6000;
const LOOK_MS = 50;
/** Losses that are judged within so many ms are judged at once: their servers are read once for all of them. */
const GATHER_MS = 20;

type Weights = Readonly<Record<string, number>>;

/** What is asked beside endpoints and links. `headroom` null = the fleet file has no load with a limit. */
export type Sources = {
  readonly stores: ReadonlyMap<string, Sampler<StoreSnapshot>>;
  /** By store and member: what each was last seen as. */
  readonly lastRoles: ReadonlyMap<string, ReadonlyMap<string, LastRole>>;
  readonly routers: ReadonlyMap<string, Sampler<Weights>>;
  readonly loss: ReadonlyMap<string, Sampler<LossDocument>>;
  readonly ready: Sampler<ReadyDocument>;
  readonly headroom: Sampler<readonly LimitNow[]> | null;
  /** What was judged may be otherwise now: losses and readiness are judged anew. */
  again(): void;
  /** Roles and weights may be others now: who holds what is asked at once. */
  lookAgain(): void;
};

/** `health` is how the regions stand now; `onRole` is told of each member that has another role than before. */
export type SourcesOptions = {
  readonly world: World;
  readonly pace: DashboardPace;
  readonly signal: AbortSignal;
  readonly health: () => MonitorView;
  readonly onRole: (event: Omit<DashboardEvent, 'seq'>) => void;
};

/** Starts asking. Losses and readiness are judged from what the stores said last: no member is asked twice for the same thing. */
export function startSources(open: OpenFleet, {world, pace, signal, health, onRole}: SourcesOptions): Sources {
  const {fleet, clock} = open;
  const sampled = <T>(everyMs: number, ask: (own: AbortSignal) => Promise<T>): Sampler<T> => startSampler({clock, signal, everyMs, ask});
  const lastRoles = new Map(fleet.stores.map(({name}) => [name, new Map<string, LastRole>()]));
  const stores = new Map(
    [...lastRoles].map(([name, last]) => [
      name,
      sampled(
        pace.stores,
        roleReader(open, {name, last}, (event) => changed(event)),
      ),
    ]),
  );
  const routers = new Map(fleet.routes.map(({name}) => [name, sampled(pace.routers, (own) => routerNow(open, name, own))]));
  const looked = Promise.all([...stores.values(), ...routers.values()].map(({asked}) => asked));
  const seen = async () => {
    await looked;
    return lastOf(stores);
  };
  const gathered = gathering(clock, GATHER_MS);
  const loss = new Map(
    fleet.regions.map(({name}) => [
      name,
      sampled(pace.loss, async (own) => {
        const [all, state] = [await seen(), await open.state().catch(() => null)];
        await gathered();
        return lossFrom(open, name, {stores: all, state, signal: own, forMs: COMPARE_MS});
      }),
    ]),
  );
  const judged = () => health().regions.every(({verdict}) => verdict !== null);
  const ready: Sampler<ReadyDocument> = sampled(pace.ready, async (own) => {
    const end = clock.now() + FIRST_VERDICTS_MS;
    const capacity = planCapacity(open, own);
    const [all, state] = [await seen(), await open.state().catch(() => null)];
    await until(judged, {clock, end, signal: own});
    // What was not asked yet is not ready, and would be called that until the next look.
    if (!judged()) void until(judged, {clock, end: Number.POSITIVE_INFINITY, signal}).then(() => ready.again());
    // That it cannot be written is told by the watches, and is no reason not to judge.
    const snapshot = withRememberedAck(state, fleet.name, snapshotOf(open, {stores: all, routers, health: health()}), () => undefined);
    const look = {snapshot, state, capacity: await capacity};
    return (await readyFrom(open, world, look, {signal: own, record: false})).document;
  });
  const questions = limitedQuestions(open);
  const headroom = questions.length === 0 ? null : sampled(pace.headroom, (own) => headroomNow(open, questions, own));
  const again = (): void => {
    for (const each of [...loss.values(), ready]) each.again();
  };
  const lookAgain = (): void => {
    for (const each of [...stores.values(), ...routers.values()]) each.again();
  };
  const changed = (event: Omit<DashboardEvent, 'seq'>): void => {
    onRole(event);
    again();
  };
  return {stores, lastRoles, routers, loss, ready, headroom, again, lookAgain};
}

/** Lets whoever comes within so many ms of the first go on together with it. */
export function gathering(clock: Clock, ms: number): () => Promise<void> {
  let gate: Promise<void> | null = null;
  return () => {
    gate ??= clock.sleep(ms).finally(() => {
      gate = null;
    });
    return gate;
  };
}

type Until = {readonly clock: Clock; readonly end: number; readonly signal: AbortSignal};

/** Until something holds, `end` (monotonic ms) is there, or `signal` is aborted. */
export async function until(holds: () => boolean, {clock, end, signal}: Until): Promise<void> {
  while (!holds() && clock.now() < end && !signal.aborted) await clock.sleep(LOOK_MS, signal).catch(() => undefined);
}

/** All samplers of it. */
export function allOf({stores, routers, loss, ready, headroom}: Sources): readonly Sampler<unknown>[] {
  return [...stores.values(), ...routers.values(), ...loss.values(), ready, ...(headroom === null ? [] : [headroom])];
}

/** What each sampler says now. */
export function nowOf<T>(samplers: ReadonlyMap<string, Sampler<T>>): Readonly<Record<string, Sampled<T>>> {
  return Object.fromEntries([...samplers].map(([name, sampler]) => [name, sampler.now()]));
}

/** What they said last, of those that have said anything. */
function lastOf<T>(samplers: ReadonlyMap<string, Sampler<T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(
    [...samplers].flatMap(([name, sampler]) => {
      const {value} = sampler.now();
      return value === null ? [] : [[name, value] as const];
    }),
  );
}

/** One store of a snapshot: nothing else is asked. */
async function storeNow(open: OpenFleet, name: string, signal: AbortSignal): Promise<StoreSnapshot> {
  const fleet = {...open.fleet, stores: open.fleet.stores.filter((store) => store.name === name), routes: []};
  const {stores} = await takeSnapshot({...open, fleet, probes: [], uplinks: [], signal, vantage: 'here'});
  return stores[name] as StoreSnapshot;
}

async function routerNow(open: OpenFleet, name: string, signal: AbortSignal): Promise<Weights> {
  const fleet = {...open.fleet, stores: [], routes: open.fleet.routes.filter((route) => route.name === name)};
  const {routers} = await takeSnapshot({...open, fleet, probes: [], uplinks: [], signal, vantage: 'here'});
  const cell = routers[name] as Cell<Weights>;
  if (!cell.known) throw Object.assign(new Error(cell.reason), {code: cell.code});
  return cell.value;
}

/** Reads a store, and tells of each member that has another role than it was last seen in. That one cannot be seen for a while is no change of its role. */
function roleReader(
  open: OpenFleet,
  {name, last}: {readonly name: string; readonly last: Map<string, LastRole>},
  tell: (event: Omit<DashboardEvent, 'seq'>) => void,
) {
  return async (signal: AbortSignal): Promise<StoreSnapshot> => {
    const store = await storeNow(open, name, signal);
    for (const member of Object.keys(store.members)) {
      const [was, role] = [last.get(member)?.role, roleIn(store, member)];
      if (role === null) continue;
      last.set(member, {role, at: open.clock.wall()});
      if (was === undefined || was === role) continue;
      tell({at: open.clock.wall(), kind: 'store', text: `${name} ${member}: ${was} → ${role}`, bad: false});
    }
    return store;
  };
}

type Looked = {
  readonly stores: Snapshot['stores'];
  readonly routers: Sources['routers'];
  readonly health: MonitorView;
};

/** A snapshot of what is known now, without asking anybody. */
function snapshotOf({fleet, clock}: OpenFleet, {stores, routers, health}: Looked): Snapshot {
  const at = clock.wall();
  const regions = health.regions.map((each): readonly [string, Snapshot['regions'][string]] => [
    each.region,
    each.verdict === null ? unknown('not-asked', `${each.region} was not asked yet`, at) : regionCell(each, at, 'here'),
  ]);
  const weights = [...routers].map(([name, sampler]): readonly [string, Cell<Weights>] => {
    const {value, at: readAt, failing} = sampler.now();
    if (failing !== null || value === null || readAt === null)
      return [name, unknown(failing?.code ?? 'not-asked', failing?.reason ?? `route ${name} was not asked yet`, at)];
    return [name, known(value, readAt, 'here')];
  });
  return {
    version: 1,
    takenAt: new Date(at).toISOString(),
    fleetDigest: fleet.digest,
    vantage: 'here',
    regions: Object.fromEntries(regions),
    stores,
    routers: Object.fromEntries(weights),
  };
}
