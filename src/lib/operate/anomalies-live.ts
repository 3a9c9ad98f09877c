import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {AnomalyAlert, SeriesAnomalies} from './anomalies.ts';
import {findAnomaliesInFleet} from './anomalies-in-fleet.ts';
import type {MissingDocument} from './missing-series.ts';
import {everyRound} from './rounds.ts';
import type {SeriesFilter} from './series-questions.ts';

/** An alert that began, of a series; or that a series cannot be had any more, with the reason, or can be again (`reason` null). */
export type AnomalyEvent =
  | ({readonly event: 'alert'; readonly name: string; readonly region: string | null} & AnomalyAlert)
  | {readonly event: 'series'; readonly name: string; readonly region: string | null; readonly at: string; readonly reason: string | null};

/** A source that answers, but has no values of so many steps, has fallen silent. */
const QUIET_STEPS = 3;

export type LiveOptions = SeriesFilter & {
  readonly everyMs: number;
  readonly signal: AbortSignal;
  onEvent(event: AnomalyEvent): void;
};

/**
 * Looks at the series of a fleet again and again, until the signal is aborted, and tells each alert once: those that go on when it begins, and those that begin later. Exit
 * code: 1 an alert was told, 3 none, and a series cannot be had, 0 none.
 */
export async function watchAnomalies(open: OpenFleet, {everyMs, signal, onEvent, ...filter}: LiveOptions): Promise<ExitCode> {
  /** Until when each series has been told of, ISO 8601. */
  const told = new Map<string, string>();
  const lost = new Map<string, MissingDocument>();
  let alerts = 0;
  let isFirst = true;
  await everyRound(open.clock, {everyMs, signal}, async () => {
    const {document} = await findAnomaliesInFleet(open, {...filter, lastMs: null, quietSteps: QUIET_STEPS, signal});
    for (const series of document.series) {
      const key = JSON.stringify([series.name, series.region]);
      for (const alert of series.alerts) {
        const known = told.get(key) ?? '';
        told.set(key, alert.until > known ? alert.until : known);
        // The history moves on with each look, and the beginning of the same burst with it: what overlaps is no other one.
        if (alert.at <= known || (isFirst && !goesOn(series, alert))) continue;
        alerts++;
        onEvent({event: 'alert', name: series.name, region: series.region, ...alert});
      }
    }
    tellMissing(document.missing, lost, new Date(open.clock.wall()).toISOString(), onEvent);
    isFirst = false;
  });
  return alerts > 0 ? EXIT.warning : lost.size > 0 ? EXIT.unknown : EXIT.good;
}

/** Whether the newest reading belongs to it. */
const goesOn = ({to}: SeriesAnomalies, {until}: AnomalyAlert): boolean => until === to;

function tellMissing(missing: readonly MissingDocument[], lost: Map<string, MissingDocument>, at: string, onEvent: LiveOptions['onEvent']) {
  const now = new Map(missing.map((one) => [JSON.stringify([one.name, one.region]), one]));
  for (const [key, {name, region, reason}] of now) if (!lost.has(key)) onEvent({event: 'series', name, region, at, reason});
  for (const [key, {name, region}] of lost) if (!now.has(key)) onEvent({event: 'series', name, region, at, reason: null});
  lost.clear();
  for (const [key, one] of now) lost.set(key, one);
}
