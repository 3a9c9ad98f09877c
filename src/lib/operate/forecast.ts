import {forecast} from '../capacity/forecast/forecast.ts';
import type {Backtest, Forecast, Scores} from '../capacity/forecast/shapes.ts';
import type {Grain, Series} from '../capacity/series.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';

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

export type SeriesForecast = {
  readonly name: string;
  readonly region: string | null;
  readonly unit: string;
  /** null = no value is known, and nothing was forecast. */
  readonly model: string | null;
  /** null = the history is too short for one. */
  readonly backtest: BacktestDocument | null;
  /** Whether the MAPE of the backtest is within the objective. null = there is no objective, or no MAPE. */
  readonly withinObjective: boolean | null;
  readonly forecast: readonly ForecastStep[];
  /** When the limit will be reached. null = there is no limit. */
  readonly exhaustion: null;
  /** What was done to the history and which guard rails acted. */
  readonly notes: readonly string[];
};

export type ForecastDocument = {
  readonly at: string;
  readonly grain: Grain;
  readonly horizon: number;
  /** Highest MAPE that is good, in percent; null = none was given. */
  readonly objectiveMape: number | null;
  readonly series: readonly SeriesForecast[];
};

export type ForecastAsk = {
  readonly grain: Grain;
  readonly horizon: number;
  readonly objectiveMape: number | null;
  /** Wall clock, epoch ms. */
  readonly now: number;
  /** When the steps after a series begin, epoch ms, `count` of them; needed for series with times. */
  readonly startsAfter?: (series: Series, count: number) => ArrayLike<number>;
};

/**
 * Forecasts every series by itself. Exit code: 0, 1 when a backtest misses the objective, 3 when no series could be forecast, or when an objective was
 * given and no backtest has a MAPE.
 */
export function forecastSeries(series: readonly Series[], ask: ForecastAsk): {document: ForecastDocument; exit: ExitCode} {
  const forecasts = series.map((one) => forecastOne(one, ask));
  const document = {
    at: new Date(ask.now).toISOString(),
    grain: ask.grain,
    horizon: ask.horizon,
    objectiveMape: ask.objectiveMape,
    series: forecasts,
  };
  return {document, exit: exitOf(document)};
}

function forecastOne(series: Series, ask: ForecastAsk): SeriesForecast {
  const {name, region, unit, values} = series;
  const own = {name, region, unit, exhaustion: null};
  if (!values.some(Number.isFinite)) {
    return {
      ...own,
      model: null,
      backtest: null,
      withinObjective: null,
      forecast: [],
      notes: ['No value is known: there is nothing to forecast from.'],
    };
  }
  const found = forecast(values, {grain: ask.grain, horizon: ask.horizon});
  const mape = found.backtest?.chosen.mape ?? null;
  return {
    ...own,
    model: found.model,
    backtest: found.backtest === null ? null : backtestDocument(found.backtest),
    withinObjective: ask.objectiveMape === null || mape === null ? null : mape <= ask.objectiveMape,
    forecast: stepsOf(series, found, ask),
    notes: found.notes,
  };
}

export function backtestDocument({origins, horizon, chosen, models}: Backtest): BacktestDocument {
  return {
    ...chosen,
    origins,
    horizon,
    models: models.map(({model, scores: {mape, wmape, mase, smape}}) => ({model, mape, wmape, mase, smape})),
  };
}

function stepsOf(series: Series, {mean, p10, p90, lower95, upper95}: Forecast, {horizon, startsAfter}: ForecastAsk): ForecastStep[] {
  const timed = startsAfter !== undefined && Number.isFinite(series.starts.at(-1));
  const starts = timed ? startsAfter(series, horizon) : null;
  return Array.from({length: horizon}, (_, step) => ({
    at: starts === null ? null : new Date(starts[step] as number).toISOString(),
    mean: mean[step] as number,
    p10: p10[step] as number,
    p90: p90[step] as number,
    lower95: lower95[step] as number,
    upper95: upper95[step] as number,
  }));
}

function exitOf({series, objectiveMape}: ForecastDocument): ExitCode {
  if (series.every(({model}) => model === null)) return EXIT.unknown;
  if (objectiveMape === null) return EXIT.good;
  if (series.some(({withinObjective}) => withinObjective === false)) return EXIT.warning;
  return series.every(({withinObjective}) => withinObjective === null) ? EXIT.unknown : EXIT.good;
}
