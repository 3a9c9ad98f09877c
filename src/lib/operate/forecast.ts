import {findExhaustion} from '../capacity/exhaustion/exhaustion.ts';
import {type Exhaustion, NO_DATES} from '../capacity/exhaustion/result.ts';
import {alongTrend} from '../capacity/far-path.ts';
import {forecast} from '../capacity/forecast/forecast.ts';
import type {Backtest, Forecast, Path, Scores} from '../capacity/forecast/shapes.ts';
import {crossingOf, type Growth, grow} from '../capacity/growth.ts';
import {startsAfter} from '../capacity/regularize/steps.ts';
import type {Grain, Series} from '../capacity/series.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {MissingDocument} from './missing-series.ts';

/** One step ahead. `at` = when it begins, ISO 8601; null = the source has no times. */
export type ForecastStep = {
  readonly at: string | null;
  readonly mean: number;
  readonly p10: number;
  readonly p90: number;
  readonly lower95: number;
  readonly upper95: number;
};

/** Scores of the chosen model; those of all that were compared, best first, in `models`. */
export type BacktestDocument = Scores & {
  readonly origins: number;
  readonly horizon: number;
  readonly models: readonly ({readonly model: string} & Omit<Scores, 'coverage'>)[];
};

type Dates = Record<'p50At' | 'p90At' | 'earliestAt' | 'latestAt', string | null>;

/** When the limit is reached by the growth that the history shows. Times are ISO 8601; see `Exhaustion`. */
export type ExhaustionDocument = Omit<Exhaustion, keyof Dates | 'limit' | 'break' | 'horizonAt'> &
  Readonly<Dates> & {
    readonly limit: number;
    readonly break: (Omit<NonNullable<Exhaustion['break']>, 'at'> & {readonly at: string}) | null;
    readonly horizonAt: string;
  };

/** When the path first reaches the limit: its mean (`p50At`), and its upper end of 80 % (`p90At`). null = not within the horizon. */
export type CrossingDocument = {readonly limit: number; readonly p50At: string | null; readonly p90At: string | null};

export type SeriesForecast = {
  readonly name: string;
  readonly region: string | null;
  readonly unit: string;
  readonly limit: number | null;
  readonly grain: Grain;
  /** By whose days steps go, IANA name. */
  readonly timeZone: string;
  /** What was forecast: the values themselves, or the highest hour of each day. */
  readonly of: 'values' | 'daily-peaks';
  readonly horizon: number;
  /** null = no value is known, and nothing was forecast. */
  readonly model: string | null;
  /** null = the history is too short for one. */
  readonly backtest: BacktestDocument | null;
  /** Whether the MAPE of the backtest is within the objective. null = there is no objective, or no MAPE. */
  readonly withinObjective: boolean | null;
  readonly forecast: readonly ForecastStep[];
  /** When this path meets the limit; null = there is no limit, or no times. */
  readonly crossing: CrossingDocument | null;
  /** By the growth of the history alone; null = there is no limit, or no times. */
  readonly exhaustion: ExhaustionDocument | null;
  /** What was done to the history and which guard rails acted. */
  readonly notes: readonly string[];
};

export type ForecastDocument = {
  readonly at: string;
  /** Highest MAPE that is good, in percent; null = none was given. */
  readonly objectiveMape: number | null;
  /** The growth that all paths were multiplied by, as it was asked for; null = none. */
  readonly growth: {readonly text: string; readonly factor: number; readonly from: string; readonly to: string} | null;
  readonly series: readonly SeriesForecast[];
  readonly missing: readonly MissingDocument[];
};

/** What is asked of one series: how many steps ahead. */
export type ForecastTask = {
  readonly series: Series;
  readonly horizon: number;
  readonly of?: SeriesForecast['of'];
  /** What exhaustion is told from, where that is not the series itself. */
  readonly whole?: Series;
};

export type ForecastAsk = {
  readonly objectiveMape: number | null;
  /** Wall clock, epoch ms. */
  readonly now: number;
  readonly growth?: Growth | null;
  readonly missing?: readonly MissingDocument[];
};

/** A forecast as it was made, before any growth: for pictures and records. */
export type MadeForecast = {
  readonly series: Series;
  readonly model: string;
  /** As it is shown: with the growth that was asked for. */
  readonly path: Path;
  readonly plain: Path;
  /** When each step ahead begins, epoch ms; null = the source has no times. */
  readonly starts: Float64Array | null;
  readonly breakAt: number | null;
};

/** `made` has an entry for each series of the document; null = nothing was forecast. */
export type Forecasts = {
  readonly document: ForecastDocument;
  readonly made: readonly (MadeForecast | null)[];
  readonly exit: ExitCode;
};

/**
 * Forecasts every series by itself. Exit code: 0, 1 when a backtest misses the objective or a limit is met, 3 when a series could not be had or has no known value (the others are
 * forecast all the same), or an objective was given and no backtest has a MAPE.
 */
export function forecastSeries(tasks: readonly ForecastTask[], ask: ForecastAsk): Forecasts {
  const all = tasks.map((task) => forecastOne(task, ask));
  const growth = ask.growth ?? null;
  const document: ForecastDocument = {
    at: new Date(ask.now).toISOString(),
    objectiveMape: ask.objectiveMape,
    growth: growth === null ? null : {text: growth.text, factor: growth.factor, from: isoOf(growth.from), to: isoOf(growth.to)},
    series: all.map(({said}) => said),
    missing: ask.missing ?? [],
  };
  return {document, made: all.map(({made}) => made), exit: exitOf(document)};
}

