/** What a model is asked for: one path of `horizon` steps from each origin. */
export type Ask = {
  /** How many values are known at each origin, rising; the last origin knows all of them. The earlier ones are for the backtest. */
  readonly origins: readonly number[];
  /** Steps ahead, at least 1. */
  readonly horizon: number;
};

/**
 * A forecasting model: one path for each origin. A path sees no value at or after its origin. Parameters of the earlier origins are fitted on values
 * before the first of them, so a backtest costs one more fit and not one for each origin, and no error in it is of a value that was fitted.
 * null = the history is too short for this model. Pure and deterministic; values are without gaps.
 */
export type Model = (values: Float64Array, ask: Ask) => readonly Float64Array[] | null;

/** A model in two parts: what is fitted, and the path that follows from it. */
export type Parts<Fitted> = {
  /** Fewest values that `fit` needs. */
  readonly least: number;
  /** `earlier` = what was fitted on a shorter history of the same series, as a start. */
  readonly fit: (history: Float64Array, horizon: number, earlier: Fitted | null) => Fitted;
  readonly path: (history: Float64Array, horizon: number, fitted: Fitted) => Float64Array;
};

/** The model that `parts` make: fitted before the first origin for all but the last, and on everything for the last. */
export function modelOf<Fitted>(parts: Parts<Fitted>): Model {
  return (values, {origins, horizon}) => {
    const first = origins[0] ?? values.length;
    if (first < parts.least) return null;
    const early = parts.fit(values.subarray(0, first), horizon, null);
    const late = first === values.length ? early : parts.fit(values, horizon, early);
    return origins.map((origin) => parts.path(values.subarray(0, origin), horizon, origin === values.length ? late : early));
  };
}
