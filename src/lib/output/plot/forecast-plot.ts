import type {Path} from '../../capacity/forecast/shapes.ts';
import type {Paint} from '../paint.ts';
import {cut} from '../table.ts';
import {type Axis, roundStep, valueAxis} from './axis.ts';
import {Canvas} from './canvas.ts';
import {shortFigure} from './figure.ts';
import {timeTicks} from './time-axis.ts';

/** What is drawn of one series. `x` is epoch ms, or the number of the step where no times are known (`timeZone` null then). NaN in `y` = not known. */
export type Plotted = {
  readonly unit: string;
  readonly limit: number | null;
  readonly timeZone: string | null;
  readonly history: {readonly x: Float64Array; readonly y: Float64Array};
  readonly future: Path & {readonly x: Float64Array};
  /** Where the history was found to break; null = nowhere. */
  readonly breakX: number | null;
};

export type PlotSize = {readonly width: number; readonly height: number};

/** A limit this many times above all that is drawn would press the rest flat: it is said instead of drawn. */
const FAR = 3;
const TICK_WIDTH = 12;

/**
 * A picture of the history, the forecast with both of its intervals and the limit, as lines no wider than `width`; `height` = rows of the picture itself,
 * to which the axis and a legend are added. Readable without colours: lines are dots, intervals are shades.
 */
export function forecastPlot(plotted: Plotted, {width, height}: PlotSize, paint: Paint): readonly string[] {
  const range = rangeOf(plotted);
  const drawn = limitDrawn(plotted);
  const axis = valueAxis(range.low, range.high, Math.max(2, Math.floor(height / 3)));
  const labels = labelsOf(axis, height);
  const margin = Math.max(...labels.map((each) => [...each].length)) + 2;
  const canvas = new Canvas(Math.max(10, width - margin), height);
  const frame = frameOf(range, axis, canvas);
  if (plotted.history.x.length > 0) column(frame, frame.column(lastOf(plotted.history.x)), '┊', 'now');
  if (plotted.breakX !== null) column(frame, frame.column(plotted.breakX), '╎', 'break');
  band(frame, plotted.future, ['lower95', 'upper95'], '░');
  band(frame, plotted.future, ['p10', 'p90'], '▒');
  if (drawn && plotted.limit !== null) for (let i = 0; i < canvas.width; i++) limitMark(frame, i, plotted.limit);
  curve(frame, plotted.history.x, plotted.history.y, 'seen');
  curve(frame, plotted.future.x, plotted.future.mean, 'forecast');
  const rows = canvas.rows((layer, text) => painted(paint, layer, text));
  const picture = rows.map((row, i) => {
    const label = (labels[i] ?? '').padStart(margin - 2);
    return `${paint.muted(`${label} ${labels[i] === '' ? '│' : '┤'}`)}${row}`;
  });
  return [...picture, ...horizontal(plotted, frame, margin, paint), ...legend(plotted, drawn, width, margin, paint)];
}

type Frame = {
  readonly canvas: Canvas;
  /** The dot column of an x, and the dot row of a value. */
  readonly dot: (x: number) => number;
  readonly row: (y: number) => number;
  /** The cell column of an x. */
  readonly column: (x: number) => number;
  readonly from: number;
  readonly to: number;
};

function frameOf({from, to}: ReturnType<typeof rangeOf>, axis: Axis, canvas: Canvas): Frame {
  const across = canvas.width * 2 - 1;
  const down = canvas.height * 4 - 1;
  const dot = (x: number): number => (to === from ? across : Math.round(((x - from) / (to - from)) * across));
  const row = (y: number): number => Math.round(((axis.high - drawable(y)) / (axis.high - axis.low)) * down);
  return {canvas, dot, row, column: (x) => dot(x) >> 1, from, to};
}

const lastOf = (values: Float64Array): number => values.at(-1) ?? Number.NaN;

/** The range of all that is drawn, in time (or steps) and in value. */
export function rangeOf(plotted: Plotted): {readonly from: number; readonly to: number; readonly low: number; readonly high: number} {
  const {history, future, limit} = plotted;
  const xs = [history.x[0], lastOf(history.x), future.x[0], lastOf(future.x)].filter(
    (x): x is number => x !== undefined && !Number.isNaN(x),
  );
  const {low, high} = valuesOf(plotted);
  const drawn = limit !== null && limitDrawn(plotted);
  return {
    from: Math.min(...xs),
    to: Math.max(...xs),
    low: drawn ? Math.min(low, drawable(limit)) : low,
    high: drawn ? Math.max(high, drawable(limit)) : high,
  };
}

/** Whether the limit is near enough to be drawn. */
export function limitDrawn(plotted: Plotted): boolean {
  const {limit} = plotted;
  const {low, high} = valuesOf(plotted);
  return limit !== null && limit <= Math.max(high, 0) * FAR && limit >= low - (high - low) * FAR;
}

const LARGEST = Number.MAX_VALUE / 8;
/** The value itself, or the nearest of those between any two of which the difference is a number still. */
export const drawable = (value: number): number => Math.max(-LARGEST, Math.min(LARGEST, value));

function valuesOf({history, future}: Plotted): {readonly low: number; readonly high: number} {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const values of [history.y, future.lower95, future.upper95, future.mean])
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  return low > high ? {low: 0, high: 1} : {low: drawable(low), high: drawable(high)};
}

