import type {Reading, Remark} from '../series.ts';

/** Readings in order of time, each time once, all numbers. */
export type Cleaned = {readonly at: Float64Array; readonly value: Float64Array; readonly remarks: readonly Remark[]};

/** The years 1 to 9999: other times cannot be printed. */
const [EARLIEST_MS, LATEST_MS] = [-62_135_596_800_000, 253_402_300_799_999];
/** Squares and sums of larger values would be infinite. */
const LARGEST = 1e100;

/** Puts readings in order and leaves out what is no number, or there twice (the last one given is kept). Times are rounded to ms. */
export function cleaned(readings: readonly Reading[]): Cleaned {
  const finite = readings.filter(({at, value}) => isUsable(at, value));
  const {at, value, late} = inOrder(finite);
  const once = lastOfEach(at, value);
  const unusable =
    finite.length === readings.length ? [] : readings.filter((each) => !isUsable(each.at, each.value)).map((each) => each.at);
  return {
    ...{at: once.at, value: once.value},
    remarks: [
      ...remarkOn('not-a-number', unusable.filter(isTime), unusable.length, (count) =>
        count === 1 ? '1 reading is no number and is left out' : `${count} readings are no numbers and are left out`,
      ),
      ...remarkOn('out-of-order', late, late.length, (count) =>
        count === 1
          ? '1 reading came after a later one and was put in its place'
          : `${count} readings came after later ones and were put in their places`,
      ),
      ...remarkOn('duplicate', once.dropped, once.dropped.length, (count) =>
        count === 1
          ? '1 time is there twice: the last reading of it is kept'
          : `${count} times are there more than once: the last reading of each is kept`,
      ),
    ],
  };
}

/** One remark on readings at these times; none when `count` is 0. */
export function remarkOn(
  kind: Remark['kind'],
  times: readonly number[],
  count: number,
  says: (count: number) => string,
): readonly Remark[] {
  if (count === 0) return [];
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const time of times) [from, to] = [Math.min(from, time), Math.max(to, time)];
  return [{kind, count, from: times.length === 0 ? 0 : from, to: times.length === 0 ? 0 : to, says: says(count)}];
}

function isUsable(at: number, value: number): boolean {
  return isTime(at) && Math.abs(value) <= LARGEST;
}

function isTime(at: number): boolean {
  return at >= EARLIEST_MS && at <= LATEST_MS;
}

/** Sorted by time; readings of one time stay in the order in which they came. `late` = the times of those that came after a later one. */
function inOrder(readings: readonly Reading[]): {
  readonly at: Float64Array;
  readonly value: Float64Array;
  readonly late: readonly number[];
} {
  const late: number[] = [];
  let latest = Number.NEGATIVE_INFINITY;
  for (const {at} of readings) {
    if (at < latest) late.push(at);
    latest = Math.max(latest, at);
  }
  const sorted = late.length === 0 ? readings : readings.toSorted((a, b) => a.at - b.at);
  const [times, values] = [new Float64Array(sorted.length), new Float64Array(sorted.length)];
  sorted.forEach(({at, value}, index) => {
    times[index] = Math.round(at);
    values[index] = value;
  });
  return {at: times, value: values, late};
}

function lastOfEach(
  at: Float64Array,
  value: Float64Array,
): {readonly at: Float64Array; readonly value: Float64Array; readonly dropped: readonly number[]} {
  const dropped: number[] = [];
  let kept = 0;
  const [times, values] = [new Float64Array(at.length), new Float64Array(at.length)];
  at.forEach((time, index) => {
    if (time === at[index + 1]) {
      dropped.push(time);
      return;
    }
    times[kept] = time;
    values[kept] = value[index] as number;
    kept += 1;
  });
  return {at: times.slice(0, kept), value: values.slice(0, kept), dropped};
}
