import {createBaseline} from './baseline.ts';
import {createPast} from './past.ts';
import {createRecent} from './recent.ts';
import {createTimeOfDay} from './time-of-day.ts';

/** Readings whose mean is the level now, and those of the longer shift: half a day at a step of five minutes. */
export const SHORT = 10;
export const LONG = 144;
/** How much a shift of the level adds to the distance from the baseline. */
const SHIFT_WEIGHT = 0.5;
/** What an unusual time of the day weighs by itself. */
const TIME_OF_DAY_WEIGHT = 1.2;
/** A single reading that is far beyond all others must be an anomaly by itself; means of several need no such help. */
const LEVEL_TAIL = 2;
/** An alert, unless one of the so many readings before says more. */
const COOL_DOWN = 144;
/** From this evidence on a reading is an anomaly: its score is 0.5. */
const ALERT_EVIDENCE = 3.8;
/** What differs by less of itself is rounding. */
const ROUNDING = 1e-9;
/** Sums of larger ones would leave the range of numbers. They count as this. */
const LARGEST = 1e290;

/** From this score on a reading is an anomaly. */
export const ALERT_SCORE = 0.5;

/** What made a reading stand out most. */
export type Statistic = 'level' | 'short-shift' | 'long-shift' | 'time-of-day';

/** What was seen and what was expected, by one statistic: the reading and what is usual, or the mean of readings and of those before them. */
export type Finding = {readonly statistic: Statistic; readonly seen: number; readonly expected: number};

/**
 * Scores one series, reading by reading, by what came before only. Memory does not grow (about 280 KB).
 *
 * Four statistics are taken of each reading: its distance from the median of the first 400 (level), how far the mean of the last 10 is from that of the 144
 * before (short shift), the same of the last 144 (long shift), and how far the last 36 were from what is usual at their time of the day. Each becomes
 * `surprise` = -log10 of the share of its own past that was as large; see `Past`. Then
 *
 *     evidence = max(level + (short + long) / 2, 1.2 * time of day)
 *     score    = evidence / (evidence + 3.8)
 *
 * and half of that for a reading that says no more than one of the 144 before it: one alert for each burst, whatever the threshold. As the surprise of
 * few readings is small, a series cannot raise an alert before its 80th.
 */
export type Detector = {
  /** The score of a reading, from 0 to 1; 0 for one that is not known (NaN, infinite), which leaves no trace. `at` = epoch ms. */
  next(at: number, value: number): number;
  /** Whether the last reading was an anomaly, also one in a burst that has begun already. */
  readonly isAnomalous: boolean;
  /** What stood out most in the last reading; null when nothing did. */
  finding(): Finding | null;
};

/** A detector that has seen nothing yet. */
export function createDetector(): Detector {
  const baseline = createBaseline();
  const recent = createRecent(2 * LONG);
  const timeOfDay = createTimeOfDay();
  const pasts = {level: createPast(LEVEL_TAIL), short: createPast(), long: createPast(), timeOfDay: createPast()};
  const coolDown = createCoolDown();
  const last = {value: Number.NaN, usual: Number.NaN, median: Number.NaN, level: 0, short: 0, long: 0, timeOfDay: 0, evidence: 0};

  function learn(at: number, value: number): void {
    last.value = value;
    last.median = baseline.median;
    last.usual = timeOfDay.expected(at);
    last.level = surprise(pasts.level, distance(value, last.median));
    baseline.add(value);
    recent.add(value);
    last.short = surprise(pasts.short, shift(recent, SHORT));
    last.long = surprise(pasts.long, shift(recent, LONG));
    last.timeOfDay = surprise(pasts.timeOfDay, withoutRounding(timeOfDay.add(at, value), value));
    last.evidence = Math.max(last.level + SHIFT_WEIGHT * (last.short + last.long), TIME_OF_DAY_WEIGHT * last.timeOfDay);
  }

  return {
    next(at, value) {
      if (!Number.isFinite(value) || !Number.isFinite(at)) {
        last.evidence = 0;
        return 0;
      }
      learn(at, Math.min(LARGEST, Math.max(-LARGEST, value)));
      const score = last.evidence / (last.evidence + ALERT_EVIDENCE);
      return coolDown(last.evidence) ? score : score / 2;
    },
    get isAnomalous() {
      return last.evidence >= ALERT_EVIDENCE;
    },
    finding() {
      if (last.evidence === 0) return null;
      if (TIME_OF_DAY_WEIGHT * last.timeOfDay === last.evidence) return found('time-of-day', last.value, last.usual);
      const parts = [last.level, SHIFT_WEIGHT * last.short, SHIFT_WEIGHT * last.long];
      if (parts[0] === Math.max(...parts)) return found('level', last.value, last.median);
      const length = parts[1] === Math.max(...parts) ? SHORT : LONG;
      return found(length === SHORT ? 'short-shift' : 'long-shift', recent.mean(0, length), before(recent, length));
    },
  };
}

const found = (statistic: Statistic, seen: number, expected: number): Finding => ({statistic, seen, expected});

/** 0 where the statistic is not known yet. */
function surprise(past: {surprise(size: number): number}, size: number): number {
  return Number.isNaN(size) ? 0 : past.surprise(size);
}

/** How far the mean of the last `length` readings is from the mean of up to 144 before them, at least `length`. */
function shift(recent: ReturnType<typeof createRecent>, length: number): number {
  return distance(recent.mean(0, length), before(recent, length));
}

function before(recent: ReturnType<typeof createRecent>, length: number): number {
  const there = Math.min(LONG, recent.count - length);
  return there < length ? Number.NaN : recent.mean(length, there);
}

function distance(a: number, b: number): number {
  return withoutRounding(Math.abs(a - b), Math.max(Math.abs(a), Math.abs(b)));
}

function withoutRounding(size: number, of: number): number {
  return size <= ROUNDING * Math.abs(of) ? 0 : size;
}

/**
 * Whether a reading's evidence is more than that of each of the 144 before it. The readings that could still be the largest are kept in falling order, as
 * for a sliding maximum.
 */
function createCoolDown(): (evidence: number) => boolean {
  const evidences = new Float64Array(COOL_DOWN + 1);
  const rows = new Float64Array(COOL_DOWN + 1);
  const size = COOL_DOWN + 1;
  let first = 0;
  let count = 0;
  let row = 0;
  return (evidence) => {
    row += 1;
    if (count > 0 && (rows[first] ?? 0) < row - COOL_DOWN) {
      first = (first + 1) % size;
      count -= 1;
    }
    const isMost = count === 0 || evidence > (evidences[first] ?? 0);
    while (count > 0 && (evidences[(first + count - 1) % size] ?? 0) <= evidence) count -= 1;
    const place = (first + count) % size;
    evidences[place] = evidence;
    rows[place] = row;
    count += 1;
    return isMost;
  };
}
