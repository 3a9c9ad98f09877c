import {isUnanswered} from './quorum.ts';
import type {EndpointReading} from './sweep.ts';

/** When an endpoint is asked again, and in which lane. `deaf` = how many looks in a row nothing came from it. */
export type Pace = {readonly deaf: number};

/** So many looks without any answer put an endpoint into the lane of the dead, where it waits only for others of its kind. */
const DEAD_AFTER = 3;
/** How much rarer the dead are asked at most, as a factor and in ms: one that is back should be seen soon. */
const RAREST = 8;
const RAREST_MS = 30_000;
/** Intervals vary by this share each way, so that endpoints do not come in step. */
const JITTER = 0.1;

/** Looks begin at ticks of this share of their interval, and of so many ms at most: each time that a process wakes up costs more than a look. */
const TICK_SHARE = 0.05;
const TICK_MS = 50;

/** The pace of an endpoint that nobody has asked yet. */
export const FRESH: Pace = {deaf: 0};

/** The pace after a look. */
export function nextPace({deaf}: Pace, {result}: Pick<EndpointReading, 'result'>): Pace {
  // What could not be judged tells nothing either way.
  if (result.ok === null) return {deaf};
  return {deaf: isUnanswered(result) ? deaf + 1 : 0};
}

/** Which lane asks it. */
export function laneOf({deaf}: Pace): 'live' | 'dead' {
  return deaf >= DEAD_AFTER ? 'dead' : 'live';
}

/** From the start of one look to the start of the next on average, in ms: the interval, doubled for each look more that the dead do not answer. */
export function everyMs({deaf}: Pace, intervalMs: number): number {
  if (deaf < DEAD_AFTER) return intervalMs;
  const times = 2 ** Math.min(10, deaf - DEAD_AFTER + 1);
  return Math.min(intervalMs * Math.min(times, RAREST), Math.max(intervalMs, RAREST_MS));
}

/** The same for one look. `random` is 0 to 1. */
export function waitMs(pace: Pace, intervalMs: number, random: number): number {
  return everyMs(pace, intervalMs) * (1 - JITTER + 2 * JITTER * random);
}

/** A wait in ms from `now` on, made longer until the next tick: looks that begin together share their wake-ups. */
export function onTick(ms: number, now: number, intervalMs: number): number {
  const tick = tickMs(intervalMs);
  return Math.max(0, Math.ceil((now + ms) / tick) * tick - now);
}

/**
 * The tick nearest to when something falls due, both by the monotonic clock in ms: what is asked at the same pace shares its wake-ups and what it reads, and whoever has come
 * late once does not come late for ever.
 */
export function nearestTick(due: number, intervalMs: number): number {
  const tick = tickMs(intervalMs);
  return Math.round(due / tick) * tick;
}

/** A whole part of the interval, so that nobody is asked more or less often than was asked for. */
const tickMs = (intervalMs: number): number => intervalMs / Math.max(1 / TICK_SHARE, Math.round(intervalMs / TICK_MS));
