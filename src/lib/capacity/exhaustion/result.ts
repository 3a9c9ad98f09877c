/** Where a series changed: the first day after it, and by how much, in the series' unit. */
export type Break = {
  /** Epoch ms. */
  readonly at: number;
  /** The level jumped, the slope changed, or both. */
  readonly kind: 'level' | 'slope' | 'level-and-slope';
  /** 0 where only the slope changed. */
  readonly jump: number;
  /** 0 where only the level jumped. */
  readonly slopeChangePerDay: number;
};

/** When a series reaches its limit. Times are epoch ms; null = not within the horizon, or cannot be said. */
export type Exhaustion = {
  readonly limit: number | null;
  /**
   * `full` = its newest day reached the limit; `filling` = it will within the horizon; `not-within-horizon` = it grows, and will not; `flat` = it neither grows nor
   * shrinks for sure; `shrinking`; `no-limit` = there is none to reach; `too-short` = fewer than three whole days.
   */
  readonly state: 'full' | 'filling' | 'not-within-horizon' | 'flat' | 'shrinking' | 'no-limit' | 'too-short';
  /** Most likely. When `full`: since when. */
  readonly p50At: number | null;
  /** When the 90th percentile of what may come reaches the limit: with a chance of one in ten it is full before. Never after `p50At`. */
  readonly p90At: number | null;
  /** The ends of the 95 % range. */
  readonly earliestAt: number | null;
  readonly latestAt: number | null;
  /** The one that was found; what is said of the future comes from what was after it. */
  readonly break: Break | null;
  readonly growth: 'steady' | 'accelerating';
  /** Growth now, in the series' unit; null = too short. */
  readonly slopePerDay: number | null;
  /** By the width of the range: at most 40 % of the time that is left, at most all of it, or more. */
  readonly confidence: 'high' | 'medium' | 'low' | null;
  /** How far was looked. */
  readonly horizonAt: number;
  /** A sentence for people. */
  readonly says: string;
};

export const NO_DATES = {p50At: null, p90At: null, earliestAt: null, latestAt: null} as const;
