import {stateError} from '../errors.ts';
import type {Plan} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {JournalEvent, Lease, State} from '../ports/state.ts';
import {identityText, whoAmI} from '../state/identity.ts';
import {type EventData, type EventType, type Outcome, readEvent} from './events.ts';
import {advance, type Progress, pivotPassed, progressOf} from './progress.ts';
import type {ActionRegistry, CheckRegistry} from './registry.ts';

/** What a run needs beside its plan. */
export type RunSetup = {
  readonly runId: string;
  readonly state: State;
  readonly lease: Lease;
  readonly actions: ActionRegistry;
  readonly checks: CheckRegistry;
  readonly clock: Clock;
  /** Aborted by the first Ctrl+C: before the pivot back, after it forward. */
  readonly signal: AbortSignal;
  /** Aborted by the second one: leave now. */
  readonly stopSignal?: AbortSignal;
  /** Called after each journal line is on disk. What it throws is ignored: a view never stops a run. */
  readonly onEvent?: (event: JournalEvent) => void;
  /** Who runs it, for the journal. Default: this process's user, host and pid. */
  readonly by?: string;
  /** The user that counts for approvals. Default: this process's. */
  readonly user?: string;
  /** The starter approves what one person may approve, as soon as it is asked. */
  readonly approve?: boolean;
};

/** One run under way: its setup, what its journal says so far, and the only way to write to it. */
export type Run = Omit<RunSetup, 'stopSignal' | 'onEvent' | 'by' | 'user' | 'approve'> & {
  readonly plan: Plan;
  readonly stop: AbortSignal;
  readonly progress: Progress;
  readonly by: string;
  readonly user: string;
  readonly approve: boolean;
  /** Reads what other processes wrote into the journal since: approvals, and that it is to stop. */
  refresh(): void;
  /** Writes one event durably. What it throws ends the run on the spot: without a journal nothing is done. */
  record<T extends EventType>(type: T, step: string | null, data: EventData[T]): void;
  /** What a step is cancelled by: the first Ctrl+C before the pivot, nothing after it. */
  cancelledBy(): AbortSignal | null;
};

/** How a run stands when the runner is done with it. */
export type Ending = {readonly outcome: Outcome; readonly code: string; readonly reason: string};

/** Opens a run for the runner, reading what its journal says already. */
export function openRun(setup: RunSetup, plan: Plan): Run {
  const {stopSignal, onEvent, by, user, approve = false, ...rest} = setup;
  const me = whoAmI();
  if (setup.state.plan(setup.runId) === null) {
    throw stateError('run-unknown', `There is no run ${setup.runId} in this state: it is created before it is run.`);
  }
  const progress = progressOf(plan, setup.state.events(setup.runId));
  const refresh = (): void => {
    for (const event of setup.state.events(setup.runId, progress.lastSeq)) {
      advance(progress, event);
      tell(onEvent, event);
    }
  };
  return {
    ...rest,
    plan,
    progress,
    by: by ?? identityText(me),
    user: user ?? me.user,
    approve,
    refresh,
    stop: stopSignal ?? new AbortController().signal,
    record: (type, step, data) => {
      const event = setup.state.append(setup.runId, {type, step, data});
      // Somebody may have written between this line and the last.
      if (event.seq > progress.lastSeq + 1) return refresh();
      advance(progress, readEvent(event));
      tell(onEvent, event);
    },
    cancelledBy: () => (pivotPassed(plan, progress) ? null : setup.signal),
  };
}

function tell(onEvent: RunSetup['onEvent'], event: JournalEvent): void {
  try {
    onEvent?.(event);
  } catch {
    // See RunSetup.onEvent.
  }
}

/** The same run as seen by what no Ctrl+C but the second cancels: the way back, and what happens in any case. */
export function uncancelled(run: Run): Run {
  return {...run, signal: new AbortController().signal, cancelledBy: () => null};
}
