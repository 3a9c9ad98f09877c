import {type Days, median, quantileOf} from './days.ts';
import type {Shape} from './shape-of-growth.ts';
import {type Slope, theilSen} from './theil-sen.ts';

const WEEK = 7;
/** How high the peaks stand above the trend is taken from so many of the newest days: two weeks. */
const PEAK_DAYS = 14;

/** How fast it may go on: as it most likely does, and the edges of the 80 and 95 % intervals of the growth. */
export type Pace = 'likely' | 'fast80' | 'fast95' | 'slow95';

/** Which share of the newest peaks, less the trend, lie below what is added to the trend, by pace. */
export const PEAK_SHARE: Readonly<Record<Pace, number>> = {likely: 0.75, fast80: 0.9, fast95: 1, slow95: 0.5};
/** Of an accelerating series: by how much its acceleration is multiplied. The slowest goes on as fast as it is now. */
const ACCELERATION: Readonly<Record<Pace, number>> = {likely: 1, fast80: 1.5, fast95: 2, slow95: 0};

/** What a series does from here on. */
export type Trend = {
  /** Growth per day now. */
  readonly slope: number;
  /** The edges of its 80 % interval. */
  readonly lower80: number;
  readonly upper80: number;
  /** The peak to expect on a day (as counted in `Days`), at a pace. */
  peak(day: number, pace: Pace): number;
};

/**
 * The trend of daily means after the break. A series whose level jumped keeps its slope, so that the pairs of days before the jump tell of it too.
 * Peaks are added: a disk is full when its highest reading of a day is at the limit, not when its mean is. `offsets` = of weekdays.
 * `lifted` = the first day, as an index, that was not moved to the newest level: by how much the others were is known only roughly, and must not look like growth.
 */
export function trendOf(days: Days, offsets: Float64Array, shape: Shape, lifted: number | null = null): Trend {
  const level = days.mean.map((mean, i) => mean - offsetAt(offsets, days.day[i] ?? 0));
  const day = days.day.subarray(shape.at);
  const values = level.subarray(shape.at);
  const {inflation} = shape;
  const splits = lifted === null ? [] : [lifted];
  const growth =
    shape.kind === 'level'
      ? theilSen(days.day, level, {inflation, splits: [...splits, shape.at]})
      : theilSen(day, values, {inflation, splits: splits.map((split) => split - shape.at).filter((split) => split > 0)});
  const lines = byPace((pace) =>
    shape.kind === 'accelerating' ? curveThrough(day, values, shape, pace) : lineThrough(day, values, slopeAt(growth, pace)),
  );
  const newest = Math.max(shape.at, days.day.length - PEAK_DAYS);
  const above = days.peak.subarray(newest).map((peak, i) => {
    const at = days.day[newest + i] ?? 0;
    return peak - offsetAt(offsets, at) - lines.likely(at);
  });
  const heights = byPace((pace) => quantileOf(above, PEAK_SHARE[pace]));
  const isAccelerating = shape.kind === 'accelerating';
  return {
    slope: isAccelerating ? shape.slopeNow : slopeAt(growth, 'likely'),
    lower80: isAccelerating ? shape.slopeNow : (growth?.lower80 ?? 0),
    upper80: isAccelerating ? shape.slopeNow : (growth?.upper80 ?? 0),
    peak: (at, pace) => lines[pace](at) + offsetAt(offsets, at) + heights[pace],
  };
}

/** 0 where there is none. */
export function slopeAt(growth: Slope | null, pace: Pace): number {
  if (growth === null) return 0;
  return {likely: growth.slope, fast80: growth.upper80, fast95: growth.upper95, slow95: growth.lower95}[pace];
}

export type Line = (day: number) => number;

/** Through the middle of the points (Conover 1980): half of them lie above it. */
export function lineThrough(day: Float64Array, values: Float64Array, slope: number): Line {
  const middle = median(values.map((value, i) => value - slope * (day[i] ?? 0)));
  return (at) => middle + slope * at;
}

/** What was, was as it was; only from here on it may be faster or slower. */
function curveThrough(day: Float64Array, values: Float64Array, {slopeNow, acceleration}: Shape, pace: Pace): Line {
  const newest = day.at(-1) ?? 0;
  const curve = (at: number, bend: number) => slopeNow * (at - newest) + (bend / 2) * (at - newest) ** 2;
  const middle = median(values.map((value, i) => value - curve(day[i] ?? 0, acceleration)));
  return (at) => middle + curve(at, at > newest ? acceleration * ACCELERATION[pace] : acceleration);
}

function offsetAt(offsets: Float64Array, day: number): number {
  return offsets[((Math.round(day) % WEEK) + WEEK) % WEEK] ?? 0;
}

export function byPace<T>(of: (pace: Pace) => T): Readonly<Record<Pace, T>> {
  return {likely: of('likely'), fast80: of('fast80'), fast95: of('fast95'), slow95: of('slow95')};
}
