import {usageError} from '../errors.ts';
import type {Plan} from '../plan/plan.ts';
import type {RunHead, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type RunDocument, runDocument} from '../run/document.ts';
import {isAlive} from './leases.ts';

/** A run as lists and the status show it. Times are ISO 8601. */
export type RunSummary = Omit<RunHead, 'startedAt'> & {
  readonly outcome: RunDocument['outcome'];
  readonly startedAt: string;
  readonly reason: string | null;
};

/** Every run of the fleet, newest first. Those of `known` are taken as they are, and not read. */
export async function listRuns(open: OpenFleet, known: ReadonlyMap<string, RunSummary> = new Map()): Promise<readonly RunSummary[]> {
  const state = await open.state();
  return state
    .runs(open.fleet.name)
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .map((head) => {
      const {runId, startedAt} = head;
      const read = known.get(runId);
      if (read !== undefined) return read;
      const {outcome, reason} = documentOf(state, runId, isAlive(state, open.fleet.name, runId));
      return {...head, outcome, startedAt: new Date(startedAt).toISOString(), reason};
    });
}

/** The document of one run. */
export async function showRun(open: OpenFleet, name: string): Promise<RunDocument> {
  const state = await open.state();
  const {runId} = await findRun(open, name);
  return documentOf(state, runId, isAlive(state, open.fleet.name, runId));
}

/** A run by its id, or `last`: the last one that was not a breaker's. Throws a usage error that says how to list them. */
export async function findRun(open: OpenFleet, name: string): Promise<{runId: string; plan: Plan}> {
  const state = await open.state();
  const byPeople = state.runs(open.fleet.name).filter(({kind}) => kind !== 'shift');
  const runId = name === 'last' ? byPeople.toSorted((a, b) => b.startedAt - a.startedAt)[0]?.runId : name;
  const plan = runId === undefined ? null : state.plan(runId);
  if (runId === undefined || plan === null)
    throw usageError(`there is no run "${name}" of the fleet ${open.fleet.name}`, {suggestions: ['regionctl runs list']});
  return {runId, plan};
}

function documentOf(state: State, runId: string, alive: boolean): RunDocument {
  const plan = state.plan(runId);
  if (plan === null) throw usageError(`the run ${runId} has no plan`);
  return runDocument(runId, plan, state.events(runId), alive);
}
