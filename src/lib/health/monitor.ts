import type {Fleet} from '../fleet/fleet.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {Memory} from '../ports/state.ts';
import type {Uplink} from '../ports/vantage.ts';
import {type KeptMemory, keptMemory} from '../state/kept-memory.ts';
import {type AskOptions, ATTEMPTS, type Attempts} from './ask.ts';
import {type Hidden, hiddenEndpoints} from './hidden.ts';
import type {HistoryEntry} from './history.ts';
import {judgeFleet} from './judge.ts';
import {type EndpointJudgement, judgeEndpoint} from './judge-endpoint.ts';
import {type Counted, countLook, UNCOUNTED} from './looks.ts';
import {type Observer, startObserver} from './observer.ts';
import {type Asked, createOwnNetwork, noUplink, type OwnNetwork} from './own-network.ts';
import {isSilent} from './quorum.ts';
import {createRate, type Rate} from './rate.ts';
import {type RegionNow, withMemory} from './region-memory.ts';
import {everyMs, laneOf, nextPace, onTick, waitMs} from './schedule.ts';
import {createSlots, type Slots} from './slots.ts';
import {type EndpointReading, readEndpoint, type SweepTarget} from './sweep.ts';
import {createTurns} from './turns.ts';
import {isWorse} from './verdict.ts';
import {answeredSince, isAwaited, neighbours, newWatched, type Place, placesOf, type Watched} from './watched.ts';

/** An endpoint while it is watched. `judged` null = not asked yet. `history`: its last latencies in ms, oldest first; null = no good answer. */
export type EndpointNow = {
  readonly region: string;
  readonly name: string;
  readonly probe: string;
  readonly critical: boolean;
  readonly judged: EndpointJudgement | null;
  readonly history: readonly (number | null)[];
  readonly lane: 'live' | 'dead';
  /** How often it is asked now, in ms. */
  readonly everyMs: number;
};

/** A change that was seen while watching. */
export type SeenChange = Omit<HistoryEntry, 'lastedMs' | 'action'>;

/** Everything that is known now. `regions` has those that were judged. `askedPerSecond` is over the last 5 s, `loopLagMs` the worst of the last 5 s. */
export type MonitorView = {
  readonly fleet: string;
  /** Epoch ms. */
  readonly at: number;
  readonly regions: readonly (RegionNow | {readonly region: string; readonly verdict: null})[];
  readonly endpoints: readonly EndpointNow[];
  readonly changes: readonly SeenChange[];
  readonly notes: readonly string[];
  readonly askedPerSecond: number;
  readonly loopLagMs: number;
};

export type Monitor = {
  view(): MonitorView;
  /** Told of each change of a region. Answers with what ends it. */
  onChange(listener: (change: SeenChange) => void): () => void;
  /** Ends all looks and resolves when none is under way: with what could not be kept, in one sentence; null = all is. */
  stop(): Promise<string | null>;
};

export type MonitorOptions = {
  readonly fleet: Fleet;
  readonly probes: readonly SweepTarget[];
  /** Endpoints of regions that are not watched, asked only to tell our own outage from the others'. Default: none. */
  readonly elsewhere?: readonly SweepTarget[];
  readonly uplinks?: readonly Uplink[];
  readonly clock: Clock;
  /** null = what is seen is remembered by this process only; `note` says why. */
  readonly memory: Memory | null;
  readonly note?: string | null;
  /** Opens anew what could not be opened. Default: it stays as it is. */
  readonly again?: (() => Promise<Memory>) | undefined;
  /** Over the fleet file's. */
  readonly intervalMs?: number | undefined;
  readonly attempts?: Attempts;
  /** For tests: chance from 0 to 1, and who watches us. */
  readonly random?: () => number;
  readonly observer?: () => Observer;
};

