/** What the broker counted, at a time of its own (epoch ms). */
export type CountSample = {readonly sample: number; readonly timestamp: number};

/** What is known of the messages that wait in a queue. Counts other than `depth` may be some seconds older than it. */
export type Waiting = {
  /** Messages now. */
  readonly depth: number;
  /** Messages when the broker last counted; null = it has not yet. */
  readonly countedDepth: number | null;
  /** The timestamp property of the message at the head, epoch seconds; null = it has none, or the queue type does not tell. */
  readonly headTimestamp: number | null;
  /** Messages in the queue, over the last minutes. */
  readonly depths: readonly CountSample[];
  /** Messages published to the queue so far, over the last minutes. */
  readonly published: readonly CountSample[];
  /** How fast messages leave the queue, per second; null = not known. */
  readonly movedPerSecond: number | null;
  /** The broker's time, epoch ms. */
  readonly now: number;
};

/** The age of the oldest message in seconds, and from what it was found. */
export type OldestAge = {readonly seconds: number | null; readonly basis: 'timestamp' | 'estimate' | null};

const NOT_KNOWN: OldestAge = {seconds: null, basis: null};
/** What a count tells may be so old: RabbitMQ counts each five seconds, and keeps counts in steps of five. */
const LATE_MS = 10_000;

/**
 * How long the oldest waiting message has waited, at most. By its own timestamp where it has one: that is the clock of whoever published it. Else since
 * the queue was last seen empty, or by what was published: a queue is first in, first out, so with 30 of 100 published messages waiting, the oldest is
 * the 71st, and came after the last count below 71. Else by how fast the queue is drained. Never 0 for what is not known.
 */
export function oldestAge(waiting: Waiting): OldestAge {
  const {depth, headTimestamp, countedDepth, now} = waiting;
  if (depth === 0) return {seconds: 0, basis: null};
  if (headTimestamp !== null && (countedDepth ?? 0) > 0) return {seconds: Math.max(0, now / 1000 - headTimestamp), basis: 'timestamp'};
  const since = Math.max(lastEmpty(waiting), lastBefore(waiting));
  // The newest count bears a time that is still to come.
  if (Number.isFinite(since)) return {seconds: (now - Math.min(now, since) + LATE_MS) / 1000, basis: 'estimate'};
  return byDrain(waiting) ?? NOT_KNOWN;
}

/** When the queue was last counted empty: what waits came later. */
function lastEmpty({depths}: Waiting): number {
  return newest(depths.filter(({sample}) => sample === 0));
}

/**
 * When the oldest of the waiting messages had not been published yet. What was published since the last count makes it seem older, never younger. Counts
 * that were begun anew since tell nothing.
 */
function lastBefore({depth, published}: Waiting): number {
  if (published.length === 0) return Number.NEGATIVE_INFINITY;
  const oldest = Math.max(...published.map(({sample}) => sample)) - depth + 1;
  return oldest <= 0 ? Number.NEGATIVE_INFINITY : newest(published.filter(({sample}) => sample < oldest));
}

const newest = (samples: readonly CountSample[]): number => Math.max(...samples.map(({timestamp}) => timestamp));

/** Whoever comes last waits until those before it are gone; so the first has waited about as long when the queue stays as it is. */
function byDrain({depth, movedPerSecond}: Waiting): OldestAge | null {
  return movedPerSecond === null || movedPerSecond <= 0 ? null : {seconds: depth / movedPerSecond, basis: 'estimate'};
}
