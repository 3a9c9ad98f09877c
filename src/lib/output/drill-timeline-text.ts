import type {DrillDocument, TimelineRow} from '../drill/report.ts';
import {drawnRows, lineFigure, type Scale, scaleOf} from './drill-scale.ts';
import type {Meaning, Paint} from './paint.ts';
import {cut} from './table.ts';
import {padRight, textWidth} from './text-width.ts';

const MARKS: Readonly<Record<TimelineRow['lane'], string>> = {fault: '▒', gap: '█', load: '░', phase: '━', event: '◆'};
const MEANINGS: Readonly<Record<TimelineRow['tone'], Meaning>> = {good: 'good', bad: 'critical', neutral: 'muted'};
const FIGURE = 13;

/** The time line of a drill in characters, to scale: faults `▒`, times without a write `█`, phases `━`, instants `◆`. Lanes are told apart without colour. No line is wider than `columns`. */
export function timelineText(report: Pick<DrillDocument, 'timeline'>, columns: number, paint: Paint): string[] {
  const {lines, left} = drawnRows(report);
  if (lines.length === 0) return [];
  const longest = Math.max(...lines.map(([first]) => textWidth(cut(first?.title ?? '', 1000))));
  const names = Math.max(4, Math.min(longest, Math.floor((columns - FIGURE - 4) * 0.45)));
  const width = Math.max(8, columns - names - FIGURE - 6);
  const scale = scaleOf(report.timeline, Math.max(1, Math.floor(width / 12)));
  return [
    ...lines.map((rows) => line(rows, {names, width, scale, paint})),
    paint.muted(cut(`  ${' '.repeat(names)}  ${axis(scale, width)}`, columns)),
    ...(left === 0 ? [] : [paint.muted(`  and ${left} more instants`)]),
  ];
}

type Room = {readonly names: number; readonly width: number; readonly scale: Scale; readonly paint: Paint};

function line(rows: readonly TimelineRow[], {names, width, scale, paint}: Room): string {
  const [first] = rows;
  const cells = Array.from({length: width}, () => ' ');
  for (const {ms, endMs, lane} of rows) {
    const from = Math.min(width - 1, Math.floor((ms / scale.endMs) * width));
    const to = endMs === null ? from + 1 : Math.max(from + 1, Math.round((endMs / scale.endMs) * width));
    cells.fill(MARKS[lane], from, Math.min(width, to));
  }
  const name = padRight(cut(first?.title ?? '', names), names);
  const bar = cells.join('');
  const meaning = rows.some(({tone}) => tone === 'bad') ? 'critical' : MEANINGS[first?.tone ?? 'neutral'];
  const figure = cut(lineFigure(rows), FIGURE).padStart(FIGURE);
  return `  ${name}  ${paint[meaning](bar)}  ${figure}`;
}

/** Ticks as far as there is room between them. */
function axis({endMs, ticks}: Scale, width: number): string {
  let text = '';
  for (const tick of ticks) {
    const at = Math.floor((tick.ms / endMs) * width);
    if (text !== '' && at <= text.length) continue;
    text = `${text.padEnd(at)}╵${tick.text}`;
  }
  return text;
}
