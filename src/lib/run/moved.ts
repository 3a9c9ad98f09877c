import type {Expectation} from '../plan/plan.ts';
import {askAll, objection} from './asking.ts';
import type {Run} from './context.ts';
import {settle} from './ends.ts';
import {pivotPassed, stepProgress} from './progress.ts';
import {within} from './scope.ts';

const ASK_MS = 10_000;

/** What another hand has moved: before the pivot what the plan was made for, after it what the pivot had reached. null = nothing. */
export function movedByOthers(run: Run): Promise<string | null> {
  return pivotPassed(run.plan, run.progress) ? movedSince(run) : movedBefore(run);
}

/** Which of the things that the plan stands on have been moved for sure. */
export async function factsMoved(run: Run): Promise<readonly {readonly fact: Expectation; readonly says: string}[]> {
  const facts = run.plan.standsOn ?? [];
  const asked = await settle(() => within(run, ASK_MS, null, (ctx) => askAll(run, ctx, facts)));
  if (!asked.ok) return [];
  return facts.flatMap((fact, index) => {
    const answer = asked.value[index];
    return answer?.holds === false ? [{fact, says: answer.says}] : [];
  });
}

async function movedBefore(run: Run): Promise<string | null> {
  const facts = run.plan.standsOn ?? [];
  if (facts.length === 0) return null;
  const asked = await settle(() => within(run, ASK_MS, run.cancelledBy(), (ctx) => askAll(run, ctx, facts)));
  if (asked.ok) return objection(asked.value)?.says ?? null;
  // Being interrupted says nothing of others: the run goes back, and asks them there what it takes back.
  return asked.code === 'interrupted' ? null : asked.says;
}

async function movedSince(run: Run): Promise<string | null> {
  for (const step of run.plan.steps) {
    const {settled, result} = stepProgress(run.progress, step);
    const {still} = run.actions.bind(step.do);
    if (!step.pivot || !settled || result === null || still === null) continue;
    const asked = await settle(() => within(run, ASK_MS, null, (ctx) => still(ctx, result)));
    if (asked.ok && asked.value.holds === false) return asked.value.says;
  }
  return null;
}
