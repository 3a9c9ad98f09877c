import {STEP_MS} from '../regularize/steps.ts';
import type {Series} from '../series.ts';
import {withBendAfter} from './bend-after-jump.ts';
import {findCleanUps} from './clean-ups.ts';
import {type Days, daysOf, weekdayOffsets} from './days.ts';
import {onNewestLevel, type RecentJump, recentJump} from './recent-jump.ts';
import {type Break, type Exhaustion, NO_DATES} from './result.ts';
import {sentenceOf} from './says.ts';
import {type Shape, shapeOfGrowth} from './shape-of-growth.ts';
import {teethTrend} from './teeth.ts';
import {type Pace, type Trend, trendOf} from './trend.ts';

const DAY_MS = 86_400_000;
/** Eighteen months. */
const HORIZON_DAYS = 548;
/** A line through two days says nothing about how sure it is. */
const LEAST_DAYS = 3;
/** The search for the day of the crossing goes by quarters of a day. */
const STEP_DAYS = 0.25;
/**
 * Added to each end of the 95 % range, as a share of the time that is left: intervals of a slope know nothing of a wrong shape, and of what people will do.
 * On generated disks (bench/exhaustion.ts) the range holds 95 to 98 % with it, 58 to 75 % without.
 */
const MARGIN = 0.1;

export type ExhaustionOptions = {
  /** How far ahead to look; default: 548 days, eighteen months. */
  readonly horizonDays?: number;
  /** Epoch ms: which year is not named in the sentence; default: the end of the series. */
  readonly now?: number;
};

/**
 * When a series reaches its limit: one break of slope or level is searched, the growth after it is the median of the slopes between all pairs of daily
 * means (Theil-Sen), and the series is full when the peak of a day reaches the limit. Answers dates as a range; what cannot be said is null, and `state`
 * and `says` tell why. Pure and deterministic. Of the newest 400 days; about 100 ms for those.
 */
export function findExhaustion(series: Series, {horizonDays = HORIZON_DAYS, now}: ExhaustionOptions = {}): Exhaustion {
  const {scaled: seen, scale} = withoutUnit(series);
  const jump = recentJump(seen);
  const scaled = onNewestLevel(seen, jump);
  const cleanUps = findCleanUps(scaled);
  const days = daysOf(scaled);
  const {timeZone, unit} = series;
  const limit = series.limit === null || !Number.isFinite(series.limit) ? null : series.limit;
  const clock = clockOf(days, series);
  const wording = {timeZone, unit, now: now ?? clock.end, horizonDays, days: days.day.length};
  const answer = (rest: Omit<Exhaustion, 'limit' | 'says' | 'horizonAt'>): Exhaustion => {
    const whole = {limit, horizonAt: clock.end + horizonDays * DAY_MS, ...rest};
    return {...whole, says: sentenceOf(whole, wording)};
  };
  if (days.day.length < LEAST_DAYS)
    return answer({state: 'too-short', ...NO_DATES, break: null, growth: 'steady', slopePerDay: null, confidence: null});
  const offsets = weekdayOffsets(days);
  const level = withoutOffsets(days, offsets);
  const lifted = liftedDay(days, series, jump);
  const found = shapeOfGrowth(days.day, level);
  const shape = withBendAfter(found, days.day, level, liftedDay(days, series, jump, 0));
  const since = days.from + (days.day[shape.at] ?? 0) * DAY_MS;
  const teeth = cleanUps === null ? null : teethTrend(cleanUps, {from: days.from, since});
  const trend = teeth ?? trendOf(days, offsets, shape, lifted);
  const facts = {
    break:
      jump === null || jump.outage ? breakOf(shape, days, scale) : jumpAt(series, jump, {scale, bend: shape === found ? 0 : shape.bend}),
    growth: shape.kind === 'accelerating' ? ('accelerating' as const) : ('steady' as const),
    slopePerDay: trend.slope * scale,
  };
  if (limit === null) return answer({state: 'no-limit', ...NO_DATES, ...facts, confidence: null});
  const reached = fullSince(series, jump?.at ?? 0, limit, days.from + (days.day.at(-1) ?? 0) * DAY_MS);
  if (reached !== null) {
    const at = {p50At: reached, p90At: reached, earliestAt: reached, latestAt: reached};
    return answer({state: 'full', ...at, ...facts, confidence: 'high'});
  }
  const dates = datesOf(trend, clock, {limit: limit / scale, horizonDays});
  return answer({state: stateOf(trend, dates.p50At), ...dates, ...facts, confidence: confidenceOf(dates, clock.end, days)});
}

