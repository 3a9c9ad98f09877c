import type {DashboardEvent, DashboardView} from '../operate/dashboard-view.ts';
import type {RunSummary} from '../operate/runs.ts';
import {cut, wrap} from '../output/table.ts';
import {padRight, textWidth} from '../output/text-width.ts';
import {formatAge, formatTime} from '../output/units.ts';
import {EVENTS, RUNS} from './dashboard-list.ts';
import {dashboardTitle, runLines} from './dashboard-look.ts';
import {eventLine} from './event-line.ts';
import type {Line, Page} from './line-view.tsx';
import {listKeys} from './list-keys.ts';
import type {ListLook} from './list-view.tsx';
import {outcomeMeaning} from './meaning.ts';
import {stepLine, textOf} from './step-line.ts';

const RUN_KEYS = listKeys({row: 'run', holds: 'run, kind, region, outcome, reason', orders: 'newest first', goesOn: 'looking'});
const EVENT_KEYS = listKeys({row: 'event', holds: 'kind and text', orders: 'newest first, oldest first', goesOn: 'looking'});

/** The runs of the fleet, newest first. */
export const RUN_LOOK: ListLook<DashboardView, RunSummary, 'newest'> = {
  list: RUNS,
  keys: RUN_KEYS,
  title: dashboardTitle,
  head: (view, space) => runLines(view.run, view.at, space),
  table: (rows, {at}, columns) => {
    const id = Math.max(3, ...rows.map(({runId}) => textWidth(runId)));
    const kind = Math.max(4, ...rows.map((row) => textWidth(kindOf(row))));
    return {
      titles: `   ${padRight('run', id)}  ${padRight('kind', kind)}  outcome`,
      line: (row) => runLine(row, {at, id, kind, columns}),
    };
  },
  detail: runDetail,
  actions: [
    {
      key: 'A',
      words: ({runId, outcome}) => (outcome === 'running' || outcome === 'paused' ? ['runs', 'abort', runId] : null),
    },
    {
      key: 'R',
      words: ({runId, outcome}) => (outcome === 'interrupted' ? ['runs', 'resume', runId] : null),
    },
  ],
  empty: () => 'no run yet',
};

const kindOf = ({kind, from, to}: RunSummary): string => [kind, [from, to].filter((place) => place !== null).join(' → ')].join(' ').trim();

type RunPlace = {readonly at: number; readonly id: number; readonly kind: number; readonly columns: number};

function runLine(row: RunSummary, {at, id, kind, columns}: RunPlace): Line {
  const {runId, outcome, startedAt, reason} = row;
  const meaning = outcome === 'running' ? 'active' : outcomeMeaning(outcome);
  const before = `  ${padRight(runId, id)}  ${padRight(kindOf(row), kind)}  `;
  const after = `  ${formatAge(Date.parse(startedAt), at)}${reason === null ? '' : `: ${reason}`}`;
  const left = columns - 1 - textWidth(before);
  return [
    {text: cut(before, columns - 1), meaning: 'plain'},
    {text: cut(outcome, Math.max(0, left)), meaning},
    {text: cut(after, Math.max(0, left - textWidth(outcome))), meaning: 'muted'},
  ];
}

/** Of the run that goes on each step; of another one how it ended. */
function runDetail(row: RunSummary, {run, at}: DashboardView, columns: number): Page {
  const head = [`${row.outcome}, started ${formatTime(row.startedAt)} (${formatAge(Date.parse(row.startedAt), at)})`];
  const steps = run?.runId === row.runId ? run.steps.map((step) => textOf(stepLine(step, {at, grainMs: 1000, columns}))) : [];
  const lines = [
    ...head,
    ...(row.reason === null ? [] : [row.reason]),
    ...(steps.length === 0 ? ['', `All of it: regionctl runs show ${row.runId}`] : ['', ...steps]),
  ];
  return {title: `${kindOf(row)}  ${row.runId}`, lines: lines.map((line) => cut(line, columns))};
}

/** What happened while looking, newest first. */
export const EVENT_LOOK: ListLook<DashboardView, DashboardEvent, 'newest' | 'oldest'> = {
  list: EVENTS,
  keys: EVENT_KEYS,
  title: dashboardTitle,
  head: (view, space) => runLines(view.run, view.at, space),
  table: (_rows, _view, columns) => ({
    titles: '   when      what',
    line: (row) => [{text: '  ', meaning: 'plain'}, ...eventLine(row, columns - 3)],
  }),
  detail: ({at, text}, _, columns) => ({title: formatTime(at), lines: wrap(text, columns)}),
  empty: () => 'nothing has changed yet',
};
