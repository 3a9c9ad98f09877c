import type {Grain} from '../series.ts';

/** The path of a forecast with its intervals, one value for each step ahead. p10 to p90 is the 80 % interval, lower95 to upper95 that of 95 %. */
export type Path = {
  readonly mean: Float64Array;
  readonly p10: Float64Array;
  readonly p90: Float64Array;
  readonly lower95: Float64Array;
  readonly upper95: Float64Array;
};

/** How wrong a model was over the rolling origins of a backtest. null = could not be measured (no value above zero, no scale, too short). */
export type Scores = {
  /** Mean absolute percentage error, in percent, over steps whose value is not zero. */
  readonly mape: number | null;
  /** Sum of absolute errors by sum of absolute values, in percent. */
  readonly wmape: number | null;
  /** Mean absolute error by that of the seasonal naive forecast inside the history (Hyndman and Koehler 2006). */
  readonly mase: number | null;
  /** Symmetric MAPE in percent, as in the M4 competition. */
  readonly smape: number | null;
  /** Share of values inside the 95 % interval, in percent. Only of the chosen model. */
  readonly coverage: number | null;
};

/** What models were compared on: `origins` = how many forecasts of `horizon` steps each. */
export type Backtest = {
  readonly origins: number;
  readonly horizon: number;
  /** Of the chosen model. */
  readonly chosen: Scores;
  /** Of every model that was compared, the chosen one, `seasonal-naive` and `last-value` among them, best first. */
  readonly models: readonly {readonly model: string; readonly scores: Scores}[];
};

export type Forecast = Path & {
  /** Name of the model that was chosen, such as `ensemble`. */
  readonly model: string;
  /** null = the history is too short for one. */
  readonly backtest: Backtest | null;
  /** Which guard rails acted, in sentences for people. */
  readonly notes: readonly string[];
};

export type ForecastOptions = {
  readonly grain: Grain;
  /** Steps ahead, at least 1. */
  readonly horizon: number;
  /** Least value that can be; default: 0 where the history has none below. */
  readonly least?: number;
  /** Most origins of the backtest; default: 5, for daily steps 10. */
  readonly origins?: number;
};

/** Makes a forecast of values in order, the newest last; NaN = not known. Pure and deterministic. */
export type Forecaster = (values: Float64Array, options: ForecastOptions) => Forecast;
