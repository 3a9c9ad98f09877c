import type {Parts} from './model.ts';

/**
 * `inner` on the differences of values `season` steps apart instead of the values (the I of seasonal ARIMA, Box and Jenkins 1970): a path goes on from the
 * values one season before. With a season of 1, from the newest value.
 */
export function differenced<Fitted>(inner: Parts<Fitted>, season = 1): Parts<Fitted> {
  return {
    least: inner.least + season,
    fit: (history, horizon, earlier) => inner.fit(differences(history, season), horizon, earlier),
    path: (history, horizon, fitted) => {
      const path = inner.path(differences(history, season), horizon, fitted);
      for (let step = 0; step < horizon; step++) {
        const before = step < season ? history[history.length - season + step] : path[step - season];
        path[step] = (path[step] as number) + (before as number);
      }
      return path;
    },
  };
}

function differences(values: Float64Array, season: number): Float64Array {
  const found = new Float64Array(values.length - season);
  for (let t = season; t < values.length; t++) found[t - season] = (values[t] as number) - (values[t - season] as number);
  return found;
}
