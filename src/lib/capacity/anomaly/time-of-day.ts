import {createRecent} from './recent.ts';

const DAY_MS = 86_400_000;
/** Slots of five minutes. */
const SLOTS = 288;
/** How much of a new reading goes into what is expected of its slot: a change of the pattern is learned in about four days. */
const LEARN = 0.3;
/** Deviations are averaged over so many readings: three hours at a step of five minutes. */
const READINGS = 36;

/** What a series is like at each time of the day. Times are of UTC: when the clocks change, the pattern is off by an hour until it is learned again. */
export type TimeOfDay = {
  /** What was usual at this time of the day; NaN = it was never seen. */
  expected(at: number): number;
  /** Takes a reading; answers the mean distance of the last 36 readings from what was usual at their times, NaN while there are not so many. */
  add(at: number, value: number): number;
};

/** Simple exponential smoothing (Brown 1956) of each five minutes of the day by itself. */
export function createTimeOfDay(): TimeOfDay {
  const usual = new Float64Array(SLOTS).fill(Number.NaN);
  const distances = createRecent(READINGS);
  return {
    expected: (at) => usual[slotOf(at)] ?? Number.NaN,
    add(at, value) {
      const slot = slotOf(at);
      const before = usual[slot] ?? Number.NaN;
      usual[slot] = Number.isNaN(before) ? value : before + LEARN * (value - before);
      if (Number.isNaN(before)) return Number.NaN;
      distances.add(Math.abs(value - before));
      return distances.mean(0, READINGS);
    },
  };
}

function slotOf(at: number): number {
  const inDay = ((at % DAY_MS) + DAY_MS) % DAY_MS;
  return Math.floor((inDay / DAY_MS) * SLOTS);
}
