import {messageOf} from '../errors.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {DrainLink} from '../traffic/read-drain.ts';
import {type DrainEvent, type DrainOptions, type DrainRow, drainReads, heldNow, isUnfinished, refuseUndrainable} from './drain-reads.ts';
import {isOldReading} from './lag-verdict.ts';
import {type LagMonitor, type LagWatchOptions, type LagWatchView, watchLag} from './lag-watch.ts';

/** Drains by what a live view sees. */
export type Drainer = {
  view(): DrainView;
  /** Told of what became of which region; of the same failure once. Answers with what ends it. */
  onEvent(listener: (event: DrainEvent) => void): () => void;
  /** Resolves when no run is under way. */
  stop(): Promise<void>;
};

/** What is held off now, which late regions are not (with why), and why the last attempt failed; null = it did not. */
export type DrainView = {
  readonly held: readonly DrainRow[];
  readonly stays: readonly DrainEvent[];
  readonly trouble: string | null;
};

export type DrainWatchOptions = Pick<DrainOptions, 'leave'> & {
  /** How old a reading may be, in ms, before it says nothing of now. */
  readonly staleMs: number;
};

const LOOK_MS = 250;
/** What others may have changed is looked at again after so long. */
const AGAIN_MS = 10_000;
const SOONEST_MS = 1000;
/** An attempt that fails is made again later each time: each one is a run, and notifiers are told of it. */
const LONGEST_MS = 300_000;

/** A live view of links that also drains: its view tells what is held off. Ended, it ends when no run is under way. Throws (64, 73) as drains do. */
export async function watchAndDrain(
  open: OpenFleet,
  options: LagWatchOptions & DrainWatchOptions,
): Promise<{readonly monitor: LagMonitor; readonly onDrain: Drainer['onEvent']}> {
  const state = await open.state();
  refuseUndrainable(open, state);
  const watched = await watchLag(open, options);
  const drainer = new Draining(open, state, watched, options).begin();
  const monitor: LagMonitor = {
    view: () => ({...watched.view(), drains: drainer.view()}),
    onChange: (listener) => watched.onChange(listener),
    stop: async () => {
      await drainer.stop();
      return watched.stop();
    },
  };
  return {monitor, onDrain: (listener) => drainer.onEvent(listener)};
}

class Draining implements Drainer {
  readonly #open: OpenFleet;
  readonly #state: State;
  readonly #monitor: Pick<LagMonitor, 'view'>;
  readonly #options: DrainWatchOptions;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(event: DrainEvent) => void>();
  #view: DrainView;
  #isUnfinished: boolean;
  #told: readonly string[] = [];
  #failures = 0;
  #running: Promise<unknown> = Promise.resolve();

  constructor(open: OpenFleet, state: State, monitor: Pick<LagMonitor, 'view'>, options: DrainWatchOptions) {
    this.#open = open;
    this.#state = state;
    this.#monitor = monitor;
    this.#options = options;
    this.#view = {held: heldNow(open, state), stays: [], trouble: null};
    this.#isUnfinished = isUnfinished(open, state);
  }

  begin(): this {
    this.#running = this.#follow();
    return this;
  }

