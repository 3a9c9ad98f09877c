import {type CalendarEntry, type DueState, type Standing, standingOf, type Try} from '../drill/calendar.ts';
import {messageOf} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {nearest} from '../fleet/lookup.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type DrillFile, type DrillPlaces, drillFiles, shownPath} from './drill-files.ts';
import {chosenOf} from './find-drill.ts';
import {type PastDrill, pastDrills} from './past-drills.ts';
import {readyChecks} from './ready-checks.ts';

/** A time at which an entry was tried. Times are ISO 8601; `runId` null = a check of readiness. */
export type DueTry = Omit<Try, 'at'> & {readonly at: string};

/** An entry of the calendar and how it stands. `overdueMs` counts from `nextDue`; `says` is one sentence; `problem` = why it cannot be run as the calendar has it. */
export type DueEntry = {
  readonly kind: CalendarEntry['kind'];
  readonly name: string;
  readonly every: string;
  readonly graceMs: number;
  readonly state: DueState;
  readonly lastPassed: DueTry | null;
  readonly lastTried: DueTry | null;
  readonly nextDue: string | null;
  readonly overdueMs: number | null;
  readonly says: string;
  readonly file: string | null;
  readonly problem: string | null;
};

/** What `drill due --json` prints. `verdict`: `owed` = something is overdue, or never passed; `unknown` = nothing is, but not all can be told. */
export type DueDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly verdict: 'ok' | 'owed' | 'unknown';
  readonly calendar: readonly DueEntry[];
  readonly notes: readonly string[];
};

/** What is owed, by the calendar of the fleet file and by what the state remembers. Nothing is asked of the fleet. Exit code: 0, 1 owed, 3 cannot be told. */
export async function readDue(open: OpenFleet, root: string, cwd: string): Promise<{document: DueDocument; exit: ExitCode}> {
  const {fleet, clock} = open;
  const entries = entriesOf(fleet);
  const places: DrillPlaces = {root, cwd, fleet};
  const now = clock.wall();
  const [state, {files}] = await Promise.all([
    entries.length === 0 ? null : open.state().catch((error: unknown) => `the state cannot be read: ${messageOf(error)}`),
    entries.length === 0 ? {files: []} : drillFiles(places),
  ]);
  const told = typeof state === 'string' || state === null ? unknownAll(entries, state ?? '') : judged(entries, state, fleet, now);
  const calendar = told.map(({entry, row}): DueEntry => ({...row, ...fileOf(entry, files, places, row.lastTried !== null)}));
  const verdict = verdictOf(calendar);
  const document = {fleet: fleet.name, at: new Date(now).toISOString(), verdict, calendar, notes: notesOf(open, entries, state)};
  return {document, exit: {ok: EXIT.good, owed: EXIT.warning, unknown: EXIT.unknown}[verdict]};
}

function verdictOf(calendar: readonly DueEntry[]): DueDocument['verdict'] {
  if (calendar.some(({state}) => state === 'overdue' || state === 'never')) return 'owed';
  return calendar.some(({state}) => state === 'unknown') ? 'unknown' : 'ok';
}

function entriesOf({drills}: Fleet): readonly CalendarEntry[] {
  return [
    ...(drills?.calendar ?? []).map((one): CalendarEntry => ({kind: 'drill', ...one})),
    ...(drills?.readiness ? [{kind: 'readiness' as const, name: 'readiness', ...drills.readiness, file: null}] : []),
  ];
}

function notesOf(open: OpenFleet, entries: readonly CalendarEntry[], state: State | string | null): readonly string[] {
  const {fleet, stateDir} = open;
  if (entries.length === 0)
    return [
      `${fleet.name} has no calendar: add "drills: {calendar: {region-lost: {every: month}}, readiness: {every: 7d}}" to ${fleet.file}`,
    ];
  const empty = state !== null && typeof state !== 'string' && state.runs(fleet.name).length === 0;
  return empty && entries.some(({kind}) => kind === 'drill')
    ? [`no run of ${fleet.name} is in ${stateDir}: where drills run on another machine, \`state: {dir: …}\` has to lead to what they wrote`]
    : [];
}

type Told = {readonly entry: CalendarEntry; readonly row: Omit<DueEntry, 'file' | 'problem'>};

function unknownAll(entries: readonly CalendarEntry[], says: string): readonly Told[] {
  const nothing = {lastPassed: null, lastTried: null, nextDue: null, overdueMs: null};
  return entries.map((entry) => ({entry, row: {...headOf(entry), state: 'unknown', ...nothing, says}}));
}

