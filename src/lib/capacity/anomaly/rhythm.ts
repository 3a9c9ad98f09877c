import {createPast} from './past.ts';
import {createProfile, DAY_SLOTS, WEEK_SLOTS} from './time-of-day.ts';

/** How fast the typical distances from the profiles are forgotten: in about so many readings. */
const TYPICAL = 4032;
/** The week is better than the day where it is off by so much less. */
const BETTER = 0.7;
/** Of a week that was seen once, a little more must be known: readings of the second. */
const SETTLED = 288;

/** A rhythm that leaves less than so much of the distance from the mean tells what is usual. */
const EXPLAINS = 0.5;

/** How unlike a reading is to what is usual at its time. */
export type Rhythm = {
  /** What was expected of the newest reading; NaN = nothing. */
  readonly expected: number;
  /** Whether the rhythm tells most of what the series does: the distance from what is usual is less than half of that from the mean. */
  readonly isTelling: boolean;
  /** Multiplies all that is usual. */
  scale(by: number): void;
  /** Takes a reading; answers the surprise (see `Past`) of the last 36, 0 while nothing is known. `rounding` = differences up to it are none. */
  add(wall: number, value: number, rounding: number): number;
};

/**
 * By the time of the day, until the time of the week is seen to tell more: its mean distance is less than 0.7 of that of the day. A weekend is not unusual then, and a
 * working day's load at a weekend is.
 */
export function createRhythm(): Rhythm {
  const ofDay = createSide(DAY_SLOTS);
  const ofWeek = createSide(WEEK_SLOTS);
  let expected = Number.NaN;
  let isWeekly = false;
  let mean = Number.NaN;
  const apart = createTypical();
  return {
    get isTelling() {
      return (isWeekly ? ofWeek : ofDay).typical < EXPLAINS * apart.typical;
    },
    get expected() {
      return expected;
    },
    scale(by) {
      for (const side of [ofDay, ofWeek]) side.scale(by);
      mean *= by;
    },
    add(wall, value, rounding) {
      const [day, week] = [ofDay.expected(wall), ofWeek.expected(wall)];
      isWeekly = ofWeek.known >= SETTLED && ofWeek.typical < BETTER * ofDay.typical;
      const [dayly, weekly] = [ofDay.add(wall, value, rounding), ofWeek.add(wall, value, rounding)];
      if (Number.isNaN(mean)) mean = value;
      apart.note(value - mean);
      mean += (value - mean) / Math.min(apart.count, TYPICAL);
      // Both are compared over the same readings.
      if (!Number.isNaN(week)) for (const side of [ofDay, ofWeek]) side.note(value);
      expected = isWeekly && !Number.isNaN(week) ? week : day;
      return isWeekly ? weekly : dayly;
    },
  };
}

/** The mean size of differences, the older ones forgotten little by little. */
function createTypical() {
  let count = 0;
  let typical = 0;
  return {
    get count() {
      return count;
    },
    get typical() {
      return typical;
    },
    note(difference: number): void {
      count += 1;
      typical += (Math.abs(difference) - typical) / Math.min(count, TYPICAL);
    },
  };
}

function createSide(slots: number) {
  const profile = createProfile(slots);
  const past = createPast();
  const off = createTypical();
  let usual = Number.NaN;
  return {
    get known() {
      return off.count;
    },
    get typical() {
      return off.typical;
    },
    expected: profile.expected,
    scale: profile.scale,
    add(wall: number, value: number, rounding: number): number {
      usual = profile.expected(wall);
      const size = profile.add(wall, value);
      if (Number.isNaN(size)) return 0;
      return past.surprise(size <= rounding ? 0 : size);
    },
    note(value: number): void {
      if (!Number.isNaN(usual)) off.note(value - usual);
    },
  };
}
