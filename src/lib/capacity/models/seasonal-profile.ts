import {type Model, modelOf, type Parts} from './model.ts';

/** What is left of a series without its seasons, and what the seasons add to each step ahead. */
export type Profiled = {readonly rest: Float64Array; readonly ahead: Float64Array};

/**
 * Takes the seasonal profile off `history`, the shortest season first and each next one of what the one before left: classical additive decomposition,
 * but with recent cycles weighing more (`decay` for each cycle back). A season with fewer than two cycles is left out.
 */
export function takeProfile(history: Float64Array, horizon: number, seasons: readonly number[], decay: number): Profiled {
  const count = history.length;
  const rest = history.slice();
  const ahead = new Float64Array(horizon);
  for (const season of seasons) {
    if (count < 2 * season) continue;
    const profile = profileOf(rest, season, decay);
    for (let t = 0, phase = 0; t < count; t++) {
      rest[t] = (rest[t] as number) - (profile[phase] as number);
      if (++phase === season) phase = 0;
    }
    for (let step = 0; step < horizon; step++) ahead[step] = (ahead[step] as number) + (profile[(count + step) % season] as number);
  }
  return {rest, ahead};
}

/** Weighted mean distance from the moving trend for each phase of the season, with a sum of 0. Phase 0 is that of the first value. */
function profileOf(values: Float64Array, season: number, decay: number): Float64Array {
  const count = values.length;
  const trend = movingTrend(values, season);
  const profile = new Float64Array(season);
  const weights = new Float64Array(season);
  // Cycles are counted back from the newest value, which has the weight 1.
  let weight = 1;
  for (let t = count - 1, left = season; t >= 0; t--, left--) {
    if (left === 0) {
      left = season;
      weight *= decay;
    }
    const phase = t % season;
    profile[phase] = (profile[phase] as number) + weight * ((values[t] as number) - (trend[t] as number));
    weights[phase] = (weights[phase] as number) + weight;
  }
  let mean = 0;
  for (let phase = 0; phase < season; phase++) {
    profile[phase] = (profile[phase] as number) / (weights[phase] as number);
    mean += (profile[phase] as number) / season;
  }
  for (let phase = 0; phase < season; phase++) profile[phase] = (profile[phase] as number) - mean;
  return profile;
}

/**
 * Moving average over one season, centred (2 x m for an even season, as in Makridakis, Wheelwright and Hyndman 1998); at the ends the mean of the first
 * and of the last whole season.
 */
export function movingTrend(values: Float64Array, season: number): Float64Array {
  const count = values.length;
  const half = season >> 1;
  const even = season % 2 === 0;
  const sums = new Float64Array(count + 1);
  for (let t = 0; t < count; t++) sums[t + 1] = (sums[t] as number) + (values[t] as number);
  const trend = new Float64Array(count);
  for (let t = 0; t < count; t++) {
    const from = Math.max(0, Math.min(t - half, count - season));
    const to = Math.min(count, from + season);
    let sum = (sums[to] as number) - (sums[from] as number);
    // Half of the first and half of the value after the last, so that the middle is a step and not between two.
    if (even && t >= half && t + half < count) sum += ((values[t + half] as number) - (values[t - half] as number)) / 2;
    trend[t] = sum / (to - from);
  }
  return trend;
}

/** The seasonal profile, with what is left of the series carried on by `inner`. */
export function profileWith<Fitted>(inner: Parts<Fitted>, seasons: readonly number[], decay: number): Model {
  return modelOf<Fitted>({
    least: Math.max(inner.least, 2 * (seasons[0] ?? 1)),
    fit: (history, horizon, earlier) => inner.fit(takeProfile(history, 0, seasons, decay).rest, horizon, earlier),
    path: (history, horizon, fitted) => {
      const {rest, ahead} = takeProfile(history, horizon, seasons, decay);
      const path = inner.path(rest, horizon, fitted);
      return path.map((value, step) => value + (ahead[step] as number));
    },
  });
}
