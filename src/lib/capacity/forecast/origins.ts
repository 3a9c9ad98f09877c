import type {Grain} from '../series.ts';

/** From where, and how far, models are tried on the history. */
export type Plan = {
  /** How many values each trial knows, rising. None = the history is too short for a trial. */
  readonly origins: readonly number[];
  /** Steps of each trial: those asked for, or fewer in a short history. */
  readonly horizon: number;
};

/** A trial may take this part of the history for itself. */
const LARGEST_PART = 1 / 5;
/** Every trial knows at least this part. */
const OLDEST = 0.4;
/** Trials of as many steps as a season tell about each phase of it. */
const SEASONS: Readonly<Record<Grain, number>> = {hourly: 24, daily: 7, weekly: 1};
/** What a trial should know where it can: two seasons, which profiles need. */
const ENOUGH: Readonly<Record<Grain, number>> = {hourly: 50, daily: 16, weekly: 12};
const FEWEST_VALUES = 6;

/**
 * Rolling origins (Tashman 2000): the newest one leaves just `horizon` values to be compared, the others lie half a horizon apart (whole seasons where
 * it is longer than one, so that a step ahead is the same hour in each), `most` of them at the most, in the newer part of the history.
 */
export function planTrials(count: number, horizon: number, grain: Grain, most: number): Plan {
  const season = SEASONS[grain];
  // At least one trial should know a whole season.
  const beyond = count > season ? count - season : count;
  const steps = Math.min(horizon, Math.floor(count * LARGEST_PART), beyond);
  if (count < FEWEST_VALUES || steps < 1) return {origins: [], horizon: 0};
  const half = Math.max(1, Math.ceil(steps / 2));
  const stride = half >= season ? Math.floor(half / season) * season : half;
  const oldest = Math.max(Math.ceil(count * OLDEST), Math.min(ENOUGH[grain], count - steps));
  const origins: number[] = [];
  for (let origin = count - steps; origin >= oldest && origins.length < most; origin -= stride) origins.unshift(origin);
  return {origins, horizon: steps};
}
