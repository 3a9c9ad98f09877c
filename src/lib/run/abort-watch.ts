import {askAll} from './asking.ts';
import type {Run} from './context.ts';
import {settle} from './ends.ts';
import {pivotPassed} from './progress.ts';
import {within} from './scope.ts';

const EVERY_MS = 1000;
const ASK_MS = 10_000;

/** The abort conditions of a plan, watched while its steps run. `run` is cancelled as soon as one holds; `cause` says which, null = none did. */
export type AbortWatch = {readonly run: Run; cause(): string | null; stop(): Promise<void>};

/**
 * Asks what a plan aborts at again and again, also in the middle of a step. Before the pivot the step under way is cancelled; from the pivot on there is
 * only forward, so it becomes a note. What cannot be told aborts nothing.
 */
export function watchAbort(run: Run): AbortWatch {
  if (run.plan.abortIf.length === 0) return {run, cause: () => null, stop: async () => undefined};
  const hit = new AbortController();
  const over = new AbortController();
  const found: {says: string | null} = {says: null};
  const signal = AbortSignal.any([run.signal, hit.signal]);
  const watching = loop(run, over.signal, (says) => {
    found.says = says;
    hit.abort(new Error(says));
  });
  watching.catch(() => undefined);
  return {
    run: {...run, signal, cancelledBy: () => (pivotPassed(run.plan, run.progress) ? null : signal)},
    cause: () => found.says,
    async stop() {
      over.abort();
      await watching;
    },
  };
}

async function loop(run: Run, over: AbortSignal, onHit: (says: string) => void): Promise<void> {
  while (!over.aborted) {
    const asked = await settle(() => within(run, ASK_MS, over, (ctx) => askAll(run, ctx, run.plan.abortIf))).catch(() => null);
    if (over.aborted || run.stop.aborted) return;
    const cause = asked?.ok === true ? asked.value.find(({holds}) => holds === true) : undefined;
    if (cause !== undefined) return pivotPassed(run.plan, run.progress) ? noteLate(run, cause.says) : onHit(cause.says);
    await run.clock.sleep(EVERY_MS, AbortSignal.any([over, run.stop])).catch(() => undefined);
  }
}

function noteLate(run: Run, says: string): void {
  run.record('note', null, {says: `an abort condition held after the point of no return, so the run went on: ${says}`});
}
