import {isDeepStrictEqual} from 'node:util';
import type {Expectation, Step, Target} from '../plan/plan.ts';
import {askAll, objection} from './asking.ts';
import type {Run} from './context.ts';
import {settle} from './ends.ts';
import {isOver, isSameCall} from './over.ts';
import {pivotPassed, stepProgress} from './progress.ts';
import {within} from './scope.ts';

/**
 * Asked on resume: does what the finished steps reached still hold? A step that lost it is marked in the journal and runs again, if the rest
 * of the plan stands on it. A plan also undoes on purpose what an earlier step of its own had set (a sealed standby follows the new primary
 * later, a fence is lifted at the end): that is not lost. `steps`: those that are asked for; default: all.
 */
export async function recheckFinished(run: Run, steps: readonly Step[] = run.plan.steps): Promise<void> {
  const passed = await passedPivots(run);
  for (const step of steps) {
    if (!stepProgress(run.progress, step).settled) continue;
    const says = await lost(run, step);
    if (says !== null && isNeeded(run, step, passed)) run.record('step-lost', step.id, {says: `no longer so: ${says}`});
  }
}

/**
 * Pivots whose effect took place although their result was never written: what they stood on was asked before, and may be gone for good since (a
 * promoted standby cannot be sealed again).
 */
async function passedPivots(run: Run): Promise<ReadonlySet<string>> {
  const begun = run.plan.steps.filter((step) => {
    const {settled, intended} = stepProgress(run.progress, step);
    return step.pivot && intended && !settled;
  });
  const done = await Promise.all(begun.map((step) => isDone(run, step)));
  return new Set(begun.filter((_, index) => done[index]).map(({id}) => id));
}

async function isDone(run: Run, step: Step): Promise<boolean> {
  const looked = await look(run, step);
  return looked.ok && looked.value === 'done';
}

/** Where the target of a step stands, by its own action. */
function look(run: Run, step: Step) {
  const call = run.actions.bind(step.do);
  return settle(() => within(run, step.deadlineMs, run.cancelledBy(), (ctx) => call.look(ctx)));
}

/** Why the step's facts do not hold any more, or null. Without facts the action itself is asked, if it can be undone at all. */
async function lost(run: Run, step: Step): Promise<string | null> {
  if (step.ensures.length > 0) {
    const asked = await settle(() => within(run, step.deadlineMs, run.cancelledBy(), (ctx) => askAll(run, ctx, step.ensures)));
    return asked.ok ? (objection(asked.value)?.says ?? null) : trouble(asked);
  }
  if (step.undo === null) return null;
  const looked = await look(run, step);
  if (!looked.ok) return trouble(looked);
  return looked.value === 'done' ? null : `${run.actions.bind(step.do).says} does not show`;
}

/** Being interrupted says nothing of the step: the run goes back before it would matter. */
function trouble({code, says}: {readonly code: string; readonly says: string}): string | null {
  return code === 'interrupted' ? null : says;
}

/**
 * Whether the rest of the plan stands on a step: its fact is required by a step to come, or it is held until the `always` steps give it back. Never
 * once it has served its purpose. Else, if no later step has changed the same thing since: before the pivot always, after it only where the plan goes on from here.
 */
function isNeeded(run: Run, step: Step, passed: ReadonlySet<string>): boolean {
  if (isOver(run, step)) return false;
  const {plan, progress} = run;
  const open = plan.steps.filter((other) => !stepProgress(progress, other).settled && !passed.has(other.id));
  if (open.some((other) => requiresFactOf(other, step)) || isHeldToTheEnd(run, step)) return true;
  if (isSuperseded(run, step) || isGivenBack(run, step)) return false;
  const isEnd = plan.steps.every((other) => !other.after.includes(step.id));
  return !pivotPassed(plan, progress) || isEnd || open.some((other) => other.after.includes(step.id));
}

function requiresFactOf(other: Step, step: Step): boolean {
  return other.requires.some((fact) => step.ensures.some((reached) => isSameFact(fact, reached)));
}

/**
 * What `always` undoes (a claim) is meant to last as long as the run, unless a step has given it back. A fault with a lease ends by itself and is not renewed;
 * what lasts until a step of the plan (a load) keeps nobody out.
 */
export function isHeldToTheEnd(run: Run, step: Step): boolean {
  const {undo, leaseMs, until} = step;
  if (undo === null || leaseMs !== null || until !== undefined || isGivenBack(run, step)) return false;
  return run.plan.always.some((other) => isSameCall(other.do, undo));
}

/** A later step of the plan's own has done what would take it back (a load was stopped and counted): it is over, whoever goes on with the run. */
function isGivenBack({plan, progress}: Run, step: Step): boolean {
  const {undo} = step;
  if (undo === null) return false;
  const later = plan.steps.slice(plan.steps.indexOf(step) + 1);
  return later.some((other) => isSameCall(other.do, undo) && stepProgress(progress, other).settled);
}

/** A later step acted on the same thing or on the member that its fact names (what followed it cannot follow it any more), or wants otherwise. */
function isSuperseded(run: Run, step: Step): boolean {
  const later = run.plan.steps.slice(run.plan.steps.indexOf(step) + 1).filter((other) => stepProgress(run.progress, other).intended);
  return later.some((other) => {
    const acts = run.actions.bind(other.do).effect !== 'none';
    return (acts && (overlap(step.do.target, other.do.target) || isNamed(step, other.do.target))) || wantsOtherwise(step, other);
  });
}

function isNamed(step: Step, {store, member}: Target): boolean {
  return step.ensures.some(({target, want}) => member !== undefined && want === member && target.store === store);
}

function wantsOtherwise(step: Step, other: Step): boolean {
  return step.ensures.some((fact) => other.ensures.some((newer) => isSameFact(fact, newer) && !isDeepStrictEqual(fact.want, newer.want)));
}

export function isSameFact(a: Expectation, b: Expectation): boolean {
  return a.check === b.check && overlap(a.target, b.target);
}

/** Targets that speak of the same thing: they share a name and differ in none. A store and one of its members overlap. */
function overlap(a: Target, b: Target): boolean {
  const shared = (Object.keys(a) as (keyof Target)[]).filter((key) => b[key] !== undefined);
  return shared.length > 0 && shared.every((key) => a[key] === b[key]);
}
