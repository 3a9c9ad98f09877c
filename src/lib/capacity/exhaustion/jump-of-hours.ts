import {median, quantileOf} from './days.ts';

const DAY = 24;
const WEEK = 168;
/** What a jump is compared with: the newest eight weeks. */
const LOOKED_AT = 8 * WEEK;
/** How long ago it may have been: four weeks. What is older is found as a break. */
const NEWEST = 4 * WEEK;
/** Where so much is known, moves are looked at from its second week on, so that a weekend can be told from a jump; else from the third day on. */
const TELLS_WEEKS = 9 * DAY;
/** Fewer moves do not tell what is usual. */
const LEAST_OTHERS = 12;
/** Spans that levels are compared over, in hours: a whole day where one has passed since, else as much as there is. */
const SPANS = [3, 4, 6, 8, 12, 16, 20, DAY] as const;
/** A span of which less is known says nothing. */
const LEAST_KNOWN = 0.5;
/** It is an event of its own when it is so many times what the level moves by at other times: the largest of them, and all but a few. */
const UNLIKE_LARGEST = 2;
const UNLIKE_OTHERS = 4;
const MOST_OTHERS = 0.95;
/** Moves below this share of the largest value are rounding. */
const NOISE_FLOOR = 1e-3;
/** A move is no chance when it is so many standard deviations of what a median over the span would move by. */
const DEVIATIONS = 6;
/** From the median absolute deviation to the standard deviation of a median, where errors are normal: 1.4826 sqrt(pi / 2). */
const OF_MEDIAN = 1.858;
/** It is sudden when the way to the new level takes at most so many hours. What takes longer is growth. */
const MOST_HOURS = 8;
/** The way begins and ends where the series is this share of it away from either level. */
const ON_THE_WAY = 0.25;
/** Readings on each side that are the level next to the way. */
const NEAR = 6;
/** It has stayed when the newest values are at least this share of it away from those before. */
const STAYED = 0.5;

/**
 * As indices: `from` = the first reading on the way to the newest level, `at` = the first one on it. `by` added to older values puts them there, or `times` multiplied with them;
 * null = some are not above zero.
 */
export type Jump = {readonly from: number; readonly at: number; readonly by: number; readonly times: number | null};

/**
 * One sudden change of the level of hourly values that has stayed, unlike anything else in the eight weeks before it; null = there is none. Each hour is compared with the same
 * hour of the day before, and of the week before: the lesser of both moves counts, so that neither a night nor a weekend is a jump. NaN = not known.
 */
export function jumpOfHours(values: Float64Array): Jump | null {
  const end = values.findLastIndex((value) => Number.isFinite(value)) + 1;
  const first = Math.max(0, end - LOOKED_AT);
  const seen = values.subarray(first, end);
  const around = strongest(seen);
  if (around === null) return null;
  const way = wayAround(seen, around);
  if (way === null || !hasStayed(seen, way)) return null;
  return {...way, from: way.from + first, at: way.at + first};
}

type Place = {readonly at: number; readonly span: number; readonly move: number};

/** Where the level moves most for what is usual over such a span. */
function strongest(seen: Float64Array): Place | null {
  const largest = seen.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const least = seen.length < TELLS_WEEKS ? DAY : WEEK;
  const chance =
    DEVIATIONS * OF_MEDIAN * median(seen.map((value, t) => Math.abs(value - (seen[t - DAY] ?? Number.NaN))).filter(Number.isFinite));
  let best: Place | null = null;
  let bestScore = 1;
  for (const span of SPANS) {
    const moves = seen.map((_, at) => (at < least || at + span > seen.length ? Number.NaN : moveAt(seen, at, span)));
    const newest = Math.max(least, seen.length - NEWEST);
    // Of a day the best of all places; of less only the newest one, since all others are told better by a day.
    const from = span === DAY ? newest : Math.max(newest, seen.length - span);
    for (let at = from; at + span <= seen.length; at++) {
      const move = moves[at] as number;
      if (!(Math.abs(move) >= Math.abs(best?.span === span ? best.move : 0))) continue;
      const floor = Math.max(NOISE_FLOOR * largest, chance / Math.sqrt(span));
      const score = scoreOf(Math.abs(move), {floor, above: bestScore, before: moves.subarray(0, Math.max(0, at - span))});
      if (score > bestScore) {
        best = {at, span, move};
        bestScore = score;
      }
    }
  }
  return best;
}

/** How many times what a move has to be above it is; 0 = not more than `above`, without a look at the moves before it, which are dear to compare. */
function scoreOf(
  size: number,
  {floor, above, before}: {readonly floor: number; readonly above: number; readonly before: Float64Array},
): number {
  return size / floor <= above ? 0 : size / Math.max(floor, usualMove(before));
}

