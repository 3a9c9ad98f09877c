import {usageError} from '../errors.ts';
import type {Path} from './forecast/shapes.ts';

/** A geometric growth: at `from` everything is as forecast, at `to` it is `factor` times that. Times are epoch ms. */
export type Growth = {
  readonly factor: number;
  readonly from: number;
  readonly to: number /** As people wrote it. */;
  readonly text: string;
};

/** When a path first reaches a limit, epoch ms; null = not within the path. `p90At` is never later than `p50At`. */
export type Crossing = {readonly limit: number; readonly p50At: number | null; readonly p90At: number | null};

const DAY_MS = 86_400_000;
const MOST_FACTOR = 1e6;
const MOST_MONTHS = 120;

/**
 * Reads `--growth 10x --over 18mo` (ten times as much after 18 months) or `--growth 5%/mo` (five percent more with each month; `over` may be left out).
 * Months and years of `over` are those of the calendar, in UTC; those of a rate are all of the same length, a year of 365.25 days and its twelfth: by the calendar
 * February would grow twelve times in eleven months. Throws a usage error for anything else, for a factor that is not above 0, and for more than ten years.
 */
export function parseGrowth(growth: string, over: string | undefined, from: number): Growth {
  const [, times] = /^(\d+(?:\.\d+)?)x$/.exec(growth) ?? [];
  if (times !== undefined) {
    if (over === undefined)
      throw usageError(`--growth ${growth} needs --over, such as --over 18mo: how long until it is ${times} times as much`);
    return checked({factor: Number(times), from, to: endOf(over, from), text: `${growth} over ${over}`});
  }
  const [, sign = '', percent, unit] = /^([+-]?)(\d+(?:\.\d+)?)%\/(d|w|mo|y)$/.exec(growth) ?? [];
  if (percent === undefined || unit === undefined)
    throw usageError(`--growth ${growth}: expected a factor such as 10x (with --over 18mo), or a rate such as 5%/mo`);
  const factor = 1 + Number(`${sign}${percent}`) / 100;
  return checked({factor, from, to: from + spanDays(`1${unit}`) * DAY_MS, text: over === undefined ? growth : `${growth} over ${over}`});
}

/** What everything is multiplied by when a growth is over: `at` (epoch ms) = then; `text` = as people wrote it. */
export type Grown = {readonly factor: number; readonly at: number; readonly text: string};

/** Days of a span of a rate, and of one of which only the ratio to another counts: a year is twelve months, whenever it begins. */
const SPAN_DAYS: Readonly<Record<string, number>> = {d: 1, w: 7, mo: 365.25 / 12, y: 365.25};

const spanDays = (text: string): number => {
  const [, count, unit] = /^(\d*)(d|w|mo|y)$/.exec(text) ?? [];
  return Number(count === '' ? 1 : count) * (SPAN_DAYS[unit ?? ''] ?? Number.NaN);
};

/** The end of a growth that is written as for `parseGrowth`: of a rate, such as `5%/mo`, after all of `over` (default: once; a year is twelve months). Throws the same. */
export function parseGrown(growth: string, over: string | undefined, from: number): Grown {
  const parsed = parseGrowth(growth, over, from);
  const [, unit] = growth.split('/');
  const span = over ?? (unit === undefined ? undefined : `1${unit}`);
  const at = span === undefined ? parsed.to : endOf(span, from);
  const times = over === undefined || unit === undefined ? 1 : spanDays(over) / spanDays(unit);
  const {factor} = checked({...parsed, factor: parsed.factor ** times});
  return {factor, at, text: parsed.text};
}

function checked(growth: Growth): Growth {
  if (growth.factor > 0 && growth.factor <= MOST_FACTOR) return growth;
  throw usageError(`--growth ${growth.text}: the factor must be above 0 and at most ${MOST_FACTOR}`);
}

/** The end of a span such as 90d, 26w, 18mo or 2y that begins at `from` (epoch ms). Throws a usage error for anything else and for more than ten years. */
export function endOf(over: string, from: number): number {
  const [, digits, unit] = /^([1-9]\d{0,3})(d|w|mo|y)$/.exec(over) ?? [];
  if (digits === undefined) throw usageError(`--over ${over}: expected a span such as 90d, 26w, 18mo or 2y`);
  const count = Number(digits);
  const end =
    unit === 'd' || unit === 'w' ? from + count * DAY_MS * (unit === 'w' ? 7 : 1) : addMonths(from, count * (unit === 'y' ? 12 : 1));
  if (end > addMonths(from, MOST_MONTHS)) throw usageError(`--over ${over}: at most ten years are possible`);
  return end;
}

/** The same day and time so many months later, in UTC; the last day of the month where it has no such day. */
export function addMonths(at: number, months: number): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, lastDay));
  return date.getTime();
}

/** What everything is multiplied by at a time: factor ^ ((at - from) / (to - from)), so the same growth in each equal span, also after `to`; 1 before `from`. */
export function multiplierAt({factor, from, to}: Growth, at: number): number {
  return at <= from ? 1 : factor ** ((at - from) / (to - from));
}

/**
 * The path of a forecast under a growth: each step times the multiplier at its start, its intervals with it, so that their share of the mean stays. `starts`
 * = when each step begins. The growth comes on top of whatever trend the forecast has by itself.
 */
export function grow(path: Path, starts: Float64Array, growth: Growth): Path {
  const multipliers = starts.map((at) => finite(multiplierAt(growth, at)));
  const scaled = (values: Float64Array): Float64Array => values.map((value, step) => finite(value * (multipliers[step] ?? 1)));
  return {
    mean: scaled(path.mean),
    p10: scaled(path.p10),
    p90: scaled(path.p90),
    lower95: scaled(path.lower95),
    upper95: scaled(path.upper95),
  };
}

/** When a path first reaches a limit (at it nothing is left): its mean (`p50At`), and the upper end of its 80 % interval (`p90At`), which is when it has to be ready. */
export function crossingOf(path: Pick<Path, 'mean' | 'p90'>, starts: Float64Array, limit: number): Crossing {
  const firstAt = (values: Float64Array): number | null => starts[values.findIndex((value) => value >= limit)] ?? null;
  return {limit, p50At: firstAt(path.mean), p90At: firstAt(path.p90)};
}

const finite = (value: number): number => Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
