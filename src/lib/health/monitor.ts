import {setImmediate as nextTurn} from 'node:timers/promises';
import {messageOf} from '../errors.ts';
import type {Fleet} from '../fleet/fleet.ts';
import type {Clock} from '../ports/clock.ts';
import type {Uplink} from '../ports/vantage.ts';
import {type AskOptions, ATTEMPTS, type Attempts} from './ask.ts';
import type {HistoryEntry} from './history.ts';
import {type FleetJudgement, judgeFleet} from './judge.ts';
import {type EndpointJudgement, judgeEndpoint} from './judge-endpoint.ts';
import {type Observer, startObserver} from './observer.ts';
import {ownMemory} from './own-memory.ts';
import {createRate, type Rate} from './rate.ts';
import {type Memory, type RegionNow, withMemory} from './region-memory.ts';
import {FRESH, laneOf, nextPace, type Pace, waitMs} from './schedule.ts';
import {createSlots, type Slots} from './slots.ts';
import {cutOffBy, type EndpointReading, readEndpoint, type SweepTarget, withoutUplink} from './sweep.ts';
import {isWorse} from './verdict.ts';

/** An endpoint while it is watched. `judged` null = not asked yet. `history`: its last latencies in ms, oldest first; null = no good answer. */
export type EndpointNow = {
  readonly region: string;
  readonly name: string;
  readonly probe: string;
  readonly critical: boolean;
  readonly judged: EndpointJudgement | null;
  readonly history: readonly (number | null)[];
  readonly lane: 'live' | 'dead';
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
  /** Ends all looks and resolves when none is under way. */
  stop(): Promise<void>;
};

