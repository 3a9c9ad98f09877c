import type {Plan, Step} from '../plan/plan.ts';
import type {RunHead, State} from '../ports/state.ts';
import {anyIntent, type Progress, pivotPassed, progressOf, stepProgress} from './progress.ts';

/**
 * The failback that has given up what a run was moving, by the journals: it began after the run, acted, was not undone, and its home is the region that the
 * run moves away from. What it stands on may look as it did before the move, so nothing else would keep a resume from moving again. An evacuation is given up
 * in the same way by a readmission of its region, and a readmission by an evacuation. Null = none has, or the plan moves nothing itself.
 */
export function givenUpBy(state: Pick<State, 'runs' | 'plan' | 'events'>, runId: string, plan: Plan, progress: Progress): string | null {
  const gives = givesUp(plan);
  if (gives === null || !anyIntent(progress)) return null;
  const all = state.runs();
  const own = all.find((head) => head.runId === runId);
  if (own === undefined) return null;
  const later = all.filter((head) => head.fleet === own.fleet && head.startedAt > own.startedAt && gives(head));
  return later.find((head) => hasActed(state, head))?.runId ?? null;
}

/** Which runs would give a plan up; null = none can. */
function givesUp({kind, from, to, steps}: Plan): ((head: RunHead) => boolean) | null {
  if (kind === 'evacuation') return (head) => head.kind === 'readmission' && head.to === from;
  if (kind === 'readmission') return (head) => head.kind === 'evacuation' && head.from === to;
  if (from === null || !steps.some(({pivot}) => pivot)) return null;
  return (head) => head.kind === 'failback' && head.to === from;
}

function hasActed(state: Pick<State, 'plan' | 'events'>, {runId}: RunHead): boolean {
  const plan = state.plan(runId);
  if (plan === null) return false;
  const progress = progressOf(plan, state.events(runId));
  if (progress.ended?.outcome === 'undone') return false;
  // One that has a primary to move gives nothing up before it does; one that has none gives traffic back, and lifts fences.
  if (plan.steps.some(({pivot}) => pivot)) return pivotPassed(plan, progress);
  // One that has only waited and counted has given a region nothing back.
  const isOfPeers = plan.kind === 'evacuation' || plan.kind === 'readmission';
  const acts = ({phase}: Step): boolean => (isOfPeers ? phase === 'reroute' : phase !== 'preflight');
  return plan.steps.some((step) => acts(step) && stepProgress(progress, step).intended);
}
