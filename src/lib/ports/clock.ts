/** Time, injected. `wall` is epoch ms for people and records, `now` is monotonic ms for durations and deadlines. */
export type Clock = {
  wall(): number;
  now(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
};
