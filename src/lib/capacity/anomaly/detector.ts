import {createBaseline} from './baseline.ts';
import {createSteadyGrowth} from './growth.ts';
import {createLevels, ROUNDING} from './levels.ts';
import {createRhythm} from './rhythm.ts';

/** What an unusual time of the day weighs by itself. */
const TIME_OF_DAY_WEIGHT = 1.2;
/** Among thousands of readings the one that is furthest from what is usual at its time, by a little, is no anomaly by itself: at most so much for its rank. */
const LARGEST_COMMON = 3.3;
/** A rhythm must have told what is usual for so long before it is relied upon. */
const SETTLED_MS = 7 * 86_400_000;
/** An alert, unless one of the so many readings before says more. */
const COOL_DOWN = 144;
/** From this evidence on a reading is an anomaly: its score is 0.5. */
const ALERT_EVIDENCE = 3.8;
/** Sums of larger ones would leave the range of numbers. They count as this. */
const LARGEST = 1e290;

/** From this score on a reading is an anomaly. */
export const ALERT_SCORE = 0.5;

/** What made a reading stand out most. */
export type Statistic = 'level' | 'short-shift' | 'long-shift' | 'time-of-day';

/** What was seen and what was expected, by one statistic: the reading and what is usual, or the mean of readings and of those before them. */
export type Finding = {readonly statistic: Statistic; readonly seen: number; readonly expected: number};

/**
 * Scores one series, reading by reading, by what came before only. Memory does not grow (about 450 KB).
 *
 * Four statistics are taken of each reading: its distance from the median of the first 400 (level), how far the mean of the last 10 is from that of the 144
 * before (short shift), the same of the last 144 (long shift), and how far the last 36 were from what is usual at their time of the day or the week (see `Rhythm`). Each
 * becomes `surprise` = -log10 of the share of its own past that was as large; see `Past`. Then
 *
 *     evidence = max(level + (short + long) / 2, 1.2 * time of day)
 *     score    = evidence / (evidence + 3.8)
 *
 * and half of that for a reading that says no more than one of the 144 before it: one alert for each burst, whatever the threshold. As the surprise of
 * few readings is small, a series cannot raise an alert before its 80th. A steady growth (see `SteadyGrowth`) is taken off first. Where the rhythm has told for a week what
 * the series does, the level counts no more than that of what the rhythm leaves.
 */
export type Detector = {
  /** The score of a reading, from 0 to 1; 0 for one that is not known (NaN, infinite), which leaves no trace. `at` = epoch ms. */
  next(at: number, value: number): number;
  /** Whether the last reading was an anomaly, also one in a burst that has begun already. */
  readonly isAnomalous: boolean;
  /** What stood out most in the last reading; null when nothing did. */
  finding(): Finding | null;
};

/** A detector that has seen nothing yet. `wallOf` = what the clock of the series' zone shows at a time, ms since 1970; default UTC. */
export function createDetector(wallOf: (at: number) => number = (at) => at): Detector {
  const baseline = createBaseline();
  const growth = createSteadyGrowth();
  const rhythm = createRhythm();
  const whole = createLevels();
  const beside = createLevels(LARGEST_COMMON);
  const coolDown = createCoolDown();
  const last = {toldSince: Number.NaN, factor: 1, value: Number.NaN, timeOfDay: 0, evidence: 0};

  function learn(wall: number, reading: number): void {
    const before = growth.add(wall, reading);
    if (before !== 1) for (const each of [whole, rhythm]) each.scale(before);
    last.factor = growth.factor;
    last.value = reading / last.factor;
    whole.add(last.value, baseline.median);
    baseline.add(last.value);
    last.timeOfDay = TIME_OF_DAY_WEIGHT * rhythm.add(wall, last.value, ROUNDING * Math.abs(last.value));
    last.evidence = Math.max(levelEvidence(wall), last.timeOfDay);
  }

  /** Once the rhythm is known, what belongs to it is usual, however rare: what it does not explain must be unusual too. */
  function levelEvidence(wall: number): number {
    if (!rhythm.isTelling || Number.isNaN(rhythm.expected)) return whole.evidence;
    if (Number.isNaN(last.toldSince)) last.toldSince = wall;
    beside.add(last.value - rhythm.expected, 0);
    const isSettled = wall - last.toldSince >= SETTLED_MS;
    return isSettled ? Math.min(whole.evidence, beside.evidence) : whole.evidence;
  }

  return {
    next(at, value) {
      if (!Number.isFinite(value) || !Number.isFinite(at)) {
        last.evidence = 0;
        return 0;
      }
      learn(wallOf(at), Math.min(LARGEST, Math.max(-LARGEST, value)));
      const score = last.evidence / (last.evidence + ALERT_EVIDENCE);
      return coolDown(last.evidence) ? score : score / 2;
    },
    get isAnomalous() {
      return last.evidence >= ALERT_EVIDENCE;
    },
    finding() {
      if (last.evidence === 0) return null;
      if (last.timeOfDay === last.evidence) return found('time-of-day', last.value, rhythm.expected, last.factor);
      const {part, seen, expected} = whole.finding();
      return found(part, seen, expected, last.factor);
    },
  };
}

/** What was taken off for a steady growth is put back. */
const found = (statistic: Statistic, seen: number, expected: number, factor: number): Finding => ({
  statistic,
  seen: seen * factor,
  expected: expected * factor,
});

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
