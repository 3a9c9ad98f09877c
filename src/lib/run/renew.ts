import {askAll, objection} from './asking.ts';
import type {Run} from './context.ts';
import {settle} from './ends.ts';
import {movedByOthers} from './moved.ts';
import {stepProgress} from './progress.ts';
import {isHeldToTheEnd} from './recheck.ts';
import {within} from './scope.ts';
import {carryOut} from './step.ts';

/**
 * What keeps others out (a claim) can lapse by itself: every connection broke at once. As long as nobody else has it and nobody has moved anything,
 * it is taken again. Answers whether everything that had lapsed is ours again; false also when nothing had.
 */
export async function renewHolds(run: Run): Promise<boolean> {
  const lapsed = [];
  for (const step of run.plan.steps) {
    if (!isHeldToTheEnd(run, step) || !stepProgress(run.progress, step).settled || step.ensures.length === 0) continue;
    const asked = await settle(() => within(run, step.deadlineMs, null, (ctx) => askAll(run, ctx, step.ensures)));
    const says = asked.ok ? objection(asked.value)?.says : asked.says;
    if (says !== undefined) lapsed.push({step, says});
  }
  if (lapsed.length === 0 || (await movedByOthers(run)) !== null) return false;
  for (const {step, says} of lapsed) {
    run.record('step-lost', step.id, {says: `no longer so: ${says}`});
    if ((await carryOut(run, step)).kind !== 'ok') return false;
  }
  // Whoever was quicker has been and gone: what it moved shows now.
  return (await movedByOthers(run)) === null;
}
