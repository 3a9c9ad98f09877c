import {isRegionctlError} from '../errors.ts';
import type {Step} from '../plan/plan.ts';
import {gateOpen, gateRows} from '../plan/plan-document.ts';
import {watchAbort} from './abort-watch.ts';
import {abortText} from './approval.ts';
import {askAll, objection} from './asking.ts';
import {type Ending, type Run, uncancelled} from './context.ts';
import {settle} from './ends.ts';
import {isFaultNeeded} from './over.ts';
import {goOnSays, pivotPassed, stepProgress} from './progress.ts';
import {isHeldToTheEnd} from './recheck.ts';
import {renewHolds} from './renew.ts';
import {rescued} from './rescue.ts';
import {within} from './scope.ts';
import {carryOut, type StepEnd} from './step.ts';
import {undoAll} from './undo.ts';

const ADMISSION_MS = 10_000;
const LAST_ASK_MS = 500;

/** The code of a run that succeeded although a step that may fail did fail. */
const INCOMPLETE = 'incomplete';

/** Why the way forward was left. */
export type Halt = {
  readonly why: 'interrupted' | 'aborted' | 'failed';
  readonly code: string;
  readonly says: string;
  readonly undo: boolean;
};

/**
 * The engine that a first run and a resumed one share: from wherever the journal stands to the end of the plan, or back. Everything that is
 * settled is left alone. `begin` is asked first; its ending = nothing more is done. Otherwise it ends with the `always` steps. One `run-ended`
 * closes the journal in any case; after the second Ctrl+C it comes at once. Where the journal cannot be written it ends on the spot, but for its
 * faults: those are taken back.
 */
export async function drive(run: Run, begin: () => Promise<Ending | null>): Promise<Ending> {
  const ending = await wholeRun(run, begin);
  run.record('run-ended', null, {outcome: ending.outcome, code: ending.code, reason: ending.reason});
  return ending;
}

async function wholeRun(run: Run, begin: () => Promise<Ending | null>): Promise<Ending> {
  try {
    return (await begin()) ?? (await withAlways(run, await finish(run, await goForward(run))));
  } catch (error) {
    if (isRegionctlError(error) && error.code === 'left') return leaving(run);
    throw error instanceof Error ? await rescued(run, error) : error;
  }
}

/** Asks the gates and what the plan expects of the world. An ending = refused, and nothing was touched. */
export async function admit(run: Run): Promise<Ending | null> {
  const gates = gateRows(run.plan);
  for (const {id, verdict, says, overridden} of gates) run.record('gate', null, {gate: id, verdict, says, overridden});
  const shut = gates.find((gate) => !gateOpen(gate));
  if (shut !== undefined) return {outcome: 'failed', code: 'gate-refused', reason: `gate ${shut.id}: ${shut.says}; nothing was done`};
  const asked = await settle(() =>
    within(run, ADMISSION_MS, run.signal, (ctx) => askAll(run, ctx, [...run.plan.expects, ...(run.plan.standsOn ?? [])])),
  );
  if (!asked.ok && asked.code === 'interrupted') {
    return {outcome: 'interrupted', code: 'interrupted', reason: 'interrupted before anything was done'};
  }
  const says = asked.ok ? objection(asked.value)?.says : asked.says;
  if (says === undefined) return null;
  return {
    outcome: 'failed',
    code: 'plan-outdated',
    reason: `the plan does not fit the fleet any more: ${says}; nothing was done`,
  };
}

/** The way forward, with the abort conditions watched all the time. */
async function goForward(run: Run): Promise<Halt | null> {
  const watch = watchAbort(run);
  try {
    await watch.ready;
    const halt = await everyStep(watch.run);
    const cause = watch.cause();
    if (halt?.why !== 'interrupted' || cause === null || run.signal.aborted) return halt;
    return {why: 'aborted', code: 'aborted', says: `aborted: ${cause}`, undo: true};
  } finally {
    await watch.stop();
  }
}

/** Null when every step was tried. Failures of steps that may be passed over are found in the progress afterwards. */
async function everyStep(run: Run): Promise<Halt | null> {
  let told = false;
  let holds = false;
  for (const step of run.plan.steps) {
    if (stepProgress(run.progress, step).settled) continue;
    const isHold = isHeldToTheEnd(run, step);
    const halt = (await haltBefore(run, step)) ?? (holds && !isHold ? await moved(run) : null);
    if (halt !== null) return halt;
    holds = isHold;
    if (run.signal.aborted && !told) {
      told = true;
      run.record('interrupted', null, {going: 'forward', says: 'past the point of no return: going on to the next safe point'});
    }
    if (blocked(run, step)) continue;
    const stopped = haltAfter(run, step, await carryOutHeld(run, step));
    if (stopped !== null) return stopped;
  }
  return null;
}

