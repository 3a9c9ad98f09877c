import type {Monitor, SeenChange} from '../health/monitor.ts';
import {takeSnapshot} from '../observe/take-snapshot.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {RunDocument} from '../run/document.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {Sampled} from '../snapshot/sampled.ts';
import type {StoreSnapshot} from '../snapshot/snapshot.ts';
import {dashboardView} from './dashboard-parts.ts';
import type {DashboardEvent, DashboardParts, DashboardView, RunsNow} from './dashboard-view.ts';
import {headroomNow, limitedQuestions} from './headroom.ts';
import {type LagMonitor, type LinkChange, watchLag} from './lag-watch.ts';
import {readLoss} from './loss.ts';
import {readReady} from './ready.ts';
import {runsNow, stepsChanged} from './runs-now.ts';
import {type Sampler, startSampler} from './sampler.ts';
import {dashboardKeeper} from './status-of-dashboard.ts';
import {watchFleet} from './watch.ts';
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

/** `intervalMs`: how often endpoints and links are asked; default: as the fleet file says, and 1 s. */
export type DashboardOptions = {
  readonly intervalMs?: number | undefined;
  readonly pace?: Partial<DashboardPace>;
  /** For judging whether each region could take over. */
  readonly world: World;
};

export type DashboardMonitor = {
  view(): DashboardView;
  /** Ends all looks and resolves when none is under way: with what could not be kept, in one sentence; null = all is. */
  stop(): Promise<string | null>;
};

const EVENTS = 200;
/** How often the picture is kept for `status --cached`. */
const KEEP_MS = 5000;

/**
 * Looks at the whole fleet again and again: endpoints, links, members, routers, losses, readiness, capacity and runs, each source at its own pace. One that is
 * dead or slow delays no other one; what it said last stays, and ages.
 */
export async function watchDashboard(open: OpenFleet, options: DashboardOptions): Promise<DashboardMonitor> {
  const [health, lag] = await Promise.all([
    watchFleet(open, {intervalMs: options.intervalMs}),
    watchLag(open, options.intervalMs === undefined ? {} : {intervalMs: options.intervalMs}),
  ]);
  return new Watching(open, {health, lag}, options);
}

type Monitors = {readonly health: Monitor; readonly lag: LagMonitor};
type Samplers<T> = ReadonlyMap<string, Sampler<T>>;

class Watching implements DashboardMonitor {
  readonly #open: OpenFleet;
  readonly #monitors: Monitors;
  readonly #stop = new AbortController();
  readonly #stores: Samplers<StoreSnapshot>;
  readonly #routers: Samplers<Readonly<Record<string, number>>>;
  readonly #loss: Samplers<DashboardParts['loss'][string]['value'] & {}>;
  readonly #ready: Sampler<DashboardParts['ready']['value'] & {}>;
  readonly #headroom: Sampler<NonNullable<DashboardParts['headroom']>['value'] & {}> | null;
  readonly #runs: Sampler<RunsNow>;
  readonly #keep: (parts: DashboardParts) => Promise<void>;
  readonly #keeping: Sampler<void>;
  #events: readonly DashboardEvent[] = [];
  #lastRun: RunDocument | null = null;
  #told = 0;

