import {isJudged, percentile} from './load-figures.ts';
import type {LoadRequest} from './load-log.ts';

/** What clients felt in the last 5 s. A rate or time of fewer than 10 requests is null: too few to say anything. */
export type LoadNow = {
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: number | null;
  readonly p95Ms: number | null;
};

export const WINDOW_MS = 5000;
export const FEWEST = 10;

/** Keeps the requests that ended in the last 5 s. Times are of one monotonic clock. */
export type LoadWindow = {
  ended(now: number, request: Pick<LoadRequest, 'end' | 'held' | 'ms'>): void;
  /** `waiting`: for how long each request that is still under way has waited so far. It will take at least that long. */
  read(now: number, waiting?: readonly number[]): LoadNow;
};

type Ended = {readonly now: number; readonly failed: boolean; readonly ms: number | null};

/** An empty window. */
export function loadWindow(): LoadWindow {
  let kept: Ended[] = [];
  let first = 0;
  const forget = (now: number): void => {
    while ((kept[first]?.now ?? now) <= now - WINDOW_MS) first += 1;
    if (first * 2 <= kept.length) return;
    kept = kept.slice(first);
    first = 0;
  };
  return {
    ended(now, {end, held, ms}) {
      if (isJudged({end, ...(held === undefined ? {} : {held})}))
        kept.push({now, failed: end !== 'ok', ms: end === 'ok' && held !== true ? ms : null});
      forget(now);
    },
    read(now, waiting = []) {
      forget(now);
      const recent = kept.slice(first);
      const errors = recent.filter(({failed}) => failed).length;
      const times = Float64Array.from([...recent.flatMap(({ms}) => (ms === null ? [] : [ms])), ...waiting]).sort();
      return {
        requests: recent.length,
        errors,
        errorRate: recent.length < FEWEST ? null : errors / recent.length,
        p95Ms: times.length < FEWEST ? null : percentile(times, 95),
      };
    },
  };
}
