const DAY_MS = 86_400_000;
const WEEK = 7;
/** So many days are compared with those a week before them. */
const COMPARED = 14;
/** Fewer comparisons say nothing of a growth. */
const FEWEST = 7;
/** Of one day with the next one, before there are two weeks. */
const FEWEST_DAYS = 4;
/** More in a week is a change, not a growth: it must be seen. As a logarithm. */
const FASTEST = Math.log(1.25);
/** Of a steady growth four of five comparisons show at least so much of the median. */
const STEADY_SHARE = 0.4;
/** A day with less than so much of the readings of the fullest one says little of its mean. */
const FULL_SHARE = 0.5;

/** How much a series has grown by a growth that goes on and on: what remains after it can be compared with its past. */
export type SteadyGrowth = {
  /** What the series was multiplied by since its beginning; 1 = it does not grow, or it is not known yet. */
  readonly factor: number;
  /**
   * Takes a reading; `wall` = ms since 1970 by the clock of the series' zone. Answers what everything before it is to be multiplied by, 1 but for the moment in which the
   * growth is found: it began with the series.
   */
  add(wall: number, value: number): number;
};

/**
 * The mean of each day by that of the same weekday a week before; while four of five of the newest 14 such ratios show the same growth, their median (in logarithms, as the
 * slope of Theil 1950 is a median) is applied, reading by reading, from then on. A jump is in seven of them at most, and is no growth. Nothing is applied to
 * series with days at or below zero, nor before two weeks.
 */
export function createSteadyGrowth(): SteadyGrowth {
  /** Logarithms of the means of days, by their number; NaN = the day says nothing. */
  const days = new Float64Array(COMPARED + WEEK).fill(Number.NaN);
  let day = Number.NaN;
  let sum = 0;
  let count = 0;
  let fullest = 0;
  let newest = Number.NaN;
  let perMs = 0;
  let grown = 0;
  let factor = 1;
  let first = Number.NaN;

  function close(next: number): void {
    fullest = Math.max(fullest, count);
    days[placeOf(day)] = count >= FULL_SHARE * fullest && sum > 0 ? Math.log(sum / count) : Number.NaN;
    for (let missing = day + 1; missing < Math.min(next, day + days.length); missing++) days[placeOf(missing)] = Number.NaN;
    perMs = growthOf(days, next) / (WEEK * DAY_MS);
    [sum, count] = [0, 0];
  }

  return {
    get factor() {
      return factor;
    },
    add(wall, value) {
      const today = Math.floor(wall / DAY_MS);
      if (Number.isNaN(first)) first = wall;
      let before = 1;
      if (today > day) close(today);
      if (Number.isNaN(day) || today > day) day = today;
      sum += value;
      count += 1;
      if (perMs !== 0 && grown === 0) {
        grown = perMs * Math.max(0, newest - first);
        before = Math.exp(-grown);
      }
      if (perMs !== 0 && wall > newest) {
        grown += perMs * Math.min(wall - newest, WEEK * DAY_MS);
        factor = Math.exp(grown);
      }
      newest = Number.isNaN(newest) ? wall : Math.max(newest, wall);
      return before;
    },
  };
}

const placeOf = (day: number): number => ((day % (COMPARED + WEEK)) + COMPARED + WEEK) % (COMPARED + WEEK);

/** Of the days before `next`, the logarithm of the growth in a week; 0 = there is none that is steady. Before there are two weeks, by each day and the one before it. */
function growthOf(days: Float64Array, next: number): number {
  const byWeek = ratiosOf(days, next, WEEK);
  if (byWeek.length >= FEWEST) return steady(byWeek);
  const byDay = ratiosOf(days, next, 1);
  return byDay.length >= FEWEST_DAYS ? steady(byDay.map((ratio) => ratio * WEEK)) : 0;
}

/** The newest up to 14 ratios of a day by that `apart` days before, as logarithms, rising. */
function ratiosOf(days: Float64Array, next: number, apart: number): readonly number[] {
  const ratios: number[] = [];
  for (let day = next - COMPARED; day < next; day++) {
    const ratio = (days[placeOf(day)] ?? Number.NaN) - (days[placeOf(day - apart)] ?? Number.NaN);
    if (Number.isFinite(ratio)) ratios.push(ratio);
  }
  return ratios.sort((a, b) => a - b);
}

function steady(ratios: readonly number[]): number {
  const median = ratios[ratios.length >> 1] ?? 0;
  const fifth = Math.floor(ratios.length / 5);
  const least = median > 0 ? (ratios[fifth] ?? 0) : -(ratios[ratios.length - 1 - fifth] ?? 0);
  return Math.abs(median) <= FASTEST && least >= STEADY_SHARE * Math.abs(median) ? median : 0;
}
