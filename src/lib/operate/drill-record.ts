import {z} from 'zod';
import type {BesideRow, EvidenceRow} from '../drill/report.ts';
import type {Json} from '../plan/json.ts';
import type {Plan} from '../plan/plan.ts';
import type {State} from '../ports/state.ts';

/** What belongs to a drill and is in no journal of its own: the runs before and after it, and what was kept of it. */
export type DrillRecord = {readonly beside: readonly BesideRow[]; readonly evidence: readonly EvidenceRow[]};

const EMPTY: DrillRecord = {beside: [], evidence: []};
const time = z.string().nullable();
const shape = z.object({
  beside: z.array(
    z.object({
      ...{when: z.enum(['before', 'after']), kind: z.string(), runId: z.string().nullable(), outcome: z.string(), says: z.string()},
      ...{startedAt: time, endedAt: time},
    }),
  ),
  evidence: z.array(z.object({name: z.string(), file: z.string(), bytes: z.number(), sha256: z.string()})),
});

const BEGUN: BesideRow = {
  ...{when: 'after', kind: 'failback', runId: null, outcome: 'running', startedAt: null, endedAt: null},
  says: 'it was begun, and how it ended is not on record',
};

const keyOf = (runId: string): string => `drill-record:${runId}`;

/** Keeps it for `drill show` and `drill report`. */
export function keepDrillRecord(state: Pick<State, 'remember'>, runId: string, record: DrillRecord): void {
  state.remember(keyOf(runId), record as unknown as Json);
}

/** What was kept; nothing for a drill of which nothing was. */
export function drillRecordOf(state: Pick<State, 'recall'>, runId: string): DrillRecord {
  const parsed = shape.safeParse(state.recall(keyOf(runId)));
  return parsed.success ? parsed.data : EMPTY;
}

/** Whether the file of a drill that ended so wants the way back after it. */
export function goesBack({drillSpec}: Pick<Plan, 'drillSpec'>, outcome: string): boolean {
  return outcome === 'succeeded' && drillSpec?.rollback === 'failback';
}

/** Keeps that the way back was begun, where one is wanted: a process that dies before its end must not leave a drill behind that says that it was rolled back. */
export function keepBegun(state: Pick<State, 'remember' | 'recall'>, runId: string, plan: Pick<Plan, 'drillSpec'>, outcome: string): void {
  if (!goesBack(plan, outcome)) return;
  keepDrillRecord(state, runId, {beside: [...besideBefore(state, runId), BEGUN], evidence: []});
}

/** The runs that a drill began with. */
export function besideBefore(state: Pick<State, 'recall'>, runId: string): readonly BesideRow[] {
  return drillRecordOf(state, runId).beside.filter(({when}) => when === 'before');
}
