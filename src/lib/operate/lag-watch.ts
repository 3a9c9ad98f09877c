import {messageOf} from '../errors.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {rpoOf} from '../fleet/lookup.ts';
import {nearestTick} from '../health/schedule.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {BREAKER, type BreakerLook, type BreakerNow, type BreakerState, breakerNow} from '../replication/breaker.ts';
import {judgeLinks, type LagRow, type LinkSample} from '../replication/lag.ts';
import {createLinkKeeper, type LinkKeeper, sampleOf} from '../replication/link-keeper.ts';
import {lookApart} from '../replication/link-motion.ts';
import {
  addUp,
  breakerLooks,
  keptSamples,
  type LinkName,
  type LinkPercentiles,
  NO_SAMPLES,
  percentilesOf,
  type RecordState,
  type Samples,
  withLook,
} from '../replication/link-record.ts';
import {askInTime, beatInTime} from './ask-in-time.ts';
import type {DrainView} from './drain-watch.ts';
import {rememberLag} from './remember-lag.ts';

/** A link while it is watched. `at` is when it was read (epoch ms), `history` its last lags in ms, oldest first; null = not known then. */
export type LinkNow = {
  readonly row: LagRow;
  readonly at: number;
  readonly breaker: BreakerNow;
  readonly percentiles: LinkPercentiles;
  readonly history: readonly (number | null)[];
};

/** Everything that is known now. `unread` = stores that could not be read at all, with why. */
export type LagWatchView = {
  readonly fleet: string;
  /** Epoch ms. */
  readonly at: number;
  readonly links: readonly LinkNow[];
  readonly unread: readonly {readonly store: string; readonly reason: string}[];
  /** Stores whose first look is under way. */
  readonly waiting: readonly string[];
  /** The last changes, oldest first. */
  readonly changes: readonly LinkChange[];
  readonly notes: readonly string[];
  /** What is held off routes while breakers are open. Absent = nothing is drained. */
  readonly drains?: DrainView;
};

/** A link that stands otherwise than at the look before; `was` and `breakerWas` null = it was not seen before. */
export type LinkChange = LinkName & {
  readonly at: string;
  readonly was: LagRow['state'] | null;
  readonly state: LagRow['state'];
  readonly breakerWas: BreakerNow['state'] | null;
  readonly breaker: BreakerNow['state'];
  readonly breakerReason: string;
  readonly code: string;
  readonly reason: string;
};

export type LagMonitor = {
  view(): LagWatchView;
  /** Told of each link whose state or breaker changed. Answers with what ends it. */
  onChange(listener: (change: LinkChange) => void): () => void;
  /** Ends all looks and resolves when none is under way: with what could not be kept, in one sentence; null = all is. */
  stop(): Promise<string | null>;
};

export type LagWatchOptions = {
  readonly store?: string | undefined;
  /** From one look at a store to the next, in ms; default 1000. */
  readonly intervalMs?: number | undefined;
  /** How far back percentiles go, in ms; default an hour. */
  readonly windowMs?: number | undefined;
};

/** From one look at a store to the next, unless it is told otherwise. */
export const INTERVAL_MS = 1000;
const WINDOW_MS = 3_600_000;
const HISTORY = 120;
const CHANGES = 200;
const MINUTE_MS = 60_000;
/** At 100 ms between looks these reach back a second and more. */
const MOST_LOOKS = 15;
/** What was kept before leaves the window slowly; reading it all takes a while. */
const REREAD_MS = 600_000;

/** Reads the links of every store again and again, each store at its own pace: one that hangs holds up no other. A state that cannot be opened is a note, and tried again now and then. */
export async function watchLag(open: OpenFleet, options: LagWatchOptions = {}): Promise<LagMonitor> {
  const {state, note} = await open.state().then(
    (opened): {state: RecordState | null; note: string | null} => ({state: opened, note: null}),
    (error: unknown) => ({state: null, note: `what is seen is not kept: ${messageOf(error)}`}),
  );
  return new Watching(open, options, state, note).begin();
}

type Look = {readonly samples: readonly LinkSample[]; readonly at: number};