/** Values of about 1: sums of huge ones would leave the range of numbers. */
function withoutUnit(series: Series): {readonly scaled: Series; readonly scale: number} {
  const largest = series.values.reduce((most, value) => (Number.isFinite(value) ? Math.max(most, Math.abs(value)) : most), 0);
  const scale = largest === 0 ? 1 : largest;
  return {scaled: {...series, values: series.values.map((value) => value / scale)}, scale};
}

function withoutOffsets({day, mean}: Days, offsets: Float64Array): Float64Array {
  return mean.map((value, i) => value - (offsets[(day[i] ?? 0) % offsets.length] ?? 0));
}

function breakOf(shape: Shape, days: Days, scale: number): Break | null {
  const {kind, at, jump, bend} = shape;
  if (kind === 'steady' || kind === 'accelerating') return null;
  return {at: days.from + (days.day[at] ?? 0) * DAY_MS, kind, jump: jump * scale, slopeChangePerDay: bend * scale};
}

const jumpAt = ({starts}: Series, {at, by}: RecentJump, {scale, bend}: {readonly scale: number; readonly bend: number}): Break => ({
  ...{at: starts[at] ?? 0, jump: by * scale, slopeChangePerDay: bend * scale},
  kind: bend === 0 ? 'level' : 'level-and-slope',
});

/** The first day, as an index, that is on the newest level by itself, but for `before` of it at most. An outage has none. */
function liftedDay({day, from}: Days, {starts}: Series, jump: RecentJump | null, before = 0.5): number | null {
  if (jump === null || jump.outage) return null;
  const at = ((starts[jump.at] ?? 0) - from) / DAY_MS;
  const index = day.findIndex((each) => each + before >= at);
  return index === -1 ? null : index;
}

type Clock = {
  /** The end of the newest step, epoch ms. */
  readonly end: number;
  /** The first day to look at, as counted in `Days`: its middle is `end`. */
  readonly first: number;
};

/** A day's mean is that of its middle. Where the newest days are not known, dates are counted from now all the same. */
function clockOf({from}: Days, {starts, grain}: Series): Clock {
  const end = (starts.at(-1) ?? from) + STEP_MS[grain];
  return {end, first: (end - from) / DAY_MS - (grain === 'weekly' ? 7 : 1) / 2};
}

type Dates = Pick<Exhaustion, 'p50At' | 'p90At' | 'earliestAt' | 'latestAt'>;

function datesOf(trend: Trend, clock: Clock, {limit, horizonDays}: {limit: number; horizonDays: number}): Dates {
  /** Days from the end of the series until a peak is at the limit, times `margin`; null = not within the horizon. */
  const daysTo = (pace: Pace, margin: number): number | null => {
    for (let ahead = 0; ahead <= horizonDays; ahead += STEP_DAYS)
      if (trend.peak(clock.first + ahead, pace) >= limit) return ahead * margin <= horizonDays ? ahead * margin : null;
    return null;
  };
  const likely = daysTo('likely', 1);
  const soon = least(daysTo('fast80', 1 - MARGIN / 2), likely);
  const earliest = least(daysTo('fast95', 1 - MARGIN), soon);
  const slowest = daysTo('slow95', 1 + MARGIN);
  const latest = likely === null || slowest === null ? null : Math.max(slowest, likely);
  const atOf = (ahead: number | null) => (ahead === null ? null : clock.end + ahead * DAY_MS);
  return {p50At: atOf(likely), p90At: atOf(soon), earliestAt: atOf(earliest), latestAt: atOf(latest)};
}

function least(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.min(a, b);
}

/** The first reading from `from` (an index) on at the limit in the unbroken run of days that reach it, up to the newest day; null when that does not. */
function fullSince({starts, values}: Series, from: number, limit: number, newestDay: number): number | null {
  let since: number | null = null;
  let day = newestDay;
  for (let i = values.length - 1; i >= from; i--) {
    const at = starts[i] ?? 0;
    // A whole day without such a reading ends the run.
    if (at < day) {
      if (since === null || since >= day + DAY_MS) break;
      while (at < day) day -= DAY_MS;
    }
    if ((values[i] ?? 0) >= limit) since = at;
  }
  return since;
}

function stateOf({lower80, upper80}: Trend, p50At: number | null): Exhaustion['state'] {
  if (p50At !== null) return 'filling';
  if (upper80 < 0) return 'shrinking';
  return lower80 > 0 ? 'not-within-horizon' : 'flat';
}

/** How wide the range is beside how far it is ahead. */
function confidenceOf({p50At, earliestAt, latestAt}: Dates, end: number, days: Days): Exhaustion['confidence'] {
  if (p50At === null) return earliestAt === null ? 'high' : 'low';
  if (latestAt === null || earliestAt === null || days.day.length < 14) return 'low';
  const width = (latestAt - earliestAt) / Math.max(DAY_MS, p50At - end);
  return width <= 0.4 ? 'high' : width <= 1 ? 'medium' : 'low';
}
