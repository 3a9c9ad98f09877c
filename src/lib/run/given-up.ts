import type {Plan} from '../plan/plan.ts';
import type {RunHead, State} from '../ports/state.ts';
import {anyIntent, type Progress, pivotPassed, progressOf, stepProgress} from './progress.ts';

/**
 * The failback that has given up what a run was moving, by the journals: it began after the run, acted, was not undone, and its home is the region that the
 * run moves away from. What it stands on may look as it did before the move, so nothing else would keep a resume from moving again. Null = none has,
 * or the plan moves nothing itself.
 */
export function givenUpBy(state: Pick<State, 'runs' | 'plan' | 'events'>, runId: string, plan: Plan, progress: Progress): string | null {
  if (plan.from === null || !anyIntent(progress) || !plan.steps.some(({pivot}) => pivot)) return null;
  const all = state.runs();
  const own = all.find((head) => head.runId === runId);
  if (own === undefined) return null;
  const later = all.filter(
    ({fleet, kind, to, startedAt}) => fleet === own.fleet && kind === 'failback' && to === plan.from && startedAt > own.startedAt,
  );
  return later.find((head) => hasActed(state, head))?.runId ?? null;
}

function hasActed(state: Pick<State, 'plan' | 'events'>, {runId}: RunHead): boolean {
  const plan = state.plan(runId);
  if (plan === null) return false;
  const progress = progressOf(plan, state.events(runId));
  if (progress.ended?.outcome === 'undone') return false;
  // One that has a primary to move gives nothing up before it does; one that has none gives traffic back, and lifts fences.
  if (plan.steps.some(({pivot}) => pivot)) return pivotPassed(plan, progress);
  return plan.steps.some((step) => step.phase !== 'preflight' && stepProgress(progress, step).intended);
}