/** So many begin in one turn of the event loop. */
const BATCH = 16;
const LIVE = {each: 1024, all: 2048};
/** The dead wait for one another, and never hold up the living. */
const DEAD = {each: 32, all: 128};
const HISTORY = 60;
const CHANGES = 200;
const LAG_MS = 5000;
/** Regions whose looks end together are judged together. */
const GATHER_MS = 20;
/** So many of each region are asked before it is said that nobody answers. */
const WIDE = 16;
/** So often an endpoint that was well must fail, each time while our network is there, before it is said. */
const TIMES = 2;
/** Timers fire a little early at times. */
const MARGIN_MS = 5;
/** Over so long those that failed are spread when they are asked again. */
const MOST_SPREAD_MS = 500;
/** Timers end here. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Asks every endpoint again and again, each at its own interval, and judges a region whenever all its endpoints that answer were asked anew, and at once
 * when one of them got worse. A slow or dead endpoint neither delays another one nor the verdict.
 */
export function startMonitor(options: MonitorOptions): Monitor {
  return new Watching(options).begin();
}

class Watching implements Monitor {
  readonly #options: MonitorOptions;
  readonly #watched: readonly Watched[];
  readonly #stop = new AbortController();
  readonly #lanes: Readonly<Record<'live' | 'dead', Slots>> = {live: createSlots(LIVE), dead: createSlots(DEAD)};
  readonly #how: AskOptions;
  readonly #observer: Observer;
  readonly #regions = new Map<string, RegionNow>();
  readonly #places: ReadonlyMap<string, Place>;
  readonly #hidden: Hidden;
  readonly #due = new Set<string>();
  readonly #listeners = new Set<(change: SeenChange) => void>();
  readonly #asked: Rate;
  readonly #turns = createTurns(BATCH);
  readonly #memory: KeptMemory;
  readonly #network: OwnNetwork;
  readonly #counted = new Map<string, Counted>();
  #changes: readonly SeenChange[] = [];
  #gathering: Promise<void> | null = null;
  #order = 0;
  #running: readonly Promise<void>[] = [];

