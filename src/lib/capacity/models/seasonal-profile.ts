import {type Model, modelOf, type Parts} from './model.ts';

/** What one season adds to each phase, with a sum of 0. Phase 0 is that of the first value of the history. */
type SeasonalProfile = Float64Array;

/**
 * The profiles of `seasons`, the shortest first and each next one of what the one before left: classical additive decomposition, but with recent cycles
 * weighing more (`decay` for each cycle back). A season with fewer than two cycles is left out.
 */
export function profilesOf(history: Float64Array, seasons: readonly number[], decay: number): readonly SeasonalProfile[] {
  const found: SeasonalProfile[] = [];
  let rest = history;
  for (const season of seasons) {
    if (history.length < 2 * season) continue;
    const profile = profileOf(rest, season, decay);
    found.push(profile);
    rest = without(rest, [profile]);
  }
  return found;
}

/** The values less their profiles. */
export function without(history: Float64Array, profiles: readonly SeasonalProfile[]): Float64Array {
  const rest = history.slice();
  for (const profile of profiles) {
    for (let t = 0, phase = 0; t < rest.length; t++) {
      rest[t] = (rest[t] as number) - (profile[phase] as number);
      if (++phase === profile.length) phase = 0;
    }
  }
  return rest;
}

/** Weighted mean distance from the moving trend for each phase of the season, with a sum of 0. Phase 0 is that of the first value. */
function profileOf(values: Float64Array, season: number, decay: number): Float64Array {
  const count = values.length;
  const trend = movingTrend(values, season);
  const profile = new Float64Array(season);
  const weights = new Float64Array(season);
  // Cycles are counted back from the newest value, which has the weight 1.
  let weight = 1;
  let phase = (count - 1) % season;
  for (let t = count - 1, left = season; t >= 0; t--, left--) {
    if (left === 0) {
      left = season;
      weight *= decay;
    }
    profile[phase] = (profile[phase] as number) + weight * ((values[t] as number) - (trend[t] as number));
    weights[phase] = (weights[phase] as number) + weight;
    phase = phase === 0 ? season - 1 : phase - 1;
  }
  let mean = 0;
  for (let i = 0; i < season; i++) {
    profile[i] = (profile[i] as number) / (weights[i] as number);
    mean += (profile[i] as number) / season;
  }
  for (let i = 0; i < season; i++) profile[i] = (profile[i] as number) - mean;
  return profile;
}

/**
 * Moving average over one season, centred (2 x m for an even season, as in Makridakis, Wheelwright and Hyndman 1998); at the ends the mean of the first
 * and of the last whole season. Needs one whole season.
 */
export function movingTrend(values: Float64Array, season: number): Float64Array {
  const count = values.length;
  const half = season >> 1;
  const even = season % 2 === 0;
  const sums = new Float64Array(count + 1);
  for (let t = 0; t < count; t++) sums[t + 1] = (sums[t] as number) + (values[t] as number);
  const trend = new Float64Array(count);
  const [low, high] = [half, count - season + half];
  for (let t = 0; t < count; t++) {
    const from = t < low ? 0 : t > high ? count - season : t - half;
    let sum = (sums[from + season] as number) - (sums[from] as number);
    // Half of the first and half of the value after the last, so that the middle is a step and not between two.
    if (even && t >= half && t + half < count) sum += ((values[t + half] as number) - (values[t - half] as number)) / 2;
    trend[t] = sum / season;
  }
  return trend;
}

/** The seasonal profile, with what is left of the series carried on by `inner`. */
export function profileWith<Fitted>(inner: Parts<Fitted>, seasons: readonly number[], decay: number): Model {
  return modelOf<{profiles: readonly SeasonalProfile[]; inner: Fitted}>({
    least: Math.max(inner.least, 2 * (seasons[0] ?? 1)),
    fit: (history, horizon, earlier) => {
      const profiles = profilesOf(history, seasons, decay);
      return {profiles, inner: inner.fit(without(history, profiles), horizon, earlier?.inner ?? null)};
    },
    path: (history, horizon, fitted) => {
      const path = inner.path(without(history, fitted.profiles), horizon, fitted.inner);
      for (const profile of fitted.profiles) {
        for (let step = 0; step < horizon; step++) {
          path[step] = (path[step] as number) + (profile[(history.length + step) % profile.length] as number);
        }
      }
      return path;
    },
  });
}
