import {refused, usageError} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {approvalOf, type Progress, progressOf} from '../run/progress.ts';
import {identityText, whoAmI} from '../state/identity.ts';
import {isAlive} from './leases.ts';
import {findRun} from './runs.ts';

/** What `runs approve`, `reject` and `abort` print. */
export type VoteDocument = {readonly runId: string; readonly step: string | null; readonly by: string; readonly says: string};

/** Approves or rejects a step that waits. Refused (77) when it does not wait, and for who runs it where two others must agree. */
export async function vote(
  open: OpenFleet,
  name: string,
  {verdict, step, reason}: {verdict: 'approved' | 'rejected'; step: string | undefined; reason: string | null},
): Promise<VoteDocument> {
  const state = await open.state();
  const {runId, plan} = await findRun(open, name);
  const progress = progressOf(plan, state.events(runId));
  const waiting = plan.steps.filter((each) => approvalOf(progress, each) === 'waiting').map(({id}) => id);
  const chosen = choose(runId, waiting, step);
  const me = whoAmI();
  refuseOwn(progress, chosen, me.user, verdict);
  refuseLate(progress, chosen, open.clock.wall());
  const by = identityText(me);
  state.append(runId, {type: verdict, step: chosen, data: {by, user: me.user, reason}});
  const alive = isAlive(state, open.fleet.name, runId);
  const says = `${chosen} of ${runId} was ${verdict} by ${by}${alive ? '' : `; no process runs it now: regionctl runs resume ${runId}`}`;
  return {runId, step: chosen, by, says};
}

/** Tells a run to stop at its next safe point. Refused (77) when no process runs it: there is nothing to stop. */
export async function askToAbort(open: OpenFleet, name: string, reason: string | null): Promise<VoteDocument> {
  const state = await open.state();
  const {runId} = await findRun(open, name);
  if (!isAlive(state, open.fleet.name, runId))
    throw refused('not-running', `no process runs ${runId} now: nothing was done`, {
      suggestions: [`regionctl runs undo ${runId}`, `regionctl runs resume ${runId}`],
    });
  const by = identityText(whoAmI());
  state.append(runId, {type: 'abort-asked', step: null, data: {by, reason}});
  return {
    runId,
    step: null,
    by,
    says: `${runId} was told to stop: before its point of no return it goes back, later it stops at the next safe point`,
  };
}

function choose(runId: string, waiting: readonly string[], step: string | undefined): string {
  const [only, ...others] = waiting;
  if (only === undefined) throw refused('not-waiting', `no step of ${runId} waits for approval: nothing was done`);
  if (step === undefined && others.length > 0) throw usageError(`${waiting.join(' and ')} wait for approval: say which with --step`);
  if (step !== undefined && !waiting.includes(step))
    throw refused('not-waiting', `the step "${step}" of ${runId} does not wait for approval; ${waiting.join(', ')} does`);
  return step ?? only;
}

function refuseOwn({asked, starters}: Progress, step: string, user: string, verdict: 'approved' | 'rejected'): void {
  if (verdict === 'rejected' || (asked.get(step)?.approvers ?? 1) < 2 || !starters.has(user)) return;
  throw refused('own-run', `${user} runs it: where two must approve, that has to be somebody else`);
}

function refuseLate({asked}: Progress, step: string, now: number): void {
  const expiresAt = asked.get(step)?.expiresAt ?? 0;
  if (now > expiresAt) throw refused('approval-expired', `the time to answer for ${step} ran out at ${new Date(expiresAt).toISOString()}`);
}
