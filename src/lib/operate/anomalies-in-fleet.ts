import {endedLongAgo} from '../capacity/ahead.ts';
import {STEP_MS} from '../capacity/regularize/steps.ts';
import type {ExitCode} from '../exit-codes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type AnomaliesDocument, findAnomalies} from './anomalies.ts';
import {loadAsked} from './load-series.ts';
import {missingDocument} from './missing-series.ts';
import type {SeriesFilter} from './series-questions.ts';

export type AnomaliesInFleetOptions = SeriesFilter & {
  readonly lastMs: number | null;
  /** A series without so many of its newest steps is missing; default: a week of hours, four weeks of days, eight weeks. */
  readonly quietSteps?: number;
  readonly signal: AbortSignal;
};

/**
 * Looks for anomalies in the series of a fleet, step by step. `lastMs`: only alerts that go on into so much time before the newest step; null = all. A series of which
 * nothing is known in that time up to now, or for long, is missing too: no alert of it says that all is well.
 */
export async function findAnomaliesInFleet(
  open: OpenFleet,
  {names, regions, lastMs, quietSteps, signal}: AnomaliesInFleetOptions,
): Promise<{document: AnomaliesDocument; exit: ExitCode}> {
  const {until, series: loaded, missing} = await loadAsked(open, {names, regions, signal});
  const series = loaded.map((one) => one.series);
  const stale = series.flatMap((one) => {
    const quietMs = quietSteps === undefined ? undefined : quietSteps * STEP_MS[one.grain];
    const reason = endedLongAgo(one, one.grain, until, quietMs ?? lastMs ?? undefined);
    return reason === null ? [] : [{name: one.name, region: one.region, code: 'stale', reason}];
  });
  return findAnomalies(series, lastMs, [...missing.map(missingDocument), ...stale]);
}
