import {setImmediate as nextTurn} from 'node:timers/promises';
import type {Fleet} from '../fleet/fleet.ts';
import type {Clock} from '../ports/clock.ts';
import type {Uplink} from '../ports/vantage.ts';
import {type AskOptions, ATTEMPTS, type Attempts} from './ask.ts';
import type {HistoryEntry} from './history.ts';
import {judgeFleet} from './judge.ts';
import {type EndpointJudgement, judgeEndpoint} from './judge-endpoint.ts';
import {type KeptMemory, keptMemory} from './kept-memory.ts';
import {afterLook, type Counted, isNewLook, UNCOUNTED} from './looks.ts';
import {type Observer, startObserver} from './observer.ts';
import {createOwnNetwork, noUplink, type OwnNetwork} from './own-network.ts';
import {createRate, type Rate} from './rate.ts';
import {type Memory, type RegionNow, withMemory} from './region-memory.ts';
import {FRESH, laneOf, nextPace, type Pace, waitMs} from './schedule.ts';
import {createSlots, type Slots} from './slots.ts';
import {type EndpointReading, readEndpoint, type SweepTarget} from './sweep.ts';
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
  /** Endpoints of regions that are not watched, asked only to tell our own outage from the others'. Default: none. */
  readonly witnesses?: readonly SweepTarget[];
  readonly uplinks?: readonly Uplink[];
  readonly clock: Clock;
  /** null = what is seen is remembered by this process only; `note` says why. */
  readonly memory: Memory | null;
  readonly note?: string | null;
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
/** An endpoint whose interval is so many times the shortest of its region is not waited for. */
const RARE = 3;
/** Timers end here. */
const LONGEST_MS = 2 ** 31 - 1;

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
  readonly #memory: KeptMemory;
  readonly #network: OwnNetwork;
  readonly #counted = new Map<string, Counted>();
  #changes: readonly SeenChange[] = [];
  #gathering: Promise<void> | null = null;
  #order = 0;
  #wake = new AbortController();
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
    this.#memory = keptMemory(options.memory, clock, options.note ?? null);
    this.#network = createOwnNetwork({
      uplinks: options.uplinks ?? [],
      how: this.#how,
      elsewhere: (region) => this.#askElsewhere(region),
      onBack: () => this.#backAgain(),
    });
    this.#byRegion = Map.groupBy(this.#watched, ({target}) => target.endpoint.region);
    for (const {name} of fleet.regions) this.#pending.set(name, new Set(this.#of(name)));
  }

  begin(): this {
    this.#running = [this.#beginAll()];
    // Of a region without endpoints nothing will ever come.
    for (const {name} of this.#options.fleet.regions) if (this.#of(name).length === 0) this.#judgeSoon(name);
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
    // All begin at once, so that everything is known soon; from then on they are spread over the interval.
    let spread = true;
    while (!signal.aborted) {
      const began = clock.now();
      await this.#look(watched);
      const wait = spread ? watched.intervalMs * (0.5 + random()) : waitMs(watched.pace, watched.intervalMs, random());
      spread = false;
      const rest = Math.min(LONGEST_MS, Math.max(0, wait - (clock.now() - began)));
      await clock.sleep(rest, AbortSignal.any([signal, this.#wake.signal])).catch(() => undefined);
    }
  }

  async #look(watched: Watched): Promise<void> {
    const reading = await this.#ask(watched);
    if (this.#stop.signal.aborted) return;
    // A failure that we alone see may be ours: our own network is looked at before anything is said.
    const isNews = watched.judged?.verdict !== 'unhealthy' || this.#network.doubtUntil() === Number.POSITIVE_INFINITY;
    if (!isNews || !this.#network.isDoubtful(reading)) return this.#record(watched, reading);
    const counts = await this.#network.look(reading);
    // The network is there now; whether it was there when this failed is told by asking once more.
    this.#record(watched, counts ?? (await this.#ask(watched)));
  }

  #ask(watched: Watched): Promise<EndpointReading> {
    return this.#lanes[laneOf(watched.pace)].take(watched.target.endpoint.region, () => readEndpoint(watched.target, this.#how));
  }

  /** One endpoint of each other region, asked anew: the fastest of those that answered when they were last asked. */
  #askElsewhere(region: string): readonly Promise<EndpointReading>[] {
    const others = [...this.#byRegion].filter(([name]) => name !== region);
    const unseen = (this.#options.witnesses ?? []).map((target) => readEndpoint(target, this.#how));
    const seen = others.flatMap(([, all]) => {
      const [one = all[0]] = all.filter(({reading}) => reading?.result.ok === true).toSorted((x, y) => latencyOf(x) - latencyOf(y));
      if (one === undefined) return [];
      return [
        this.#ask(one).then((reading) => {
          this.#record(one, reading);
          return reading;
        }),
      ];
    });
    return [...seen, ...unseen];
  }

  /** Our network is back: nobody was dead, as far as we know, and everybody is asked at once. */
  #backAgain(): void {
    for (const watched of this.#watched) watched.pace = FRESH;
    this.#wake.abort();
    this.#wake = new AbortController();
  }

  #record(watched: Watched, unnumbered: EndpointReading): void {
    if (this.#stop.signal.aborted) return;
    this.#network.saw(unnumbered);
    // One that was held up must not hide a newer one.
    if ((unnumbered.began ?? 0) < (watched.reading?.began ?? 0)) return;
    this.#order += 1;
    const reading = {...unnumbered, order: this.#order};
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
    if (worse || [...(pending ?? [])].every((each) => !this.#isAwaited(each))) this.#judgeSoon(region);
  }

  /** Whether the others of its region wait for it: not for the dead, nor for one that is asked much more rarely. */
  #isAwaited({pace, intervalMs, target}: Watched): boolean {
    const shortest = Math.min(...this.#of(target.endpoint.region).map((each) => each.intervalMs));
    return laneOf(pace) === 'live' && intervalMs <= shortest * RARE;
  }

  #judgeSoon(region: string): void {
    // Before every endpoint was asked once, nothing is said of a region.
    if (this.#of(region).some(({reading}) => reading === null)) return;
    this.#due.add(region);
    this.#gathering ??= this.#options.clock
      .sleep(GATHER_MS, this.#stop.signal)
      .then(() => this.#network.settled())
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
    const judgement = judgeFleet(fleet, readings, this.#network.doubtUntil());
    const counting = judgement.regions.filter((now) => due.includes(now.region) && isNewLook(now, this.#countedOf(now.region)));
    const past = {fleet: fleet.name, at: clock.wall(), memory: this.#memory, limits: fleet.health};
    const now = withMemory({...judgement, regions: counting}, past);
    for (const [index, region] of now.regions.entries()) {
      const judged = counting[index];
      if (judged !== undefined) this.#counted.set(region.region, afterLook(judged, this.#countedOf(region.region), region.verdict));
      this.#take(region);
    }
    for (const region of due) this.#pending.set(region, new Set(this.#of(region)));
  }

  #countedOf(region: string): Counted {
    return this.#counted.get(region) ?? UNCOUNTED;
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
      notes: [this.#memory.trouble(), noUplink(this.#watched.flatMap(({judged}) => judged ?? []))].filter((note) => note !== null),
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
    this.#memory.flush();
  }
}

const latencyOf = ({reading}: Watched): number => reading?.result.latencyMs ?? Number.POSITIVE_INFINITY;