function headOf({kind, name, every, graceMs}: CalendarEntry) {
  return {kind, name, every: every.text, graceMs};
}

function judged(entries: readonly CalendarEntry[], state: State, fleet: Fleet, now: number): readonly Told[] {
  const {tries, doubts} = drillTries(
    state,
    fleet.name,
    entries.filter(({kind}) => kind === 'drill').map(({name}) => name),
    now,
  );
  return entries.map((entry) => {
    const of =
      entry.kind === 'drill' ? {tries: tries.get(entry.name) ?? [], doubt: doubts.get(entry.name) ?? null} : readinessTries(state, fleet);
    const standing = standingOf(entry, of.tries, now);
    // What cannot be read may be the one that counts.
    const doubted = of.doubt !== null && ['due', 'overdue', 'never'].includes(standing.state);
    const {lastPassed, lastTried, nextDue, overdueMs} = standing;
    const row = {
      ...headOf(entry),
      state: doubted ? ('unknown' as const) : standing.state,
      lastPassed: shown(lastPassed),
      lastTried: shown(lastTried),
      nextDue: nextDue === null ? null : new Date(nextDue).toISOString(),
      overdueMs,
      says: doubted ? (of.doubt ?? '') : sentenceOf(entry, standing),
    };
    return {entry, row};
  });
}

function readinessTries(state: State, fleet: Fleet): {tries: readonly Try[]; doubt: string | null} {
  try {
    return {tries: readyChecks(state, fleet), doubt: null};
  } catch (error) {
    return {tries: [], doubt: `the checks of readiness cannot be read: ${messageOf(error)}`};
  }
}

/** The tries of each drill back to the last one that counts. `doubts` = a run since then that cannot be read, so that it may be of any drill. */
function drillTries(state: State, fleet: string, names: readonly string[], now: number) {
  const tries = new Map(names.map((name) => [name, [] as Try[]]));
  const doubts = new Map<string, string>();
  const wanted = new Set(names);
  for (const past of pastDrills(state, fleet)) {
    if (wanted.size === 0) break;
    if ('trouble' in past) {
      for (const name of wanted) if (!doubts.has(name)) doubts.set(name, `the run ${past.runId} cannot be read: ${past.trouble}`);
      continue;
    }
    const one = tryOf(past);
    tries.get(past.drill)?.push(one);
    if (one.counts && one.at <= now) wanted.delete(past.drill);
  }
  return {tries, doubts};
}

function tryOf({runId, at, verdict, verdictCode: code, verdictReason, overridden}: PastDrill): Try {
  const counts = verdict === 'passed' && overridden === null;
  return {runId, at, verdict, code: verdict === 'passed' && !counts ? 'overridden' : code, counts, says: overridden ?? verdictReason};
}

function sentenceOf({kind}: CalendarEntry, {state, lastTried}: Standing): string {
  if (lastTried === null) return kind === 'drill' ? 'it never ran on this fleet' : 'it was never checked';
  if (!lastTried.counts) return `the last try does not count: ${lastTried.says}`;
  return state === 'ok' || state === 'due-soon' ? lastTried.says : 'it was not tried since';
}

function shown(one: Try | null): DueTry | null {
  return one === null ? null : {...one, at: new Date(one.at).toISOString()};
}

/** The file of an entry, and what is wrong with it. That a name has no file does not matter once it was run: its file may be anywhere. */
function fileOf(entry: CalendarEntry, files: readonly DrillFile[], {cwd}: DrillPlaces, tried: boolean): Pick<DueEntry, 'file' | 'problem'> {
  if (entry.kind === 'readiness') return {file: null, problem: null};
  if (entry.file !== null) {
    const found = files.find(({file}) => file === entry.file);
    const other = found !== undefined && found.problem === null && found.name !== entry.name;
    return {
      file: entry.file,
      problem: other ? `${shownPath(entry.file, cwd)} declares the drill "${found.name}"` : (found?.problem ?? null),
    };
  }
  const [found] = chosenOf(entry.name, files);
  if (found !== undefined) return {file: found.file, problem: found.problem};
  const guess = nearest(
    entry.name,
    files.map(({name}) => name),
  );
  const problem = `there is no drill "${entry.name}"${guess === undefined ? '' : `: did you mean "${guess}"?`}`;
  return {file: null, problem: tried ? null : problem};
}