  constructor(options: MonitorOptions) {
    const {fleet, probes, clock, attempts = ATTEMPTS} = options;
    this.#options = options;
    this.#observer = (options.observer ?? startObserver)();
    this.#how = {clock, signal: this.#stop.signal, attempts, observer: this.#observer};
    this.#watched = probes.map((target) => newWatched(target, options.intervalMs ?? target.endpoint.intervalMs ?? fleet.health.intervalMs));
    this.#asked = createRate(() => clock.now());
    this.#memory = keptMemory({...options, state: options.memory}, clock);
    this.#network = createOwnNetwork({
      uplinks: options.uplinks ?? [],
      how: this.#how,
      around: (failed, wide) => this.#askAround(failed, wide),
      onDoubt: () => {
        for (const watched of this.#watched) watched.confirmed = 0;
      },
      onBack: () => this.#backAgain(),
    });
    this.#hidden = hiddenEndpoints(options.elsewhere ?? [], this.#how);
    this.#places = placesOf(
      fleet.regions.map(({name}) => name),
      this.#watched,
    );
  }

  begin(): this {
    this.#running = this.#watched.map((watched) => this.#watch(watched));
    // Of a region without endpoints nothing will ever come.
    for (const [name, {all}] of this.#places) if (all.length === 0) this.#judgeSoon(name);
    return this;
  }

  async #watch(watched: Watched): Promise<void> {
    const {clock, random = Math.random} = this.#options;
    while (!this.#stop.signal.aborted) {
      const began = clock.now();
      await this.#look(watched);
      // All begin at once, so that everything is known soon; from then on they are spread over the interval.
      const wait = watched.spread ? watched.intervalMs * (0.5 + random()) : waitMs(watched.pace, watched.intervalMs, random());
      watched.spread = false;
      const rest = Math.min(LONGEST_MS, Math.max(0, wait - (clock.now() - began)));
      await this.#rest(watched, onTick(rest, clock.now(), watched.intervalMs));
    }
  }

  #rest(watched: Watched, ms: number): Promise<void> {
    if (this.#stop.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        callOff();
        watched.wake = () => undefined;
        resolve();
      };
      const callOff = after(this.#options.clock, ms, end);
      watched.wake = end;
    });
  }

  /**
   * A failure that we alone see may be ours: it counts when our network was seen to be there after it, and it failed once more. Whoever asks besides may
   * have had an answer meanwhile: what failed before that is over.
   */
  async #look(watched: Watched): Promise<void> {
    for (let failed: readonly number[] = []; ; ) {
      await this.#turns.take();
      const reading = await readOnce(this.#lanes[laneOf(watched.pace)], watched.target, this.#how);
      if (this.#stop.signal.aborted) return;
      if (!this.#isToBeLookedAt(watched, reading)) return void this.#record(watched, reading);
      const counts = await this.#network.look(reading);
      if (counts !== null) return void this.#record(watched, counts);
      const {began = 0} = reading;
      if (answeredSince(watched, began)) return;
      // What was asked before our network had settled says nothing.
      if (began <= this.#network.settlesAt()) await this.#settle(watched);
      else failed = [...failed.filter((at) => !answeredSince(watched, at)), began];
      if (failed.length < TIMES) continue;
      if (this.#record(watched, reading)) watched.confirmed += 1;
      return;
    }
  }

  /** Until our network has settled; from then on not everybody at once. */
  async #settle({intervalMs}: Watched): Promise<void> {
    const {clock, random = Math.random} = this.#options;
    const rest = this.#network.settlesAt() - clock.now();
    await clock
      .sleep(Math.max(0, rest) + MARGIN_MS + random() * Math.min(intervalMs, MOST_SPREAD_MS), this.#stop.signal)
      .catch(() => undefined);
  }

  #isToBeLookedAt({confirmed}: Watched, reading: EndpointReading): boolean {
    return confirmed < this.#options.fleet.health.riseFall.fall && this.#network.isDoubtful(reading);
  }

  /** Of each region the fastest of those that answered last, also of the region of the failure. `wide`: many of each, also those that did not. */
  #askAround(failed: EndpointReading, wide: boolean): readonly Asked[] | null {
    const elsewhere = this.#hidden.ask(wide, WIDE);
    // One region alone cannot tell our outage from its own.
    if (elsewhere.length === 0 && ![...this.#places].some(([region, {all}]) => region !== failed.endpoint.region && all.length > 0))
      return null;
    const seen = [...this.#places].flatMap(([region, place]) =>
      neighbours(place, failed, wide ? WIDE : null).map((one) => {
        return {region, latencyMs: one.reading?.result.latencyMs ?? null, reading: this.#askBesides(one)};
      }),
    );
    return [...seen, ...elsewhere];
  }

  /** Asked outside its turn. A failure of it that may be ours is left to its own turn. */
  async #askBesides(watched: Watched): Promise<EndpointReading> {
    const reading = await readEndpoint(watched.target, this.#how);
    if (!this.#isToBeLookedAt(watched, reading)) this.#record(watched, reading);
    return reading;
  }

  /** Our network is back: what failed meanwhile is asked again. */
  #backAgain(): void {
    const waiting = this.#watched.filter(({reading}) => reading !== null && (isSilent(reading.result) || reading.result.ok === null));
    for (const watched of waiting) {
      watched.spread = true;
      watched.wake();
    }
  }

  /** Whether it was taken: one that was held up must not hide a newer one. */
  #record(watched: Watched, unnumbered: EndpointReading): boolean {
    if (this.#stop.signal.aborted) return false;
    this.#network.saw(unnumbered);
    if ((unnumbered.began ?? 0) < (watched.reading?.began ?? 0)) return false;
    this.#order += 1;
    watched.failures = this.#failuresWith(watched, unnumbered);
    const reading = {...unnumbered, order: this.#order, failures: watched.failures};
    const {region} = reading.endpoint;
    const {ok, latencyMs} = reading.result;
    const place = this.#places.get(region);
    if (watched.reading === null && place !== undefined) place.unasked -= 1;
    const before = watched.judged;
    if (!isSilent(reading.result)) watched.confirmed = 0;
    // What fails in doubt does not make an endpoint one of the dead.
    if (this.#network.doubtUntil() !== Number.POSITIVE_INFINITY) watched.pace = nextPace(watched.pace, reading);
    watched.reading = reading;
    watched.judged = judgeEndpoint(reading);
    watched.history = [...watched.history.slice(1 - HISTORY), ok === true ? latencyMs : null];
    this.#asked.count();
    place?.awaited.delete(watched);
    const worse = before !== null && isWorse(watched.judged.verdict, before.verdict);
    if (worse || place?.awaited.size === 0) this.#judgeSoon(region);
    return true;
  }

  /** In a row. What fails in doubt, and what could not be judged, is neither a failure nor the end of them. */
  #failuresWith({failures}: Watched, reading: EndpointReading): number {
    const {verdict} = judgeEndpoint(reading);
    if (verdict !== 'unhealthy') return verdict === 'unknown' ? failures : 0;
    const isOurs = isSilent(reading.result) && this.#network.doubtUntil() === Number.POSITIVE_INFINITY;
    return isOurs ? failures : failures + 1;
  }

  #judgeSoon(region: string): void {
    // Before every endpoint was asked once, nothing is said of a region.
    if ((this.#places.get(region)?.unasked ?? 0) > 0) return;
    this.#due.add(region);
    this.#gathering ??= this.#options.clock
      .sleep(GATHER_MS, this.#stop.signal)
      .then(() => this.#judge())
      .catch(() => undefined)
      .finally(() => {
        this.#gathering = null;
      });
  }

  #judge(): void {
    const {fleet, clock} = this.#options;
    const due = [...this.#places].filter(([region]) => this.#due.has(region));
    this.#due.clear();
    const readings = due.flatMap(([, {all}]) => all.flatMap(({reading}) => reading ?? []));
    const regions = fleet.regions.filter(({name}) => due.some(([region]) => region === name));
    const judgement = judgeFleet({regions}, readings, this.#network.doubtUntil());
    const looks = judgement.regions.map((judged) => ({judged, look: countLook(judged, this.#counted.get(judged.region) ?? UNCOUNTED)}));
    const past = {fleet: fleet.name, at: clock.wall(), memory: this.#memory, limits: fleet.health};
    const most = Math.min(fleet.health.riseFall.fall, Math.max(0, ...looks.map(({look}) => look.counts)));
    const shown = new Map<string, RegionNow>();
    for (let round = 1; round <= most; round += 1) {
      const counting = looks.filter(({look}) => look.counts >= round).map(({judged}) => judged);
      for (const region of withMemory({...judgement, regions: counting}, past).regions) shown.set(region.region, region);
    }
    for (const {judged, look} of looks) {
      const region = shown.get(judged.region);
      this.#counted.set(judged.region, look.next(region?.verdict ?? null));
      if (region !== undefined) this.#take(region);
    }
    for (const [, place] of due) place.awaited = new Set(place.all.filter((each) => isAwaited(each, place)));
  }

  #take(now: RegionNow): void {
    const {region, verdict, code, reason} = now;
    const before = this.#regions.get(region);
    this.#regions.set(region, now);
    if (before === undefined || before.verdict === verdict) return;
    const at = new Date(this.#options.clock.wall()).toISOString();
    const change: SeenChange = {at, region, from: before.verdict, to: verdict, code, reason};
    this.#changes = [...this.#changes.slice(1 - CHANGES), change];
    for (const listener of this.#listeners) listener(change);
  }

  view(): MonitorView {
    const {fleet, clock} = this.#options;
    return {
      fleet: fleet.name,
      at: clock.wall(),
      regions: fleet.regions.map(({name}) => this.#regions.get(name) ?? {region: name, verdict: null}),
      endpoints: this.#watched.map(({target: {endpoint}, judged, history, pace, intervalMs}) => ({
        region: endpoint.region,
        name: endpoint.name,
        probe: endpoint.probe.kind,
        critical: endpoint.critical,
        judged,
        history,
        lane: laneOf(pace),
        everyMs: everyMs(pace, intervalMs),
      })),
      changes: this.#changes,
      notes: [this.#memory.trouble(), noUplink(this.#watched.flatMap(({judged}) => judged ?? []))].filter((note) => note !== null),
      askedPerSecond: this.#asked.perSecond(),
      loopLagMs: this.#observer.stalledSince(performance.now() - LAG_MS),
    };
  }

  onChange(listener: (change: SeenChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<string | null> {
    this.#stop.abort(new Error('the watch has ended'));
    for (const {wake} of this.#watched) wake();
    await Promise.all([...this.#running, this.#gathering]);
    this.#observer.stop();
    return this.#memory.end();
  }
}

/** In the lane of its kind: the dead wait only for one another. */
function readOnce(lane: Slots, target: SweepTarget, how: AskOptions): Promise<EndpointReading> {
  return lane.take(target.endpoint.region, () => readEndpoint(target, how));
}
