import {randomBytes} from 'node:crypto';
import type {Plan} from '../plan/plan.ts';
import type {JournalEvent, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type RunDocument, runDocument} from '../run/document.ts';
import {resumeRun, undoRun} from '../run/resume.ts';
import {assertRunnable, type PhaseMark, type RunResult, runPlan} from '../run/runner.ts';
import {heldBy} from '../state/lease.ts';
import {notifying} from './notify.ts';
import {refuseOutdated} from './reviewed.ts';
import type {World} from './world.ts';

/** Who is told, and by what a run is stopped: `interrupt` is the first Ctrl+C, `leave` the second. */
export type ConductOptions = {
  readonly interrupt: AbortSignal;
  readonly leave: AbortSignal;
  readonly onEvent?: (event: JournalEvent) => void;
  /** The starter approves what one person may approve. */
  readonly approve?: boolean;
};

/** A finished run: its result, its document, and the plan and journal that they were made from. */
export type Conducted = {
  readonly result: RunResult;
  readonly document: RunDocument;
  readonly plan: Plan;
  readonly events: readonly JournalEvent[];
};

/** A new run id: sorts by time, and says what it is. */
export function newRunId(kind: string, wall: number): string {
  const stamp = new Date(wall).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  return `${kind}-${stamp}-${randomBytes(2).toString('hex')}`;
}

/**
 * Throws 75 when another run acts on the fleet now, and 73 when state cannot be kept. Asked before anything is planned: what a fleet looks like
 * in the middle of another run would only lead to a refusal that misleads. The lease itself is taken later, and settles it.
 */
export async function refuseWhileHeld(open: OpenFleet): Promise<void> {
  const holder = (await open.state()).holder(open.fleet.name);
  if (holder !== null) throw heldBy(open.fleet.name, holder);
}

/** Records a plan as a run and runs it, under the fleet's lease. Throws 75 when another holds it, before anything is recorded. */
export async function conductPlan(
  open: OpenFleet,
  world: World,
  plan: Plan,
  options: ConductOptions & {readonly marks: readonly PhaseMark[]},
): Promise<Conducted> {
  assertRunnable(plan, world);
  const state = await open.state();
  return underLease(open, state, plan.id, async (lease) => {
    state.createRun(plan.id, open.fleet.name, plan);
    return told(open, state, plan, options, (onEvent) =>
      runPlan({...setup(open, world, state, plan.id, {...options, onEvent}), lease, plan, marks: options.marks}),
    );
  });
}

/** Goes on with a recorded run, or takes it back, under a new lease. Refused (77) when the fleet file changed under it. */
export async function conductTakeUp(
  open: OpenFleet,
  world: World,
  {runId, plan}: {readonly runId: string; readonly plan: Plan},
  options: ConductOptions & {readonly going: 'forward' | 'back'; readonly reason: string | null},
): Promise<Conducted> {
  const state = await open.state();
  const takeUp = options.going === 'forward' ? resumeRun : undoRun;
  return underLease(open, state, runId, async (lease) => {
    refuseOutdated(open, plan);
    return told(open, state, plan, options, (onEvent) =>
      takeUp({...setup(open, world, state, runId, {...options, onEvent}), lease, reason: options.reason}),
    );
  });
}

/** Runs something whose events go to who watches and to the notifiers; it ends when those have been told. */
async function told(
  open: OpenFleet,
  state: State,
  plan: Plan,
  {onEvent}: ConductOptions,
  run: (onEvent: (event: JournalEvent) => void) => Promise<RunResult>,
): Promise<RunResult> {
  if (open.fleet.notifiers.length === 0) return run(onEvent ?? (() => {}));
  const notify = notifying(open, state, plan.id, plan);
  try {
    return await run((event) => {
      notify.onEvent(event);
      onEvent?.(event);
    });
  } finally {
    await notify.settled();
  }
}

async function underLease(
  open: OpenFleet,
  state: State,
  runId: string,
  run: (lease: ReturnType<State['lease']>) => Promise<RunResult>,
): Promise<Conducted> {
  const lease = state.lease(open.fleet.name, runId);
  try {
    const result = await run(lease);
    const plan = state.plan(runId);
    if (plan === null) throw new Error(`the run ${runId} is not in its own state`);
    const events = state.events(runId);
    return {result, plan, events, document: runDocument(runId, plan, events, false)};
  } finally {
    lease.release();
  }
}

function setup(open: OpenFleet, world: World, state: State, runId: string, {interrupt, leave, onEvent, approve}: ConductOptions) {
  return {
    runId,
    state,
    actions: world.actions,
    checks: world.checks,
    clock: open.clock,
    signal: interrupt,
    stopSignal: leave,
    approve: approve ?? false,
    ...(onEvent === undefined ? {} : {onEvent}),
  };
}
