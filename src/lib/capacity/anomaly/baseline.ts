/** So many readings make the baseline: a day and a half at a step of five minutes. */
const READINGS = 400;
/** While it grows, the median is taken anew after so many readings. */
const ANEW_EVERY = 16;
/** Below so many readings it is taken anew each time. */
const FEW = 48;

/** What the first readings of a series were like. It stays as it is once there are enough of them: what drifts away slowly is seen too. */
export type Baseline = {
  /** Their median; NaN before the first reading. */
  readonly median: number;
  readonly count: number;
  /** Takes a reading, if there are not enough yet. */
  add(value: number): void;
};

/** The median, because a few wild readings at the beginning must not move it (Hampel 1974). */
export function createBaseline(): Baseline {
  const readings = new Float64Array(READINGS);
  let count = 0;
  let median = Number.NaN;
  return {
    get median() {
      return median;
    },
    get count() {
      return count;
    },
    add(value) {
      if (count === READINGS) return;
      readings[count] = value;
      count += 1;
      if (count < FEW || count % ANEW_EVERY === 0) median = middle(readings.slice(0, count));
    },
  };
}

function middle(values: Float64Array): number {
  values.sort();
  const half = values.length >> 1;
  const upper = values[half] ?? Number.NaN;
  return values.length % 2 === 1 ? upper : ((values[half - 1] ?? upper) + upper) / 2;
}
