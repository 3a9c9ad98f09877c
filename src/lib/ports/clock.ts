/** Time, injected. `wall` is epoch ms for people and records, `now` is monotonic ms for durations and deadlines. */
export type Clock = {
  wall(): number;
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `then` after `ms`, unless what it answers was called before: a timer without the cost of a promise. Absent = made of `sleep`. */
  after?(ms: number, then: () => void): () => void;
};

/** `after` of any clock. */
export function after(clock: Clock, ms: number, then: () => void): () => void {
  if (clock.after !== undefined) return clock.after(ms, then);
  const stop = new AbortController();
  clock.sleep(ms, stop.signal).then(then, () => undefined);
  return () => stop.abort();
}
