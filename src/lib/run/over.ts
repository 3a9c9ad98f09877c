import {isDeepStrictEqual} from 'node:util';
import type {Call, Step} from '../plan/plan.ts';
import type {Run} from './context.ts';
import {type NotedEnd, readEvent} from './events.ts';
import {pivotPassed, stepProgress} from './progress.ts';

/**
 * Whether what a step had begun has served its purpose: the step that it was to last until is settled. So it is when its end is on record and all that is
 * open are measurements: those have been taken of what was there. A fault that was healed is over in any case. False for a step without `until`.
 */
export function isOver(run: Run, step: Step): boolean {
  const until = untilOf(run, step);
  if (until === null) return false;
  if (stepProgress(run.progress, until).settled) return true;
  return wasEnded(run, step, until) && (step.leaseMs !== null || !anyOpen(run));
}

/**
 * The fault that was healed before all was done that it was to last for, and that step: whatever would come now is no answer to it. Null = there is none, or
 * the point of no return is behind the run, and the way is forward only.
 */
export function healedEarly(run: Run): {readonly fault: Step; readonly until: Step} | null {
  if (pivotPassed(run.plan, run.progress)) return null;
  for (const fault of run.plan.steps) {
    const until = untilOf(run, fault);
    if (fault.leaseMs === null || until === null || stepProgress(run.progress, until).settled) continue;
    if (wasEnded(run, fault, until)) return {fault, until};
  }
  return null;
}

/** Whether a fault was injected, or may have been, that had to last longer than the run has come: healed now, it was healed early. */
export function isFaultNeeded({plan, progress}: Run): boolean {
  if (pivotPassed(plan, progress)) return false;
  return plan.steps.some((fault) => {
    const until = plan.steps.find(({id}) => id === fault.until);
    return (
      fault.leaseMs !== null && until !== undefined && stepProgress(progress, fault).intended && !stepProgress(progress, until).settled
    );
  });
}

/** Calls that do the same to the same thing. */
export function isSameCall(a: Call, b: Call): boolean {
  return a.action === b.action && isDeepStrictEqual(a.target, b.target);
}

function untilOf({plan}: Run, {until}: Step): Step | null {
  return plan.steps.find(({id}) => id === until) ?? null;
}

/**
 * By the whole journal: the `always` steps of an earlier attempt count too, and so does who healed a fault from outside (`drill clean`). What was begun anew
 * since has not ended.
 */
function wasEnded({state, runId, plan}: Run, step: Step, until: Step): boolean {
  const end = step.undo ?? until.do;
  const enders = [...plan.steps, ...plan.always].filter((other) => isSameCall(other.do, end)).map(({id}) => id);
  const events = state.events(runId).map(readEvent);
  const since = events.slice(events.findLastIndex((event) => event.type === 'intent' && event.step === step.id) + 1);
  return since.some((event) => {
    if (event.type === 'note') return isHealOf(step, event.data.ended);
    if (event.type === 'undo-result') return event.step === step.id;
    return (event.type === 'result' || event.type === 'step-skipped') && event.step !== null && enders.includes(event.step);
  });
}

/** A lease that was over is no heal: what ended by itself may be injected again by who goes on with the run. */
function isHealOf({do: {target}}: Step, ended: NotedEnd | undefined): boolean {
  return ended?.by === 'heal' && ended.region === target.region && ended.fault === target.fault;
}

/** Whether anything is left to do but measurements: those change nothing, and may fail. */
function anyOpen({plan, progress, actions}: Run): boolean {
  const open = plan.steps.filter((step) => !stepProgress(progress, step).settled);
  return open.some((step) => step.onFailure !== 'continue' || actions.bind(step.do).effect !== 'none');
}
