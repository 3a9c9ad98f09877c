import {scoreKept} from '../capacity/kept-forecasts.ts';
import type {ExitCode} from '../exit-codes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {backtestOf, backtestSeries, type CapacityBacktestDocument, type SeriesBacktest} from './capacity-backtest.ts';
import {HORIZON} from './forecast-fleet.ts';
import {recallForecasts} from './kept-forecasts.ts';
import {type LoadedSeriesList, loadAsked} from './load-series.ts';
import {missingDocument} from './missing-series.ts';
import type {SeriesFilter} from './series-questions.ts';

export type FleetBacktestOptions = SeriesFilter & {
  /** Steps ahead, each series by its own; default: a week of hours, four weeks of days, half a year of weeks. */
  readonly horizon?: number | undefined;
  readonly origins: number;
  /** Score the forecasts that were kept, instead of trying on the history. */
  readonly stored: boolean;
  readonly signal: AbortSignal;
};

/** Scores forecasts of the series of a fleet. The objective is the fleet file's. Exit code as of `backtestSeries`. */
export async function backtestFleet(
  open: OpenFleet,
  {names, regions, horizon, origins, stored, signal}: FleetBacktestOptions,
): Promise<{document: CapacityBacktestDocument; exit: ExitCode}> {
  const loaded = await loadAsked(open, {names, regions, signal});
  const ask = {objectiveMape: open.fleet.capacity?.mape ?? null, now: loaded.until, missing: loaded.missing.map(missingDocument)};
  if (stored) return backtestOf(await scoreStored(open, loaded), {...ask, basis: 'stored', models: []});
  const tasks = loaded.series.map(({series}) => ({series, horizon: horizon ?? HORIZON[series.grain]}));
  return backtestSeries(tasks, {...ask, origins});
}

async function scoreStored(open: OpenFleet, {series}: LoadedSeriesList): Promise<readonly SeriesBacktest[]> {
  const objective = open.fleet.capacity?.mape ?? null;
  const scored: SeriesBacktest[] = [];
  for (const {series: one} of series) {
    const {name, region, grain} = one;
    const {forecasts, steps, furthest, scores} = scoreKept(await recallForecasts(open, one), one);
    scored.push({
      ...{name, region, grain, horizon: furthest, ...scores, origins: forecasts, models: []},
      withinObjective: objective === null || scores.mape === null ? null : scores.mape <= objective,
      notes: [
        `${steps === 1 ? '1 step' : `${steps} steps`} of ${forecasts === 1 ? '1 kept forecast' : `${forecasts} kept forecasts`} ${steps === 1 ? 'has' : 'have'} come.`,
      ],
    });
  }
  return scored;
}
