import {createRecent} from './recent.ts';

const DAY_MS = 86_400_000;
/** Slots of five minutes, in a day and in a week. */
export const DAY_SLOTS = 288;
export const WEEK_SLOTS = 7 * DAY_SLOTS;
/** How much of a new reading goes into what is expected of its slot: a change of the pattern is learned in about four of its rounds. */
const LEARN = 0.3;
/** Deviations are averaged over so many readings: three hours at a step of five minutes. */
const READINGS = 36;

/** What a series is like at each time of the day, or of the week. */
export type Profile = {
  /** What was usual at this time; NaN = it was never seen. */
  expected(wall: number): number;
  /** Multiplies all that is usual. */
  scale(by: number): void;
  /** Takes a reading; answers the mean distance of the last 36 readings from what was usual at their times, NaN while there are not so many. */
  add(wall: number, value: number): number;
};

/** Simple exponential smoothing (Brown 1956) of each five minutes of the day (288 slots) or the week (2016) by itself. Times are of the wall clock, ms since 1970. */
export function createProfile(slots: number): Profile {
  const usual = new Float64Array(slots).fill(Number.NaN);
  const distances = createRecent(READINGS);
  const slotOf = (wall: number): number => {
    const slot = Math.floor((wall * DAY_SLOTS) / DAY_MS) % slots;
    return slot < 0 ? slot + slots : slot;
  };
  return {
    expected: (wall) => usual[slotOf(wall)] ?? Number.NaN,
    scale(by) {
      for (let i = 0; i < slots; i++) usual[i] = (usual[i] ?? 0) * by;
    },
    add(wall, value) {
      const slot = slotOf(wall);
      const before = usual[slot] ?? Number.NaN;
      usual[slot] = Number.isNaN(before) ? value : before + LEARN * (value - before);
      if (Number.isNaN(before)) return Number.NaN;
      distances.add(Math.abs(value - before));
      return distances.mean(0, READINGS);
    },
  };
}
