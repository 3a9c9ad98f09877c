import type {DashboardRegion, DashboardView} from '../operate/dashboard-view.ts';
import {cut} from '../output/table.ts';
import {textWidth} from '../output/text-width.ts';
import {regionDetail} from './dashboard-detail.ts';
import {eventLine} from './event-line.ts';
import type {Line, Space} from './line-view.tsx';
import {stepLine} from './step-line.ts';
import {windowOn} from './step-window.ts';

/** From so many columns on, what is known of the chosen region stands beside what happens. */
const SIDE_BY_SIDE = 160;
/** With less room there are only events. */
const LEAST_LINES = 8;
const BETWEEN = 3;

/**
 * What fills the room below the list of regions: all about the chosen one, the steps of the run that goes on, what needs an eye, and what happened last. Where there is little of
 * it, only the last two.
 */
export function panes(view: DashboardView, chosen: DashboardRegion | undefined, {most, columns}: Space): readonly Line[] {
  if (most < LEAST_LINES) return happened(view, {most, columns}, false);
  if (columns < SIDE_BY_SIDE) {
    // A run is looked at more than a region that stands still.
    const below = happenings(view, {most: Math.floor(most * (view.run === null ? 0.5 : 0.65)), columns});
    return [...about(view, chosen, {most: most - below.length, columns}), ...below];
  }
  const width = Math.floor((columns - BETWEEN) / 2);
  const left = about(view, chosen, {most, columns: width});
  const right = happenings(view, {most, columns: columns - width - BETWEEN});
  return Array.from({length: Math.max(left.length, right.length)}, (_, at) => beside(left[at] ?? [], right[at] ?? [], width + BETWEEN));
}

function beside(left: Line, right: Line, width: number): Line {
  const taken = left.reduce((sum, {text}) => sum + textWidth(text), 0);
  return right.length === 0 ? left : [...left, {text: ' '.repeat(Math.max(0, width - taken)), meaning: 'plain'}, ...right];
}

const blank: Line = [{text: ' ', meaning: 'plain'}];
const heading = (text: string, columns: number): Line => [{text: cut(text, columns), meaning: 'strong'}];

/** The chosen region, and then the others as long as there is room. */
function about(view: DashboardView, chosen: DashboardRegion | undefined, {most, columns}: Space): readonly Line[] {
  const lines: Line[] = [];
  const regions = chosen === undefined ? [] : [chosen, ...view.regions.filter(({region}) => region !== chosen.region)];
  for (const region of regions) {
    // Of another one as much as tells anything.
    if (region !== chosen && most - lines.length < LEAST_LINES) break;
    lines.push(...aboutOne(view, region, {most: most - lines.length, columns}));
  }
  return lines;
}

function aboutOne(view: DashboardView, chosen: DashboardRegion | undefined, {most, columns}: Space): readonly Line[] {
  if (chosen === undefined || most < 3) return [];
  const {title, lines} = regionDetail(chosen, {...view, events: []}, columns - 2);
  const room = most - 2;
  const shown = lines.length <= room ? lines : [...lines.slice(0, room - 1), `${lines.length - room + 1} more: Enter`];
  return [blank, heading(title, columns), ...shown.map((text): Line => [{text: `  ${text}`, meaning: 'plain'}])];
}

/** The run first: what runs now is what somebody waits for. */
function happenings(view: DashboardView, {most, columns}: Space): readonly Line[] {
  const steps = stepLines(view, {most: view.run === null ? 0 : Math.ceil(most / 2), columns});
  return [...steps, ...happened(view, {most: most - steps.length, columns}, true)];
}

function stepLines({run, at}: DashboardView, {most, columns}: Space): readonly Line[] {
  const room = most - 2;
  if (run === null || room < 1) return [];
  const current = run.steps.findIndex(({status}) => status === 'running' || status === 'failed');
  const done = run.steps.filter(({status}) => status === 'done' || status === 'skipped').length;
  const {from, to, earlier, later} = windowOn(run.steps.length, current === -1 ? Math.min(done, run.steps.length - 1) : current, room);
  const shown = run.steps.slice(from, to).map((step) => stepLine(step, {at, grainMs: 1000, columns}));
  return [
    blank,
    heading(`Steps of ${run.runId}: ${done} of ${run.steps.length} done`, columns),
    ...hidden('↑', earlier),
    ...shown,
    ...hidden('↓', later),
  ];
}

const hidden = (sign: string, count: number): readonly Line[] =>
  count === 0 ? [] : [[{text: `  ${sign} ${count} more`, meaning: 'muted'}]];

function happened({events, notes}: DashboardView, {most, columns}: Space, titled: boolean): readonly Line[] {
  const head = titled && most >= 3 ? [blank, heading(events.length === 0 ? 'Last events: none yet' : 'Last events', columns)] : [];
  const room = Math.max(0, most - head.length);
  // The first note has a line of its own.
  const said = notes
    .slice(1, 1 + Math.max(2, Math.ceil(room / 2)))
    .map((note): Line => [{text: cut(`! ${note}`, columns), meaning: 'warning'}]);
  const shown = events.toReversed().map((event) => eventLine(event, columns));
  return [...head, ...[...said, ...shown].slice(0, room)];
}
