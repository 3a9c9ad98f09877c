import {usageError} from '../errors.ts';
import type {ExitCode} from '../exit-codes.ts';
import {checkPlan} from '../plan/check-plan.ts';
import type {Phase, Plan} from '../plan/plan.ts';
import {type Ending, openRun, type Run, type RunSetup} from './context.ts';
import {endingExit} from './document.ts';
import {admit, drive} from './drive.ts';
import {JOURNAL_VERSION, type Outcome} from './events.ts';
import {anyIntent} from './progress.ts';

/** How a run ended. `code` is stable, `reason` one sentence, `exit` the exit code that fits (objectives are judged by `documentExit`). */
export type RunResult = {
  readonly runId: string;
  readonly outcome: Outcome;
  readonly code: string;
  readonly reason: string;
  readonly exit: ExitCode;
};

/** How long a phase took before the run began: detection and decision belong to who calls. */
export type PhaseMark = {readonly phase: Phase; readonly ms: number};

/**
 * Runs a plan that was recorded with `state.createRun`, under a lease that the caller holds and releases. Whatever the world does becomes an
 * outcome. It throws for a plan that cannot be run (64), when the lease is lost (75) and when the journal cannot be written (73): then
 * nothing more is done but to end its faults, and the run can be resumed.
 */
export async function runPlan(options: RunSetup & {readonly plan: Plan; readonly marks?: readonly PhaseMark[]}): Promise<RunResult> {
  const {plan, marks = [], ...setup} = options;
  assertRunnable(plan, setup);
  const run = openRun(setup, plan);
  if (run.progress.started) throw usageError(`Run ${run.runId} was begun already. Go on with \`regionctl runs resume ${run.runId}\`.`);
  setup.lease.check();
  run.record('run-started', null, {v: JOURNAL_VERSION, by: run.by, token: setup.lease.token, user: run.user});
  for (const {phase, ms} of marks) run.record('phase-mark', null, {phase, ms});
  return runResult(run, await drive(run, () => admit(run)));
}

/** Refuses a plan with anything wrong in it, naming all of it. */
export function assertRunnable(plan: Plan, {actions, checks}: Pick<RunSetup, 'actions' | 'checks'>): void {
  const problems = checkPlan(plan, actions, checks);
  if (problems.length > 0) throw usageError(`The plan ${plan.id} cannot be run: ${problems.join(' ')}`);
}

/** An ending with the exit code that fits. */
export function runResult(run: Run, ending: Ending): RunResult {
  return {runId: run.runId, ...ending, exit: endingExit(ending, anyIntent(run.progress))};
}
