import {refused, unavailable} from '../errors.ts';
import type {Answer, Ctx, Standing} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Step} from '../plan/plan.ts';
import {awaitApproval} from './approval.ts';
import {askAll, objection, sentences, untilAllHold} from './asking.ts';
import type {Run} from './context.ts';
import {orEnd, settle} from './ends.ts';
import type {EffectLeft} from './events.ts';
import {stepProgress} from './progress.ts';
import type {BoundCall} from './registry.ts';
import {left, pause, within} from './scope.ts';

/** How one step ended. `interrupted` = the first Ctrl+C cut it short. */
export type StepEnd = {readonly kind: 'ok' | 'interrupted'} | {readonly kind: 'failed'; readonly code: string; readonly says: string};

/** What the look before the effect found: run it, only wait for the facts, or nothing to do. */
type Finding = {readonly to: 'apply' | 'confirm'} | {readonly to: 'skip'; readonly answers: readonly Answer[]};

/** What is known of an attempt so far, for the record of its failure. */
type Attempt = {effect: EffectLeft; result: Json};

/**
 * Carries one step out, from the lease check to the recorded result. It throws only what ends the run on the spot: the lease is lost, the
 * journal cannot be written, or the operator leaves.
 */
export async function carryOut(run: Run, step: Step): Promise<StepEnd> {
  run.lease.check();
  run.record('step-started', step.id, {attempt: stepProgress(run.progress, step).attempts + 1});
  const attempt: Attempt = {effect: 'none', result: null};
  const done = await settle(() => attemptStep(run, step, attempt));
  if (done.ok) return {kind: 'ok'};
  if (done.code === 'interrupted') {
    run.record('step-failed', step.id, {code: 'interrupted', says: 'interrupted', ...attempt});
    return {kind: 'interrupted'};
  }
  run.record('step-failed', step.id, {code: done.code, says: done.says, ...attempt});
  return {kind: 'failed', code: done.code, says: done.says};
}

async function attemptStep(run: Run, step: Step, attempt: Attempt): Promise<void> {
  const call = run.actions.bind(step.do);
  // What nobody has begun is not done already, and clients wait: a pivot is looked at with all that it requires, after its intent.
  if (looksLate(run, step)) return applyStep(run, step, call, attempt);
  const look = () => within(run, step.deadlineMs, cancelOf(run, step), (ctx) => examine(run, ctx, step, call));
  let found = await look();
  if (found.to === 'apply' && step.approval !== null) {
    await awaitApproval(run, step);
    // People take their time: what was seen before they were asked says nothing now.
    found = await look();
  }
  if (found.to === 'apply') return applyStep(run, step, call, attempt);
  const facts = found.to === 'skip' ? found.answers : await confirm(run, step);
  await hold(run, step);
  const says = sentences(facts);
  orEnd(() => run.record('step-skipped', step.id, {says: says === '' ? 'already done' : `already done: ${says}`}));
}

const looksLate = (run: Run, step: Step): boolean => step.pivot && step.approval === null && !stepProgress(run.progress, step).intended;

/** Everything that is asked before the effect: is it done already, may it be done, and where does the target stand. */
async function examine(run: Run, ctx: Ctx, step: Step, call: BoundCall): Promise<Finding> {
  // Asked at once, because clients may be waiting; judged in turn.
  // A pivot is asked for all of it right before its effect. Before that only where people are asked, who must not be asked in vain.
  const demanded = step.pivot && step.approval === null ? Promise.resolve() : demand(run, ctx, step);
  const looked = call.look(ctx);
  for (const asked of [demanded, looked]) asked.catch(() => undefined);
  const facts = await askAll(run, ctx, step.ensures);
  if (step.ensures.length > 0 && objection(facts) === null) return {to: 'skip', answers: facts};
  await demanded;
  return {to: placeOf(await looked) === 'done' ? 'confirm' : 'apply'};
}

