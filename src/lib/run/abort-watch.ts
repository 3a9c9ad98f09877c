import type {Expectation} from '../plan/plan.ts';
import {ask} from './asking.ts';
import type {Run} from './context.ts';
import {settle} from './ends.ts';
import {pivotPassed} from './progress.ts';
import {within} from './scope.ts';

const EVERY_MS = 1000;
const ASK_MS = 10_000;
/** How long the first step waits for the first answers: a condition that is slow must not lengthen what it watches. */
const FIRST_MS = 1000;
/** So often in a row a condition may be untold before the journal says so. */
const UNTOLD = 3;

/** The abort conditions of a plan, watched while its steps run. `run` is cancelled as soon as one holds; `cause` says which, null = none did. */
export type AbortWatch = {readonly run: Run; readonly ready: Promise<void>; cause(): string | null; stop(): Promise<void>};

/**
 * Asks what a plan aborts at again and again, also in the middle of a step, each condition by itself: one that hangs blinds no other. Before the pivot
 * the step under way is cancelled; from the pivot on there is only forward, so it becomes a note. What cannot be told aborts nothing.
 */
export function watchAbort(run: Run): AbortWatch {
  if (run.plan.abortIf.length === 0) return {run, ready: Promise.resolve(), cause: () => null, stop: async () => undefined};
  const hit = new AbortController();
  const over = new AbortController();
  const found: {says: string | null} = {says: null};
  const signal = AbortSignal.any([run.signal, hit.signal]);
  const onHit = (says: string): void => {
    if (found.says !== null) return;
    if (pivotPassed(run.plan, run.progress)) {
      noteLate(run, says);
      return;
    }
    found.says = says;
    hit.abort(new Error(says));
  };
  const loops = run.plan.abortIf.map((fact) => watchOne(run, fact, {over: over.signal, onHit}));
  const firsts = Promise.all(loops.map(({first}) => first));
  const late = run.clock.sleep(FIRST_MS, over.signal).catch(() => undefined);
  return {
    run: {...run, signal, cancelledBy: () => (pivotPassed(run.plan, run.progress) ? null : signal)},
    ready: Promise.race([firsts.then(() => undefined), late]),
    cause: () => found.says,
    async stop() {
      over.abort();
      await Promise.all(loops.map(({ended}) => ended));
    },
  };
}

type Watching = {readonly over: AbortSignal; readonly onHit: (says: string) => void};

function watchOne(run: Run, fact: Expectation, watching: Watching): {readonly first: Promise<void>; readonly ended: Promise<void>} {
  const first = Promise.withResolvers<void>();
  const ended = askAgain(run, fact, watching, first.resolve)
    .catch(() => undefined)
    .finally(first.resolve);
  return {first: first.promise, ended};
}

async function askAgain(run: Run, fact: Expectation, {over, onHit}: Watching, onAnswer: () => void): Promise<void> {
  const done = AbortSignal.any([over, run.stop]);
  for (let untold = 0; !done.aborted; ) {
    const {holds, says} = await askOnce(run, fact, over);
    if (done.aborted) return;
    if (holds === true) return onHit(says);
    untold = holds === false ? 0 : untold + 1;
    if (untold === UNTOLD) noteUntold(run, says);
    onAnswer();
    await run.clock.sleep(EVERY_MS, done).catch(() => undefined);
  }
}

async function askOnce(run: Run, fact: Expectation, over: AbortSignal): Promise<{readonly holds: boolean | null; readonly says: string}> {
  const asked = await settle(() => within(run, ASK_MS, over, (ctx) => ask(run, ctx, fact))).catch(() => null);
  if (asked === null) return {holds: null, says: 'it was not answered'};
  return asked.ok ? asked.value : {holds: null, says: asked.says};
}

function noteLate(run: Run, says: string): void {
  run.record('note', null, {says: `an abort condition held after the point of no return, so the run went on: ${says}`});
}

function noteUntold(run: Run, says: string): void {
  run.record('note', null, {says: `an abort condition could not be told, so nothing would have been aborted for it: ${says}`});
}