  /** Nothing is asked of routers while all breakers are closed and nothing is held off, or left alone. */
  async #follow(): Promise<void> {
    const {clock} = this.#open;
    const {signal} = this.#stop;
    let seen = '';
    let lookedAt = Number.NEGATIVE_INFINITY;
    let recalledAt = clock.now();
    while (!signal.aborted) {
      // Another process may have held off, or left behind, what nobody gives back.
      if (clock.now() - recalledAt >= AGAIN_MS) {
        recalledAt = clock.now();
        this.#isUnfinished = this.#recall();
      }
      const view = this.#monitor.view();
      const links = linksOf(view, this.#options.staleMs);
      const stands = standsOf(links);
      const isOpen = links.some(({breaker}) => breaker.state === 'open');
      const isDue = clock.now() - lookedAt >= this.#pauseMs() || (this.#failures === 0 && stands !== seen);
      // Links that have not been read yet are no reason to ask anybody anything.
      if (view.waiting.length === 0 && (isOpen || this.#isUnfinished) && isDue) {
        seen = stands;
        await this.#drain(links);
        lookedAt = clock.now();
      } else if (!isOpen && !this.#isUnfinished) this.#view = {held: [], stays: [], trouble: null};
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  #recall(): boolean {
    try {
      return isUnfinished(this.#open, this.#state);
    } catch {
      // Whoever writes it tells that state cannot be read.
      return this.#isUnfinished;
    }
  }

  /** Where regions come back sooner than that, they are looked at sooner. */
  #pauseMs(): number {
    const readmitMs = this.#open.fleet.stores.flatMap(({breaker}) => (breaker?.drain === undefined ? [] : [breaker.readmitMs]));
    const least = Math.min(AGAIN_MS, Math.max(SOONEST_MS, ...readmitMs));
    return Math.min(LONGEST_MS, least * 2 ** this.#failures);
  }

  async #drain(links: readonly DrainLink[]): Promise<void> {
    const {signal} = this.#stop;
    const events = await this.#attempt(links);
    if (signal.aborted) return;
    const failed = events.filter(({what}) => what === 'failed');
    // Whoever waits for another's run to end costs nobody anything.
    this.#failures = failed.some(({run}) => run !== null) ? this.#failures + 1 : 0;
    this.#tell(events);
    try {
      this.#isUnfinished = isUnfinished(this.#open, this.#state);
      this.#view = {
        held: heldNow(this.#open, this.#state),
        stays: events.filter(({what}) => what === 'stays' || what === 'waits'),
        trouble: failed[0]?.reason ?? null,
      };
    } catch (error) {
      this.#view = {...this.#view, trouble: messageOf(error)};
    }
  }

  async #attempt(links: readonly DrainLink[]): Promise<readonly DrainEvent[]> {
    try {
      return await drainReads(this.#open, links, {signal: this.#stop.signal, leave: this.#options.leave});
    } catch (error) {
      const at = new Date(this.#open.clock.wall()).toISOString();
      const route = this.#open.fleet.routes.map(({name}) => name).join(', ');
      return [{at, route, region: null, what: 'failed', weight: null, run: null, reason: messageOf(error).replace(/\.$/, '')}];
    }
  }

  /** What was told at the attempt before is not told again. */
  #tell(events: readonly DrainEvent[]): void {
    const keys = events.map(keyOf);
    for (const [index, event] of events.entries()) {
      const isAgain =
        (event.what === 'stays' || event.what === 'waits' || event.what === 'failed') && this.#told.includes(keys[index] ?? '');
      if (!isAgain) for (const listener of this.#listeners) listener(event);
    }
    this.#told = keys;
  }

  view(): DrainView {
    return this.#view;
  }

  onEvent(listener: (event: DrainEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the watch has ended'));
    await this.#running;
  }
}

/** The figures of a failure, and its run, are others each time. */
const keyOf = ({route, region, what, reason}: DrainEvent): string =>
  JSON.stringify([route, region, what, what === 'failed' || what === 'waits' ? reason.replaceAll(/shift-[\w-]+|\d+/g, '') : '']);

/** The links of a live view as breakers judge by them. */
export function linksOf({links, at}: Pick<LagWatchView, 'links' | 'at'>, staleMs: number): readonly DrainLink[] {
  return links.map((link) => ({...link.row, breaker: link.breaker, isFresh: !isOldReading(link, at, staleMs)}));
}

/** What decides, of each link. */
const standsOf = (links: readonly DrainLink[]): string =>
  JSON.stringify(
    links.map(({store, from, to, link, breaker, isFresh, state}) => [
      store,
      from,
      to,
      link,
      breaker.state === 'open',
      isFresh && state !== 'unknown',
    ]),
  );