/** Throws when the target is nowhere where the effect could begin. */
function placeOf(standing: Standing): 'done' | 'before' {
  if (standing === 'done' || standing === 'before') return standing;
  const where = standing === 'elsewhere' ? 'its target is in a state that was not expected' : 'the state of its target cannot be told';
  throw refused(standing === 'elsewhere' ? 'target-elsewhere' : 'target-unknown', `${where}; nothing was done`);
}

/** Asks what the step requires: one that does not hold, or cannot be told, stops it before anything is touched. */
async function demand(run: Run, ctx: Ctx, step: Step): Promise<void> {
  const refusal = objection(await askAll(run, ctx, step.requires));
  if (refusal !== null) throw refused('requires', refusal.says);
}

async function applyStep(run: Run, step: Step, call: BoundCall, attempt: Attempt): Promise<void> {
  // From a pivot's intent on there is no way back, so nothing but its deadline cancels it.
  const cancel = step.pivot ? null : cancelOf(run, step);
  if (run.stop.aborted) throw left();
  if (run.signal.aborted && cancelOf(run, step) !== null) throw refused('interrupted', 'interrupted');
  orEnd(() => run.lease.check());
  orEnd(() => run.record('intent', step.id, {action: step.do.action, v: step.do.v, says: call.says}));
  attempt.effect = 'possible';
  const late = step.pivot ? await demandAgain(run, step, call, attempt) : 'before';
  const answers = await within(run, step.deadlineMs, cancel, async (ctx) => {
    if (late === 'before') attempt.result = await call.apply(ctx);
    return untilAllHold(run, ctx, step.ensures);
  });
  await hold(run, step);
  orEnd(() => run.record('result', step.id, {result: attempt.result, says: resultText(answers, attempt.result)}));
}

/** What may end a step before it is done: the first Ctrl+C as long as the way back is open, and always where leaving does no harm. */
function cancelOf(run: Run, step: Step): AbortSignal | null {
  return step.mayLeave === true ? run.signal : run.cancelledBy();
}

/** Writing the intent may have taken long: a pivot is passed only with the lease and the facts asked again after it. */
async function demandAgain(run: Run, step: Step, call: BoundCall, attempt: Attempt): Promise<'done' | 'before'> {
  attempt.effect = 'withdrawn';
  const place = await within(run, step.deadlineMs, null, async (ctx) => {
    const demanded = demand(run, ctx, step);
    demanded.catch(() => undefined);
    // Whatever it stood on is behind it, if it is done already: nothing is sent then.
    const place = placeOf(await call.look(ctx));
    if (place === 'before') await demanded;
    return place;
  });
  attempt.effect = 'possible';
  orEnd(() => run.lease.check());
  return place;
}

/** The target says that it is done: waits for the facts to show. */
function confirm(run: Run, step: Step): Promise<readonly Answer[]> {
  return within(run, step.deadlineMs, run.cancelledBy(), (ctx) => untilAllHold(run, ctx, step.ensures));
}

/** Samples the facts that must keep holding. One that does not, or cannot be told, fails the step. */
async function hold(run: Run, step: Step): Promise<void> {
  if (step.hold === null) return;
  const {forMs, everyMs, minSamples, watch} = step.hold;
  const end = run.clock.now() + forMs;
  for (let samples = 1; ; samples++) {
    const answers = await within(run, step.deadlineMs, run.cancelledBy(), (ctx) => askAll(run, ctx, watch));
    const refusal = objection(answers);
    if (refusal !== null) throw unavailable('not-held', `did not keep holding: ${refusal.says}`);
    if (samples >= minSamples && run.clock.now() >= end) return;
    await pause(run, everyMs, run.cancelledBy());
  }
}

/** What an action says of its own effect tells more than that its facts hold. */
function resultText(answers: readonly Answer[], result: Json): string {
  const own = typeof result === 'object' && result !== null && 'says' in result && typeof result.says === 'string' ? result.says : '';
  return own === '' ? sentences(answers) : own;
}
