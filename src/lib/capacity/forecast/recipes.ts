import {autoregressionParts} from '../models/autoregression.ts';
import {differenced} from '../models/differenced.ts';
import {directRegression} from '../models/direct-regression.ts';
import {doubleSeasonal} from '../models/double-seasonal.ts';
import {type Model, modelOf} from '../models/model.ts';
import {carriedNaive, lastValue, seasonalNaive} from '../models/naive.ts';
import {recentLine} from '../models/recent-line.ts';
import {profileWith} from '../models/seasonal-profile.ts';
import {dampedTrend, dampedTrendParts, simpleSmoothing, simpleSmoothingParts} from '../models/smoothing.ts';
import {theta} from '../models/theta.ts';
import type {Grain} from '../series.ts';

export type NamedModel = {readonly name: string; readonly model: Model};

/** Which models a series is forecast with. */
export type Recipe = {
  /** Combined to the ensemble; those that the history is too short for are left out. */
  readonly members: readonly NamedModel[];
  /** Weigh in the ensemble as their trials deserve, and can be taken instead of it. */
  readonly simple: readonly NamedModel[];
  readonly blend: Blend;
};

/** The ensemble: `median` = share of the point-wise median of the members; the rest is the mean of all models by (1 / error in the trials) ^ `power`. */
export type Blend = {readonly median: number; readonly power: number};

const range = (from: number, to: number): number[] => Array.from({length: to - from + 1}, (_, i) => from + i);
const named = (name: string, model: Model): NamedModel => ({name, model});

/** Hours around one, two and three days, and around a week. */
const HOURS = [...range(1, 6), ...range(22, 26), ...range(47, 49), ...range(71, 73), 96, 120, ...range(143, 145), ...range(166, 170)];
/** Hours around one day. */
const DAY = [...range(1, 6), ...range(22, 26)];
const FEWER_HOURS = [1, 2, 3, 23, 24, 25, 47, 48, 72, 96, 120, 144, 167, 168, 169];
const HOURLY_RIDGE = 1e-5;

const LAST = named('last-value', lastValue);
const THIRD: Blend = {median: 1 / 3, power: 3};

const HOURLY: Recipe = {
  blend: THIRD,
  members: [
    named('autoregression', modelOf(autoregressionParts({lags: HOURS, ridge: HOURLY_RIDGE}))),
    named(
      'profile-autoregression',
      profileWith(
        autoregressionParts({
          lags: [...DAY, ...range(47, 49), ...range(71, 73), 96, 120, ...range(143, 145), ...range(167, 169)],
          ridge: HOURLY_RIDGE,
        }),
        [24, 168],
        0.9,
      ),
    ),
    named('day-profile-autoregression', profileWith(autoregressionParts({lags: DAY, ridge: 1e-4}), [24], 0.95)),
    named('direct-regression', directRegression(24, 168)),
    named('double-seasonal', doubleSeasonal(24, 168)),
  ],
  simple: [
    named('profile-smoothing', profileWith(simpleSmoothingParts, [24, 168], 0.8)),
    named('seasonal-naive', seasonalNaive(24)),
    named('seasonal-naive-week', seasonalNaive(168)),
    LAST,
  ],
};

/** Under three weeks, autoregressions alone would explode: what cannot holds them. */
const HOURLY_SHORT: Recipe = {
  blend: THIRD,
  members: [
    named('autoregression-short', modelOf(autoregressionParts({lags: FEWER_HOURS, ridge: 1e-3}))),
    named('double-seasonal', doubleSeasonal(24, 168)),
    named('seasonal-differences', modelOf(differenced(autoregressionParts({lags: [1, 2, 23, 24, 25], ridge: 1e-3}), 24))),
    named('profile-autoregression', profileWith(autoregressionParts({lags: DAY, ridge: 1e-3}), [24], 0.9)),
    named('profile-smoothing', profileWith(simpleSmoothingParts, [24], 0.8)),
  ],
  simple: [
    named('seasonal-naive', seasonalNaive(24)),
    named('seasonal-naive-week', seasonalNaive(168)),
    named('smoothing', simpleSmoothing),
    LAST,
  ],
};

