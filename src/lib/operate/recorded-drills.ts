import {drillDocument} from '../drill/document.ts';
import type {DrillDocument} from '../drill/report.ts';
import type {Plan} from '../plan/plan.ts';
import type {State} from '../ports/state.ts';
import {runDocument} from '../run/document.ts';
import {drillRecordOf} from './drill-record.ts';
import {holdersOf} from './leases.ts';

/** A drill on record. `at` is epoch ms of its beginning. Each part is read when it is asked for, and throws where it cannot be read. */
export type RecordedDrill = {
  readonly runId: string;
  readonly at: number;
  plan(): Plan | null;
  document(plan: Plan): DrillDocument;
};

/** The drills of the fleet, the newest first. */
export function recordedDrills(
  state: Pick<State, 'runs' | 'plan' | 'events' | 'holder' | 'recall'>,
  fleet: string,
): readonly RecordedDrill[] {
  const alive = new Set(holdersOf(state, fleet).map(({runId}) => runId));
  const heads = state.runs(fleet).filter(({kind}) => kind === 'drill');
  return heads
    .toSorted((a, b) => b.startedAt - a.startedAt)
    .map(({runId, startedAt}) => ({
      runId,
      at: startedAt,
      plan: () => state.plan(runId),
      document(plan) {
        const events = state.events(runId);
        return drillDocument(runDocument(runId, plan, events, alive.has(runId)), plan, events, {
          fleet,
          ...drillRecordOf(state, runId),
        });
      },
    }));
}
