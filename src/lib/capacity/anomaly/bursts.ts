import {ALERT_SCORE, type Detector, type Statistic} from './detector.ts';

/** One burst of anomalies. Times are epoch ms; what was seen and expected is that of its strongest reading. */
export type Alert = {
  /** Since when: its first anomaly. */
  readonly at: number;
  /** Its last anomaly so far. */
  readonly until: number;
  /** The highest score in it, from 0.5 to 1. */
  readonly score: number;
  readonly statistic: Statistic;
  readonly seen: number;
  readonly expected: number;
};

/** So many readings without an anomaly end a burst: half a day at a step of five minutes. */
const QUIET = 144;
/** The usual step is the median of the first so many. */
const STEPS = 100;

/**
 * Makes one alert of all anomalies that follow each other within 144 readings, or within the time of 144 usual steps: a source that is read more often while something is wrong
 * has no more alerts for it.
 */
export type Bursts = {
  /** Takes the reading that `detector` has just scored. */
  take(at: number, score: number, detector: Detector): void;
  /** All so far, the newest last. */
  alerts(): readonly Alert[];
};

export function createBursts(): Bursts {
  const ended: Alert[] = [];
  let open: Alert | null = null;
  let quiet = 0;
  const usualStep = createUsualStep();
  return {
    take(at, score, detector) {
      quiet += 1;
      const step = usualStep(at);
      if (!detector.isAnomalous) return;
      if (open !== null && quiet > QUIET && at - open.until > QUIET * step) {
        ended.push(open);
        open = null;
      }
      open = joined(open, at, score, detector);
      quiet = 0;
    },
    alerts: () => (open === null ? [...ended] : [...ended, open]),
  };
}

/** The median of the first 100 steps, in ms; 0 while there are not so many. */
function createUsualStep(): (at: number) => number {
  let steps: number[] = [];
  let usual = 0;
  let newest = Number.NaN;
  return (at) => {
    if (usual === 0 && at > newest) {
      steps.push(at - newest);
      if (steps.length === STEPS) {
        usual = steps.sort((a, b) => a - b)[STEPS >> 1] ?? 0;
        steps = [];
      }
    }
    if (!(at <= newest)) newest = at;
    return usual;
  };
}

/** A reading in the shadow of a stronger one, which is more than 144 readings ago, belongs to no burst and begins none. */
function joined(open: Alert | null, at: number, score: number, detector: Detector): Alert | null {
  if (open !== null && score <= open.score) return {...open, until: at};
  const finding = detector.finding();
  if (score < ALERT_SCORE || finding === null) return open;
  return {at: open?.at ?? at, until: at, score, ...finding};
}
