/** The steps that series are forecast in. */
export type Grain = 'hourly' | 'daily' | 'weekly';

/** What a series measures. It decides whether the load follows traffic to another region (`throughput`, `cpu`, `memory`, `connections` and `orders` do; `disk` and `slots` stay). */
export const PURPOSES = ['throughput', 'cpu', 'memory', 'disk', 'connections', 'slots', 'orders'] as const;
export type Purpose = (typeof PURPOSES)[number];

/** One value as a source gave it. `at` is epoch ms. */
export type Reading = {readonly at: number; readonly value: number};

/**
 * What was found and done when readings became a series: never silent. `source` = what the source says of its answer. `count` = how many readings or steps it concerns; `from`, `to` = the first and
 * last of them, epoch ms.
 */
export type Remark = {
  readonly kind:
    | 'gap'
    | 'reset'
    | 'duplicate'
    | 'out-of-order'
    | 'clock-jump'
    | 'irregular'
    | 'dst'
    | 'not-a-number'
    | 'negative'
    | 'short'
    | 'source';
  readonly count: number;
  readonly from: number;
  readonly to: number;
  /** One sentence for people. */
  readonly says: string;
};

/** A regular series. Steps are regular by the wall clock of its time zone, so that a day with 23 or 25 hours keeps its shape. */
export type Series = {
  readonly name: string;
  /** null = of the whole fleet. */
  readonly region: string | null;
  readonly unit: string;
  readonly purpose: Purpose;
  /** In the series' unit; null = none is known. */
  readonly limit: number | null;
  readonly grain: Grain;
  /** IANA name. */
  readonly timeZone: string;
  /** When each step begins, epoch ms, rising. All NaN = the source has no times. */
  readonly starts: Float64Array;
  /** As many as `starts`. NaN = not known. */
  readonly values: Float64Array;
  readonly remarks: readonly Remark[];
};
