import {messageOf} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {DrainLink} from '../traffic/read-drain.ts';
import {type DrainEvent, type DrainOptions, type DrainRow, drainReads, heldNow, refuseUndrainable} from './drain-reads.ts';
import {readingAgeMs} from './lag-verdict.ts';
import {type LagMonitor, type LagWatchOptions, type LagWatchView, watchLag} from './lag-watch.ts';

/** Drains by what a live view sees. */
export type Drainer = {
  /** What is held off now. */
  held(): readonly DrainRow[];
  /** Why the last attempt failed; null = it did not. */
  trouble(): string | null;
  /** Told of what became of which region; of the same failure once. Answers with what ends it. */
  onEvent(listener: (event: DrainEvent) => void): () => void;
  /** Resolves when no run is under way. */
  stop(): Promise<void>;
};

export type DrainWatchOptions = Pick<DrainOptions, 'leave'> & {
  /** How old a reading may be, in ms, before it says nothing of now. */
  readonly staleMs: number;
};

const LOOK_MS = 250;
/** What others may have changed, and what failed, is looked at again after so long. */
const AGAIN_MS = 10_000;

/** A live view of links that also drains: its view tells what is held off. Ended, it ends when no run is under way. Throws (64, 73) as drains do. */
export async function watchAndDrain(
  open: OpenFleet,
  options: LagWatchOptions & DrainWatchOptions,
): Promise<{readonly monitor: LagMonitor; readonly onDrain: Drainer['onEvent']}> {
  refuseUndrainable(open);
  const state = await open.state();
  const watched = await watchLag(open, options);
  const drainer = new Draining(open, watched, options, () => heldNow(open, state)).begin();
  const monitor: LagMonitor = {
    view: () => ({...watched.view(), drains: {held: drainer.held(), trouble: drainer.trouble()}}),
    onChange: (listener) => watched.onChange(listener),
    stop: async () => {
      await drainer.stop();
      return watched.stop();
    },
  };
  return {monitor, onDrain: (listener) => drainer.onEvent(listener)};
}

/** Follows a live view of links, and drains or gives back as they open and close. Nothing is asked of routers while all are closed. */
export async function watchDrains(open: OpenFleet, monitor: Pick<LagMonitor, 'view'>, options: DrainWatchOptions): Promise<Drainer> {
  const state = await open.state();
  return new Draining(open, monitor, options, () => heldNow(open, state)).begin();
}

class Draining implements Drainer {
  readonly #open: OpenFleet;
  readonly #monitor: Pick<LagMonitor, 'view'>;
  readonly #options: DrainWatchOptions;
  readonly #recall: () => readonly DrainRow[];
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(event: DrainEvent) => void>();
  #held: readonly DrainRow[] = [];
  #told: readonly string[] = [];
  #trouble: string | null = null;
  #running: Promise<unknown> = Promise.resolve();

  constructor(open: OpenFleet, monitor: Pick<LagMonitor, 'view'>, options: DrainWatchOptions, recall: () => readonly DrainRow[]) {
    this.#open = open;
    this.#monitor = monitor;
    this.#options = options;
    this.#recall = recall;
  }

  begin(): this {
    this.#held = this.#recall();
    this.#running = this.#follow();
    return this;
  }

  async #follow(): Promise<void> {
    const {clock} = this.#open;
    const {signal} = this.#stop;
    let seen = '';
    let lookedAt = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const view = this.#monitor.view();
      const links = linksOf(view, this.#options.staleMs);
      const stands = standsOf(links);
      const isOpen = links.some(({breaker}) => breaker.state === 'open');
      const isDue = clock.now() - lookedAt >= AGAIN_MS;
      // Links that have not been read yet are no reason to ask anybody anything.
      if (view.waiting.length === 0 && (isOpen || this.#held.length > 0) && (stands !== seen || isDue)) {
        seen = stands;
        await this.#drain(links);
        lookedAt = clock.now();
      }
      await clock.sleep(LOOK_MS, signal).catch(() => undefined);
    }
  }

  async #drain(links: readonly DrainLink[]): Promise<void> {
    const {signal} = this.#stop;
    try {
      const events = await drainReads(this.#open, links, {signal, leave: this.#options.leave});
      this.#trouble = events.find(({what}) => what === 'failed')?.reason ?? null;
      this.#tell(events);
      this.#held = this.#recall();
    } catch (error) {
      if (!signal.aborted) this.#trouble = messageOf(error);
    }
  }

  /** What was told at the attempt before is not told again. */
  #tell(events: readonly DrainEvent[]): void {
    const keys = events.map(({route, region, what}) => JSON.stringify([route, region, what]));
    for (const [index, event] of events.entries()) {
      const isAgain = (event.what === 'stays' || event.what === 'failed') && this.#told.includes(keys[index] ?? '');
      if (!isAgain) for (const listener of this.#listeners) listener(event);
    }
    this.#told = keys;
  }

  held(): readonly DrainRow[] {
    return this.#held;
  }

  trouble(): string | null {
    return this.#trouble;
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

/** The links of a live view as breakers judge by them. */
export function linksOf({links, at}: Pick<LagWatchView, 'links' | 'at'>, staleMs: number): readonly DrainLink[] {
  return links.map((link) => ({...link.row, breaker: link.breaker, isFresh: readingAgeMs(link, at) <= staleMs}));
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