/** What stands left of each row: the tick that falls into it. */
function labelsOf({low, high, ticks}: Axis, height: number): readonly string[] {
  const labels = new Array<string>(height).fill('');
  for (const tick of ticks) labels[Math.round(((high - tick) / (high - low)) * (height * 4 - 1)) >> 2] = shortFigure(tick);
  return labels;
}

function column({canvas}: Frame, at: number, text: string, layer: string): void {
  for (let row = 0; row < canvas.height; row++) canvas.shade(at, row, {text, layer});
}

function limitMark({canvas, row}: Frame, at: number, limit: number): void {
  canvas.shade(at, row(limit) >> 2, {text: '━', layer: 'limit'});
}

/** Shades the cells between two edges of the forecast. */
function band(
  frame: Frame,
  future: Plotted['future'],
  [lower, upper]: readonly ['lower95' | 'p10', 'upper95' | 'p90'],
  text: string,
): void {
  const {canvas, column: columnOf, row} = frame;
  const {x} = future;
  for (let i = 0; i < x.length; i++) {
    const from = columnOf(x[i] ?? 0);
    const to = Math.max(from, i + 1 < x.length ? columnOf(x[i + 1] ?? 0) - 1 : from);
    const top = Math.max(0, row(future[upper][i] ?? 0)) >> 2;
    const bottom = Math.min(canvas.height * 4 - 1, row(future[lower][i] ?? 0)) >> 2;
    for (let at = from; at <= to; at++) for (let cell = top; cell <= bottom; cell++) canvas.shade(at, cell, {text, layer: 'band'});
  }
}

/** Draws values as a line that is broken where one is not known. Of many values in one column, all from the least to the greatest are covered. */
function curve({canvas, dot, row}: Frame, x: Float64Array, y: Float64Array, layer: string): void {
  let before: {readonly column: number; readonly row: number} | null = null;
  for (let i = 0; i < x.length; i++) {
    const value = y[i] ?? Number.NaN;
    if (!Number.isFinite(value)) {
      before = null;
      continue;
    }
    const here = {column: dot(x[i] ?? 0), row: row(value)};
    segment(canvas, before ?? here, here, layer);
    before = here;
  }
}

function segment(
  canvas: Canvas,
  from: {readonly column: number; readonly row: number},
  to: {readonly column: number; readonly row: number},
  layer: string,
): void {
  const across = to.column - from.column;
  let last = from.row;
  for (let step = across === 0 ? 0 : 1; step <= across; step++) {
    const here = across === 0 ? to.row : Math.round(from.row + ((to.row - from.row) * step) / across);
    // From the row after the last one: dots that touch make a line, without a second one beside it.
    canvas.line(from.column + step, here === last ? here : last + Math.sign(here - last), here, layer);
    last = here;
  }
}

function painted(paint: Paint, layer: string, text: string): string {
  if (layer === 'limit') return paint.critical(text);
  if (layer === 'forecast') return paint.strong(text);
  return layer === 'seen' ? text : paint.muted(text);
}

/** The axis below, with what stands under its ticks. */
function horizontal(plotted: Plotted, frame: Frame, margin: number, paint: Paint): readonly string[] {
  const {canvas, from, to} = frame;
  const ticks = ticksOf(plotted, from, to, Math.max(1, Math.floor(canvas.width / TICK_WIDTH)));
  const rule = new Array<string>(canvas.width).fill('─');
  const under = new Array<string>(canvas.width + margin).fill(' ');
  let free = 0;
  for (const {at, text} of ticks) {
    const place = frame.column(at);
    const letters = [...text];
    const begin = Math.min(Math.max(0, margin + place - (letters.length >> 1)), under.length - letters.length);
    if (begin < free) continue;
    rule[place] = '┬';
    for (const [i, letter] of letters.entries()) under[begin + i] = letter;
    free = begin + letters.length + 1;
  }
  return [paint.muted(`${' '.repeat(margin - 1)}└${rule.join('')}`), paint.muted(under.join('').trimEnd())];
}

/** Ticks along the axis of time, or of steps where no times are known. */
export function ticksOf(
  {timeZone}: Plotted,
  from: number,
  to: number,
  most: number,
): readonly {readonly at: number; readonly text: string}[] {
  if (timeZone !== null) return timeTicks(from, to, most, timeZone);
  const step = Math.max(1, roundStep(Math.max(1, to - from), most));
  const first = Math.ceil(from / step) * step;
  return Array.from({length: Math.max(0, Math.floor((to - first) / step) + 1)}, (_, i) => ({
    at: first + i * step,
    text: String(first + i * step),
  }));
}

function legend({unit, limit, breakX}: Plotted, drawn: boolean, width: number, margin: number, paint: Paint): readonly string[] {
  const parts = ['⠤⠤ seen', '⠤⠤ forecast from ┊', '▒ 80 %', '░ 95 %'];
  if (breakX !== null) parts.push('╎ break');
  if (limit !== null) parts.push(drawn ? `━━ limit ${shortFigure(limit)}` : `limit ${shortFigure(limit)} is not in the picture`);
  if (unit !== '') parts.push(`in ${unit}`);
  return [paint.muted(`${' '.repeat(margin)}${cut(parts.join('   '), Math.max(10, width - margin))}`)];
}
