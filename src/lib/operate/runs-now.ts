import type {OpenFleet} from '../providers/open-fleet.ts';
import type {RunDocument} from '../run/document.ts';
import type {RunsNow} from './dashboard-view.ts';
import {listRuns, type RunSummary, showRun} from './runs.ts';

/** Runs that can go on, or do. What a breaker began is gone on from by the next look, not resumed. */
const isActive = ({kind, outcome}: RunSummary): boolean =>
  outcome === 'running' || outcome === 'paused' || (outcome === 'interrupted' && kind !== 'shift');

/** The runs of the fleet, newest first, and all of the one that goes on: the newest that runs, else one that waits or was interrupted. */
export async function runsNow(open: OpenFleet): Promise<RunsNow> {
  const list = await listRuns(open);
  const live = list.filter(isActive);
  const active = live.find(({outcome}) => outcome === 'running') ?? live[0];
  return {list, active: active === undefined ? null : await showRun(open, active.runId)};
}

/** The steps of a run that have another status than before; of a run that was not seen before, none but the one that runs. */
export function stepsChanged(before: RunDocument | null, now: RunDocument): RunDocument['steps'] {
  const same = before?.runId === now.runId ? before : null;
  return now.steps.filter((step) =>
    same === null ? step.status === 'running' : same.steps.find(({id}) => id === step.id)?.status !== step.status,
  );
}
