import type {DrillDocument, TimelineRow} from '../drill/report.ts';
import {drawnRows, lineFigure, type Scale, scaleOf} from './drill-scale.ts';
import {type Html, html, NONE} from './html.ts';
import {cut} from './table.ts';

/** How one picture is laid out, in its own pixels. `names` 0 = names stand above the bars. */
type Layout = {
  readonly id: string;
  readonly width: number;
  readonly names: number;
  readonly figures: number;
  readonly row: number;
  readonly letters: number;
  readonly ticks: number;
};

const WIDE: Layout = {id: 'wide', width: 1000, names: 300, figures: 90, row: 26, letters: 44, ticks: 8};
const NARROW: Layout = {id: 'narrow', width: 340, names: 0, figures: 0, row: 40, letters: 40, ticks: 4};
const BAR = 14;
const HEAD = 24;
const GROUP = 26;
const GROUPS: Readonly<Record<TimelineRow['lane'], string>> = {
  fault: 'Faults',
  gap: 'Writes not accepted',
  load: 'Load',
  phase: 'Phases',
  event: 'Events',
};

/** The time line as a picture, to scale: one for wide pages and paper, one for narrow screens, of which the style sheet shows one. */
export function timelinePicture(report: DrillDocument): Html {
  if (report.timeline.length === 0) return NONE;
  const {left} = drawnRows(report);
  return html`<figure>${[picture(report, WIDE), picture(report, NARROW)]}${left === 0 ? NONE : html`<figcaption>${left} more instants are in the JSON document.</figcaption>`}</figure>`;
}

type Drawn = {readonly rows: readonly TimelineRow[]; readonly y: number; readonly group: string | null};

function picture(report: DrillDocument, layout: Layout): Html {
  const scale = scaleOf(report.timeline, layout.ticks);
  const {drawn, height} = placed(drawnRows(report).lines, layout);
  const at = plot(layout, scale);
  const bands =
    layout.names === 0 ? [] : drawn.flatMap(({rows}) => rows.filter(({lane}) => lane === 'gap').map((row) => band(row, at, height)));
  return html`<svg class="line ${layout.id}" viewBox="0 0 ${layout.width} ${height}" role="img" aria-labelledby="line-${layout.id}-title line-${layout.id}-desc">
<title id="line-${layout.id}-title">Time line of the drill</title><desc id="line-${layout.id}-desc">${description(report)}</desc>
${bands}${axis(scale, at, height)}${drawn.map((line) => drawnLine(line, layout, at))}</svg>
`;
}

type Place = (ms: number) => number;

function plot({width, names, figures}: Layout, {endMs}: Scale): Place {
  // The last tick needs room for half of its text.
  const [from, to] = [names + 8, width - figures - 8];
  return (ms) => round(from + (ms / endMs) * (to - from));
}

function placed(lines: readonly (readonly TimelineRow[])[], {row}: Layout): {drawn: readonly Drawn[]; height: number} {
  const drawn: Drawn[] = [];
  let y = HEAD;
  let lane: TimelineRow['lane'] | null = null;
  for (const rows of lines) {
    const next = rows[0]?.lane ?? 'event';
    const group = next === lane ? null : GROUPS[next];
    if (group !== null) y += GROUP;
    drawn.push({rows, y, group});
    y += row;
    lane = next;
  }
  return {drawn, height: y + 8};
}

function axis({ticks, endMs}: Scale, at: Place, height: number): Html[] {
  return ticks.map(({ms, text}) => {
    const x = at(ms);
    const anchor = ms === 0 ? 'start' : ms > endMs * 0.95 ? 'end' : 'middle';
    return html`<line class="grid" x1="${x}" x2="${x}" y1="${HEAD - 4}" y2="${height}"/><text class="dim" x="${x}" y="14" font-size="12" text-anchor="${anchor}">${text}</text>`;
  });
}

function band({ms, endMs}: TimelineRow, at: Place, height: number): Html {
  return html`<rect class="band" x="${at(ms)}" y="${HEAD - 4}" width="${Math.max(1, round(at(endMs ?? ms) - at(ms)))}" height="${height - HEAD + 4}"/>`;
}

function drawnLine({rows, y, group}: Drawn, layout: Layout, at: Place): Html {
  const [first] = rows;
  const above = layout.names === 0;
  const barY = above ? y + 18 : y + (layout.row - BAR) / 2 - 2;
  const textY = above ? y + 12 : y + layout.row / 2 + 2;
  const name = html`<text x="${above ? 0 : 12}" y="${textY}" font-size="13">${cut(first?.title ?? '', layout.letters)}</text>`;
  const figure = html`<text class="dim" x="${layout.width}" y="${textY}" font-size="12" text-anchor="end">${lineFigure(rows)}</text>`;
  const heading =
    group === null ? NONE : html`<text class="dim" x="0" y="${y - 7}" font-size="11" font-weight="600" letter-spacing=".5">${group}</text>`;
  return html`${heading}<g><title>${first?.title ?? ''}, ${lineFigure(rows)}</title>${name}${figure}${rows.map((row) => mark(row, barY, at))}</g>
`;
}

function mark({ms, endMs, lane, tone}: TimelineRow, y: number, at: Place): Html {
  const x = at(ms);
  const kind = lane !== 'gap' && tone !== 'neutral' ? `f-${tone}` : lane;
  if (endMs === null) {
    const middle = y + BAR / 2;
    return html`<path class="${kind}" d="M${x} ${middle - 7}l7 7l-7 7l-7 -7z"/>`;
  }
  return html`<rect class="${kind}" x="${x}" y="${y}" width="${Math.max(2, round(at(endMs) - x))}" height="${BAR}" rx="2"/>`;
}

function description(report: DrillDocument): string {
  const lines = drawnRows(report).lines.map((rows) => `${rows[0]?.title ?? ''} ${lineFigure(rows)}`);
  return `${lines.join('; ')}.`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
