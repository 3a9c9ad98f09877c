import type {DrillListDocument, ListedDrill} from '../operate/drill-list.ts';
import type {Meaning} from './paint.ts';
import {type Cell, type Column, cut, table} from './table.ts';
import {formatAge, formatMs, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

const NAME: Column = {title: 'DRILL', shrink: false};
const SCENARIO: Column = {title: 'SCENARIO'};
const REST: readonly Column[] = [
  {title: 'LAST RUN', shrink: false},
  {title: 'WHEN', shrink: false},
  {title: 'GAP', align: 'right', shrink: false},
  {title: 'LOST', align: 'right', shrink: false},
  {title: 'FILE'},
];

const VERDICTS: Readonly<Record<NonNullable<ListedDrill['last']>['verdict'], Meaning>> = {
  passed: 'good',
  failed: 'critical',
  unknown: 'unknown',
};

/** `drill list` for people: each drill with its last run, what it shows, and what is wrong with its file. */
export function drillListText({fleet, drills, notes}: DrillListDocument, options: TextOptions): string {
  const {columns, paint} = options;
  // Most are named after what they do.
  const named = drills.every(({name, scenario}) => scenario === null || scenario === name);
  const rows = drills.map((drill): Cell[] => [
    {text: drill.name, paint: paint.strong},
    ...(named ? [] : [drill.scenario ?? NOT_MEASURED]),
    ...lastCells(drill, options),
    {text: drill.shown, paint: paint.muted},
  ]);
  const [titles = '', ...lines] = table([NAME, ...(named ? [] : [SCENARIO]), ...REST], rows, columns);
  const ending = [...(fleet === null ? ['No fleet file was found, so no runs are shown.'] : []), ...notes];
  return joined([
    ...(drills.length === 0 ? ['No drills were found.'] : [paint.muted(titles)]),
    ...drills.flatMap((drill, index) => [lines[index] ?? '', ...detail(drill, options)]),
    ...(ending.length === 0 ? [] : ['', ...ending.flatMap((note) => indented(note, columns, 0))]),
  ]);
}

function lastCells({last}: ListedDrill, {paint, now}: TextOptions): readonly Cell[] {
  if (last === null) return [NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED];
  const gap = last.writeGapMs === null ? NOT_MEASURED : formatMs(last.writeGapMs);
  const lost = last.lostWrites === null ? NOT_MEASURED : String(last.lostWrites);
  return [{text: last.verdict, paint: paint[VERDICTS[last.verdict]]}, formatAge(Date.parse(last.at), now), gap, lost];
}

/** The description is cut at one line; what is wrong is told in full. */
function detail({description, problem, note, every}: ListedDrill, {columns, paint}: TextOptions): readonly string[] {
  const about = [...(every === null ? [] : [`every ${every}`]), ...(description === '' ? [] : [description])].join(': ');
  return [
    ...(about === '' ? [] : [paint.muted(`  ${cut(about, columns - 2)}`)]),
    ...(problem === null ? [] : indented(problem, columns).map(paint.critical)),
    ...(note === null ? [] : indented(note, columns).map(paint.warning)),
  ];
}
