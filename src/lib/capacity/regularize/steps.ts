import {type ClockSpan, clockSpans} from '../../time-zone.ts';
import type {Grain} from '../series.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** How long a step of each grain is by a clock that is never changed, in ms. */
export const STEP_MS: Readonly<Record<Grain, number>> = {hourly: HOUR_MS, daily: DAY_MS, weekly: 7 * DAY_MS};

/** A Monday, 1970-01-05: weeks begin on Mondays. */
const MONDAY_MS = 4 * DAY_MS;

/**
 * Steps by the wall clock of a zone. `starts` = when each begins, epoch ms, rising. `lengths` = how long each really is, in ms: an hour that is there twice in
 * autumn has two hours, a day has 23 to 25. A step that the clock leaves out in spring has length 0 and begins 1 ms before the next one.
 */
export type Steps = {
  readonly grain: Grain;
  readonly starts: Float64Array;
  readonly lengths: Float64Array;
  /** The spans of the zone's clock that the steps lie in. */
  readonly spans: readonly ClockSpan[];
  /** Number of the first step; see `stepOf`. */
  readonly first: number;
};

/** Number of the step that a wall clock (ms since 1970 as if it were UTC) is in. Steps are numbered from 1970 on. */
export function stepOf(grain: Grain, wallMs: number): number {
  return Math.floor((wallMs - (grain === 'weekly' ? MONDAY_MS : 0)) / STEP_MS[grain]);
}

/** The wall clock at which a step begins. */
export function wallOf(grain: Grain, step: number): number {
  return step * STEP_MS[grain] + (grain === 'weekly' ? MONDAY_MS : 0);
}

/** All steps that a range of time touches, with one or two more at either end that it does not. */
export function stepsAround(grain: Grain, timeZone: string, from: number, to: number): Steps {
  const margin = STEP_MS[grain] + DAY_MS;
  const [begin, end] = [from - margin, to + margin];
  const spans = clockSpans(timeZone, begin, end);
  const first = stepOf(grain, begin + offsetAt(spans, begin));
  const last = stepOf(grain, end + offsetAt(spans, end));
  const starts = new Float64Array(last - first + 1).fill(Number.NaN);
  const lengths = new Float64Array(starts.length);
  const walk = stepWalker({grain, spans, first});
  walk(begin, end, (index, at, ms) => {
    if (index < 0 || index >= starts.length) return;
    if (Number.isNaN(starts[index])) starts[index] = at;
    lengths[index] = (lengths[index] as number) + ms;
  });
  for (let index = starts.length - 2; index >= 0; index -= 1) {
    if (Number.isNaN(starts[index])) starts[index] = (starts[index + 1] as number) - 1;
  }
  return {grain, starts, lengths, spans, first};
}

/**
 * When the steps after one begin, for forecasts: `count` times, rising. `at` = begin of the last known step (epoch ms). What `Steps` says of hours that the
 * clock leaves out holds here, too.
 */
export function startsAfter(
  at: number,
  count: number,
  {grain, timeZone}: {readonly grain: Grain; readonly timeZone: string},
): Float64Array {
  const {starts} = stepsAround(grain, timeZone, at, at + (count + 1) * STEP_MS[grain]);
  const next = starts.findIndex((start) => start > at);
  return starts.slice(next, next + count);
}

/** Told each part of an interval that lies in one step: the step's place among `Steps`, when the part begins, and how long it is in ms. */
export type PartOf = (index: number, at: number, ms: number) => void;

/** Cuts intervals at the bounds of steps. Made for many intervals that come in order of time. */
export function stepWalker({
  grain,
  spans,
  first,
}: Pick<Steps, 'grain' | 'spans' | 'first'>): (from: number, to: number, part: PartOf) => void {
  let here = 0;
  return (from, to, part) => {
    if (spanFrom(spans, here) > from) here = 0;
    for (let at = from; at < to; ) {
      while (spanFrom(spans, here + 1) <= at) here += 1;
      const {offsetMs} = spans[here] as ClockSpan;
      const step = stepOf(grain, at + offsetMs);
      const end = Math.min(to, wallOf(grain, step + 1) - offsetMs, spanFrom(spans, here + 1));
      part(step - first, at, end - at);
      at = end;
    }
  };
}

/** By how much the wall clock is ahead of UTC at a time, in ms. */
export function offsetAt(spans: readonly ClockSpan[], at: number): number {
  return (spans.findLast(({from}) => from <= at) ?? (spans[0] as ClockSpan)).offsetMs;
}

function spanFrom(spans: readonly ClockSpan[], index: number): number {
  return spans[index]?.from ?? Number.POSITIVE_INFINITY;
}