/** What is known of the lag of a link: from before this view, and its own minutes. */
type Past = {
  readonly kept: Samples;
  readonly readAt: number;
  /** As JSON: counts in buckets take ten times the room. */
  readonly minutes: readonly {readonly at: number; readonly packed: string}[];
  readonly current: {readonly at: number; readonly samples: Samples};
  /** What was kept, and all minutes but the current one. */
  readonly before: Samples;
};

class Watching implements LagMonitor {
  readonly #open: OpenFleet;
  readonly #specs: readonly StoreSpec[];
  readonly #intervalMs: number;
  readonly #windowMs: number;
  #state: RecordState | null;
  readonly #keeper: LinkKeeper;
  readonly #stop = new AbortController();
  readonly #links = new Map<string, readonly LinkNow[]>();
  readonly #unread = new Map<string, string>();
  readonly #waiting: Set<string>;
  #changes: readonly LinkChange[] = [];
  readonly #past = new Map<string, Past>();
  readonly #began: number;
  readonly #listeners = new Set<(change: LinkChange) => void>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(
    open: OpenFleet,
    {store, intervalMs = INTERVAL_MS, windowMs = WINDOW_MS}: LagWatchOptions,
    state: RecordState | null,
    note: string | null,
  ) {
    this.#open = open;
    this.#specs = open.fleet.stores.filter(({name}) => store === undefined || name === store);
    this.#waiting = new Set(this.#specs.flatMap(({name}) => (open.stores[name]?.abilities.links === undefined ? [] : [name])));
    this.#intervalMs = intervalMs;
    this.#windowMs = windowMs;
    this.#state = state;
    this.#began = open.clock.wall();
    this.#keeper = createLinkKeeper({fleet: open.fleet.name, state, note, clock: open.clock, again: () => this.#openAgain()});
  }

  begin(): this {
    this.#running = Promise.all(this.#specs.map((spec) => this.#watch(spec)));
    return this;
  }

  async #openAgain(): Promise<RecordState> {
    const state = await this.#open.state();
    this.#state = state;
    // What was kept before is read with the next look.
    for (const [key, past] of this.#past) this.#past.set(key, {...past, readAt: Number.NEGATIVE_INFINITY});
    return state;
  }

  async #watch(spec: StoreSpec): Promise<void> {
    const {clock} = this.#open;
    const {signal} = this.#stop;
    const abilities = this.#open.stores[spec.name]?.abilities;
    const links = abilities?.links;
    if (links === undefined) return;
    let looks: readonly Look[] = [];
    while (!signal.aborted) {
      const began = clock.now();
      try {
        await beatInTime(signal, abilities?.heartbeat);
        const askedAt = clock.wall();
        const asked = await askInTime(signal, (own): Promise<readonly LinkSample[]> => links.links(own));
        if (!asked.ok) throw new Error(asked.reason);
        const samples = asked.value;
        rememberLag(this.#keeper.memory, {fleet: this.#open.fleet.name, store: spec.name}, samples, askedAt);
        const at = clock.now();
        // Two looks that are too near tell nothing: the newest that is far enough, else the oldest.
        const apart = Math.max(0, ...samples.map(lookApart));
        const earlier = looks.findLast((look) => at - look.at >= apart) ?? looks[0] ?? null;
        this.#take(spec, samples, earlier === null ? null : {samples: earlier.samples, msBefore: at - earlier.at});
        looks = [...looks, {samples, at}].slice(-MOST_LOOKS);
        this.#unread.delete(spec.name);
      } catch (error) {
        if (signal.aborted) return;
        this.#unread.set(spec.name, messageOf(error));
      }
      this.#waiting.delete(spec.name);
      await clock.sleep(Math.max(0, nearestTick(began + this.#intervalMs, this.#intervalMs) - clock.now()), signal).catch(() => undefined);
    }
  }

  #take(spec: StoreSpec, samples: readonly LinkSample[], earlier: {samples: readonly LinkSample[]; msBefore: number} | null): void {
    const {fleet, clock} = this.#open;
    const rpoMs = rpoOf(fleet, spec)?.rpoMs ?? null;
    const rows = judgeLinks(samples, {store: spec.name, engine: spec.engine, rpoMs, ...(earlier === null ? {} : {earlier})});
    const before = this.#links.get(spec.name) ?? [];
    const at = clock.wall();
    const limits = spec.breaker ?? BREAKER;
    const seen = breakerLooks(rows, samples, at);
    const links = rows.map((row, index): LinkNow => {
      const look = seen[index] as BreakerLook;
      const led = this.#keeper.look(row, look, limits);
      const breaker = breakerNow(led, limits);
      const last = before.find((each) => isSame(each.row, row));
      const lagMs = row.seconds === null ? null : row.seconds * 1000;
      const now: LinkNow = {
        row,
        at,
        breaker,
        percentiles: this.#percentiles(row, sampleOf(look, led)),
        history: [...(last?.history ?? []).slice(1 - HISTORY), lagMs],
      };
      if (last?.row.state !== row.state || last.breaker.state !== breaker.state) this.#tell(now, last ?? null);
      return now;
    });
    this.#links.set(spec.name, links);
  }

  #tell({row, at, breaker}: LinkNow, last: LinkNow | null): void {
    const {store, from, to, link, state, code, reason} = row;
    const name = {store, from, to, ...(link === undefined ? {} : {link})};
    const change: LinkChange = {
      at: new Date(at).toISOString(),
      ...name,
      was: last?.row.state ?? null,
      state,
      breakerWas: last?.breaker.state ?? null,
      breaker: breaker.state,
      breakerReason: breaker.reason,
      code,
      reason,
    };
    this.#changes = [...this.#changes.slice(1 - CHANGES), change];
    for (const listener of this.#listeners) listener(change);
  }

  /** By what was kept before this view began, and by what it has seen itself, a minute a piece. */
  #percentiles(row: LagRow, seen: Pick<BreakerLook, 'link'> & Pick<BreakerState, 'lagMs'>): LinkPercentiles {
    const {clock} = this.#open;
    const now = clock.wall();
    const since = now - this.#windowMs;
    const key = JSON.stringify([row.store, row.from, row.to, row.link]);
    const past = this.#past.get(key);
    const isOld = past === undefined || now - past.readAt >= REREAD_MS;
    const kept = isOld ? this.#keptOf(row, since) : past.kept;
    const readAt = isOld ? now : past.readAt;
    const last = past?.current ?? {at: now, samples: NO_SAMPLES};
    const isOver = now - last.at >= MINUTE_MS;
    const minutes = isOver
      ? [...(past?.minutes ?? []), {at: last.at, packed: JSON.stringify(last.samples)}].filter(({at}) => at + MINUTE_MS >= since)
      : (past?.minutes ?? []);
    // Added up once a minute: after an hour it would be sixty for each look.
    const before = isOld || isOver ? addUp([kept, ...minutes.map(({packed}) => JSON.parse(packed) as Samples)]) : past.before;
    const current = {at: isOver ? now : last.at, samples: withLook(isOver ? NO_SAMPLES : last.samples, seen)};
    this.#past.set(key, {kept, readAt, minutes, current, before});
    return percentilesOf(addUp([before, current.samples]), since);
  }

  #keptOf(row: LagRow, since: number): Samples {
    try {
      const state = this.#state;
      return state === null ? NO_SAMPLES : keptSamples(state, this.#open.fleet.name, row, {since, until: this.#began});
    } catch {
      // That the state cannot be read is told by whoever writes it.
      return NO_SAMPLES;
    }
  }

  view(): LagWatchView {
    const {fleet, clock} = this.#open;
    const trouble = this.#keeper.trouble();
    return {
      fleet: fleet.name,
      at: clock.wall(),
      links: this.#specs.flatMap(({name}) => this.#links.get(name) ?? []),
      unread: [...this.#unread].map(([store, reason]) => ({store, reason})),
      waiting: [...this.#waiting],
      changes: this.#changes,
      notes: trouble === null ? [] : [trouble],
    };
  }

  onChange(listener: (change: LinkChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<string | null> {
    this.#stop.abort(new Error('the watch has ended'));
    await this.#running;
    return this.#keeper.end();
  }
}

const isSame = (a: LagRow, b: LagRow): boolean => a.from === b.from && a.to === b.to && a.link === b.link;
