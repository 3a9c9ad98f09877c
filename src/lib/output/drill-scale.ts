import type {DrillDocument, TimelineRow} from '../drill/report.ts';
import {formatMeasured} from './drill-words.ts';
import {formatMs} from './units.ts';

/** A time axis: from 0 to `endMs`, with a tick every so many ms. */
export type Scale = {readonly endMs: number; readonly ticks: readonly {readonly ms: number; readonly text: string}[]};

const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000].concat(
  [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440].map((minutes) => minutes * 60_000),
);

/** The axis of a time line, with at most `most` ticks beside that at 0. */
export function scaleOf(rows: readonly TimelineRow[], most: number): Scale {
  const endMs = Math.max(1, ...rows.map(({ms, endMs: end}) => end ?? ms));
  const every = STEPS.find((step) => endMs / step <= most) ?? Math.ceil(endMs / most);
  const ticks = Array.from({length: Math.floor(endMs / every) + 1}, (_, i) => ({ms: i * every, text: formatMs(i * every)}));
  return {endMs, ticks: ticks.map((tick, i) => (i === 0 ? {...tick, text: '0'} : tick))};
}

/** The most instants that are drawn; the rest is counted. */
const MOST_INSTANTS = 12;

/** The rows that are drawn: spans of one lane and title share a line. `left` = how many instants are not drawn. */
export function drawnRows({timeline}: Pick<DrillDocument, 'timeline'>): {
  readonly lines: readonly (readonly TimelineRow[])[];
  readonly left: number;
} {
  const instants = timeline.filter(({endMs}) => endMs === null);
  const drawn = timeline.filter((row) => row.endMs !== null || instants.indexOf(row) < MOST_INSTANTS);
  const lines = new Map<string, TimelineRow[]>();
  for (const row of drawn) {
    const key = row.endMs === null ? `${row.ms} ${lines.size}` : `${row.lane} ${row.title}`;
    lines.set(key, [...(lines.get(key) ?? []), row]);
  }
  return {lines: [...lines.values()], left: Math.max(0, instants.length - MOST_INSTANTS)};
}

/** What stands beside a line: how long it took in all, or when it was. */
export function lineFigure(rows: readonly TimelineRow[]): string {
  const [first] = rows;
  if (first === undefined) return '';
  if (first.endMs === null) return `at ${formatMeasured(first.ms)}`;
  return formatMeasured(rows.reduce((sum, {ms, endMs}) => sum + Math.max(0, (endMs ?? ms) - ms), 0));
}
