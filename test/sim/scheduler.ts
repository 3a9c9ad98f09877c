/** Something that is going to happen; `run` null = it was called off. */
export type Timer = {run: (() => void) | null};

type Entry = {readonly at: number; readonly order: number; readonly timer: Timer};

/** More events than any history needs: one that has this many goes round in circles. */
const MOST_EVENTS = 400_000;

/**
 * Virtual time as a queue of events. Two events at the same moment happen in the order in which they were asked for. After an event that woke
 * a promise, everything that follows from it happens before the next event: no real time is involved.
 */
export class Scheduler {
  now = 0;
  events = 0;
  readonly #heap: Entry[] = [];
  #order = 0;
  #woken = false;

  after(ms: number, run: () => void): Timer {
    const timer: Timer = {run};
    this.#push({at: this.now + Math.max(0, ms), order: this.#order++, timer});
    return timer;
  }

  /** Says that a promise was settled. */
  woke(): void {
    this.#woken = true;
  }

  /** Goes on until `end` (ms), or until `done` answers true after an event. */
  async runUntil(end: number, done: () => boolean = () => false): Promise<void> {
    await this.#settle(true);
    for (let entry = this.#heap[0]; entry !== undefined && entry.at <= end && !done(); entry = this.#heap[0]) {
      this.#pop();
      const {run} = entry.timer;
      if (run === null) continue;
      if (++this.events > MOST_EVENTS)
        throw new Error(`the simulation has had ${this.events} events at ${this.now} ms: it goes round in circles`);
      this.now = entry.at;
      entry.timer.run = null;
      run();
      await this.#settle(false);
    }
    if (!done()) this.now = Math.max(this.now, end);
  }

  async #settle(always: boolean): Promise<void> {
    if (!this.#woken && !always) return;
    this.#woken = false;
    await new Promise<void>((resolve) => setImmediate(resolve));
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = heap[2 * at + 1];
      if (left === undefined) break;
      const right = heap[2 * at + 2];
      const isLeft = right === undefined || isBefore(left, right);
      const child = isLeft ? left : right;
      if (!isBefore(child, last)) break;
      heap[at] = child;
      at = 2 * at + (isLeft ? 1 : 2);
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
