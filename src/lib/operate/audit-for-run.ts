import type {Audited} from '../failover/peer-actions.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';

/** As `consistency audit` has them: ms of a statement and of waiting for replication, keys that are listed per table. */
const SLICE_MS = 1000;
const SETTLE_MS = 30_000;
const LIMIT = 1000;

/** A full audit of every table that the fleet file names, as a step of a run. It has an id of its own, and can be looked at afterwards. Read by the run's own pace: nobody waits for less than all of it. */
export async function auditForRun(open: OpenFleet, store: string, regions: readonly string[], signal: AbortSignal): Promise<Audited> {
  const {audit} = await import('./audit.ts');
  const {document} = await audit(open, {
    ...{store, regions, tables: [], quick: false, resume: undefined, signal},
    ...{sliceMs: SLICE_MS, settleMs: SETTLE_MS, limit: LIMIT, limits: {maxLagMs: null, maxLoad: null, waitMs: null}},
    onBegin: () => undefined,
    onProgress: () => undefined,
  });
  const {audit: id, verdict, reason, coverage, counts} = document;
  const skipped = coverage.skipped.map(({table}) => table);
  return {audit: id, verdict, reason, rows: coverage.rows, unsettled: counts.unsettled, skipped};
}