const HOURLY_NO_SEASON: Recipe = {
  blend: THIRD,
  members: [
    named('smoothing', simpleSmoothing),
    named('damped-trend', dampedTrend),
    named('autoregression-short', modelOf(autoregressionParts({lags: [1, 2, 3], ridge: 1e-3}))),
  ],
  simple: [named('recent-line', recentLine), LAST, named('seasonal-naive', seasonalNaive(24))],
};

/** Between one and three days nothing can confirm a daily season, but most loads have one. */
const HOURLY_FEW: Recipe = {
  blend: {median: 0, power: 8},
  members: [named('carried-naive', carriedNaive(24)), named('smoothing', simpleSmoothing)],
  simple: [named('seasonal-naive', seasonalNaive(24)), LAST],
};

/** Where no trial knows a whole day, its few hours praise smoothing for what is only the time of day. */
const HOURLY_FEWEST: Recipe = {...HOURLY_FEW, blend: {median: 0, power: 4}, members: [named('carried-naive', carriedNaive(24))]};

/** Fewest hours for models of a whole week. */
const THREE_WEEKS = 504;
const THREE_DAYS = 72;
const TWO_DAYS = 50;

const WEEKS = [1, 2, 3, 4, 8, 13, 26, 39, 51, 52, 53];
const WEEKLY: Recipe = {
  blend: {median: 0, power: 6},
  members: [
    named('autoregression', modelOf(autoregressionParts({lags: WEEKS, ridge: 1e-4}))),
    named('differences', modelOf(differenced(autoregressionParts({lags: WEEKS, ridge: 1e-3})))),
    named('differences-short', modelOf(differenced(autoregressionParts({lags: range(1, 8), ridge: 1e-3})))),
    named('damped-trend', dampedTrend),
    named('smoothing', simpleSmoothing),
    named('seasonal-differences', modelOf(differenced(autoregressionParts({lags: [1, 2, 3, 4, 52], ridge: 1e-4}), 52))),
    named('profile-smoothing', profileWith(simpleSmoothingParts, [52], 0.85)),
  ],
  simple: [named('seasonal-naive', seasonalNaive(52)), LAST],
};

const DAILY_SEASONAL: Recipe = {
  blend: {median: 0, power: 2},
  members: [
    named('autoregression', modelOf(autoregressionParts({lags: [...range(1, 8), 14, 21, 28], ridge: 1e-3}))),
    named('profile-smoothing', profileWith(simpleSmoothingParts, [7], 0.95)),
    named('profile-damped-trend', profileWith(dampedTrendParts, [7], 0.95)),
  ],
  simple: [named('seasonal-naive', seasonalNaive(7)), LAST],
};

/** Days without a weekly pattern are near a random walk. */
const DAILY: Recipe = {
  blend: {median: 1, power: 0},
  members: [LAST, named('smoothing', simpleSmoothing), named('damped-trend', dampedTrend), named('theta', theta)],
  simple: [LAST, named('seasonal-naive', seasonalNaive(7))],
};

/** A line through so few days says nothing. */
const DAILY_FEW: Recipe = {...DAILY, members: DAILY.members.filter(({name}) => name !== 'theta')};
const THIRTY_DAYS = 30;

/** The recipe for `count` values with the confirmed `seasons`. */
export function recipeFor(grain: Grain, count: number, seasons: readonly number[]): Recipe {
  if (grain === 'weekly') return WEEKLY;
  if (grain === 'daily') return seasons.includes(7) ? DAILY_SEASONAL : count < THIRTY_DAYS ? DAILY_FEW : DAILY;
  if (count < THREE_DAYS) return count < TWO_DAYS ? HOURLY_FEWEST : HOURLY_FEW;
  if (seasons.length === 0) return HOURLY_NO_SEASON;
  return count >= THREE_WEEKS ? HOURLY : HOURLY_SHORT;
}
