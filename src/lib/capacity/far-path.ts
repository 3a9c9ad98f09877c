import type {Exhaustion} from './exhaustion/result.ts';
import type {Path} from './forecast/shapes.ts';

const WEEK = 7;
const DAY_MS = 86_400_000;
/** From this day ahead on the trend alone says where a series is; models give up theirs, and are held near the range that was seen. */
const FAR = 28;
/** What is sure to grow or to shrink. */
const SURE: ReadonlySet<Exhaustion['state']> = new Set<Exhaustion['state']>(['filling', 'not-within-horizon', 'shrinking']);

/**
 * A path of daily steps further ahead than four weeks, carried along the trend that days to exhaustion are told by, so that both say the same: each weekday of the first week, and
 * the growth of each day from there. It comes in bit by bit after the first week; its intervals keep their width. A series whose growth is not sure, and a shorter path, stay as
 * they are. `from` = when its first step begins, epoch ms. Of one that shrinks nothing goes below zero, where nothing was.
 */
export function alongTrend(
  path: Path,
  trend: Pick<Exhaustion, 'state' | 'slopePerDay' | 'growth' | 'p50At' | 'limit'>,
  from: number,
): Path {
  const {state, slopePerDay} = trend;
  const {mean} = path;
  if (mean.length <= FAR || !SURE.has(state) || slopePerDay === null) return path;
  const bend = bendOf(mean, trend, from);
  const by = mean.map((value, step) => {
    if (step < WEEK) return 0;
    const first = step % WEEK;
    const there = (mean[first] ?? value) + slopePerDay * (step - first) + bend * (step ** 2 - first ** 2);
    return Math.min(1, (step - WEEK + 1) / (FAR - WEEK)) * (there - value);
  });
  const least = path.lower95.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
  const moved = (values: Float64Array): Float64Array =>
    values.map((value, step) => Math.min(Number.MAX_VALUE, Math.max(least, -Number.MAX_VALUE, value + (by[step] ?? 0))));
  return {mean: moved(mean), p10: moved(path.p10), p90: moved(path.p90), lower95: moved(path.lower95), upper95: moved(path.upper95)};
}

/** Of growth that accelerates, what a day squared adds, so that the highest day of the week is at the limit when days to exhaustion say so; 0 of any other. */
function bendOf(
  mean: Float64Array,
  {slopePerDay, growth, p50At, limit}: Pick<Exhaustion, 'slopePerDay' | 'growth' | 'p50At' | 'limit'>,
  from: number,
): number {
  if (growth !== 'accelerating' || p50At === null || limit === null || slopePerDay === null) return 0;
  const days = (p50At - from) / DAY_MS;
  const highest = mean.subarray(0, WEEK).reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return days < WEEK ? 0 : Math.max(0, (limit - highest - slopePerDay * days) / days ** 2);
}