/** A step that failed only because what keeps others out had lapsed by itself is tried once more. */
async function carryOutHeld(run: Run, step: Step): Promise<StepEnd> {
  const end = await carryOut(run, step);
  if (end.kind !== 'failed' || step.pivot || !LAPSED.has(end.code)) return end;
  return (await renewHolds(run)) ? carryOut(run, step) : end;
}

const LAPSED: ReadonlySet<string> = new Set(['requires', 'not-claimed', 'claim-lost']);

/**
 * What keeps others out (a claim) is ours now: nobody moves anything any more. Somebody may have done so between our last look and that, and then
 * the plan is not for this world.
 */
async function moved(run: Run): Promise<Halt | null> {
  if (pivotPassed(run.plan, run.progress)) return null;
  const ask = () => settle(() => within(run, ADMISSION_MS, run.signal, (ctx) => askAll(run, ctx, run.plan.standsOn ?? [])));
  let asked = await ask();
  // A process that slept through its own question may take everybody for silent.
  if (asked.ok && objection(asked.value)?.holds === null) asked = await ask();
  if (!asked.ok && asked.code === 'interrupted') return interruption();
  const says = asked.ok ? objection(asked.value)?.says : asked.says;
  return says === undefined
    ? null
    : {why: 'failed', code: 'plan-outdated', says: `the plan does not fit the fleet any more: ${says}`, undo: true};
}

/** Whether the way forward ends with this step, and why. */
function haltAfter(run: Run, step: Step, end: StepEnd): Halt | null {
  if (end.kind === 'interrupted') return step.mayLeave === true && pivotPassed(run.plan, run.progress) ? null : interruption();
  if (end.kind !== 'failed') return null;
  // The code alone does not tell: what a step calls may have a word like that of its own.
  if (end.code === 'aborted' && run.progress.abort !== null) return {why: 'aborted', code: 'aborted', says: end.says, undo: true};
  if (step.onFailure === 'continue') return null;
  return {why: 'failed', code: end.code, says: `${step.id}: ${end.says}`, undo: step.onFailure === 'undo'};
}

/** What stops a run between two steps: anything as long as it can go back; later only at a safe point. */
async function haltBefore(run: Run, step: Step): Promise<Halt | null> {
  run.refresh();
  const {abort} = run.progress;
  if (pivotPassed(run.plan, run.progress)) return isSafeBefore(run, step) ? leaveSafely(run, step) : null;
  if (abort !== null) return {why: 'aborted', code: 'aborted', says: abortText(abort), undo: true};
  if (run.signal.aborted) return interruption();
  // They are watched beside the steps; the last moment to go back is asked for by itself, for as long as clients can wait.
  if (run.plan.abortIf.length === 0 || !step.pivot) return null;
  const asked = await settle(() => within(run, LAST_ASK_MS, run.signal, (ctx) => askAll(run, ctx, run.plan.abortIf)));
  const cause = asked.ok ? asked.value.find((answer) => answer.holds === true) : undefined;
  if (cause !== undefined) return {why: 'aborted', code: 'aborted', says: `aborted: ${cause.says}`, undo: true};
  return null;
}

/** Every store has its new primary, and traffic is where it belongs: what is left makes it better, and can wait. */
function isSafeBefore(run: Run, step: Step): boolean {
  const pivots = run.plan.steps.filter((each) => each.pivot);
  return pivots.every((each) => stepProgress(run.progress, each).settled) && LATE_PHASES.has(step.phase);
}

/** Verification is short and tells whether it went well, so an interrupt waits for it; somebody who says stop does not. */
function leaveSafely(run: Run, step: Step): Halt | null {
  const {abort} = run.progress;
  if (abort !== null) return {why: 'aborted', code: 'aborted', says: `${abortText(abort)}; stopped before ${step.id}`, undo: false};
  const rest = run.signal.aborted && step.phase !== 'verify' && step.mayLeave !== true;
  return rest ? {why: 'interrupted', code: 'interrupted', says: `interrupted; stopped before ${step.id}`, undo: false} : null;
}

const LATE_PHASES: ReadonlySet<string> = new Set(['verify', 'converge', 'heal']);

function interruption(): Halt {
  return {why: 'interrupted', code: 'interrupted', says: 'interrupted', undo: true};
}

function blocked(run: Run, step: Step): boolean {
  const missing = run.plan.steps.filter((other) => step.after.includes(other.id) && !stepProgress(run.progress, other).settled);
  if (missing.length === 0) return false;
  run.record('step-blocked', step.id, {says: `not run: ${missing.map((other) => other.id).join(', ')} did not succeed`});
  return true;
}

