import type {BesideRow, DrillDocument} from '../lib/drill/report.ts';
import type {Conducted} from '../lib/operate/conduct.ts';
import type {Beside} from '../lib/operate/drill-beside.ts';
import type {OpenFleet} from '../lib/providers/open-fleet.ts';

const BEGUN: BesideRow = {
  ...{when: 'after', kind: 'failback', runId: null, outcome: 'running', startedAt: null, endedAt: null},
  says: 'it was begun, and how it ended is not on record',
};

/** Carries out a run beside a drill, and answers its row. */
export type RunBeside = (what: Pick<Beside, 'when' | 'kind' | 'to'>) => Promise<BesideRow>;

/** What follows the run of a drill, whoever carried it to its end: the way back that its file wants, what is kept of it, and its report. */
export async function endDrill(
  open: OpenFleet,
  conducted: Conducted,
  {beside, signal}: {beside: RunBeside; signal: AbortSignal},
): Promise<DrillDocument> {
  const [{reportDrill}, {keepEvidence}, {drillRecordOf, keepDrillRecord}, {removeOperatorLogs}] = await Promise.all([
    import('../lib/operate/drill-history.ts'),
    import('../lib/operate/drill-evidence.ts'),
    import('../lib/operate/drill-record.ts'),
    import('../lib/operate/operator-logs.ts'),
  ]);
  const {plan, document} = conducted;
  const state = await open.state();
  const earlier = drillRecordOf(state, plan.id).beside;
  const goesBack = document.outcome === 'succeeded' && plan.drillSpec?.rollback === 'failback';
  // A process that dies in the middle of it must not leave a drill behind that says that it was rolled back.
  if (goesBack) keepDrillRecord(state, plan.id, {beside: [...earlier, BEGUN], evidence: []});
  const after = goesBack ? [await beside({when: 'after', kind: 'failback', to: undefined})] : [];
  const {rows: evidence, troubles} = await keepEvidence(open, conducted, signal);
  for (const trouble of troubles) process.stderr.write(`Warning: ${trouble}\n`);
  keepDrillRecord(state, plan.id, {beside: [...earlier, ...after], evidence});
  // Of a process that was killed and whose run went on in this one.
  await removeOperatorLogs(open.stateDir, {runId: plan.id});
  return reportDrill(open, conducted);
}
