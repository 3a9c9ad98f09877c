import {type Html, html, NONE} from '../html.ts';
import {type Axis, valueAxis} from './axis.ts';
import {shortFigure} from './figure.ts';
import {drawable, limitDrawn, type Plotted, rangeOf, ticksOf} from './forecast-plot.ts';

type Size = {readonly name: 'wide' | 'narrow'; readonly width: number; readonly height: number; readonly ticks: number};
const SIZES: readonly Size[] = [
  {name: 'wide', width: 1000, height: 330, ticks: 8},
  {name: 'narrow', width: 480, height: 300, ticks: 4},
];
const LEFT = 56;
const RIGHT = 14;
const TOP = 14;
const BOTTOM = 26;

/** The picture of the terminal as SVG, once for wide and once for narrow pages. `title` says what it shows; `id` is unique in the page. */
export function forecastSvg(plotted: Plotted, id: string, title: string): Html {
  return html`${SIZES.map((size) => picture(plotted, size, `${id}-${size.name}`, title))}`;
}

type Frame = Size & {
  readonly axis: Axis;
  readonly x: (at: number) => number;
  readonly y: (value: number) => number;
  readonly from: number;
  readonly to: number;
};

function picture(plotted: Plotted, size: Size, id: string, title: string): Html {
  const frame = frameOf(plotted, size);
  const {history, future, breakX, limit} = plotted;
  const {width, height} = size;
  return html`<svg class="line ${size.name}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}"><title id="${id}">${title}</title>
${grid(plotted, frame)}
${upright(frame, breakX, 'break')}${upright(frame, history.x.at(-1) ?? null, 'now')}
<path class="p95" d="${area(frame, future.x, future.lower95, future.upper95)}"/><path class="p80" d="${area(frame, future.x, future.p10, future.p90)}"/>
${limit !== null && limitDrawn(plotted) ? limitLine(frame, limit) : NONE}
<path class="seen" d="${path(frame, history.x, history.y)}"/><path class="mean" d="${path(frame, future.x, future.mean)}"/></svg>`;
}

function frameOf(plotted: Plotted, size: Size): Frame {
  const {low, high, from, to} = rangeOf(plotted);
  const axis = valueAxis(low, high, 6);
  const [across, down] = [size.width - LEFT - RIGHT, size.height - TOP - BOTTOM];
  const x = (at: number): number => LEFT + (to === from ? across : ((at - from) / (to - from)) * across);
  const y = (value: number): number => TOP + ((axis.high - drawable(value)) / (axis.high - axis.low)) * down;
  return {...size, axis, x, y, from, to};
}

function grid(plotted: Plotted, {axis, x, y, from, to, width, height, ticks}: Frame): Html {
  const across = axis.ticks.map((tick) => {
    const at = round(y(tick));
    return html`<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${at}" y2="${at}"/><text class="dim" x="${LEFT - 8}" y="${at + 4}" font-size="12" text-anchor="end">${shortFigure(tick)}</text>`;
  });
  const along = ticksOf(plotted, from, to, ticks).map(({at, text}) => {
    const place = round(x(at));
    const anchor = place < LEFT + 24 ? 'start' : place > width - RIGHT - 24 ? 'end' : 'middle';
    return html`<line class="grid" x1="${place}" x2="${place}" y1="${height - BOTTOM}" y2="${height - BOTTOM + 5}"/><text class="dim" x="${place}" y="${height - 6}" font-size="12" text-anchor="${anchor}">${text}</text>`;
  });
  return html`${across}${along}`;
}

function upright({x, height}: Frame, at: number | null, text: string): Html {
  if (at === null) return NONE;
  const place = round(x(at));
  return html`<line class="target" x1="${place}" x2="${place}" y1="${TOP}" y2="${height - BOTTOM}"/><text class="dim" x="${place - 4}" y="${TOP + 10}" font-size="12" text-anchor="end">${text}</text>`;
}

function limitLine({y, width}: Frame, limit: number): Html {
  const at = round(y(limit));
  const under = at < TOP + 16 ? at + 14 : at - 5;
  return html`<line class="limit" x1="${LEFT}" x2="${width - RIGHT}" y1="${at}" y2="${at}"/><text class="bad" x="${LEFT + 6}" y="${under}" font-size="12">limit ${shortFigure(limit)}</text>`;
}

function area({x, y}: Frame, at: Float64Array, lower: Float64Array, upper: Float64Array): string {
  if (at.length === 0) return '';
  const points = (values: Float64Array) => Array.from(values, (value, i) => `${round(x(at[i] ?? 0))} ${round(y(value))}`);
  return `M${[...points(upper), ...points(lower).toReversed()].join('L')}Z`;
}

/** A line that is broken where a value is not known. Of many values in one point of the picture, the first, the least, the greatest and the last are kept. */
function path({x, y}: Frame, at: Float64Array, values: Float64Array): string {
  const pieces: Map<number, number[]>[] = [];
  let known = false;
  for (const [i, value] of values.entries()) {
    if (Number.isFinite(value)) {
      if (!known) pieces.push(new Map());
      const place = Math.round(x(at[i] ?? 0));
      const piece = pieces.at(-1);
      const ys = piece?.get(place);
      if (ys === undefined) piece?.set(place, [round(y(value))]);
      else ys.push(round(y(value)));
    }
    known = Number.isFinite(value);
  }
  return pieces.map((piece) => `M${[...piece].flatMap(([place, ys]) => spread(ys).map((each) => `${place} ${each}`)).join('L')}`).join('');
}

function spread(ys: readonly number[]): readonly number[] {
  if (ys.length <= 4) return ys;
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const y of ys) [least, most] = [Math.min(least, y), Math.max(most, y)];
  return [ys[0] ?? least, least, most, ys.at(-1) ?? most];
}

const round = (value: number): number => Math.round(value * 10) / 10;
