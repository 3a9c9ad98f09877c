import {clockSpans} from '../../time-zone.ts';
import type {Remark, Series} from '../series.ts';
import {type Alert, createBursts} from './bursts.ts';
import {createDetector} from './detector.ts';
import {createTimeline} from './timeline.ts';

/** Fewer readings say nothing about what is usual. */
export const FEWEST_READINGS = 100;

/** What was found in one series. Times are epoch ms, NaN where there is no reading. */
export type Watched = {
  /** Readings with a value. */
  readonly readings: number;
  readonly from: number;
  readonly to: number;
  /** The newest last. */
  readonly alerts: readonly Alert[];
  readonly remarks: readonly Remark[];
};

/** Looks at one series, reading by reading. Memory grows with the number of alerts only. */
export type Watch = {
  /** The score of a reading by those before it, from 0 to 1; from 0.5 on it is an anomaly. NaN = the value is not known: 0. */
  next(at: number, value: number): number;
  /** What was found so far. */
  found(): Watched;
};

/** `wallOf` = what the clock of the series' zone shows at a time, ms since 1970; default UTC. */
export function createWatch(wallOf?: (at: number) => number): Watch {
  const detector = createDetector(wallOf);
  const bursts = createBursts();
  const timeline = createTimeline();
  return {
    next(at, value) {
      const score = detector.next(at, value);
      timeline.add(at, value);
      bursts.take(at, score, detector);
      return score;
    },
    found: () => ({
      readings: timeline.known,
      from: timeline.from,
      to: timeline.to,
      alerts: bursts.alerts(),
      remarks: timeline.remarks(),
    }),
  };
}

/** The same of a whole series, by the clock of its zone: one score for each of its values. Its own remarks are kept in place of those on its times, which are regular. */
export function watchSeries(series: Series): Watched & {readonly scores: Float64Array} {
  const watch = createWatch(wallClockOf(series));
  const scores = series.values.map((value, i) => watch.next(series.starts[i] ?? Number.NaN, value));
  return {...watch.found(), remarks: series.remarks, scores};
}

/** The clock of the zone of a series, for times in order: a shape by the hour is the same before and after the change to summer time. */
function wallClockOf({timeZone, starts}: Series): (at: number) => number {
  const [first, last] = [starts.find(Number.isFinite), starts.findLast(Number.isFinite)];
  if (first === undefined || last === undefined) return (at) => at;
  const spans = clockSpans(timeZone, first, last);
  let here = 0;
  return (at) => {
    while (here + 1 < spans.length && (spans[here + 1]?.from ?? at) <= at) here += 1;
    return at + (spans[here]?.offsetMs ?? 0);
  };
}