export type MonitorOptions = {
  readonly fleet: Fleet;
  readonly probes: readonly SweepTarget[];
  readonly uplinks?: readonly Uplink[];
  readonly clock: Clock;
  /** null = what is seen is remembered by this process only. */
  readonly memory: Memory | null;
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

/**
 * Asks every endpoint again and again, each at its own interval, and judges a region whenever all its endpoints that answer were asked anew, and at once
 * when one of them got worse. A slow or dead endpoint neither delays another one nor the verdict.
 */
export function startMonitor(options: MonitorOptions): Monitor {
  return new Watching(options).begin();
}

type Watched = {
  readonly target: SweepTarget;
  readonly intervalMs: number;
  pace: Pace;
  reading: EndpointReading | null;
  judged: EndpointJudgement | null;
  history: (number | null)[];
};

class Watching implements Monitor {
  readonly #options: MonitorOptions;
  readonly #watched: readonly Watched[];
  readonly #stop = new AbortController();
  readonly #lanes: Readonly<Record<'live' | 'dead', Slots>> = {live: createSlots(LIVE), dead: createSlots(DEAD)};
  readonly #how: AskOptions;
  readonly #observer: Observer;
  readonly #regions = new Map<string, RegionNow>();
  /** Per region: the endpoints that were not asked since it was last judged. */
  readonly #pending = new Map<string, Set<Watched>>();
  readonly #due = new Set<string>();
  readonly #listeners = new Set<(change: SeenChange) => void>();
  readonly #asked: Rate;
  readonly #byRegion: ReadonlyMap<string, readonly Watched[]>;
  readonly #own = ownMemory();
  #changes: readonly SeenChange[] = [];
  #note: string | null = null;
  #cut: string | null = null;
  #gathering: Promise<void> | null = null;
  #running: readonly Promise<void>[] = [];

  constructor(options: MonitorOptions) {
    const {fleet, probes, clock, attempts = ATTEMPTS} = options;
    this.#options = options;
    this.#observer = (options.observer ?? startObserver)();
    this.#how = {clock, signal: this.#stop.signal, attempts, observer: this.#observer};
    this.#watched = probes.map((target) => ({
      target,
      intervalMs: options.intervalMs ?? target.endpoint.intervalMs ?? fleet.health.intervalMs,
      pace: FRESH,
      reading: null,
      judged: null,
      history: [],
    }));
    this.#asked = createRate(() => clock.now());
    this.#byRegion = Map.groupBy(this.#watched, ({target}) => target.endpoint.region);
    for (const {name} of fleet.regions) this.#pending.set(name, new Set(this.#of(name)));
  }

  begin(): this {
    this.#running = [this.#beginAll(), this.#watchUplinks()];
    return this;
  }

  async #beginAll(): Promise<void> {
    const loops: Promise<void>[] = [];
    for (const [index, watched] of this.#watched.entries()) {
      if (index % BATCH === BATCH - 1) await nextTurn();
      loops.push(this.#watch(watched));
    }
    await Promise.all(loops);
  }

  async #watch(watched: Watched): Promise<void> {
    const {clock, random = Math.random} = this.#options;
    const {signal} = this.#stop;
    const {region} = watched.target.endpoint;
    // All begin at once, so that everything is known soon; from then on they are spread over the interval.
    let spread = true;
    while (!signal.aborted) {
      const began = clock.now();
      const reading = await this.#lanes[laneOf(watched.pace)].take(region, () => readEndpoint(watched.target, this.#how));
      if (signal.aborted) return;
      this.#record(watched, this.#cut === null ? reading : withoutUplink(reading, this.#cut));
      const wait = spread ? watched.intervalMs * (0.5 + random()) : waitMs(watched.pace, watched.intervalMs, random());
      spread = false;
      await clock.sleep(Math.max(0, wait - (clock.now() - began)), signal).catch(() => undefined);
    }
  }

  async #watchUplinks(): Promise<void> {
    const {uplinks = [], clock, fleet, intervalMs = fleet.health.intervalMs} = this.#options;
    while (uplinks.length > 0 && !this.#stop.signal.aborted) {
      this.#cut = await cutOffBy(uplinks, this.#how);
      await clock.sleep(intervalMs, this.#stop.signal).catch(() => undefined);
    }
  }

  #record(watched: Watched, reading: EndpointReading): void {
    const {region} = reading.endpoint;
    const before = watched.judged;
    const {ok, latencyMs} = reading.result;
    watched.pace = nextPace(watched.pace, reading);
    watched.reading = reading;
    watched.judged = judgeEndpoint(reading);
    watched.history = [...watched.history.slice(1 - HISTORY), ok === true ? latencyMs : null];
    this.#asked.count();
    const pending = this.#pending.get(region);
    pending?.delete(watched);
    const worse = before !== null && isWorse(watched.judged.verdict, before.verdict);
    if (worse || [...(pending ?? [])].every(({pace}) => laneOf(pace) === 'dead')) this.#judgeSoon(region);
  }

  #judgeSoon(region: string): void {
    // Before every endpoint was asked once, nothing is said of a region.
    if (this.#of(region).some(({reading}) => reading === null)) return;
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
    const due = [...this.#due];
    this.#due.clear();
    const readings = this.#watched.flatMap(({reading}) => (reading === null ? [] : [reading]));
    const judgement = judgeFleet(fleet, readings);
    const regions = judgement.regions.filter(({region}) => due.includes(region));
    for (const now of this.#remembered({...judgement, regions}, clock.wall())) this.#take(now);
    for (const region of due) this.#pending.set(region, new Set(this.#of(region)));
  }

  /** A state that cannot be written costs what is remembered beyond this process, never the verdict. */
  #remembered(judgement: FleetJudgement, at: number): readonly RegionNow[] {
    const {fleet, memory} = this.#options;
    const past = {fleet: fleet.name, at, limits: fleet.health};
    try {
      const now = withMemory(judgement, {...past, memory: memory ?? this.#own});
      this.#note = null;
      return now.regions;
    } catch (error) {
      this.#note = `what is seen is not kept: ${messageOf(error)}`;
      return withMemory(judgement, {...past, memory: this.#own}).regions;
    }
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

  #of(region: string): readonly Watched[] {
    return this.#byRegion.get(region) ?? [];
  }

  view(): MonitorView {
    const {fleet, clock} = this.#options;
    return {
      fleet: fleet.name,
      at: clock.wall(),
      regions: fleet.regions.map(({name}) => this.#regions.get(name) ?? {region: name, verdict: null}),
      endpoints: this.#watched.map(({target: {endpoint}, judged, history, pace}) => ({
        region: endpoint.region,
        name: endpoint.name,
        probe: endpoint.probe.kind,
        critical: endpoint.critical,
        judged,
        history,
        lane: laneOf(pace),
      })),
      changes: this.#changes,
      notes: [this.#note, this.#cut === null ? null : `this machine is cut off itself: ${this.#cut}`].filter((note) => note !== null),
      askedPerSecond: this.#asked.perSecond(),
      loopLagMs: this.#observer.stalledSince(performance.now() - LAG_MS),
    };
  }

  onChange(listener: (change: SeenChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the watch has ended'));
    await Promise.all([...this.#running, this.#gathering]);
    this.#observer.stop();
  }
}