/** What a move has to be above, by those before it. */
function usualMove(moves: Float64Array): number {
  const sizes = moves.filter((move) => !Number.isNaN(move)).map(Math.abs);
  if (sizes.length < LEAST_OTHERS) return Number.POSITIVE_INFINITY;
  return Math.max(UNLIKE_LARGEST * sizes.reduce((most, size) => Math.max(most, size), 0), UNLIKE_OTHERS * quantileOf(sizes, MOST_OTHERS));
}

/** By how much the hours from `at` on differ from those of the day before, or of the week before: the lesser; 0 where these do not agree. NaN = not known. */
function moveAt(seen: Float64Array, at: number, span: number): number {
  const day = differenceOver(seen, {from: at, to: at + span, lag: DAY});
  if (at < WEEK) return day;
  const week = differenceOver(seen, {from: at, to: at + span, lag: WEEK});
  if (Number.isNaN(week)) return day;
  if (Math.sign(day) !== Math.sign(week)) return Number.isNaN(day) ? day : 0;
  return Math.abs(day) < Math.abs(week) ? day : week;
}

type Over = {readonly from: number; readonly to: number; readonly lag: number};

/** The median of the differences between values `lag` apart. NaN where less than half of them are known. */
function differenceOver(seen: Float64Array, {from, to, lag}: Over): number {
  const differences: number[] = [];
  for (let t = Math.max(lag, from); t < Math.min(to, seen.length); t++) {
    const difference = (seen[t] as number) - (seen[t - lag] as number);
    if (!Number.isNaN(difference)) differences.push(difference);
  }
  return differences.length < LEAST_KNOWN * (to - from) ? Number.NaN : median(differences);
}

/** The way from one level to the other near a place; null where it takes long, or is not there. */
function wayAround(seen: Float64Array, place: Place): Jump | null {
  const lag = place.at - DAY >= WEEK ? WEEK : DAY;
  const middle = sharpestNear(seen, place, lag);
  if (middle === null) return null;
  // Growth over the lag is in both of them.
  const spans = {
    before: {from: Math.max(lag, middle - WEEK), to: middle - MOST_HOURS / 2, lag},
    after: {from: middle + (seen.length - middle > NEAR ? NEAR / 2 : 0), to: Math.min(seen.length, middle + lag), lag},
  };
  const by = differenceOver(seen, spans.after) - differenceOver(seen, spans.before);
  const logarithms = seen.map((value) => (value > 0 ? Math.log(value) : Number.NaN));
  const ratio = differenceOver(logarithms, spans.after) - differenceOver(logarithms, spans.before);
  if (!(Math.abs(by) > 0)) return null;
  // A share of the load is the same by night and by day.
  const [on, whole] = Number.isFinite(ratio) && Math.sign(ratio) === Math.sign(by) ? [logarithms, ratio] : [seen, by];
  const before = differenceOver(on, spans.before);
  const reached = (t: number): number => ((on[t] as number) - (on[t - lag] as number) - before) / whole;
  let from = middle;
  while (from > lag && reached(from - 1) > ON_THE_WAY) from--;
  let at = middle;
  while (at < seen.length - 1 && !(reached(at) >= 1 - ON_THE_WAY)) at++;
  return at - from > MOST_HOURS ? null : {from, at, by, times: Number.isFinite(ratio) ? Math.exp(ratio) : null};
}

/** Where the values next to it differ most, less those a lag before; null where none do so to the side of the move. */
function sharpestNear(seen: Float64Array, {at: place, span, move}: Place, lag: number): number | null {
  const off = (t: number): number => (seen[t] as number) - (seen[t - lag] as number);
  let best = {at: -1, step: 0};
  for (let at = Math.max(lag + 1, place - span); at < Math.min(seen.length - 1, place + span); at++) {
    const near = Math.min(NEAR, seen.length - at);
    const step = differenceOver(seen, {from: at, to: at + near, lag}) - differenceOver(seen, {from: at - NEAR, to: at, lag});
    const sharp = step + (off(at) - off(at - 1)) / 2;
    if (Math.sign(step) === Math.sign(move) && Math.abs(sharp) > Math.abs(best.step)) best = {at, step: sharp};
  }
  return best.at < 0 ? null : best.at;
}

/** Whether the newest day is still there, by the same hours of the newest day, or of the weekday, before the way. */
function hasStayed(seen: Float64Array, {from, at, by}: Jump): boolean {
  const begin = Math.max(at, seen.length - DAY);
  const weeks = Math.ceil((seen.length - from) / WEEK) * WEEK;
  const lag = begin - weeks >= 0 ? weeks : Math.ceil((seen.length - from) / DAY) * DAY;
  return differenceOver(seen, {from: begin, to: seen.length, lag}) / by >= STAYED;
}
