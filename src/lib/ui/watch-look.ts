import type {EndpointNow, MonitorView} from '../health/monitor.ts';
import {worstVerdict} from '../health/verdict.ts';
import {cut, cutStart} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import {formatMs} from '../output/units.ts';
import type {Line, Page, Part, Space} from './line-view.tsx';
import type {ListLook} from './list-view.tsx';
import {type Meaning, verdictSign} from './meaning.ts';
import {namesWidth, regionLine} from './region-line.ts';
import {sparkline} from './sparkline.ts';
import {detailLines} from './watch-detail.ts';
import {WATCH_KEYS} from './watch-keys.ts';
import {ageMs, ENDPOINTS, keyOf, type Sort} from './watch-state.ts';

/** An answer older than this is dimmed. */
const STALE_MS = 15_000;

/** The live view of health: the regions, and below them every endpoint. */
export const WATCH_LOOK: ListLook<MonitorView, EndpointNow, Sort> = {
  list: ENDPOINTS,
  keys: WATCH_KEYS,
  title: titleOf,
  head: regionLines,
  table: (rows, {at}, columns) => {
    const layout = layoutOf(rows, columns);
    return {titles: titlesOf(layout), line: (row) => lineOf(row, at, layout)};
  },
  detail: detailOf,
  empty: () => 'no endpoint',
};

function titleOf(view: MonitorView): {name: string; stands: Part; figures: Part} {
  const isKnown = view.regions.some(({verdict: each}) => each !== null);
  // Unknown is not good: a region that was not judged yet counts.
  const verdict = isKnown ? worstVerdict(view.regions.map((region) => region.verdict ?? 'unknown')) : null;
  const {symbol, meaning} = verdictSign(verdict ?? 'unknown');
  const lag = view.loopLagMs >= 50 ? `, stalled ${formatMs(view.loopLagMs)}` : '';
  const counts = `${view.endpoints.length} endpoint${view.endpoints.length === 1 ? '' : 's'}, ${Math.round(view.askedPerSecond)}/s${lag}`;
  return {
    name: view.fleet,
    stands: verdict === null ? {text: ' asking', meaning: 'muted'} : {text: `${symbol} ${verdict}`, meaning},
    figures: {text: counts, meaning: lag === '' ? 'muted' : 'warning'},
  };
}

function detailOf(row: EndpointNow, view: MonitorView, columns: number): Page {
  return {title: `${keyOf(row)}  ${row.judged?.verdict ?? 'not asked yet'}`, lines: detailLines(row, view, columns)};
}

function regionLines(view: MonitorView, {most, columns}: Space): readonly Line[] {
  const width = namesWidth(view.regions);
  const all = view.regions.length <= most ? view.regions : worstFirst(view.regions);
  const shown = all.slice(0, view.regions.length <= most ? most : most - 1);
  const hidden = view.regions.length - shown.length;
  return [
    ...shown.map((region) => regionLine(region, {at: view.at, width, columns})),
    ...(hidden === 0 ? [] : [[{text: `  and ${hidden} more, none worse`, meaning: 'muted'} as const]]),
  ];
}

type RegionRow = MonitorView['regions'][number];

function worstFirst(regions: readonly RegionRow[]): readonly RegionRow[] {
  const rank = ({verdict}: RegionRow) => ['unhealthy', 'unknown', 'recovering', 'degraded', 'healthy', null].indexOf(verdict);
  return regions.toSorted((a, b) => rank(a) - rank(b));
}

/** How wide each column is. */
type Layout = {readonly name: number; readonly probe: number; readonly spark: number; readonly detail: number};

const FIXED = 3 + 11 + 9 + 8;

function layoutOf(rows: readonly EndpointNow[], columns: number): Layout {
  const longest = rows.reduce((most, row) => Math.max(most, textWidth(keyOf(row))), 8);
  const name = Math.min(longest, Math.max(12, Math.floor(columns * 0.35)));
  const probe = columns >= 110 ? 10 : 0;
  const left = columns - FIXED - name - 2 - probe;
  const spark = left >= 60 ? 30 : left >= 22 ? 12 : 0;
  return {name, probe, spark, detail: Math.max(0, left - spark - (spark === 0 ? 0 : 2))};
}

function titlesOf({name, probe, spark, detail}: Layout): string {
  const middle = `${'endpoint'.padEnd(name)}  ${probe === 0 ? '' : 'probe'.padEnd(probe)}${'verdict'.padEnd(11)}${'latency'.padStart(9)}${'age'.padStart(8)}`;
  return `   ${middle}${spark === 0 ? '' : `  ${'last looks'.padStart(spark)}`}${detail < 6 ? '' : '  why'}`;
}

/** The parts of a line by what they mean: the verdict is coloured, the rest is not. */
function lineOf(row: EndpointNow, at: number, {name, probe, spark, detail}: Layout): Line {
  const {judged, history} = row;
  const age = judged === null ? '–' : shortAge(ageMs(row, at));
  const ms = judged?.reading.result.latencyMs ?? null;
  const latency = ms !== null && ms < 1 ? '<1 ms' : formatMs(ms);
  const before = `${cutStart(keyOf(row), name)}  ${probe === 0 ? '' : cut(row.probe, probe - 1).padEnd(probe)}`;
  const why = judged === null || judged.verdict === 'healthy' ? '' : judged.reason;
  const after = `${latency.padStart(9)}${age.padStart(8)}${spark === 0 ? '' : `  ${sparkline(history, spark)}`}${detail < 6 ? '' : `  ${cut(why, detail - 2)}`}`;
  const {symbol, meaning} = judged === null ? {symbol: '·', meaning: 'muted' as const} : verdictSign(judged.verdict);
  const quiet: Meaning = ageMs(row, at) > STALE_MS ? 'muted' : 'plain';
  return [
    {text: `${symbol} `, meaning},
    {text: before, meaning: quiet},
    {text: (judged?.verdict ?? 'asking').padEnd(11), meaning},
    {text: after, meaning: quiet},
  ];
}

function shortAge(ms: number): string {
  return ms < 1000 ? '<1 s' : formatMs(Math.floor(ms / 1000) * 1000);
}
