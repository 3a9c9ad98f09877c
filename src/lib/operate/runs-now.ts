import type {OpenFleet} from '../providers/open-fleet.ts';
import {activeRun} from '../run/active.ts';
import type {RunDocument} from '../run/document.ts';
import type {RunsNow} from './dashboard-view.ts';
import {listRuns, type RunSummary, showRun} from './runs.ts';

/** The runs of the fleet, newest first, and all of the one that goes on: the newest that runs, else one that waits or was interrupted. */
export async function runsNow(open: OpenFleet): Promise<RunsNow> {
  return standing(open, await listRuns(open));
}

/** How long a run that is over is taken at its word: reading the journals of hundreds of them each second is what a look would cost most. */
const OVER_MS = 60_000;
const GOES_ON: ReadonlySet<string> = new Set(['running', 'paused', 'interrupted']);

/** As `runsNow`, for who asks again and again. */
export function runsReader(open: OpenFleet): () => Promise<RunsNow> {
  let over: ReadonlyMap<string, RunSummary> = new Map();
  let readAt = Number.NEGATIVE_INFINITY;
  return async () => {
    const now = open.clock.now();
    if (now - readAt >= OVER_MS) {
      over = new Map();
      readAt = now;
    }
    const known = over;
    const list = await listRuns(open, known);
    over = new Map(list.filter(({outcome}) => !GOES_ON.has(outcome)).map((run) => [run.runId, run]));
    return standing(open, list);
  };
}

async function standing(open: OpenFleet, list: readonly RunSummary[]): Promise<RunsNow> {
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
