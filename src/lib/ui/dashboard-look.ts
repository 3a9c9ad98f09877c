import type {DashboardEvent, DashboardRegion, DashboardView} from '../operate/dashboard-view.ts';
import {wholeAge} from '../output/region-cells.ts';
import {cut} from '../output/table.ts';
import {formatMs, formatTime} from '../output/units.ts';
import type {RunDocument} from '../run/document.ts';
import {regionLayout, regionLine, regionTitles} from './dashboard-columns.ts';
import {regionDetail} from './dashboard-detail.ts';
import {REGIONS, type RegionSort} from './dashboard-list.ts';
import {stripLines} from './dashboard-strip.ts';
import type {Line, Part, Space} from './line-view.tsx';
import {listKeys} from './list-keys.ts';
import type {ListLook} from './list-view.tsx';
import {outcomeMeaning, verdictSign} from './meaning.ts';
import {stepLine} from './step-line.ts';

/** Every key of the list of regions. */
export const REGION_KEYS = listKeys({
  row: 'region',
  holds: 'region, law, verdict, reason, store, member, role',
  orders: 'as in the file, worst first, furthest behind first, most traffic first',
  goesOn: 'looking',
});

/** The first screen: a line for each region, above them the run that goes on and the topology, below them what happened. */
export const REGION_LOOK: ListLook<DashboardView, DashboardRegion, RegionSort> = {
  list: REGIONS,
  keys: REGION_KEYS,
  title: dashboardTitle,
  head: (view, space) => {
    const run = runLines(view.run, view.at, space);
    return [...run, ...stripLines(view, {...space, most: space.most - run.length})];
  },
  foot: eventLines,
  table: (_, view, columns) => {
    const layout = regionLayout(view, columns);
    return {titles: regionTitles(layout), line: (region) => regionLine(region, view, layout)};
  },
  detail: regionDetail,
  actions: [
    {
      key: 'S',
      does: 'switch over to the chosen region: shows the plan, and asks',
      words: ({region}) => ['switchover', 'run', '--to', region],
    },
    {key: 'F', does: 'fail over to the chosen region: shows the plan, and asks', words: ({region}) => ['failover', 'run', '--to', region]},
  ],
  empty: () => 'the fleet file names no region',
};

/** The first line of every tab. */
export function dashboardTitle(view: DashboardView): {name: string; stands: Part; figures: Part} {
  const {symbol, meaning} = verdictSign(view.verdict ?? 'unknown');
  const open = view.links.filter(({breaker}) => breaker.state === 'open').length;
  const counts = [
    counted(view.regions.length, 'region'),
    counted(view.endpoints.length, 'endpoint'),
    counted(view.links.length, 'link'),
    ...(open === 0 ? [] : [`${counted(open, 'breaker')} open`]),
    ...(view.health.loopLagMs >= 50 ? [`stalled ${formatMs(view.health.loopLagMs)}`] : []),
  ];
  return {
    name: view.fleet,
    stands: view.verdict === null ? {text: 'asking', meaning: 'muted'} : {text: `${symbol} ${view.verdict}`, meaning},
    figures: {text: counts.join(', '), meaning: open > 0 ? 'critical' : 'muted'},
  };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** The run that goes on, and the step that it is at. */
export function runLines(run: RunDocument | null, at: number, {most, columns}: Space): readonly Line[] {
  if (run === null || most < 1) return [];
  const way = [run.from, run.to].filter((place) => place !== null).join(' → ');
  const began = run.startedAt === null ? '' : `, for ${wholeAge(at - Date.parse(run.startedAt))}`;
  const done = run.steps.filter(({status}) => status === 'done' || status === 'skipped').length;
  const meaning = run.outcome === 'running' ? 'active' : outcomeMeaning(run.outcome);
  const head: Line = [{text: cut(`▶ ${run.kind} ${way} ${run.outcome}${began}: ${done} of ${run.steps.length} steps`, columns), meaning}];
  const step = run.steps.find(({status}) => status === 'running') ?? run.steps.find(({status}) => status === 'failed');
  if (step === undefined || most < 2) return [head];
  return [head, [{text: '  ', meaning: 'plain'}, ...stepLine(step, {at, grainMs: 1000, columns: columns - 2})]];
}

/** What happened last, newest first, and what needs an eye. */
function eventLines({events, notes}: DashboardView, _: unknown, __: unknown, {most, columns}: Space): readonly Line[] {
  const said = notes.slice(1, 3).map((note): Line => [{text: cut(`! ${note}`, columns), meaning: 'warning'}]);
  const shown = events.toReversed().slice(0, Math.max(0, most - said.length));
  return [...said, ...shown.map((event) => eventLine(event, columns))];
}

/** One event: when, and what. */
export function eventLine({at, text, bad}: DashboardEvent, columns: number): Line {
  const time = formatTime(at).slice(11, 19);
  return [
    {text: `${time}  `, meaning: 'muted'},
    {text: cut(text, Math.max(0, columns - time.length - 2)), meaning: bad ? 'warning' : 'plain'},
  ];
}
