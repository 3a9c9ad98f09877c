import {randomBytes} from 'node:crypto';
import type {Plan} from '../plan/plan.ts';
import type {JournalEvent, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type RunDocument, runDocument} from '../run/document.ts';
import {resumeRun} from '../run/resume.ts';
import {assertRunnable, type PhaseMark, type RunResult, runPlan} from '../run/runner.ts';
import {heldBy} from '../state/lease.ts';
import type {World} from './world.ts';

/** Who is told, and by what a run is stopped: `interrupt` is the first Ctrl+C, `leave` the second. */
export type ConductOptions = {
  readonly interrupt: AbortSignal;
  readonly leave: AbortSignal;
  readonly onEvent?: (event: JournalEvent) => void;
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
    return runPlan({...setup(open, world, state, plan.id, options), lease, plan, marks: options.marks});
  });
}

/** Goes on with a recorded run, under a new lease. */
export async function conductResume(open: OpenFleet, world: World, runId: string, options: ConductOptions): Promise<Conducted> {
  const state = await open.state();
  return underLease(open, state, runId, (lease) => resumeRun({...setup(open, world, state, runId, options), lease}));
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

function setup(open: OpenFleet, world: World, state: State, runId: string, {interrupt, leave, onEvent}: ConductOptions) {
  return {
    runId,
    state,
    actions: world.actions,
    checks: world.checks,
    clock: open.clock,
    signal: interrupt,
    stopSignal: leave,
    ...(onEvent === undefined ? {} : {onEvent}),
  };
}
