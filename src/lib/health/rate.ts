/** Counts events per second over the last whole seconds. */
export type Rate = {count(): void; perSecond(): number};

const SECONDS = 5;

/** `now` is monotonic ms. What is older than five seconds is forgotten, also when nobody asks. */
export function createRate(now: () => number): Rate {
  const buckets = new Map<number, number>();
  const began = now();
  const second = (): number => Math.floor((now() - began) / 1000);
  return {
    count: () => {
      const at = second();
      buckets.set(at, (buckets.get(at) ?? 0) + 1);
      for (const old of buckets.keys()) if (old < at - SECONDS) buckets.delete(old);
    },
    perSecond: () => {
      const at = second();
      const whole = Math.max(1, Math.min(SECONDS, at));
      let sum = 0;
      // The present second is not over yet, except where there is no other.
      for (const [key, count] of buckets) if (at === 0 || (key < at && key >= at - whole)) sum += count;
      return sum / whole;
    },
  };
}
