import type {Alert} from '../capacity/anomaly/bursts.ts';
import type {Statistic} from '../capacity/anomaly/detector.ts';
import {FEWEST_READINGS, type Watched, watchSeries} from '../capacity/anomaly/watch.ts';
import type {Remark, Series} from '../capacity/series.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {MissingDocument} from './missing-series.ts';

/** Whether anything stands out. `short` = fewer than 100 readings, which say nothing about what is usual. */
export type AnomalyState = 'none' | 'anomalies' | 'short';

/** One burst of anomalies. Times are ISO 8601; see `Alert` for the rest. */
export type AnomalyAlert = {
  readonly at: string;
  readonly until: string;
  readonly score: number;
  readonly seen: number;
  readonly expected: number;
  /** Which statistic it was that stood out most: for scripts. */
  readonly statistic: Statistic;
  /** The same as a sentence for people. */
  readonly reason: string;
};

export type SeriesAnomalies = {
  readonly name: string;
  readonly region: string | null;
  readonly state: AnomalyState;
  /** How many values are known. */
  readonly readings: number;
  /** The first and the newest time; null = there is no reading. */
  readonly from: string | null;
  readonly to: string | null;
  /** The newest last; with `lastMs` only those that go on into the last part of the series. */
  readonly alerts: readonly AnomalyAlert[];
  /** How many alerts `lastMs` leaves out. */
  readonly earlier: number;
  readonly remarks: readonly {
    readonly kind: Remark['kind'];
    readonly count: number;
    readonly from: string;
    readonly to: string;
    readonly says: string;
  }[];
};

/** `capacity anomalies --json`. */
export type AnomaliesDocument = {
  readonly state: AnomalyState;
  /** Only what happened so long before the newest reading of a series counts; null = everything. */
  readonly lastMs: number | null;
  readonly series: readonly SeriesAnomalies[];
  /** Series of the fleet file that could not be had. */
  readonly missing: readonly MissingDocument[];
};

/** What stands out in each of `series`, each looked at by itself. Exit code: 1 an anomaly in any, 3 none, and one of them is too short or could not be had, 0 none. */
export function findAnomalies(
  series: readonly Series[],
  lastMs: number | null,
  missing: readonly MissingDocument[] = [],
): {document: AnomaliesDocument; exit: ExitCode} {
  const all = series.map((each) => anomaliesOf({name: each.name, region: each.region}, watchSeries(each), lastMs));
  return documentOf(all, lastMs, missing);
}

/** What was found in one series, as documents have it. */
export function anomaliesOf(
  {name, region}: Pick<Series, 'name' | 'region'>,
  {readings, from, to, alerts, remarks}: Watched,
  lastMs: number | null,
): SeriesAnomalies {
  const recent = lastMs === null ? alerts : alerts.filter(({until}) => until >= to - lastMs);
  return {
    ...{name, region, readings},
    state: recent.length > 0 ? 'anomalies' : readings < FEWEST_READINGS ? 'short' : 'none',
    from: isoOf(from),
    to: isoOf(to),
    alerts: recent.map(alertOf),
    earlier: alerts.length - recent.length,
    remarks: remarks.map((remark) => ({...remark, from: isoOf(remark.from) ?? '', to: isoOf(remark.to) ?? ''})),
  };
}

export function documentOf(
  series: readonly SeriesAnomalies[],
  lastMs: number | null,
  missing: readonly MissingDocument[] = [],
): {document: AnomaliesDocument; exit: ExitCode} {
  const state = (['anomalies', 'short'] as const).find((each) => series.some((one) => one.state === each)) ?? 'none';
  const exit = missing.length > 0 && state === 'none' ? EXIT.unknown : EXITS[state];
  return {document: {state, lastMs, series, missing}, exit};
}

const EXITS: Readonly<Record<AnomalyState, ExitCode>> = {none: EXIT.good, anomalies: EXIT.warning, short: EXIT.unknown};

function alertOf({at, until, score, seen, expected, statistic}: Alert): AnomalyAlert {
  return {
    ...{at: new Date(at).toISOString(), until: new Date(until).toISOString()},
    ...{score: Number(score.toFixed(6)), seen, expected, statistic},
    reason: REASONS[statistic],
  };
}

const REASONS: Readonly<Record<Statistic, string>> = {
  level: 'further from the readings at the beginning (and what they have steadily grown to since) than nearly all before it',
  'short-shift': 'the mean of the last 10 readings moved away from that of those before them',
  'long-shift': 'the mean of the last 144 readings moved away from that of those before them',
  'time-of-day': 'the last 36 readings were unlike what is usual at their time of the day, or of the week',
};

function isoOf(at: number): string | null {
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}