function forecastOne(task: ForecastTask, ask: ForecastAsk): {said: SeriesForecast; made: MadeForecast | null} {
  const {series, horizon, of = 'values', whole = series} = task;
  const {name, region, unit, limit, grain, timeZone, values} = series;
  const own = {name, region, unit, limit, grain, timeZone, of, horizon};
  if (!values.some(Number.isFinite)) {
    const nothing = {model: null, backtest: null, withinObjective: null, forecast: [], crossing: null, exhaustion: null};
    return {said: {...own, ...nothing, notes: ['No value is known: there is nothing to forecast from.']}, made: null};
  }
  const found = forecast(values, {grain, horizon});
  const starts = startsOf(series, horizon);
  const growth = ask.growth ?? null;
  const exhaustion = starts === null || limit === null ? null : findExhaustion(whole, {now: ask.now});
  const plain = grain === 'daily' && exhaustion !== null ? alongTrend(pathOf(found), exhaustion, starts?.[0] ?? Number.NaN) : pathOf(found);
  const path = growth === null || starts === null ? plain : grow(plain, starts, growth);
  const mape = found.backtest?.chosen.mape ?? null;
  const said: SeriesForecast = {
    ...own,
    model: found.model,
    backtest: found.backtest === null ? null : backtestDocument(found.backtest),
    withinObjective: ask.objectiveMape === null || mape === null ? null : mape <= ask.objectiveMape,
    forecast: stepsOf(path, starts),
    crossing: starts === null || limit === null ? null : crossingDocument(path, starts, limit),
    exhaustion: exhaustion === null || limit === null ? null : exhaustionDocument(exhaustion, limit),
    notes: [...whole.remarks.map(({says}) => says), ...found.notes, ...untried(found, horizon)],
  };
  const made = {series, model: found.model, path, plain, starts, breakAt: exhaustion?.break?.at ?? null};
  return {said, made};
}

/** What no backtest has looked at. */
function untried({backtest}: Forecast, horizon: number): readonly string[] {
  if (backtest === null || backtest.horizon >= horizon - 1) return [];
  return [`The history let only ${backtest.horizon} of ${horizon} steps ahead be tried: how good the others are was not measured.`];
}

const pathOf = ({mean, p10, p90, lower95, upper95}: Forecast): Path => ({mean, p10, p90, lower95, upper95});

/** When the steps ahead begin; null = the source has no times. */
function startsOf({starts, grain, timeZone}: Series, horizon: number): Float64Array | null {
  const last = starts.at(-1);
  return last === undefined || Number.isNaN(last) ? null : startsAfter(last, horizon, {grain, timeZone});
}

/** A backtest as documents have it. */
export function backtestDocument({origins, horizon, chosen, models}: Backtest): BacktestDocument {
  return {
    ...chosen,
    origins,
    horizon,
    models: models.map(({model, scores: {mape, wmape, mase, smape}}) => ({model, mape, wmape, mase, smape})),
  };
}

function stepsOf({mean, p10, p90, lower95, upper95}: Path, starts: Float64Array | null): ForecastStep[] {
  return Array.from(mean, (value, step) => ({
    at: starts === null ? null : isoOf(starts[step] ?? Number.NaN),
    mean: value,
    p10: p10[step] ?? value,
    p90: p90[step] ?? value,
    lower95: lower95[step] ?? value,
    upper95: upper95[step] ?? value,
  }));
}

function crossingDocument(path: Path, starts: Float64Array, limit: number): CrossingDocument {
  const {p50At, p90At} = crossingOf(path, starts, limit);
  return {limit, p50At: isoOrNull(p50At), p90At: isoOrNull(p90At)};
}

function exhaustionDocument(found: Exhaustion, limit: number): ExhaustionDocument {
  const dates = Object.fromEntries((Object.keys(NO_DATES) as (keyof Dates)[]).map((key) => [key, isoOrNull(found[key])])) as Dates;
  const broken = found.break === null ? null : {...found.break, at: isoOf(found.break.at)};
  return {...found, ...dates, limit, break: broken, horizonAt: isoOf(found.horizonAt)};
}

const isoOf = (at: number): string => new Date(at).toISOString();
const isoOrNull = (at: number | null): string | null => (at === null ? null : isoOf(at));

function exitOf({series, missing, objectiveMape}: ForecastDocument): ExitCode {
  if (series.some(isWarning)) return EXIT.warning;
  // A row without a value beside good ones is unknown as one that could not be had is: neither is well.
  if (missing.length > 0 || series.length === 0 || series.some(({model}) => model === null)) return EXIT.unknown;
  if (objectiveMape === null) return EXIT.good;
  return series.every(({withinObjective}) => withinObjective === null) ? EXIT.unknown : EXIT.good;
}

/** The objective is missed, or the limit is met within what was forecast. */
function isWarning({withinObjective, crossing, exhaustion, forecast}: SeriesForecast): boolean {
  const end = forecast.at(-1)?.at ?? null;
  const fills = exhaustion?.p90At ?? null;
  return withinObjective === false || (crossing?.p90At ?? null) !== null || (fills !== null && end !== null && fills <= end);
}
