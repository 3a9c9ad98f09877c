import {endedLongAgo} from '../capacity/ahead.ts';
import {dailyPeaks} from '../capacity/daily-peaks.ts';
import {endOf, type Growth, parseGrowth} from '../capacity/growth.ts';
import {STEP_MS} from '../capacity/regularize/steps.ts';
import type {Grain, Series} from '../capacity/series.ts';
import {untilNow} from '../capacity/until-now.ts';
import {messageOf, usageError} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type Forecasts, type ForecastTask, forecastSeries} from './forecast.ts';
import {keepForecasts} from './kept-forecasts.ts';
import {type LoadedSeries, loadAsked} from './load-series.ts';
import {type MissingDocument, missingDocument} from './missing-series.ts';
import type {SeriesFilter} from './series-questions.ts';

export type FleetForecastOptions = SeriesFilter & {
  /** Steps ahead, each series by its own; default: a week of hours, four weeks of days, half a year of weeks. */
  readonly horizon?: number | undefined;
  /** How far ahead instead, such as `18mo`. */
  readonly over?: string | undefined;
  /** Such as `10x` or `5%/mo`. */
  readonly growth?: string | undefined;
  readonly signal: AbortSignal;
};

/** How many steps ahead are forecast where nobody says. */
export const HORIZON: Readonly<Record<Grain, number>> = {hourly: 168, daily: 28, weekly: 26};
/** Further ahead hours say nothing: their days are forecast. */
const MOST_HOURS_MS = 14 * 24 * STEP_MS.hourly;
/** Most steps of one forecast. */
const MOST_STEPS = 4000;

/**
 * Forecasts the series of a fleet, and keeps what was forecast, so that it can be scored against what came. Further ahead than two weeks the daily peaks of hourly
 * series are forecast. `notKept` = why they could not be kept: a state that cannot be written is no reason not to say what is coming. Throws a usage error (64) for a name that the fleet file has not got, or a span that is none.
 */
export async function forecastFleet(
  open: OpenFleet,
  options: FleetForecastOptions,
): Promise<Forecasts & {readonly notKept: string | null}> {
  const {names, regions, signal} = options;
  const until = open.clock.wall();
  const span = spanOf(options, until);
  const {series, missing} = await loadAsked(open, {names, regions, now: until, signal});
  const {fresh, stale} = freshOf(series, until);
  const all = fresh.map((one) => taskOf(one, until, {horizon: options.horizon, end: span.end}));
  const tasks = all.filter(({series: one}) => one.values.length > 0);
  const dayless = all.filter(({series: one}) => one.values.length === 0).map(({series: one}) => daylessDocument(one));
  const forecasts = forecastSeries(tasks, {
    objectiveMape: open.fleet.capacity?.mape ?? null,
    now: until,
    growth: span.growth,
    missing: [...missing.map(missingDocument), ...stale, ...dayless],
  });
  const notKept = await keepForecasts(open, forecasts, until).then(
    () => null,
    (error: unknown) => `the forecasts were not kept for capacity backtest --stored: ${messageOf(error)}`,
  );
  return {...forecasts, notKept};
}

/** Of a source that fell silent long ago nobody knows what is coming. */
function freshOf(all: readonly LoadedSeries[], now: number): {fresh: readonly Series[]; stale: readonly MissingDocument[]} {
  const judged = all.map(({series}) => ({series, reason: endedLongAgo(series, series.grain, now)}));
  return {
    fresh: judged.flatMap(({series, reason}) => (reason === null ? [series] : [])),
    stale: judged.flatMap(({series: {name, region}, reason}) => (reason === null ? [] : [{name, region, code: 'stale', reason}])),
  };
}

function spanOf({horizon, over, growth}: FleetForecastOptions, until: number): {growth: Growth | null; end: number | null} {
  if (horizon !== undefined && over !== undefined) throw usageError('--horizon and --over both say how far ahead: leave one out');
  const grown = growth === undefined ? null : parseGrowth(growth, over, until);
  if (over !== undefined) return {growth: grown, end: endOf(over, until)};
  return {growth: grown, end: null};
}

/** Of what is known for a few hours only, no day has a highest hour. */
const daylessDocument = ({name, region}: Series): MissingDocument => ({
  ...{name, region, code: 'too-short'},
  reason: 'further ahead than two weeks the highest hour of each day is forecast, and no whole day of it is known',
});

/** Steps ahead are counted from now, also where the newest ones are not known. */
function taskOf(series: Series, until: number, {horizon, end}: {horizon: number | undefined; end: number | null}): ForecastTask {
  if (end === null) return {series: untilNow(series, until), horizon: horizon ?? HORIZON[series.grain], whole: series};
  const peaks = series.grain === 'hourly' && end - until > MOST_HOURS_MS;
  const used = untilNow(peaks ? dailyPeaks(series) : series, until);
  const last = used.starts.at(-1) ?? until;
  const steps = Math.min(MOST_STEPS, Math.max(1, Math.ceil((end - last) / STEP_MS[used.grain]) - 1));
  return {series: used, horizon: steps, of: peaks ? 'daily-peaks' : 'values', whole: series};
}
