/** How far expire times may be apart and be the same, in ms: before Redis 7.0 a replica counts from when a command reached it. */
export const TOLERANCE_MS = 1000;

/** So many keys' expire times are remembered; then they are forgotten, which costs another look and nothing else. */
const MOST_KEYS = 100_000;

/**
 * The rule for keys that expire.
 *
 * A key whose time is over, or will be within `marginMs`, is there on no member: one member may have removed it already, another lists it still, and a third
 * has a clock that is ahead. The margin is wider than the clocks are apart, and the time is ours, so that a key which some member takes for expired counts
 * on none. One that passes this line between two members' looks differs once, and at the next look it is on neither.
 *
 * All others are compared with their expire times: those that are more than TOLERANCE_MS apart differ, always; those that are less apart never do.
 */
export type Expiry = {
  readonly marginMs: number;
  /** Whether a key with that expire time (epoch ms) counts as gone. */
  isOver(at: number | null): boolean;
  /** For sums: the same on all members but for times at either side of a whole second, which the keys' own hashes then clear. */
  coarse(at: number | null): number;
  /** For keys: a time that lies within the tolerance of one that was seen for this key, on any member, is that one. -1 = none. */
  exact(key: string, at: number | null): number;
};

export function createExpiry(wall: () => number, marginMs: number): Expiry {
  const seen = new Map<string, number[]>();
  return {
    marginMs,
    isOver: (at) => at !== null && at <= wall() + marginMs,
    coarse: (at) => (at === null ? -1 : Math.floor(at / TOLERANCE_MS)),
    exact: (key, at) => {
      if (at === null) return -1;
      const times = seen.get(key) ?? [];
      const near = times.find((time) => Math.abs(time - at) <= TOLERANCE_MS);
      if (near !== undefined) return near;
      if (seen.size >= MOST_KEYS) seen.clear();
      seen.set(key, [...times, at]);
      return at;
    },
  };
}
