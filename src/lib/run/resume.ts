import {refused, usageError} from '../errors.ts';
import {type Ending, openRun, type Run, type RunSetup} from './context.ts';
import {admit, drive} from './drive.ts';
import {JOURNAL_VERSION} from './events.ts';
import {anyIntent} from './progress.ts';
import {recheckFinished} from './recheck.ts';
import {assertRunnable, type RunResult, runResult, startedBy} from './runner.ts';

/**
 * Goes on with a run that ended before its plan did: killed, interrupted or failed. It goes forward, under a new lease that the caller
 * holds. What finished steps reached is asked again, an intent without a result is looked up before it is repeated, and the rest runs as in
 * `runPlan`, with the same throws. A run that has succeeded or was undone is refused (77): there is nothing left to do.
 */
export async function resumeRun(setup: RunSetup): Promise<RunResult> {
  const plan = setup.state.plan(setup.runId);
  if (plan === null) throw usageError(`There is no run ${setup.runId}.`, {suggestions: ['List the runs with `regionctl runs list`']});
  assertRunnable(plan, setup);
  const run = openRun(setup, plan);
  refuseEnded(run);
  setup.lease.check();
  const at = new Date(setup.clock.wall()).toISOString();
  run.record('resumed', null, {v: JOURNAL_VERSION, by: startedBy(setup), token: setup.lease.token, at});
  return runResult(run, await drive(run, () => takeUp(run)));
}

/** As long as nothing was touched the plan must still fit the fleet, as at its start. */
async function takeUp(run: Run): Promise<Ending | null> {
  const refusal = anyIntent(run.progress) ? null : await admit(run);
  if (refusal === null) await recheckFinished(run);
  return refusal;
}

function refuseEnded(run: Run): void {
  const ended = run.progress.ended;
  if (ended === null || (ended.outcome !== 'succeeded' && ended.outcome !== 'undone')) return;
  const how = ended.outcome === 'succeeded' ? 'has succeeded already' : 'was undone';
  throw refused('run-ended', `Run ${run.runId} ${how}: nothing was done.`, {
    suggestions: [`See it with \`regionctl runs show ${run.runId}\`; make a new plan for anything else`],
  });
}
