import type {Plan} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {JournalEvent} from '../ports/state.ts';
import {createRunStore, type RunStore, type WitnessSource} from './run-store.ts';
import {showRun} from './show-run.ts';

/** What a live view needs of the run that it shows. */
export type LiveRunOptions = {readonly open: {readonly clock: Clock}; readonly plan: Plan; readonly onInterrupt: () => void};

/** A live view that a command feeds. `done` leaves the last frame on the terminal. `region` is for verdicts that come in while it runs. */
export type LiveRun = {
  readonly onEvent: (event: JournalEvent) => void;
  readonly onWitness: (witness: WitnessSource | null) => void;
  readonly region: RunStore['region'];
  readonly done: () => Promise<void>;
};

/** Shows a run on the terminal of this process from now on. */
export async function startLiveRun({open, plan, onInterrupt}: LiveRunOptions): Promise<LiveRun> {
  const store = createRunStore(plan, () => open.clock.wall());
  const shown = await showRun(store, {stdout: process.stdout, onInterrupt});
  return {onEvent: store.event, onWitness: store.witness, region: store.region, done: shown.done};
}
