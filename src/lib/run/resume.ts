import {refused, usageError} from '../errors.ts';
import {formatMs} from '../output/units.ts';
import {type Ending, openRun, type Run, type RunSetup} from './context.ts';
import {admit, drive, wayBack, withAlways} from './drive.ts';
import {JOURNAL_VERSION} from './events.ts';
import {givenUpBy} from './given-up.ts';
import {movedByOthers} from './moved.ts';
import {healedEarly} from './over.ts';
import {anyIntent, pivotPassed, stepProgress} from './progress.ts';
import {isHeldToTheEnd, recheckFinished} from './recheck.ts';
import {assertRunnable, type RunResult, runResult} from './runner.ts';
import {carryOut} from './step.ts';
import {undoAll} from './undo.ts';

/** After this time without a line in the journal nobody goes on with a run without saying why: the world has moved on. */
const STALE_MS = 15 * 60_000;

/** `reason`: why a run that was left alone for long is taken up again; it stays on the record. */
export type TakeUp = RunSetup & {readonly reason?: string | null};

/**
 * Goes on with a run that ended before its plan did: killed, interrupted or failed. It goes forward, under a new lease that the caller
 * holds. What finished steps reached is asked again, an intent without a result is looked up before it is repeated, and the rest runs as in
 * `runPlan`, with the same throws. Refused (77): a run that has succeeded or was undone, one whose move a failback has given up, one that was left for
 * more than 15 minutes without a reason, and one under which another hand has moved what it stands on.
 */
export async function resumeRun(setup: TakeUp): Promise<RunResult> {
  const run = takenUp(setup, 'forward');
  return runResult(run, await drive(run, () => goOn(run)));
}

/**
 * Takes back what a run began, newest first, each with its own deadline, and runs its `always` steps. Refused (77) from the pivot on: then the
 * way back is a plan of its own; and once it is over, but for a repair.
 */
export async function undoRun(setup: TakeUp): Promise<RunResult> {
  const run = takenUp(setup, 'back');
  return runResult(run, await drive(run, () => goBack(run)));
}

function takenUp(setup: TakeUp, going: 'forward' | 'back'): Run {
  const {reason = null} = setup;
  const plan = setup.state.plan(setup.runId);
  if (plan === null) throw usageError(`There is no run ${setup.runId}.`, {suggestions: ['List the runs with `regionctl runs list`']});
  assertRunnable(plan, setup);
  const run = openRun(setup, plan);
  refuseEnded(run, going);
  if (going === 'back') refusePastPivot(run);
  else refuseGivenUp(run);
  refuseStale(run, going, reason);
  setup.lease.check();
  const at = new Date(setup.clock.wall()).toISOString();
  run.record('resumed', null, {v: JOURNAL_VERSION, by: run.by, token: setup.lease.token, at, user: run.user, going, reason});
  return run;
}

/** As long as nothing was touched the plan must still fit the fleet, as at its start; later it must at least stand on what it stood on. */
async function goOn(run: Run): Promise<Ending | null> {
  const refusal = anyIntent(run.progress) ? await refuseMoved(run) : await admit(run);
  if (refusal !== null) return refusal;
  const early = healedEarly(run);
  if (early !== null) return withAlways(run, tooLate(run, early));
  await recheckFinished(run);
  return null;
}

/** To inject it again would be another drill; to go on without it would be a reaction to nothing, by people and programs that may move a sound fleet. */
function tooLate({runId}: Run, {fault, until}: NonNullable<ReturnType<typeof healedEarly>>): Ending {
  const says = `what ${fault.id} had injected was healed before ${until.id} was done: it is not injected again, and the run is not gone on with`;
  return {outcome: 'failed', code: 'fault-over', reason: `${says}. Take back what is left with \`regionctl runs undo ${runId}\``};
}

