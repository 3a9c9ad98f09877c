import {isRegionctlError, messageOf, RegionctlError} from '../errors.ts';
import type {Json} from '../plan/json.ts';
import type {Call, Step} from '../plan/plan.ts';
import type {Run} from './context.ts';
import {settle} from './ends.ts';
import {stepProgress} from './progress.ts';
import {within} from './scope.ts';

/**
 * What ended a run on the spot (its journal cannot be written, its lease is lost) must not leave a fault until its lease ends: what the run injected, as
 * far as this process knows, is taken back without a record, the newest first. Answers the error to throw: the same, and what came of that.
 */
export async function rescued(run: Run, error: Error): Promise<Error> {
  const begun = run.plan.steps.flatMap((step) => leasedUndo(run, step));
  if (begun.length === 0) return error;
  const said: string[] = [];
  const troubles: string[] = [];
  for (const {step, undo} of begun.toReversed()) {
    const done = await settle(() => within(run, step.deadlineMs, null, (ctx) => run.actions.bind(undo).apply(ctx))).catch(
      (thrown: unknown) => ({ok: false as const, says: messageOf(thrown)}),
    );
    if (done.ok) said.push(textOf(done.value) ?? run.actions.bind(undo).says);
    else troubles.push(done.says);
  }
  return told(error, said, troubles);
}

/** The undo of a leased step whose effect may be in the world. */
function leasedUndo(run: Run, step: Step): readonly {readonly step: Step; readonly undo: Call}[] {
  const {undo, leaseMs} = step;
  return undo !== null && leaseMs !== null && stepProgress(run.progress, step).intended ? [{step, undo}] : [];
}

function told(error: Error, said: readonly string[], troubles: readonly string[]): Error {
  const parts = [
    ...(said.length === 0 ? [] : [`What it had broken was healed all the same: ${[...new Set(said)].join('; ')}.`]),
    ...(troubles.length === 0 ? [] : [`What it had broken could not be healed: ${[...new Set(troubles)].join('; ')}.`]),
  ];
  const message = `${messageOf(error).replace(/\.$/, '')}. ${parts.join(' ')}`;
  if (!isRegionctlError(error)) return new Error(message, {cause: error});
  const more = troubles.length === 0 ? [] : ['`regionctl drill clean` heals what is left, also where nothing can be recorded'];
  return new RegionctlError(error.code, error.exit, message, {cause: error, suggestions: [...(error.suggestions ?? []), ...more]});
}

function textOf(result: Json): string | null {
  return typeof result === 'object' && result !== null && 'says' in result && typeof result.says === 'string' ? result.says : null;
}
