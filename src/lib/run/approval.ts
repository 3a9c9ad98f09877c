import {RegionctlError, refused} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Approval, Step} from '../plan/plan.ts';
import type {Run} from './context.ts';
import {orEnd} from './ends.ts';
import {type Asked, approvalOf, approversOf} from './progress.ts';
import {pause} from './scope.ts';

/** How often the journal is read for what people said, in ms. */
const LOOK_MS = 200;

/**
 * Waits until a step is approved, as its plan wants. Throws `approval-rejected` or `approval-expired` (exit 77), what an interrupt throws, and
 * `aborted` when the run is told to stop meanwhile. What was approved before (by a process that is gone now) counts as long as it has not run out.
 */
export async function awaitApproval(run: Run, step: Step): Promise<void> {
  const {approval} = step;
  if (approval === null) return;
  if (isOver(run, step)) ask(run, step, approval);
  for (;;) {
    run.refresh();
    const asked = run.progress.asked.get(step.id);
    const standing = approvalOf(run.progress, step);
    if (standing === 'approved') return;
    if (standing === 'rejected') throw rejected(asked);
    if (run.progress.abort !== null) throw new RegionctlError('aborted', EXIT.critical, abortText(run.progress.abort));
    if (asked === undefined || standing === 'expired') throw refused('approval-expired', 'the approval ran out');
    if (run.clock.wall() >= asked.expiresAt) {
      const says = `nobody approved it within ${formatMs(approval.expiresMs)}${givenText(run, asked)}`;
      orEnd(() => run.record('approval-expired', step.id, {says}));
      throw refused('approval-expired', says);
    }
    await pause(run, LOOK_MS, run.cancelledBy());
  }
}

/** Who told a run to stop, as a sentence. */
export function abortText({by, reason}: {readonly by: string; readonly reason: string | null}): string {
  return `${by} told it to stop${reason === null ? '' : `: ${reason}`}`;
}

/** Never asked, or answered for the last time: then it is asked anew. An approval that was given and not used stays until it runs out. */
function isOver(run: Run, step: Step): boolean {
  const standing = approvalOf(run.progress, step);
  const asked = run.progress.asked.get(step.id);
  if (standing === 'none' || standing === 'expired' || standing === 'rejected') return true;
  return asked !== undefined && run.clock.wall() >= asked.expiresAt;
}

function ask(run: Run, step: Step, {approvers, expiresMs}: Approval): void {
  const people = approvers === 1 ? 'one person' : `${approvers} people, not counting who runs it`;
  const says = `waits for the approval of ${people}, for ${formatMs(expiresMs)} at most: regionctl runs approve ${run.runId} --step ${step.id}`;
  orEnd(() => run.record('approval-asked', step.id, {approvers, expiresAt: run.clock.wall() + expiresMs, says}));
  if (!run.approve) return;
  // Where two must agree this vote is on the record and does not count.
  orEnd(() => run.record('approved', step.id, {by: run.by, user: run.user, reason: 'with --approve'}));
}

function rejected(asked: Asked | undefined): RegionctlError {
  const vote = asked?.votes.find(({verdict}) => verdict === 'rejected');
  return refused('approval-rejected', `${vote?.by ?? 'somebody'} rejected it${vote?.reason ? `: ${vote.reason}` : ''}`);
}

function givenText(run: Run, asked: Asked): string {
  const given = approversOf(run.progress, asked);
  return asked.approvers < 2 ? '' : ` (${given.length} of ${asked.approvers} did${given.length === 0 ? '' : `: ${given.join(', ')}`})`;
}