/** The claim is gone with the process that held it: nothing but faults is taken back before it is ours again. What else was begun is not needed on the way back. */
async function goBack(run: Run): Promise<Ending> {
  const begun = run.plan.steps.filter((step) => stepProgress(run.progress, step).intended);
  const claims = begun.filter((step) => step.phase === 'preflight' && isHeldToTheEnd(run, step));
  await recheckFinished(run, claims);
  for (const step of claims) {
    if (stepProgress(run.progress, step).settled) continue;
    const end = await carryOut(run, step);
    if (end.kind === 'failed') return healOnly(run, end.code, `${step.id}: ${end.says}`);
  }
  return withAlways(run, await wayBack(run, {why: 'aborted', code: 'undone', says: 'told to go back', undo: true}));
}

/** A fault stands on no claim, and does harm for as long as it is there. */
async function healOnly(run: Run, code: string, says: string): Promise<Ending> {
  const faults = run.plan.steps.filter(({leaseMs}) => leaseMs !== null);
  const {undone, troubles} = await undoAll(run, faults);
  const left = `nothing was taken back${undone.length === 0 ? '' : ` but ${undone.join(', ')}`}`;
  return {outcome: 'failed', code, reason: [says, left, ...troubles].join('; ')};
}

/** Another hand moved what the run stands on: before the pivot what the plan was made for, after it what the pivot had reached. */
async function refuseMoved(run: Run): Promise<Ending | null> {
  const says = await movedByOthers(run);
  if (says === null) return null;
  return {outcome: 'failed', code: 'plan-outdated', reason: `another hand has moved it since: ${says}; nothing more was done`};
}

/** A repair has no point of no return, and what it wrote over is kept: it can be taken back also when it is over. */
function refuseEnded(run: Run, going: 'forward' | 'back'): void {
  const ended = run.progress.ended;
  if (ended?.outcome === 'succeeded' && going === 'back' && run.plan.kind === 'repair') return;
  if (ended === null || (ended.outcome !== 'succeeded' && ended.outcome !== 'undone')) return;
  const how = ended.outcome === 'succeeded' ? 'has succeeded already' : 'was undone';
  throw refused('run-ended', `Run ${run.runId} ${how}: nothing was done.`, {
    suggestions: [`See it with \`regionctl runs show ${run.runId}\`; make a new plan for anything else`],
  });
}

function refusePastPivot(run: Run): void {
  if (!pivotPassed(run.plan, run.progress)) return;
  throw refused('past-pivot', `Run ${run.runId} has passed its point of no return: nothing was done. The way back is a plan of its own.`, {
    suggestions: [`Finish it with \`regionctl runs resume ${run.runId}\`, then see \`regionctl failback plan\``],
  });
}

function refuseGivenUp({state, runId, plan, progress}: Run): void {
  const later = givenUpBy(state, runId, plan, progress);
  if (later === null) return;
  const {what, still} = GIVEN_UP[plan.kind] ?? {
    what: `the failback ${later} has given up its move`,
    still: `If ${plan.to ?? 'another region'} is still to take over, plan it anew: \`regionctl switchover plan\``,
  };
  throw refused('given-up', `Run ${runId} is not gone on with: ${what.replace('LATER', later)}. Nothing was done.`, {
    suggestions: [still.replace('REGION', plan.from ?? plan.to ?? 'REGION')],
  });
}

const GIVEN_UP: Partial<Record<Run['plan']['kind'], {readonly what: string; readonly still: string}>> = {
  evacuation: {what: 'LATER has given the region its traffic back since', still: 'Plan it anew: `regionctl failover plan --from REGION`'},
  readmission: {what: 'LATER has emptied the region again since', still: 'Plan it anew: `regionctl failback plan --to REGION`'},
};

function refuseStale(run: Run, going: 'forward' | 'back', reason: string | null): void {
  const {lastAt} = run.progress;
  const idleMs = lastAt === null ? 0 : run.clock.wall() - lastAt;
  if (idleMs <= STALE_MS || reason !== null) return;
  const what = going === 'forward' ? 'gone on with' : 'taken back';
  throw refused('run-stale', `Run ${run.runId} was left alone for ${formatMs(idleMs)}: it is not ${what} without a reason.`, {
    suggestions: ['Look at the fleet first (`regionctl status`), then run this again with --reason "…"'],
  });
}
