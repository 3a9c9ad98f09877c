import type {AnomaliesDocument, AnomalyAlert, SeriesAnomalies} from '../operate/anomalies.ts';
import type {AnomalyEvent} from '../operate/anomalies-live.ts';
import {counted, seriesName} from './forecast-words.ts';
import type {Paint} from './paint.ts';
import type {Cell, Column} from './table.ts';
import {titledTable} from './titled-table.ts';
import {formatMs, formatTime, shortMs} from './units.ts';
import {indented, joined, listItem, type TextOptions} from './verdict-cell.ts';

/** `capacity anomalies` for people: the alerts of each series, the newest last, and what each means. */
export function anomaliesText(document: AnomaliesDocument, options: TextOptions): string {
  const {series, missing, lastMs} = document;
  return joined([
    ...series.flatMap((one, index) => [...(index === 0 ? [] : ['']), ...seriesLines(one, lastMs, options)]),
    ...missing.flatMap((one) => indented(`${seriesName(one)} is not known: ${one.reason}`, options.columns, 0).map(options.paint.unknown)),
  ]);
}

function seriesLines(series: SeriesAnomalies, lastMs: number | null, {columns, paint}: TextOptions): string[] {
  const {alerts, remarks} = series;
  return [
    ...indented(headline(series, lastMs), columns, 0),
    ...(alerts.length === 0 ? [] : alertLines(alerts, columns, paint)),
    ...remarks.flatMap(({says, from, to}) => listItem(remarkText(says, from, to), columns)),
  ];
}

function headline({name, region, state, readings, from, to, alerts, earlier}: SeriesAnomalies, lastMs: number | null): string {
  const what = `${name}${region === null ? '' : ` in ${region}`}`;
  if (readings === 0) return `${what}: no reading.`;
  const data = `${readings.toLocaleString('en-US')} ${readings === 1 ? 'reading' : 'readings'}, ${span(from ?? '', to ?? '')}`;
  if (state === 'short') return `${what}: too little data to know what is usual: ${data}. At least 100 readings are needed.`;
  const scope = lastMs === null ? '' : ` in the last ${formatMs(lastMs)}`;
  const before = earlier === 0 ? '' : `, ${earlier} earlier`;
  return `${what}: ${alerts.length === 0 ? 'no alert' : counted(alerts.length, 'alert')}${scope}${before} (${data})`;
}

function alertLines(alerts: readonly AnomalyAlert[], columns: number, paint: Paint): string[] {
  const lines = titledTable(
    COLUMNS,
    alerts.map((alert) => cells(alert, paint)),
    {columns, paint},
  );
  const reasons = new Map(alerts.map(({statistic, reason}) => [WORDS[statistic], reason]));
  return [...lines, ...[...reasons].flatMap(([word, reason]) => listItem(`${word}: ${reason}`, columns))];
}

const COLUMNS: readonly Column[] = [
  {title: 'since', shrink: false},
  {title: 'for', align: 'right', shrink: false, drop: 2},
  {title: 'score', align: 'right', shrink: false, drop: 3},
  {title: 'seen', align: 'right', shrink: false},
  {title: 'expected', align: 'right', shrink: false},
  {title: 'why', drop: 1},
];

function cells({at, until, score, seen, expected, statistic}: AnomalyAlert, paint: Paint): Cell[] {
  const lasted = Date.parse(until) - Date.parse(at);
  return [
    formatTime(at),
    lasted <= 0 ? 'once' : shortMs(lasted),
    {text: score.toFixed(2), paint: paint.warning},
    figure(seen),
    figure(expected),
    WORDS[statistic],
  ];
}

const WORDS: Readonly<Record<AnomalyAlert['statistic'], string>> = {
  level: 'far off',
  'short-shift': 'sudden shift',
  'long-shift': 'lasting shift',
  'time-of-day': 'unlike this time of day',
};

/** Four digits are enough to compare two values. */
function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}

/** Where nothing has a time, both ends of a remark are the beginning of 1970. */
function remarkText(says: string, from: string, to: string): string {
  const isTimed = Date.parse(from) !== 0 || Date.parse(to) !== 0;
  return isTimed ? `${says.replace(/\.$/u, '')} (${span(from, to)})` : says;
}

function span(from: string, to: string): string {
  return from === to ? formatTime(from) : `${formatTime(from)} to ${formatTime(to)}`;
}

/** One line for each event of `capacity anomalies --every`. */
export function anomalyLine(event: AnomalyEvent, format: 'text' | 'ndjson'): string {
  if (format === 'ndjson') return JSON.stringify(event);
  if (event.event === 'series')
    return `${event.at} ${seriesName(event)} ${event.reason === null ? 'is known again' : `is not known: ${event.reason}`}`;
  const {at, score, seen, expected, reason} = event;
  return `${at} ${seriesName(event)}: ${figure(seen)}, expected ${figure(expected)} (score ${score.toFixed(2)}): ${reason}`;
}
