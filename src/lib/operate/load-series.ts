import {regularize} from '../capacity/regularize/regularize.ts';
import type {Grain, Reading, Series} from '../capacity/series.ts';
import type {SeriesRegion, SeriesSpec} from '../fleet/fleet.ts';
import type {MetricsRange} from '../ports/metrics.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {seriesAsker} from './ask-series.ts';
import {READ_EVERY_MS, type SeriesFilter, type SeriesQuestion, seriesQuestions} from './series-questions.ts';

/** `historyMs`: how far back; default: as each series says. `now`: until when, epoch ms; default: the fleet's clock. */
export type LoadOptions = SeriesFilter & {
  readonly historyMs?: number | undefined;
  readonly now?: number | undefined;
  readonly signal: AbortSignal;
};

/** A series as it was read. `place` null = it is of the whole fleet. `sourceSays`: remarks of the source on its answer, one sentence each. */
export type LoadedSeries = {
  readonly spec: SeriesSpec;
  readonly place: SeriesRegion | null;
  readonly series: Series;
  /** How many readings it was made of. */
  readonly readings: number;
  readonly sourceSays: readonly string[];
};

/** A series that could not be had: `code` for scripts, `reason` for people. */
export type MissingSeries = {
  readonly spec: SeriesSpec;
  readonly place: SeriesRegion | null;
  readonly code: string;
  readonly reason: string;
};

/** In the order of the fleet file. Times are epoch ms. */
export type LoadedSeriesList = {
  readonly until: number;
  readonly series: readonly LoadedSeries[];
  readonly missing: readonly MissingSeries[];
};

/**
 * Reads the series of a fleet from their sources, all at once, and makes each regular. One that cannot be had is told, and neither delays nor hides the others.
 * Throws a usage error (64) for a name that the fleet file has not got, and the reason of `signal` when that is aborted.
 */
export async function loadSeries(open: OpenFleet, {historyMs, now, signal, ...filter}: LoadOptions): Promise<LoadedSeriesList> {
  const questions = seriesQuestions(open.fleet, filter, 'history');
  const until = now ?? open.clock.wall();
  const ask = seriesAsker(open, signal);
  const all = await Promise.all(
    questions.map(async (question): Promise<LoadedSeries | MissingSeries> => {
      const {spec, place} = question;
      const asked = await ask(question, rangeOf(spec.grain, until, historyMs ?? spec.historyMs));
      if (!asked.ok) return {spec, place, code: asked.code, reason: asked.reason};
      const series = seriesOf(question, asked.readings, until);
      if (series.values.some((value) => !Number.isNaN(value)))
        return {spec, place, series, readings: asked.readings.length, sourceSays: asked.remarks};
      const why = series.remarks.map(({says}) => says).join('; ');
      return {spec, place, code: 'no-data', reason: `${question.source}: ${why === '' ? 'no step of it is known' : why}`};
    }),
  );
  return {
    until,
    series: all.flatMap((one) => ('series' in one ? [one] : [])),
    missing: all.flatMap((one) => ('series' in one ? [] : [one])),
  };
}

/** On whole multiples of the step, so that a source that keeps answers has them ready. */
function rangeOf(grain: Grain, until: number, historyMs: number): MetricsRange {
  const stepMs = READ_EVERY_MS[grain];
  const down = (at: number): number => Math.floor(at / stepMs) * stepMs;
  return {from: down(until - historyMs), to: down(until), stepMs};
}

function seriesOf({spec, place}: SeriesQuestion, readings: readonly Reading[], until: number): Series {
  const {name, unit, purpose, grain, timeZone, counter} = spec;
  const region = place?.region ?? null;
  const limit = place === null ? spec.limit : place.limit;
  return regularize(readings, {name, region, unit, purpose, limit, grain, timeZone, counter, until});
}
