import {STEP_MS, startsAfter} from './regularize/steps.ts';
import type {Series} from './series.ts';

/**
 * A series with the steps, not known, that have ended since its newest one: what is forecast of it then begins now, and not where its source fell silent. `now` = epoch
 * ms. One without times or steps stays as it is.
 */
export function untilNow(series: Series, now: number): Series {
  const {starts, values, grain, timeZone} = series;
  const last = starts.at(-1) ?? Number.NaN;
  if (!(now - last >= 2 * STEP_MS[grain])) return series;
  const next = startsAfter(last, Math.ceil((now - last) / STEP_MS[grain]) + 2, {grain, timeZone});
  const ended = next.filter((_, i) => (next[i + 1] ?? Number.POSITIVE_INFINITY) <= now);
  return {
    ...series,
    starts: Float64Array.from([...starts, ...ended]),
    values: Float64Array.from([...values, ...ended.map(() => Number.NaN)]),
  };
}
