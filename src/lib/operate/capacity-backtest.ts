import {forecast} from '../capacity/forecast/forecast.ts';
import {rollingBacktest} from '../capacity/forecast/rolling.ts';
import type {Scores} from '../capacity/forecast/shapes.ts';
import type {Grain, Series} from '../capacity/series.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {MissingDocument} from './missing-series.ts';

type PointScores = Omit<Scores, 'coverage'>;

export type SeriesBacktest = Scores & {
  readonly name: string;
  readonly region: string | null;
  readonly grain: Grain;
  /** How many steps ahead were asked for; of kept forecasts the furthest that is known by now. */
  readonly horizon: number;
  /** How many forecasts were scored. 0 = the history is too short, or nothing that was kept has come yet. */
  readonly origins: number;
  readonly withinObjective: boolean | null;
  /** Of each model by itself, best first. */
  readonly models: readonly ({readonly model: string} & PointScores)[];
  readonly notes: readonly string[];
};

/**
 * Means over the `measured` series that a model was run on. Which models are run depends on the step and the length of a series, so that means of two models may be over
 * different series: `forecastMase` is the mean MASE of the whole procedure on those of this model, and what compares them. null = no MASE could be measured.
 */
export type ModelBacktest = Scores & {readonly model: string; readonly measured: number; readonly forecastMase: number | null};

export type CapacityBacktestDocument = {
  readonly at: string;
  /** What was scored: what the forecast would have said at earlier origins, or forecasts that were made and kept. */
  readonly basis: 'history' | 'stored';
  readonly objectiveMape: number | null;
  /** `forecast` = the whole procedure, made anew at each origin. Best first, by the MASE in proportion to `forecastMase`. */
  readonly models: readonly ModelBacktest[];
  readonly series: readonly SeriesBacktest[];
  /** Series of the fleet file that could not be had. */
  readonly missing: readonly MissingDocument[];
};

/** One series, and how many steps ahead are tried. */
export type BacktestTask = {readonly series: Series; readonly horizon: number};

export type BacktestAsk = {
  /** Most rolling origins. */
  readonly origins: number;
  readonly objectiveMape: number | null;
  /** Wall clock, epoch ms. */
  readonly now: number;
  readonly missing?: readonly MissingDocument[];
};

/** The name under which the whole procedure stands among the models. */
const WHOLE = 'forecast';

/**
 * Tries on the history of every series what `capacity forecast` would have said at earlier origins, beside each model by itself. Exit code: 0, 1 when
 * the MAPE of a series misses the objective, 3 when nothing could be measured.
 */
export function backtestSeries(tasks: readonly BacktestTask[], ask: BacktestAsk): {document: CapacityBacktestDocument; exit: ExitCode} {
  const tested = tasks.map((one) => backtestOne(one, ask));
  return backtestOf(tested, {...ask, basis: 'history', models: meansOf(tested)});
}

/** The document of series that were scored, and its exit code. */
export function backtestOf(
  series: readonly SeriesBacktest[],
  {
    basis,
    models,
    now,
    objectiveMape,
    missing = [],
  }: Pick<CapacityBacktestDocument, 'basis' | 'models'> & Pick<BacktestAsk, 'now' | 'objectiveMape' | 'missing'>,
): {document: CapacityBacktestDocument; exit: ExitCode} {
  const document = {at: new Date(now).toISOString(), basis, objectiveMape, models, series, missing};
  return {document, exit: exitOf(document)};
}

function backtestOne({series, horizon}: BacktestTask, {origins, objectiveMape}: BacktestAsk): SeriesBacktest {
  const {name, region, values, grain} = series;
  const whole = rollingBacktest(values, {grain, horizon, origins});
  const own = {name, region, grain, horizon, withinObjective: null};
  if (whole === null) {
    const none = {mape: null, wmape: null, mase: null, smape: null, coverage: null};
    return {...own, ...none, origins: 0, models: [], notes: ['The history is too short for a backtest.']};
  }
  const found = forecast(values, {grain, horizon: whole.horizon, origins});
  const {mape} = whole.scores;
  const shorter =
    whole.horizon < horizon
      ? [`The history is short: ${whole.horizon === 1 ? '1 step was' : `${whole.horizon} steps were`} tried instead of ${horizon}.`]
      : [];
  return {
    ...own,
    ...whole.scores,
    origins: whole.origins,
    withinObjective: objectiveMape === null || mape === null ? null : mape <= objectiveMape,
    models: (found.backtest?.models ?? []).map(({model, scores}) => ({
      model,
      mape: scores.mape,
      wmape: scores.wmape,
      mase: scores.mase,
      smape: scores.smape,
    })),
    notes: [...found.notes, ...shorter],
  };
}

function meansOf(series: readonly SeriesBacktest[]): readonly ModelBacktest[] {
  const tested = series.filter(({origins}) => origins > 0);
  const names = new Set(tested.flatMap(({models}) => models.map(({model}) => model)));
  const rows = [...names].map((model) =>
    meanOf(
      model,
      tested.flatMap((whole) =>
        whole.models.filter((one) => one.model === model).map((one) => ({scores: {...one, coverage: null}, whole})),
      ),
    ),
  );
  if (tested.length > 0)
    rows.push(
      meanOf(
        WHOLE,
        tested.map((whole) => ({scores: whole, whole})),
      ),
    );
  return rows.sort((a, b) => rankOf(a) - rankOf(b));
}

/** How a model did beside the whole procedure on the same series; one without a MASE comes last. */
function rankOf({mase, forecastMase, wmape}: ModelBacktest): number {
  if (mase === null || forecastMase === null) return 1e9 + (wmape ?? 1e9);
  return forecastMase > 0 ? mase / forecastMase : mase;
}

function meanOf(model: string, pairs: readonly {readonly scores: Scores; readonly whole: Scores}[]): ModelBacktest {
  const mean = (values: readonly (number | null)[]): number | null => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((sum, value) => sum + value / known.length, 0);
  };
  const of = (score: keyof Scores): number | null => mean(pairs.map(({scores}) => scores[score]));
  return {
    ...{model, measured: pairs.length},
    ...{mape: of('mape'), wmape: of('wmape'), mase: of('mase'), smape: of('smape'), coverage: of('coverage')},
    forecastMase: mean(pairs.map(({scores, whole}) => (scores.mase === null ? null : whole.mase))),
  };
}

function exitOf({series, objectiveMape, missing}: CapacityBacktestDocument): ExitCode {
  if (series.some(({withinObjective}) => withinObjective === false)) return EXIT.warning;
  if (missing.length > 0 || series.every(({origins}) => origins === 0)) return EXIT.unknown;
  if (objectiveMape === null) return EXIT.good;
  return series.every(({withinObjective}) => withinObjective === null) ? EXIT.unknown : EXIT.good;
}