async function finish(run: Run, halt: Halt | null): Promise<Ending> {
  if (halt === null) return wholePlan(run);
  const mayGoBack = halt.undo && !pivotPassed(run.plan, run.progress);
  if (halt.why !== 'failed') run.record('interrupted', null, {going: mayGoBack ? 'back' : 'away', says: halt.says});
  if (!mayGoBack) {
    const outcome = halt.why === 'failed' || halt.undo ? 'failed' : halt.why;
    return {outcome, code: halt.code, reason: sentenceOf(run, halt.says)};
  }
  return wayBack(run, halt);
}

export async function wayBack(run: Run, halt: Halt): Promise<Ending> {
  const {undone: now, troubles} = await undoAll(run);
  if (troubles.length > 0) return {outcome: 'failed', code: halt.code, reason: sentenceOf(run, [halt.says, ...troubles].join('; '))};
  // A process that was told to go back may have been killed when it had taken back everything, or a part: that counts as well.
  const undone = run.progress.goingBack ? undoneOf(run) : now;
  if (undone.length > 0) return {outcome: 'undone', code: halt.code, reason: `${halt.says}; undone: ${undone.join(', ')}`};
  const untouched = `${halt.says}; there was nothing to undo. ${howToResume(run)}`;
  return {outcome: halt.why, code: halt.code, reason: untouched};
}

const undoneOf = (run: Run): readonly string[] =>
  run.plan.steps
    .filter((step) => stepProgress(run.progress, step).status === 'undone')
    .map(({id}) => id)
    .toReversed();

/** A step with onFailure `continue` may fail without the run failing, and a store may have to stay down: both are named, and make the ending a warning. */
function wholePlan(run: Run): Ending {
  const open = run.plan.steps.filter((step) => !stepProgress(run.progress, step).settled);
  const down = run.plan.staysDown ?? [];
  const says = [...open.map((step) => `${step.id}: ${stepProgress(run.progress, step).detail ?? 'not run'}`), ...down].join('; ');
  if (open.some((step) => step.onFailure !== 'continue')) {
    return {outcome: 'failed', code: 'step-failed', reason: sentenceOf(run, says)};
  }
  if (says !== '') return {outcome: 'succeeded', code: INCOMPLETE, reason: `done, but ${says}`};
  const nothing = run.plan.steps.every((step) => stepProgress(run.progress, step).status === 'skipped');
  return {outcome: 'succeeded', code: 'ok', reason: nothing ? 'nothing was done: everything was already as planned' : 'every step is done'};
}

/** Their failure is added to the ending and never hides it. A run that left something behind has not gone well, unless the step may fail. */
export async function withAlways(run: Run, ending: Ending): Promise<Ending> {
  const troubles: string[] = [];
  let grave = false;
  if (run.plan.always.length > 0) run.record('always-started', null, {outcome: ending.outcome});
  for (const step of run.plan.always) {
    const end = await carryOut(uncancelled(run), step);
    if (end.kind !== 'failed') continue;
    troubles.push(`${step.id}: ${end.says}`);
    grave ||= step.onFailure !== 'continue';
  }
  return troubles.length === 0 ? ending : worsened(run, ending, troubles.join('; '), grave);
}

function worsened(run: Run, ending: Ending, troubles: string, grave: boolean): Ending {
  const well = ending.outcome === 'succeeded' || ending.outcome === 'undone';
  const code = ending.outcome === 'succeeded' ? (grave ? 'always-failed' : INCOMPLETE) : ending.code;
  const reason = `${ending.reason.replace(/\.$/, '')}; and afterwards ${troubles}`;
  if (!grave || !well) return {outcome: ending.outcome, code, reason};
  return {outcome: 'failed', code, reason: `${reason}. ${howToResume(run)}`};
}

function leaving(run: Run): Ending {
  const reason = `left at the second interruption; what was begun stands as it is. ${howToResume(run)}`;
  run.record('interrupted', null, {going: 'away', says: reason});
  return {outcome: 'interrupted', code: 'left', reason};
}

function sentenceOf(run: Run, says: string): string {
  return `${says.replace(/\.$/, '')}. ${howToResume(run)}`;
}

function howToResume(run: Run): string {
  // A breaker's is not resumed.
  if (run.plan.kind === 'shift') return 'The next look goes on from the weights as they are then';
  // Its fault is healed in any case, and then nobody goes on with it.
  if (isFaultNeeded(run)) return `Take back what is left with \`regionctl runs undo ${run.runId}\``;
  return goOnSays(run.runId, run.progress);
}
