import {z} from 'zod';
import type {BesideRow, EvidenceRow} from '../drill/report.ts';
import type {Json} from '../plan/json.ts';
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
