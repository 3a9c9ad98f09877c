import type {DashboardRegion, DashboardView} from '../operate/dashboard-view.ts';
import {wholeAge} from '../output/region-cells.ts';
import {cut} from '../output/table.ts';
import {formatMs} from '../output/units.ts';
import type {RunDocument} from '../run/document.ts';
import {regionLayout, regionLine, regionTitles} from './dashboard-columns.ts';
import {regionDetail} from './dashboard-detail.ts';
import {REGIONS, type RegionSort} from './dashboard-list.ts';
import {panes} from './dashboard-panes.ts';
import {stripLines} from './dashboard-strip.ts';
import type {KeySays} from './keys.ts';
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

/** What the signs of a row say. */
const SIGNS: readonly KeySays[] = [
  {shown: 'P s p ?', does: 'of a store: primary, standby, peer, not known'},
  {shown: 'P?', does: 'not seen now, the primary when it was seen last'},
  {shown: '!', does: 'for a store: it does not take writes as it should'},
  {shown: '~ ≤', does: 'about, at most'},
  {shown: '✗', does: 'before a loss: it would miss its objective (RPO)'},
  {shown: '(40 %)', does: 'old: its source has said nothing since'},
];

/** The first screen: a line for each region, above them the run that goes on and the topology, below them what happened. */
export const REGION_LOOK: ListLook<DashboardView, DashboardRegion, RegionSort> = {
  list: REGIONS,
  keys: REGION_KEYS,
  title: dashboardTitle,
  head: (view, space) => {
    const run = runLines(view.run, view.at, space);
    return [...run, ...stripLines(view, {...space, most: space.most - run.length})];
  },
  foot: (view, _, chosen, space) => panes(view, chosen, space),
  fills: true,
  signs: SIGNS,
  table: (_, view, columns) => {
    const layout = regionLayout(view, columns);
    return {titles: regionTitles(layout), line: (region) => regionLine(region, view, layout)};
  },
  detail: regionDetail,
  actions: [
    {
      key: 'S',
      words: ({region}) => ['switchover', 'run', '--to', region],
    },
    {key: 'F', words: ({region}) => ['failover', 'run', '--to', region]},
  ],
  empty: () => 'the fleet file names no region',
};

/** The first line of every tab. */
export function dashboardTitle(view: DashboardView): {name: string; stands: Part; figures: Part} {
  const {symbol, meaning} = verdictSign(view.verdict ?? 'unknown');
  const open = view.links.filter(({breaker}) => breaker.state === 'open').length;
  // What is wrong first: a narrow screen cuts the rest.
  const counts = [
    ...(open === 0 ? [] : [`${counted(open, 'breaker')} open`]),
    counted(view.regions.length, 'region'),
    counted(view.endpoints.length, 'endpoint'),
    counted(view.links.length, 'link'),
    ...(view.health.loopLagMs >= STALLED_MS ? [`stalled ${formatMs(view.health.loopLagMs)}`] : []),
  ];
  return {
    name: view.fleet,
    stands: view.verdict === null ? {text: 'asking', meaning: 'muted'} : {text: `${symbol} ${view.verdict}`, meaning},
    figures: {text: counts.join(', '), meaning: open > 0 ? 'critical' : 'muted'},
  };
}

/** What this process itself stood still is told from here on: its figures are as late. */
const STALLED_MS = 250;

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
