import {basename, extname} from 'node:path';
import {drillDocument} from '../drill/document.ts';
import type {DrillDocument} from '../drill/report.ts';
import {isRegionctlError, messageOf, usageError} from '../errors.ts';
import {formatDrill, formatOfFile, isDrillReport} from '../output/drill-formats.ts';
import type {Plan} from '../plan/plan.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type RunDocument, runDocument} from '../run/document.ts';
import {reportDrill} from './drill-history.ts';
import {scrubbed} from './scrubbed.ts';
import {assertReplaceable, assertWritable, isSameFile, writeReport} from './write-report.ts';

/** Where `drill run` leaves its report: as JUnit XML, and for people. */
export type ReportPaths = {readonly junit?: string | undefined; readonly report?: string | undefined};

/** What became of the files, one sentence each. */
export type Written = {readonly said: readonly string[]; readonly trouble: readonly string[]};

/**
 * Whether both files can be written, before anything is begun. An earlier report is replaced, another file is not. Throws a usage error (64) or a state
 * error (73).
 */
export async function checkReportPaths({junit, report}: ReportPaths): Promise<void> {
  if (junit !== undefined && report !== undefined && (await isSameFile(junit, report)))
    throw usageError(`--junit and --report name the same file: ${junit === report ? junit : `${junit} and ${report}`}`, {
      suggestions: ['Name two files.'],
    });
  for (const path of [junit, report]) if (path !== undefined) await checkReportPath(path);
}

/** The same for one file. */
export async function checkReportPath(path: string): Promise<void> {
  await assertReplaceable(path, isDrillReport);
  await assertWritable(path);
}

/** Writes both. One that cannot be written takes nothing from the other. */
export async function writeReports({junit, report}: ReportPaths, document: DrillDocument): Promise<Written> {
  const said: string[] = [];
  const trouble: string[] = [];
  const write = async (what: string, path: string | undefined, text: (path: string) => Promise<string>) => {
    if (path === undefined) return;
    try {
      await writeReport(path, await text(path));
      said.push(`${what}: ${path}`);
    } catch (error) {
      trouble.push(`the ${what} was not written: ${messageOf(error)}`);
    }
  };
  await write('report', report, (path) => formatDrill(document, formatOfFile(path)));
  await write('junit', junit, () => formatDrill(document, 'junit'));
  return {said, trouble};
}

/** How far a drill came before it threw. */
export type Begun = {readonly file: string; readonly open?: OpenFleet | undefined; readonly plan?: Plan | undefined};

/**
 * The report of a drill that threw. What is on record is told from there; a drill of which nothing is was not started, and `error` says why. Null when
 * it cannot be told whether it was.
 */
export async function reportOfError({file, open, plan}: Begun, error: unknown): Promise<DrillDocument | null> {
  const scrub = (text: string) => open?.fleet.secrets.scrub(text) ?? text;
  if (open === undefined || plan === undefined) return notStarted({file, fleet: open?.fleet.name ?? null, plan: null}, error, scrub);
  try {
    const state = await open.state();
    const recorded = state.plan(plan.id);
    if (recorded === null) return notStarted({file, fleet: open.fleet.name, plan}, error, scrub);
    const events = state.events(plan.id);
    return await reportDrill(open, {document: runDocument(plan.id, recorded, events, false), plan: recorded, events});
  } catch {
    return null;
  }
}

type Unstarted = {readonly file: string; readonly fleet: string | null; readonly plan: Plan | null};

function notStarted({file, fleet, plan}: Unstarted, error: unknown, scrub: (text: string) => string): DrillDocument {
  const reason = messageOf(error);
  const code = isRegionctlError(error) ? error.code : 'bug';
  const name = basename(file, extname(file));
  const planned = plan ?? emptyPlan(name);
  const run: RunDocument = {...runDocument(planned.id, planned, [], false), outcome: 'failed', code, reason};
  // A plan that was never recorded has not been through the journal, which takes secrets out.
  return scrubbed(drillDocument(run, planned, [], {fleet}), scrub);
}

/** What a drill that was never planned is told by: its name, and nothing else. */
function emptyPlan(name: string): Plan {
  return {
    version: 1,
    id: '',
    kind: 'drill',
    from: null,
    to: null,
    snapshot: {version: 1, takenAt: '', fleetDigest: '', vantage: '', regions: {}, stores: {}, routers: {}},
    expects: [],
    gates: [],
    overrides: [],
    steps: [],
    abortIf: [],
    always: [],
    files: [],
    objectives: [],
    expected: {gapMs: null, loss: []},
    drill: name,
  };
}
