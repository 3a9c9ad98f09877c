import {drillDocument} from '../drill/document.ts';
import {earlierDrills, MOST_EARLIER} from '../drill/earlier.ts';
import type {DrillDocument, EarlierDrill} from '../drill/report.ts';
import {type RegionctlError, usageError} from '../errors.ts';
import type {Plan} from '../plan/plan.ts';
import type {JournalEvent, RunHead, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type RunDocument, runDocument} from '../run/document.ts';
import {drillRecordOf} from './drill-record.ts';
import {isAlive} from './leases.ts';
import {type RecordedDrill, recordedDrills} from './recorded-drills.ts';

/** How many drills of a fleet are looked through for those of one name. */
const MOST_DRILLS = 200;

/** The report of a drill that was conducted, compared with earlier ones. */
export async function reportDrill(
  open: OpenFleet,
  {document, plan, events}: {readonly document: RunDocument; readonly plan: Plan; readonly events: readonly JournalEvent[]},
): Promise<DrillDocument> {
  const state = await open.state();
  const fleet = open.fleet.name;
  return drillDocument(document, plan, events, {
    fleet,
    ...drillRecordOf(state, document.runId),
    earlier: earlierOf(state, fleet, {runId: document.runId, startedAt: document.startedAt, drill: plan.drill}),
  });
}

/** The report of a recorded drill. `name` is `last`, a run id, the name of a drill (its newest run), or the beginning of one run id only. */
export async function showDrill(open: OpenFleet, name: string): Promise<DrillDocument> {
  const state = await open.state();
  const {runId, plan} = findDrill(state, open.fleet.name, name);
  const events = state.events(runId);
  const alive = isAlive(state, open.fleet.name, runId);
  return reportDrill(open, {document: runDocument(runId, plan, events, alive), plan, events});
}

/** A recorded drill. Throws a usage error (64) that says what there is instead. */
export function findDrill(state: Pick<State, 'runs' | 'plan'>, fleet: string, name: string): {readonly runId: string; readonly plan: Plan} {
  const heads = newestFirst(state.runs(fleet));
  const drills = heads.filter(({kind}) => kind === 'drill');
  const head =
    name === 'last' ? drills[0] : (heads.find(({runId}) => runId === name) ?? byName(state, drills, name) ?? byBeginning(heads, name));
  if (head === undefined) throw noDrill(fleet, name, drills);
  if (head.kind !== 'drill')
    throw usageError(`${head.runId} is a ${head.kind}, not a drill`, {suggestions: [`regionctl runs show ${head.runId}`]});
  const plan = state.plan(head.runId);
  if (plan === null) throw usageError(`the run ${head.runId} has no plan`);
  return {runId: head.runId, plan};
}

function byBeginning(heads: readonly RunHead[], name: string): RunHead | undefined {
  const begin = name === '' ? [] : heads.filter(({runId}) => runId.startsWith(name));
  if (begin.length < 2) return begin[0];
  throw usageError(`"${name}" begins the ids of ${begin.length} runs`, {suggestions: begin.slice(0, 5).map(({runId}) => runId)});
}

/** Its newest run; a plan that cannot be read is nobody's. */
function byName(state: Pick<State, 'plan'>, drills: readonly RunHead[], name: string): RunHead | undefined {
  return drills.slice(0, MOST_DRILLS).find(({runId}) => planOf(state, runId)?.drill === name);
}

function noDrill(fleet: string, name: string, drills: readonly RunHead[]): RegionctlError {
  if (drills.length === 0)
    return usageError(`no drill of the fleet ${fleet} was run yet`, {
      suggestions: ['regionctl drill run examples/drills/region-lost.yaml'],
    });
  return usageError(`there is no drill "${name}" of the fleet ${fleet}: neither a run id, its beginning, nor the name of a drill`, {
    suggestions: [`regionctl drill show ${drills[0]?.runId ?? 'last'}`, 'regionctl runs list'],
  });
}

/** Earlier drills of the same name on this fleet, newest first. Old journals that cannot be read never stop a report. */
export function earlierOf(
  state: Pick<State, 'runs' | 'plan' | 'events' | 'holder' | 'recall'>,
  fleet: string,
  of: Pick<DrillDocument, 'runId' | 'startedAt' | 'drill'>,
): EarlierDrill[] {
  const found: DrillDocument[] = [];
  const before = Date.parse(of.startedAt ?? '') || Number.POSITIVE_INFINITY;
  const drills = recordedDrills(state, fleet).filter(({at, runId}) => runId !== of.runId && at <= before);
  for (const drill of drills.slice(0, MOST_DRILLS)) {
    if (found.length === MOST_EARLIER) break;
    const document = readable(drill, of.drill);
    if (document !== null && earlierDrills([document], {...of, fleet}).length > 0) found.push(document);
  }
  return earlierDrills(found, {...of, fleet});
}

function readable(recorded: RecordedDrill, drill: string | null): DrillDocument | null {
  try {
    const plan = recorded.plan();
    return plan === null || plan.drill !== drill ? null : recorded.document(plan);
  } catch {
    return null;
  }
}

function planOf(state: Pick<State, 'plan'>, runId: string): Plan | null {
  try {
    return state.plan(runId);
  } catch {
    return null;
  }
}

function newestFirst(heads: readonly RunHead[]): readonly RunHead[] {
  return heads.toSorted((a, b) => b.startedAt - a.startedAt);
}