  constructor(open: OpenFleet, monitors: Monitors, {pace, world}: DashboardOptions) {
    this.#open = open;
    this.#monitors = monitors;
    const {fleet, clock} = open;
    const {signal} = this.#stop;
    const every = {...DASHBOARD_PACE, ...pace};
    const sampled = <T>(everyMs: number, ask: (own: AbortSignal) => Promise<T>): Sampler<T> => startSampler({clock, signal, everyMs, ask});
    const each = <T>(names: readonly string[], everyMs: number, ask: (name: string, own: AbortSignal) => Promise<T>): Samplers<T> =>
      new Map(names.map((name) => [name, sampled(everyMs, (own) => ask(name, own))]));
    this.#stores = each(
      fleet.stores.map(({name}) => name),
      every.stores,
      (name, own) => storeNow(open, name, own),
    );
    this.#routers = each(
      fleet.routes.map(({name}) => name),
      every.routers,
      (name, own) => routerNow(open, name, own),
    );
    this.#loss = each(
      fleet.regions.map(({name}) => name),
      every.loss,
      async (name, own) => (await readLoss(open, name, own)).document,
    );
    this.#ready = sampled(every.ready, async (own) => (await readReady(open, world, {signal: own, record: false})).document);
    const questions = limitedQuestions(open);
    this.#headroom = questions.length === 0 ? null : sampled(every.headroom, (own) => headroomNow(open, questions, own));
    this.#runs = sampled(every.runs, () => this.#readRuns());
    this.#keep = dashboardKeeper(open);
    this.#keeping = sampled(KEEP_MS, () => this.#keep(this.#parts()));
    monitors.health.onChange((change) => this.#tell(eventOfRegion(change, clock.wall())));
    monitors.lag.onChange((change) => this.#tell(eventOfLink(change)));
  }

  async #readRuns(): Promise<RunsNow> {
    const now = await runsNow(this.#open);
    const {active} = now;
    const before = this.#lastRun;
    const ended = before !== null && active?.runId !== before.runId ? now.list.find(({runId}) => runId === before.runId) : undefined;
    const at = this.#open.clock.wall();
    if (ended !== undefined)
      this.#tell({at, kind: 'run', text: `${ended.kind} ${ended.runId} ${ended.outcome}`, bad: ended.outcome !== 'succeeded'});
    if (active !== null)
      for (const {title, status} of stepsChanged(before, active))
        this.#tell({at, kind: 'run', text: `${active.kind}: ${title}: ${status}`, bad: status === 'failed'});
    this.#lastRun = active;
    return now;
  }

  #tell(event: Omit<DashboardEvent, 'seq'>): void {
    this.#told += 1;
    this.#events = [...this.#events.slice(1 - EVENTS), {seq: this.#told, ...event}];
  }

  view(): DashboardView {
    return dashboardView(this.#parts(), this.#events);
  }

  #parts(): DashboardParts {
    const {fleet, clock} = this.#open;
    const nows = <T>(samplers: Samplers<T>): Readonly<Record<string, Sampled<T>>> =>
      Object.fromEntries([...samplers].map(([name, sampler]) => [name, sampler.now()]));
    return {
      fleet,
      at: clock.wall(),
      health: this.#monitors.health.view(),
      lag: this.#monitors.lag.view(),
      stores: nows(this.#stores),
      routers: nows(this.#routers),
      loss: nows(this.#loss),
      ready: this.#ready.now(),
      headroom: this.#headroom?.now() ?? null,
      runs: this.#runs.now(),
    };
  }

  async stop(): Promise<string | null> {
    this.#stop.abort(new Error('the dashboard has ended'));
    const all = [
      ...this.#stores.values(),
      ...this.#routers.values(),
      ...this.#loss.values(),
      this.#ready,
      this.#runs,
      this.#headroom,
      this.#keeping,
    ];
    const last = this.#keep(this.#parts());
    const [health, lag] = await Promise.all([
      this.#monitors.health.stop(),
      this.#monitors.lag.stop(),
      ...all.map((sampler) => sampler?.ended ?? Promise.resolve()),
      last,
    ]);
    return health ?? lag ?? null;
  }
}

/** One store, or one router, of a snapshot: nothing else is asked. */
async function storeNow(open: OpenFleet, name: string, signal: AbortSignal): Promise<StoreSnapshot> {
  const fleet = {...open.fleet, stores: open.fleet.stores.filter((store) => store.name === name), routes: []};
  const {stores} = await takeSnapshot({...open, fleet, probes: [], uplinks: [], signal, vantage: 'here'});
  return stores[name] as StoreSnapshot;
}

async function routerNow(open: OpenFleet, name: string, signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
  const fleet = {...open.fleet, stores: [], routes: open.fleet.routes.filter((route) => route.name === name)};
  const {routers} = await takeSnapshot({...open, fleet, probes: [], uplinks: [], signal, vantage: 'here'});
  const cell = routers[name] as Cell<Readonly<Record<string, number>>>;
  if (!cell.known) throw Object.assign(new Error(cell.reason), {code: cell.code});
  return cell.value;
}

function eventOfRegion({region, from, to, reason}: SeenChange, at: number): Omit<DashboardEvent, 'seq'> {
  return {at, kind: 'region', text: `${region}: ${from ?? 'not known'} → ${to}: ${reason}`, bad: to !== 'healthy'};
}

function eventOfLink(change: LinkChange): Omit<DashboardEvent, 'seq'> {
  const {store, link, from, to, was, state, breaker, breakerWas, breakerReason, reason} = change;
  const name = `${link === undefined ? store : `${store}/${link}`} ${from} → ${to}`;
  const bad = state === 'broken' || state === 'stalled' || state === 'unknown' || breaker === 'open';
  const limit = breaker === breakerWas ? '' : `; breaker ${breakerReason}`;
  return {at: Date.parse(change.at), kind: 'link', text: `${name}: ${was ?? 'not known'} → ${state}: ${reason}${limit}`, bad};
}
