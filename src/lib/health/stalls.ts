/** What is known of the times at which our own event loop stood still. Times and lengths in ms, by the clock it was made with. */
export type Stalls = {
  /** To be called each time that the loop has asked the system for news. */
  polled(): void;
  /** The longest at a time since `since`; the one that may be going on counts. 0 = none. */
  longest(since: number): number;
  /** All since `since` together, of those that lasted at least `leastMs` each. What of one lies before `since` is not counted. */
  together(since: number, leastMs: number): number;
};

type Stall = {readonly at: number; readonly ms: number};

/** Less is how timers are, not a stall. */
const NOTED_MS = 5;
/** Nobody asks about more of the past. */
const KEPT_MS = 120_000;

/** Notes when more than `everyMs` lies between two polls. */
export function createStalls(now: () => number, everyMs: number): Stalls {
  const noted: Stall[] = [];
  let polledAt = now();
  /** The newest first: thousands of endpoints may ask at once, and only of what was a moment ago. */
  function* endedSince(since: number): Generator<Stall> {
    const at = now();
    // One may be going on.
    yield {at, ms: Math.max(0, at - polledAt - everyMs)};
    for (let index = noted.length - 1; index >= 0; index -= 1) {
      const stall = noted[index];
      if (stall === undefined || stall.at < since) return;
      yield stall;
    }
  }
  return {
    polled() {
      const at = now();
      const ms = at - polledAt - everyMs;
      polledAt = at;
      if (ms < NOTED_MS) return;
      while (noted[0] !== undefined && noted[0].at < at - KEPT_MS) noted.shift();
      noted.push({at, ms});
    },
    longest(since) {
      let most = 0;
      for (const {ms} of endedSince(since)) most = Math.max(most, ms);
      return most;
    },
    together(since, leastMs) {
      const least = Math.max(leastMs, NOTED_MS);
      let sum = 0;
      for (const {at, ms} of endedSince(since)) if (ms >= least) sum += Math.max(0, Math.min(ms, at - since));
      return sum;
    },
  };
}
