import type {VerdictCode} from '../drill/verdict.ts';
import {messageOf} from '../errors.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type DrillFile, type DrillPlaces, drillFiles, shownPath} from './drill-files.ts';
import {chosenOf} from './find-drill.ts';
import {type PastDrill, pastDrills} from './past-drills.ts';

/** The last run of a drill on this fleet. Times are ISO 8601; what was not measured is null. */
export type LastRun = {
  readonly runId: string;
  readonly at: string;
  readonly verdict: PastDrill['verdict'];
  readonly verdictCode: VerdictCode;
  readonly verdictReason: string;
  readonly writeGapMs: number | null;
  readonly lostWrites: number | null;
};

/** A drill of the list. `shown` = its file for people; `chosen` = `drill run NAME` takes this file; `problem` = why it cannot be run; `note` = another file has its name; `every` = by the calendar. */
export type ListedDrill = Omit<DrillFile, 'entry'> & {
  readonly shown: string;
  readonly chosen: boolean;
  readonly every: string | null;
  readonly note: string | null;
  readonly last: LastRun | null;
};

/** What `drill list --json` prints. `fleet` null = there is no fleet file, hence no history. */
export type DrillListDocument = {readonly fleet: string | null; readonly drills: readonly ListedDrill[]; readonly notes: readonly string[]};

/** Older runs than the newest so many drills are not looked for: a list has to come at once. */
const MOST_RUNS = 200;

/** Every drill that can be found, with its last run on this fleet. Without a fleet (`open` null) there is no history. */
export async function listDrills(open: OpenFleet | null, places: DrillPlaces): Promise<DrillListDocument> {
  const [{files, notes}, state] = await Promise.all([
    drillFiles(places),
    open === null ? null : open.state().catch((error: unknown) => `the last runs are not known: ${messageOf(error)}`),
  ]);
  const readable = state !== null && typeof state !== 'string' ? state : null;
  const {last, more} = readable === null || open === null ? {last: new Map(), more: []} : lastRuns(readable, open.fleet.name, files);
  const drills = files.map((file) => listed(file, files, places, last));
  return {fleet: open?.fleet.name ?? null, drills, notes: [...notes, ...(typeof state === 'string' ? [state] : []), ...more]};
}

function listed(file: DrillFile, files: readonly DrillFile[], {cwd, fleet}: DrillPlaces, last: ReadonlyMap<string, LastRun>): ListedDrill {
  const {entry, ...rest} = file;
  const chosen = chosenOf(file.name, files);
  const calendar = fleet?.drills?.calendar.find(({name}) => name === file.name);
  return {
    ...rest,
    shown: file.place === 'shipped' ? 'shipped' : shownPath(file.file, cwd),
    chosen: chosen.length === 1 && chosen[0] === file,
    every: calendar?.every.text ?? null,
    note: noteOf(file, chosen, entry, cwd),
    last: last.get(file.name) ?? null,
  };
}

function noteOf(file: DrillFile, chosen: readonly DrillFile[], entry: string | null, cwd: string): string | null {
  const [nearest] = chosen;
  if (entry !== null && entry !== file.name) return `the calendar calls it "${entry}", so no run of it counts there`;
  if (chosen.includes(file)) {
    const others = chosen.filter((one) => one !== file).map((one) => shownPath(one.file, cwd));
    return others.length === 0 ? null : `${others.join(', ')} has the same name: give a path`;
  }
  return nearest === undefined ? null : `${shownPath(nearest.file, cwd)} has the same name and is nearer: give a path for this one`;
}

/** The last run of each name, as far as the newest ones tell. */
function lastRuns(state: State, fleet: string, files: readonly DrillFile[]) {
  const wanted = new Set(files.map(({name}) => name));
  const last = new Map<string, LastRun>();
  const more: string[] = [];
  let looked = 0;
  for (const past of pastDrills(state, fleet)) {
    if (wanted.size === 0) break;
    if (looked === MOST_RUNS) {
      more.push(`only the newest ${MOST_RUNS} runs of drills were looked at`);
      break;
    }
    looked += 1;
    if ('trouble' in past) more.push(`the run ${past.runId} cannot be read: ${past.trouble}`);
    else if (wanted.delete(past.drill)) last.set(past.drill, lastOf(past));
  }
  return {last, more};
}

function lastOf({runId, at, verdict, verdictCode, verdictReason, writeGapMs, lostWrites}: PastDrill): LastRun {
  return {runId, at: new Date(at).toISOString(), verdict, verdictCode, verdictReason, writeGapMs, lostWrites};
}
