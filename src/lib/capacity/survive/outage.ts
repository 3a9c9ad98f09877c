import {OLDEST_STEPS} from '../ahead.ts';
import type {Grain, Series} from '../series.ts';

/** Steps after which the same time comes again, best first: the hour of the week, the hour of the day; the day of the week; any week. */
const SEASONS: Readonly<Record<Grain, readonly number[]>> = {hourly: [168, 24], daily: [7, 1], weekly: [1]};
/** What is usual at a time is told by so many earlier ones. */
const EARLIER = 4;
/** What a dead region still has is less than a third of what it usually has at least; it begins with a fall to less than half. */
const [ALL_SHARE, FIRST_SHARE] = [1 / 3, 1 / 2];

/** The end of a series that is no load but an outage: from which step on (an index), what it had there on the mean, and what is usual at least; null = not known. */
export type Outage = {readonly from: number; readonly had: number; readonly usual: number | null};

/**
 * The outage that a series ends with; null = it ends with its load. In an outage every step is zero, or below what the series had at the same hour of the week (of the day,
 * where it is shorter) at least; all together are below a third of that: processors of a region that serves nobody idle at 2 %, not at 0. Where it is longer than anybody
 * waits (a week of hours), or there was never anything else, or zeros are what it had at these times on the days and weeks before (nights, a weekly batch), it is the load. `share` = how much of what is usual is to be expected, where the rest was sent elsewhere.
 */
export function outageOf({values, grain}: Pick<Series, 'values' | 'grain'>, share = 1): Outage | null {
  const least = Math.max(0, values.length - 1 - OLDEST_STEPS[grain]);
  let found: Outage | null = null;
  for (let from = values.length - 1; from >= least; from -= 1) found = runFrom(values, from, {grain, share}) ?? found;
  return found === null || found.from === least ? null : found;
}

/** The series without it: what it had in its outage is not known. */
export function withoutOutage<T extends Pick<Series, 'values' | 'grain'>>(series: T, share = 1): T {
  const outage = outageOf(series, share);
  return outage === null ? series : {...series, values: series.values.map((value, step) => (step >= outage.from ? Number.NaN : value))};
}

type Expected = {readonly grain: Grain; readonly share: number};

/** The outage that begins at a step; null = there is none. Gaps are part of it. */
function runFrom(values: Float64Array, from: number, {grain, share}: Expected): Outage | null {
  const first = values[from] ?? Number.NaN;
  if (Number.isNaN(first) || (first > 0 && !(first < FIRST_SHARE * share * usualAt(values, from, from, grain)))) return null;
  if (first === 0 && isRest(values, from, grain)) return null;
  let [had, usual, count, told] = [0, 0, 0, 0];
  for (let step = from; step < values.length; step += 1) {
    const value = values[step] ?? Number.NaN;
    if (Number.isNaN(value)) continue;
    const expected = share * usualAt(values, step, from, grain);
    if (value > 0 && !(value < expected)) return null;
    had += Math.max(0, value);
    count += 1;
    if (Number.isNaN(expected)) continue;
    usual += expected;
    told += 1;
  }
  if (had > 0 && !(had < ALL_SHARE * usual)) return null;
  return {from, had: had / count, usual: told === 0 ? null : usual / told};
}

/** The least that is usual at the time of a step, by what was before `before`: of four earlier ones the second lowest, since one of them may have been an outage. NaN = not known. */
function usualAt(values: Float64Array, step: number, before: number, grain: Grain): number {
  for (const season of SEASONS[grain]) {
    const earlier: number[] = [];
    for (let at = step - season; at >= 0 && earlier.length < EARLIER; at -= season) {
      const value = values[at] ?? Number.NaN;
      if (at < before && !Number.isNaN(value)) earlier.push(value);
    }
    earlier.sort((a, b) => a - b);
    const usual = earlier[earlier.length < EARLIER ? 0 : 1];
    if (usual !== undefined) return usual;
  }
  return Number.NaN;
}

/** Whether all that a series has from a step on are zeros that are usual. */
function isRest(values: Float64Array, from: number, grain: Grain): boolean {
  const isAsEver = isWeekAsEver(values, from, grain);
  const rest = Array.from(values.subarray(from), (value, index) => ({value, step: from + index}));
  return rest.every(({value, step}) => Number.isNaN(value) || (value === 0 && isUsuallyZero(values, step, from, {grain, isAsEver})));
}

/**
 * Whether the same times of the weeks and of the days before had nothing; of `EARLIER` one may have had something: a batch of one hour a week. Weeks alone tell it (a weekend)
 * where two had nothing, and the week is what it was: `isAsEver`.
 */
function isUsuallyZero(
  values: Float64Array,
  step: number,
  before: number,
  {grain, isAsEver}: {readonly grain: Grain; readonly isAsEver: boolean},
): boolean {
  const counts = SEASONS[grain].map((season) => {
    let [zeros, others] = [0, 0];
    for (let at = step - season; at >= 0 && zeros + others < EARLIER; at -= season) {
      const value = values[at] ?? Number.NaN;
      if (at >= before || Number.isNaN(value)) continue;
      if (value === 0) zeros += 1;
      else others += 1;
    }
    return {zeros, others};
  });
  const [weeks] = counts;
  if (weeks !== undefined && weeks.zeros > 1 && weeks.others === 0 && isAsEver) return true;
  return counts.some(({zeros}) => zeros > 0) && counts.every(({zeros, others}) => others === 0 || (others === 1 && zeros === EARLIER - 1));
}

/** Whether what was there in the day before a step was there in the weeks before, too, and is not back since a few days only. */
function isWeekAsEver(values: Float64Array, before: number, grain: Grain): boolean {
  const day = Array.from({length: SEASONS[grain].at(-1) ?? 1}, (_, index) => before - 1 - index);
  return day.every((step) => !((values[step] ?? Number.NaN) > 0) || usualAt(values, step, step, grain) > 0);
}
