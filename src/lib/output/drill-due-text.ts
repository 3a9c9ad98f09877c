import {EXIT_MEANING, type ExitCode} from '../exit-codes.ts';
import type {DueDocument, DueEntry} from '../operate/drill-due.ts';
import {oneLine, perfLabel} from './health-machine.ts';
import type {Meaning} from './paint.ts';
import {type Cell, type Column, table} from './table.ts';
import {formatAge, formatMs, formatTime, NOT_MEASURED} from './units.ts';
import {indented, joined, type TextOptions} from './verdict-cell.ts';

const COLUMNS: readonly Column[] = [
  {title: 'DRILL'},
  {title: 'EVERY', shrink: false},
  {title: 'STATE', shrink: false},
  {title: 'LAST PASSED', shrink: false},
  {title: 'NEXT DUE', shrink: false},
];

const STATES: Readonly<Record<DueEntry['state'], readonly [string, Meaning]>> = {
  ok: ['ok', 'good'],
  'due-soon': ['due soon', 'good'],
  due: ['due', 'warning'],
  overdue: ['overdue', 'critical'],
  never: ['never passed', 'critical'],
  unknown: ['unknown', 'unknown'],
};

/** `drill due` for people: each entry with when it last passed and is due again; below it whatever did not count, and why. */
export function dueText({fleet, calendar, notes}: DueDocument, options: TextOptions): string {
  const {columns, paint} = options;
  const ending = notes.flatMap((note) => indented(note, columns, 0));
  if (calendar.length === 0) return joined(ending);
  const rows = calendar.map((entry): Cell[] => [
    entry.name,
    entry.every,
    {text: STATES[entry.state][0], paint: paint[STATES[entry.state][1]]},
    entry.lastPassed === null ? NOT_MEASURED : formatAge(Date.parse(entry.lastPassed.at), options.now),
    dueCell(entry, options.now),
  ]);
  const [titles = '', ...lines] = table(COLUMNS, rows, columns);
  return joined([
    ...indented(`${fleet}: ${summary(calendar)}`, columns, 0).map(paint.strong),
    '',
    paint.muted(titles),
    ...calendar.flatMap((entry, index) => [lines[index] ?? '', ...detail(entry, options)]),
    ...(ending.length === 0 ? [] : ['', ...ending]),
  ]);
}

/** One line for Nagios and Icinga; the figures are how long ago each last passed, in seconds (`U` = not known). */
export function dueNagios({fleet, at, calendar, notes}: DueDocument, exit: ExitCode): string {
  const word = EXIT_MEANING[exit].split(':')[0]?.toUpperCase() ?? 'UNKNOWN';
  const figures = calendar.map(({name, lastPassed}) => {
    const age = lastPassed === null ? 'U' : `${Math.max(0, Math.round((Date.parse(at) - Date.parse(lastPassed.at)) / 1000))}s;;;0`;
    return `'${perfLabel(name)}'=${age}`;
  });
  const says = calendar.length === 0 ? (notes[0] ?? '') : `${fleet}: ${summary(calendar)}`;
  return `REGIONCTL ${word === 'GOOD' ? 'OK' : word} - ${oneLine(says)}${figures.length === 0 ? '' : ` | ${figures.join(' ')}`}`;
}

function summary(calendar: readonly DueEntry[]): string {
  const named = (word: string, ...states: readonly DueEntry['state'][]) => {
    const names = calendar.filter(({state}) => states.includes(state)).map(({name}) => name);
    return names.length === 0 ? [] : [`${word}: ${names.join(', ')}`];
  };
  const parts = [...named('overdue', 'overdue'), ...named('never passed', 'never'), ...named('unknown', 'unknown'), ...named('due', 'due')];
  return parts.length === 0 ? 'nothing is owed' : parts.join('; ');
}

function dueCell({nextDue, overdueMs}: DueEntry, now: number): string {
  if (nextDue === null) return NOT_MEASURED;
  if (overdueMs !== null) return `${formatMs(overdueMs)} ago, ${formatTime(nextDue).slice(0, 10)}`;
  return `${formatAge(Date.parse(nextDue), now)}, ${formatTime(nextDue).slice(0, 10)}`;
}

function detail(entry: DueEntry, {columns, paint, now}: TextOptions): readonly string[] {
  const {lastTried, lastPassed, state, says, problem} = entry;
  const run = lastTried?.runId == null ? '' : `, run ${lastTried.runId}`;
  const tried = lastTried === null || lastTried.counts ? '' : `tried ${formatAge(Date.parse(lastTried.at), now)}${run}: ${lastTried.says}`;
  const lines = state === 'unknown' || (lastTried === null && lastPassed === null) ? [says] : tried === '' ? [] : [tried];
  return [
    ...lines.flatMap((line) => indented(line, columns).map(paint.muted)),
    ...(problem === null ? [] : indented(problem, columns).map(paint.critical)),
  ];
}
