import {regularize} from '../capacity/regularize/regularize.ts';
import {stepsAround} from '../capacity/regularize/steps.ts';
import type {Reading, Series} from '../capacity/series.ts';
import {usageError} from '../errors.ts';
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

/** A series as it was read. `place` null = it is of the whole fleet. What the source says of its answer is among the remarks of `series`. */
export type LoadedSeries = {
  readonly spec: SeriesSpec;
  readonly place: SeriesRegion | null;
  readonly series: Series;
  /** How many readings it was made of. */
  readonly readings: number;
  /** Why its values may be too low: what the source says of an answer that is not whole; null = nothing. */
  readonly partial: string | null;
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
      const asked = await ask(question, rangeOf(spec, until, historyMs ?? spec.historyMs));
      if (!asked.ok) return {spec, place, code: asked.code, reason: asked.reason};
      const series = seriesOf(question, asked.readings, until);
      if (series.values.some((value) => !Number.isNaN(value)))
        return {
          ...{spec, place, series: withSaid(series, asked.remarks), readings: asked.readings.length},
          partial: asked.partial ? `the answer of ${question.source} is not whole: ${asked.remarks.join('; ')}` : null,
        };
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

/**
 * The same for whoever asked for series by name and region. Throws a usage error (64) too where no series is of the filter: to have looked at nothing would be taken for
 * good news.
 */
export async function loadAsked(open: OpenFleet, options: LoadOptions): Promise<LoadedSeriesList> {
  const loaded = await loadSeries(open, options);
  if (loaded.series.length > 0 || loaded.missing.length > 0) return loaded;
  const {names = [], regions = []} = options;
  throw usageError(`no series${names.length === 0 ? '' : ` called ${names.join(', ')}`} of the fleet file is of ${regions.join(', ')}`, {
    suggestions: ['Leave the regions out: a series without regions is of the whole fleet.'],
  });
}

/** From the begin of a step on, so that the first one is whole. */
function rangeOf({grain, timeZone}: Pick<SeriesSpec, 'grain' | 'timeZone'>, until: number, historyMs: number): MetricsRange {
  const oldest = until - historyMs;
  const from = stepsAround(grain, timeZone, oldest, oldest).starts.findLast((start) => start <= oldest) ?? oldest;
  return {from, to: until, stepMs: READ_EVERY_MS[grain]};
}

function seriesOf({spec, place}: SeriesQuestion, readings: readonly Reading[], until: number): Series {
  const {name, unit, purpose, grain, timeZone, counter} = spec;
  const region = place?.region ?? null;
  const limit = place === null ? spec.limit : place.limit;
  return regularize(readings, {name, region, unit, purpose, limit, grain, timeZone, counter, until});
}

/** A source that warns of its answer is heard by whoever reads the series. */
function withSaid(series: Series, said: readonly string[]): Series {
  const [from, to] = [series.starts[0] ?? 0, series.starts.at(-1) ?? 0];
  return {...series, remarks: [...said.map((says) => ({kind: 'source', count: 1, from, to, says}) as const), ...series.remarks]};
}
