import {createPast} from './past.ts';
import {createRecent, type Recent} from './recent.ts';

/** Readings whose mean is the level now, and those of the longer shift: half a day at a step of five minutes. */
export const SHORT = 10;
export const LONG = 144;
/** How much a shift of the level adds to the distance from what is usual. */
const SHIFT_WEIGHT = 0.5;
/** A single reading that is far beyond all others must be an anomaly by itself; means of several need no such help. */
const LEVEL_TAIL = 2;
/** What differs by less of itself is rounding. */
export const ROUNDING = 1e-9;

/** Which of the three stood out most. */
export type LevelPart = 'level' | 'short-shift' | 'long-shift';

/** How far a series is from what is usual, and how far its mean has moved. */
export type Levels = {
  /** Surprise (see `Past`) of the distance, and half of those of both shifts. */
  readonly evidence: number;
  /** What stood out most, what was seen and what was expected: the reading and what is usual, or the mean of readings and of those before them. */
  finding(): {readonly part: LevelPart; readonly seen: number; readonly expected: number};
  /** Multiplies the newest readings, in units that change. */
  scale(by: number): void;
  /** Takes a reading, and what is usual; NaN = that is not known. */
  add(value: number, usual: number): void;
};

/** `largestCommon`: the highest surprise of a distance that is no larger than all before it but for little; see `createPast`. */
export function createLevels(largestCommon?: number): Levels {
  const recent = createRecent(2 * LONG);
  const pasts = {level: createPast(LEVEL_TAIL, largestCommon), short: createPast(), long: createPast()};
  const last = {value: Number.NaN, usual: Number.NaN, level: 0, short: 0, long: 0};
  return {
    get evidence() {
      return last.level + SHIFT_WEIGHT * (last.short + last.long);
    },
    finding() {
      const parts = [last.level, SHIFT_WEIGHT * last.short, SHIFT_WEIGHT * last.long];
      if (parts[0] === Math.max(...parts)) return {part: 'level', seen: last.value, expected: last.usual};
      const length = parts[1] === Math.max(...parts) ? SHORT : LONG;
      return {
        part: length === SHORT ? 'short-shift' : 'long-shift',
        seen: recent.mean(0, length),
        expected: before(recent, length),
      };
    },
    scale: recent.scale,
    add(value, usual) {
      Object.assign(last, {value, usual});
      last.level = surprise(pasts.level, distance(value, usual));
      recent.add(value);
      last.short = surprise(pasts.short, shift(recent, SHORT));
      last.long = surprise(pasts.long, shift(recent, LONG));
    },
  };
}

/** 0 where the statistic is not known yet. */
function surprise(past: {surprise(size: number): number}, size: number): number {
  return Number.isNaN(size) ? 0 : past.surprise(size);
}

/** How far the mean of the last `length` readings is from the mean of up to 144 before them, at least `length`. */
function shift(recent: Recent, length: number): number {
  return distance(recent.mean(0, length), before(recent, length));
}

function before(recent: Recent, length: number): number {
  const there = Math.min(LONG, recent.count - length);
  return there < length ? Number.NaN : recent.mean(length, there);
}

function distance(a: number, b: number): number {
  const size = Math.abs(a - b);
  return size <= ROUNDING * Math.max(Math.abs(a), Math.abs(b)) ? 0 : size;
}
