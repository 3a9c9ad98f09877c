import type {Purpose, Series} from '../series.ts';
import {changesOf} from './clean-ups.ts';
import {median} from './days.ts';
import {type Jump, jumpOfHours} from './jump-of-hours.ts';

/** What is older is found as a break, with as many days after it. */
const NEWEST_MS = 7 * 86_400_000;
/** A change is sudden when it is beyond so many robust deviations of the changes from one reading to the next. */
const DEVIATIONS = 8;
/** From the median absolute deviation to the standard deviation of a normal distribution. */
const NORMAL = 1.4826;
/** It is an event of its own when it is so many times any other sudden change. */
const UNLIKE_OTHERS = 3;
/** It has stayed when the values after it are this share of it away from where it began. */
const STAYED = 0.5;

/** So many readings on each side say how far apart the levels are: few enough that growth does not matter. */
const NEAR = 6;

/** What fills up grows as before when some of it is taken away; of a load, the growth goes with the level. */
const FILLS: ReadonlySet<Purpose> = new Set<Purpose>(['disk', 'slots']);
/** A load that fell less than so many hours ago may be down: it is expected back. */
const OUTAGE_HOURS = 24;
/** Beyond such a ratio of levels the older values are noise of another series. */
const MOST_TIMES = 4;

/**
 * Where the newest level begins, as an index, and by how much it is above the one before; `from` = where the way there began. `times` = what older values are multiplied by to be
 * on it; null = `by` is added. `outage`: it is none yet.
 */
export type RecentJump = Jump & {readonly outage: boolean};

/**
 * A disk that was cleaned up or got much at once, a load of which a part was moved away or here: one sudden change, unlike all others, that has stayed. Its days are too few to be
 * found as a break, and would bend the trend instead; the day on which it was is of neither level. null = there is none.
 */
export function recentJump(series: Pick<Series, 'starts' | 'values' | 'purpose' | 'grain'>): RecentJump | null {
  const {values, purpose, grain} = series;
  const fills = FILLS.has(purpose);
  const found = (grain === 'hourly' ? jumpOfHours(values) : null) ?? (fills || grain !== 'hourly' ? jumpOfChanges(series) : null);
  if (found === null) return null;
  if (fills) return {...found, times: null, outage: false};
  const times = found.times !== null && found.times <= MOST_TIMES ? found.times : null;
  return {...found, times, outage: grain === 'hourly' && found.by < 0 && values.length - found.at < OUTAGE_HOURS};
}

/** By the changes from one reading to the next. */
function jumpOfChanges({starts, values}: Pick<Series, 'starts' | 'values'>): Jump | null {
  const changes = changesOf(starts, values);
  const middle = median(changes.map(({change}) => change));
  const deviation = NORMAL * median(changes.map(({change}) => Math.abs(change - middle)));
  const sudden = runsOf(changes.filter(({change}) => Math.abs(change - middle) > DEVIATIONS * deviation));
  const [largest, next] = sudden.toSorted((a, b) => Math.abs(b.by) - Math.abs(a.by));
  if (largest === undefined || Math.abs(largest.by) < UNLIKE_OTHERS * Math.abs(next?.by ?? 0)) return null;
  if ((starts[largest.at] ?? 0) <= (starts.at(-1) ?? 0) - NEWEST_MS) return null;
  const known = (part: Float64Array): Float64Array => part.filter((value) => Number.isFinite(value));
  const after = known(values.subarray(largest.at));
  if ((median(after) - largest.before) / largest.by < STAYED) return null;
  // Medians, since two single readings are as far off as their noise.
  const near = Math.min(NEAR, after.length);
  const level = median(after.subarray(0, near));
  const before = median(known(values.subarray(0, largest.from)).subarray(-near));
  return {from: largest.from, at: largest.at, by: level - before, times: before > 0 && level > 0 ? level / before : null};
}

type Run = {readonly from: number; readonly at: number; readonly by: number; readonly before: number};

/** Changes to one side that follow each other are one: what takes longer than a step. */
function runsOf(changes: ReturnType<typeof changesOf>): readonly Run[] {
  const runs: Run[] = [];
  for (const {index, change, before} of changes) {
    const last = runs.at(-1);
    if (last !== undefined && index === last.at + 1 && Math.sign(change) === Math.sign(last.by))
      runs[runs.length - 1] = {...last, at: index, by: last.by + change};
    else runs.push({from: index, at: index, by: change, before});
  }
  return runs;
}

/**
 * The series as if it had always been on its newest level; of an outage, as if it had not happened. What was seen on the way is of neither, and not known.
 */
export function onNewestLevel<S extends Pick<Series, 'values'>>(series: S, jump: RecentJump | null): S {
  if (jump === null) return series;
  const {from, at, by, times, outage} = jump;
  // Of the newest day nothing: a part of a day is another mean.
  if (outage)
    return {...series, values: series.values.map((value, i) => (i < from && i < series.values.length - OUTAGE_HOURS ? value : Number.NaN))};
  const moved = (value: number): number => (times === null ? value + by : value * times);
  return {...series, values: series.values.map((value, i) => (i < from ? moved(value) : i < at ? Number.NaN : value))};
}
