import type {OpenFleet} from '../providers/open-fleet.ts';
import {activeRun} from '../run/active.ts';
import type {RunDocument} from '../run/document.ts';
import type {RunsNow} from './dashboard-view.ts';
import {listRuns, showRun} from './runs.ts';

/** The runs of the fleet, newest first, and all of the one that goes on: the newest that runs, else one that waits or was interrupted. */
export async function runsNow(open: OpenFleet): Promise<RunsNow> {
  const list = await listRuns(open);
  const active = activeRun(list);
  return {list, active: active === undefined ? null : await showRun(open, active.runId)};
}

/** The steps of a run that have another status than before; of a run that was not seen before, none but the one that runs. */
export function stepsChanged(before: RunDocument | null, now: RunDocument): RunDocument['steps'] {
  const same = before?.runId === now.runId ? before : null;
  return now.steps.filter((step) =>
    same === null ? step.status === 'running' : same.steps.find(({id}) => id === step.id)?.status !== step.status,
  );
}
