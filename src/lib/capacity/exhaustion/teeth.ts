import type {CleanUps} from './clean-ups.ts';
import {quantileOf} from './days.ts';
import {theilSen} from './theil-sen.ts';
import {byPace, lineThrough, PEAK_SHARE, slopeAt, type Trend} from './trend.ts';

const DAY_MS = 86_400_000;
/** Fewer tops do not make a trend. */
const LEAST_TOPS = 4;

/**
 * The trend of a series that is emptied again and again, by its tops: what it reaches before a clean-up is what fills it up, and their trend is what the
 * clean-ups leave. From a clean-up on it rises by the usual fall until the next one is due; at the fast paces the next one is always late. Null where
 * there are fewer than four tops from `since` (epoch ms) on. `from` = epoch ms of day 0.
 */
export function teethTrend({tops, fall, everyMs}: CleanUps, {from, since}: {from: number; since: number}): Trend | null {
  const after = tops.filter(({at}) => at >= since);
  if (after.length < LEAST_TOPS) return null;
  // Days are looked at in their middle.
  const dayOf = (at: number) => (at - from) / DAY_MS - 0.5;
  const day = Float64Array.from(after, ({at}) => dayOf(at));
  const values = Float64Array.from(after, ({value}) => value);
  const growth = theilSen(day, values);
  const lines = byPace((pace) => lineThrough(day, values, slopeAt(growth, pace)));
  const above = values.map((value, i) => value - lines.likely(day[i] ?? 0));
  const heights = byPace((pace) => quantileOf(above, PEAK_SHARE[pace]));
  const last = day.at(-1) ?? 0;
  const every = everyMs / DAY_MS;
  const missing = (at: number): number => {
    const since = (((at - last) % every) + every) % every;
    return fall * (1 - since / every);
  };
  return {
    slope: slopeAt(growth, 'likely'),
    lower80: growth?.lower80 ?? 0,
    upper80: growth?.upper80 ?? 0,
    peak: (at, pace) => lines[pace](at) + heights[pace] - (pace === 'fast80' || pace === 'fast95' ? 0 : missing(at)),
  };
}
