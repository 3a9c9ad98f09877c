import {refused} from '../errors.ts';
import type {Call, Step} from '../plan/plan.ts';
import {askAll, objection} from './asking.ts';
import {type Run, uncancelled} from './context.ts';
import {orEnd, settle} from './ends.ts';
import {factsMoved} from './moved.ts';
import {stepProgress} from './progress.ts';
import {isHeldToTheEnd, isSameFact} from './recheck.ts';
import {renewHolds} from './renew.ts';
import {within} from './scope.ts';

/** What was taken back, and what could not be, one sentence each. */
export type UndoResult = {readonly undone: readonly string[]; readonly troubles: readonly string[]};

/**
 * Takes back what the run began, newest first, outside the cancelled scope and with deadlines of its own. An undo that fails is reported and
 * does not keep the others from being tried: as little as possible is left behind. `steps`: those that may be taken back; default: all.
 */
export async function undoAll(run: Run, steps: readonly Step[] = run.plan.steps): Promise<UndoResult> {
  const undone: string[] = [];
  const troubles: string[] = [];
  let moved: Awaited<ReturnType<typeof factsMoved>> | null = null;
  for (const step of steps.toReversed()) {
    const {undo} = step;
    if (undo === null || !stepProgress(run.progress, step).intended) continue;
    run.lease.check();
    // A fault is the run's own, whatever others have moved.
    const isOwn = step.leaseMs !== null || isHeldToTheEnd(run, step);
    if (!isOwn && moved === null) {
      await renewHolds(uncancelled(run));
      moved = await factsMoved(run);
    }
    const others = moved ?? [];
    const done = await settle(() => (isOwn ? undoStep(run, step, undo) : undoUnmoved(run, step, undo, others)));
    if (done.ok) undone.push(step.id);
    else {
      run.record('undo-failed', step.id, {code: done.code, says: done.says});
      troubles.push(`${step.id} was not undone: ${done.says}`);
    }
  }
  return {undone, troubles};
}

async function undoUnmoved(run: Run, step: Step, undo: Call, moved: Awaited<ReturnType<typeof factsMoved>>): Promise<void> {
  // What others have moved stands on what we would take back: a standby that let go of the old primary must not go back to it.
  const {store, router} = step.do.target;
  const other = moved.find(
    ({fact: {target}}) =>
      (target.store !== undefined && target.store === store) || (target.router !== undefined && target.router === router),
  );
  if (other !== undefined) throw refused('moved', `another hand has moved it since: ${other.says}`);
  await demandHeld(run, step);
  await undoStep(run, step, undo);
}

/** What the step did under a claim is taken back under it only: another may have taken over since, and stands on it. */
async function demandHeld(run: Run, step: Step): Promise<void> {
  const held = run.plan.steps.filter((other) => isHeldToTheEnd(run, other)).flatMap(({ensures}) => ensures);
  const facts = step.requires.filter((fact) => held.some((other) => isSameFact(fact, other)));
  if (facts.length === 0) return;
  const refusal = objection(await within(run, step.deadlineMs, null, (ctx) => askAll(run, ctx, facts)));
  if (refusal !== null) throw refused('not-claimed', refusal.says);
}

async function undoStep(run: Run, step: Step, undo: Call): Promise<void> {
  const call = run.actions.bind(undo);
  const standing = await within(run, step.deadlineMs, null, (ctx) => call.look(ctx));
  if (standing === 'done') {
    orEnd(() => run.record('undo-result', step.id, {result: null, says: 'nothing to undo'}));
    return;
  }
  if (standing !== 'before') throw refused(`target-${standing}`, standingText(standing));
  orEnd(() => run.lease.check());
  orEnd(() => run.record('undo-intent', step.id, {action: undo.action, v: undo.v, says: call.says}));
  const result = await within(run, step.deadlineMs, null, async (ctx) => {
    const applied = await call.apply(ctx);
    const now = await call.look(ctx);
    // Many actions can only be judged by their own result, so "before" proves nothing either way; these two are no success.
    if (now === 'elsewhere' || now === 'unknown') throw refused(`target-${now}`, standingText(now));
    return applied;
  });
  orEnd(() => run.record('undo-result', step.id, {result, says: call.says}));
}

function standingText(standing: 'elsewhere' | 'unknown'): string {
  return standing === 'unknown' ? 'the state of its target cannot be told' : 'its target is in a state that was not expected';
}
