import {randomBytes} from 'node:crypto';
import {isRegionctlError, refused} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Plan} from '../plan/plan.ts';
import type {JournalEvent, Lease, LeaseHolder, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {type RunDocument, runDocument} from '../run/document.ts';
import {resumeRun, undoRun} from '../run/resume.ts';
import {assertRunnable, type PhaseMark, type RunResult, runPlan} from '../run/runner.ts';
import {heldBy} from '../state/lease.ts';
import {keepBegun} from './drill-record.ts';
import {drillLease, leaseName} from './leases.ts';
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

/** Whoever wants the fleet waits so long for a breaker's shift, in ms: longer than it may take. */
const SHIFT_MS = 12_000;
const SHIFT_PAUSE_MS = 50;

/** Who acts on the fleet now; null = nobody but a breaker's shift, which is over in a moment and must not keep anybody from a failover. */
export function holderBesidesShifts({fleet}: Pick<OpenFleet, 'fleet'>, state: Pick<State, 'holder'>): LeaseHolder | null {
  const holder = state.holder(fleet.name);
  return isShift(holder) ? null : holder;
}

const isShift = (holder: LeaseHolder | null): boolean => holder?.runId?.startsWith('shift-') === true;

/**
 * Throws 75 when another run acts on the fleet now, and 73 when state cannot be kept. Asked before anything is planned: what a fleet looks like
 * in the middle of another run would only lead to a refusal that misleads. The lease itself is taken later, and settles it.
 */
export async function refuseWhileHeld(open: OpenFleet): Promise<void> {
  const holder = holderBesidesShifts(open, await open.state());
  if (holder !== null) throw heldBy(open.fleet.name, holder);
}

/** The same for a drill, which also waits for no other drill that leaves the fleet's lease to those who react to it. */
export async function refuseWhileDrilled(open: OpenFleet): Promise<void> {
  const name = drillLease(open.fleet.name);
  const holder = (await open.state()).holder(name);
  if (holder !== null) throw heldBy(name, holder);
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
  const lease = await takeLease(open, state, plan, options.interrupt);
  refuseBeside(open, state, plan, lease);
  return conductHeld(open, world, plan, {...options, lease});
}

/**
 * Drills run under one of two leases, and exclude each other: each looks at the other one when it has its own, so that of two that begin together at least
 * one is refused. `isRival`: whether who holds that is in the way; default: anybody is.
 */
function refuseBeside(open: OpenFleet, state: State, plan: Plan, lease: Lease, isRival = (_: LeaseHolder): boolean => true): void {
  if (plan.kind !== 'drill') return;
  const {name} = open.fleet;
  const other = leaseName(name, plan) === name ? drillLease(name) : name;
  const holder = state.holder(other);
  if (holder === null || isShift(holder) || !isRival(holder)) return;
  lease.release();
  throw heldBy(other, holder);
}

/**
 * A drill that is taken up leaves the fleet to who reacts to it, as it did before; another drill, or who cleans up after drills (it has no run), would act in
 * the middle of it. Whose run is not recorded yet may be a drill.
 */
function isDrillOrClean(state: State, {runId}: LeaseHolder): boolean {
  return runId === null || (state.plan(runId)?.kind ?? 'drill') === 'drill';
}

/** As `conductPlan`, under a lease that the caller has taken. It is released when the run is over; `onOver` is called before that. */
export async function conductHeld(
  open: OpenFleet,
  world: World,
  plan: Plan,
  options: ConductOptions & {readonly marks: readonly PhaseMark[]; readonly lease: Lease; readonly onOver?: (result: RunResult) => void},
): Promise<Conducted> {
  const {lease, marks, onOver} = options;
  const state = await open.state();
  return told(open, state, plan, {...options, lease}, async (onEvent) => {
    assertRunnable(plan, world);
    state.createRun(plan.id, open.fleet.name, plan);
    const result = await runPlan({...setup(open, world, state, plan.id, {...options, onEvent}), lease, plan, marks});
    onOver?.(result);
    return result;
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
  if (plan.kind === 'shift')
    throw refused('no-way-on', `${runId} is a breaker's: it is not taken up again, since the next look goes by the weights as they are`, {
      suggestions: ['regionctl replication lag --drain'],
    });
  const takeUp = options.going === 'forward' ? resumeRun : undoRun;
  const lease = await takeLease(open, state, {...plan, id: runId}, options.interrupt);
  refuseBeside(open, state, plan, lease, (holder) => isDrillOrClean(state, holder));
  return told(open, state, plan, {...options, lease}, (onEvent) => {
    refuseOutdated(open, plan);
    return takeUp({...setup(open, world, state, runId, {...options, onEvent}), lease, reason: options.reason});
  });
}

/** Takes the lease that a run needs; a breaker's shift that has it is waited for. Throws 75 when another holds it. */
async function takeLease(open: OpenFleet, state: State, plan: Pick<Plan, 'id' | 'steps'>, signal: AbortSignal): Promise<Lease> {
  const name = leaseName(open.fleet.name, plan);
  const until = open.clock.now() + SHIFT_MS;
  for (;;) {
    const isLate = open.clock.now() >= until;
    // Asking who holds it costs less than trying to take it.
    if (isLate || !isShift(state.holder(name)))
      try {
        return state.lease(name, plan.id);
      } catch (error) {
        // Who has just taken it may not have said yet what for.
        const holder = state.holder(name);
        const isWorthIt = isRegionctlError(error) && error.exit === EXIT.leaseHeld && (holder === null || isShift(holder));
        if (!isWorthIt || isLate) throw error;
      }
    await open.clock.sleep(SHIFT_PAUSE_MS, signal);
  }
}

/**
 * Runs something whose events go to who watches and to the notifiers. The lease is released when it is over: a notifier that hangs is waited for, and holds
 * up nobody else.
 */
async function told(
  open: OpenFleet,
  state: State,
  plan: Plan,
  {onEvent, lease}: ConductOptions & {readonly lease: Lease},
  run: (onEvent: (event: JournalEvent) => void) => Promise<RunResult>,
): Promise<Conducted> {
  const notify = open.fleet.notifiers.length === 0 ? null : notifying(open, state, plan.id, plan);
  // What happens to the run after the lease is released is another's, but for what notifiers were not told.
  let events: readonly JournalEvent[] = [];
  const over = async (): Promise<RunResult> => {
    try {
      const result = await run((event) => {
        notify?.onEvent(event);
        onEvent?.(event);
      });
      events = state.events(plan.id);
      keepBegun(state, plan.id, plan, result.outcome);
      return result;
    } finally {
      lease.release();
    }
  };
  const result = await over().finally(() => notify?.settled());
  const kept = state.plan(plan.id);
  if (kept === null) throw new Error(`the run ${plan.id} is not in its own state`);
  const notes = state.events(plan.id, events.at(-1)?.seq).filter(({type}) => type === 'note');
  const all = [...events, ...notes];
  return {result, plan: kept, events: all, document: runDocument(plan.id, kept, all, false)};
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
