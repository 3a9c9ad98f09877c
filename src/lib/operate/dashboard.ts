import type {Monitor, SeenChange} from '../health/monitor.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {RunDocument} from '../run/document.ts';
import {restingState} from '../state/resting-state.ts';
import {dashboardView} from './dashboard-parts.ts';
import {withoutSecrets} from './dashboard-scrubbed.ts';
import {allOf, DASHBOARD_PACE, type DashboardPace, nowOf, type Sources, startSources} from './dashboard-sources.ts';
import type {DashboardEvent, DashboardParts, DashboardView, RunsNow} from './dashboard-view.ts';
import {INTERVAL_MS, type LagMonitor, type LinkChange, watchLag} from './lag-watch.ts';
import {runsReader, stepsChanged} from './runs-now.ts';
import {type Sampler, startSampler} from './sampler.ts';
import {dashboardKeeper} from './status-of-dashboard.ts';
import {watchFleet} from './watch.ts';
import type {World} from './world.ts';

/** `intervalMs`: how often endpoints and links are asked; default: as the fleet file says, and 1 s. */
export type DashboardOptions = {
  readonly intervalMs?: number | undefined;
  readonly pace?: Partial<DashboardPace>;
  /** For judging whether each region could take over. */
  readonly world: World;
};

export type DashboardMonitor = {
  view(): DashboardView;
  /** Told whenever something has happened. Answers with what ends it. */
  onChange(listener: () => void): () => void;
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

class Watching implements DashboardMonitor {
  readonly #open: OpenFleet;
  readonly #monitors: Monitors;
  readonly #stop = new AbortController();
  readonly #sources: Sources;
  readonly #runs: Sampler<RunsNow>;
  readonly #readRunsNow: () => Promise<RunsNow>;
  readonly #keep: (parts: DashboardParts) => Promise<void>;
  readonly #keeping: Sampler<void>;
  readonly #listeners = new Set<() => void>();
  #events: readonly DashboardEvent[] = [];
  readonly #linksEveryMs: number;
  #lastRun: RunDocument | null = null;
  #told = 0;

  constructor(open: OpenFleet, monitors: Monitors, {pace, world, intervalMs = INTERVAL_MS}: DashboardOptions) {
    this.#open = open;
    this.#monitors = monitors;
    this.#linksEveryMs = intervalMs;
    const {clock} = open;
    const {signal} = this.#stop;
    const every = {...DASHBOARD_PACE, ...pace};
    const health = () => monitors.health.view();
    // Each try to write a locked state holds the screen up: one of them is enough.
    const resting = {...open, state: restingState(open.state, clock)};
    this.#sources = startSources(resting, {world, pace: every, signal, health, onRole: (event) => this.#tell(event)});
    this.#readRunsNow = runsReader(open);
    this.#runs = startSampler({clock, signal, everyMs: every.runs, ask: () => this.#readRuns()});
    this.#keep = dashboardKeeper(resting);
    this.#keeping = startSampler({clock, signal, everyMs: KEEP_MS, ask: () => this.#keep(this.#parts())});
    monitors.health.onChange((change) => {
      this.#tell(eventOfRegion(change, clock.wall()));
      this.#sources.again();
    });
    monitors.lag.onChange((change) => {
      // What is seen for the first time has not changed: only what is wrong with it is told.
      if (change.was !== null || isBad(change)) this.#tell(eventOfLink(change));
    });
  }

  async #readRuns(): Promise<RunsNow> {
    const now = await this.#readRunsNow();
    const {active} = now;
    const before = this.#lastRun;
    const ended = before !== null && active?.runId !== before.runId ? now.list.find(({runId}) => runId === before.runId) : undefined;
    const at = this.#open.clock.wall();
    if (ended !== undefined) {
      this.#sources.again();
      this.#tell({at, kind: 'run', text: `${ended.kind} ${ended.runId} ${ended.outcome}`, bad: ended.outcome !== 'succeeded'});
    }
    const steps = active === null ? [] : stepsChanged(before, active);
    for (const {title, status} of steps)
      this.#tell({at, kind: 'run', text: `${active?.kind}: ${title}: ${status}`, bad: status === 'failed'});
    // A step may have moved a primary, or traffic.
    if (steps.length > 0 || ended !== undefined) this.#sources.lookAgain();
    this.#lastRun = active;
    return now;
  }

  #tell(event: Omit<DashboardEvent, 'seq'>): void {
    this.#told += 1;
    const text = this.#open.fleet.secrets.scrub(event.text);
    this.#events = [...this.#events.slice(1 - EVENTS), {seq: this.#told, ...event, text}];
    for (const listener of this.#listeners) listener();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  view(): DashboardView {
    return withoutSecrets(dashboardView(this.#parts(), this.#events), this.#open.fleet.secrets.scrub);
  }

  #parts(): DashboardParts {
    const {fleet, clock} = this.#open;
    const {stores, lastRoles, routers, loss, ready, headroom} = this.#sources;
    return {
      fleet,
      at: clock.wall(),
      health: this.#monitors.health.view(),
      lag: this.#monitors.lag.view(),
      linksEveryMs: this.#linksEveryMs,
      stores: nowOf(stores),
      lastRoles,
      routers: nowOf(routers),
      loss: nowOf(loss),
      ready: ready.now(),
      headroom: headroom?.now() ?? null,
      runs: this.#runs.now(),
    };
  }

  async stop(): Promise<string | null> {
    this.#stop.abort(new Error('the dashboard has ended'));
    const all = [...allOf(this.#sources), this.#runs, this.#keeping];
    const last = this.#keep(this.#parts());
    const [health, lag] = await Promise.all([
      this.#monitors.health.stop(),
      this.#monitors.lag.stop(),
      ...all.map(({ended}) => ended),
      last,
    ]);
    return health ?? lag ?? null;
  }
}

function eventOfRegion({region, from, to, reason}: SeenChange, at: number): Omit<DashboardEvent, 'seq'> {
  return {at, kind: 'region', text: `${region}: ${from ?? 'not known'} → ${to}: ${reason}`, bad: to !== 'healthy'};
}

function eventOfLink(change: LinkChange): Omit<DashboardEvent, 'seq'> {
  const {store, link, from, to, was, state, breaker, breakerWas, breakerReason, reason} = change;
  const name = `${link === undefined ? store : `${store}/${link}`} ${from} → ${to}`;
  // A breaker may change while its link stands as it stood.
  if (was === state) return {at: Date.parse(change.at), kind: 'link', text: `${name}: breaker ${breakerReason}`, bad: isBad(change)};
  const limit = breaker === breakerWas ? '' : `; breaker ${breakerReason}`;
  return {
    at: Date.parse(change.at),
    kind: 'link',
    text: `${name}: ${was ?? 'not known'} → ${state}: ${reason}${limit}`,
    bad: isBad(change),
  };
}

function isBad({state, breaker}: LinkChange): boolean {
  return state === 'broken' || state === 'stalled' || state === 'unknown' || breaker === 'open';
}
