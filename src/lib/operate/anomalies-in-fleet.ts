import type {ExitCode} from '../exit-codes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type AnomaliesDocument, findAnomalies} from './anomalies.ts';
import {loadSeries} from './load-series.ts';
import {missingDocument} from './missing-series.ts';
import type {SeriesFilter} from './series-questions.ts';

/** Looks for anomalies in the series of a fleet, step by step. `lastMs`: only alerts that go on into so much time before the newest step; null = all. */
export async function findAnomaliesInFleet(
  open: OpenFleet,
  {names, regions, lastMs, signal}: SeriesFilter & {readonly lastMs: number | null; readonly signal: AbortSignal},
): Promise<{document: AnomaliesDocument; exit: ExitCode}> {
  const {series, missing} = await loadSeries(open, {names, regions, signal});
  return findAnomalies(
    series.map((one) => one.series),
    lastMs,
    missing.map(missingDocument),
  );
}
