import type {BesideRow, DrillDocument} from '../lib/drill/report.ts';
import type {Conducted} from '../lib/operate/conduct.ts';
import type {Beside} from '../lib/operate/drill-beside.ts';
import type {OpenFleet} from '../lib/providers/open-fleet.ts';

/** Carries out a run beside a drill, and answers its row. */
export type RunBeside = (what: Pick<Beside, 'when' | 'kind' | 'to'>) => Promise<BesideRow>;

/** What follows the run of a drill, whoever carried it to its end: the way back that its file wants, what is kept of it, and its report. */
export async function endDrill(
  open: OpenFleet,
  conducted: Conducted,
  {beside, signal}: {beside: RunBeside; signal: AbortSignal},
): Promise<DrillDocument> {
  const [{reportDrill}, {keepEvidence}, {besideBefore, goesBack, keepBegun, keepDrillRecord}, {removeOperatorLogs}] = await Promise.all([
    import('../lib/operate/drill-history.ts'),
    import('../lib/operate/drill-evidence.ts'),
    import('../lib/operate/drill-record.ts'),
    import('../lib/operate/operator-logs.ts'),
  ]);
  const {plan, document} = conducted;
  const state = await open.state();
  const earlier = besideBefore(state, plan.id);
  keepBegun(state, plan.id, plan, document.outcome);
  const after = goesBack(plan, document.outcome) ? [await beside({when: 'after', kind: 'failback', to: undefined})] : [];
  const {rows: evidence, troubles} = await keepEvidence(open, conducted, signal);
  for (const trouble of troubles) process.stderr.write(`Warning: ${trouble}\n`);
  keepDrillRecord(state, plan.id, {beside: [...earlier, ...after], evidence});
  // Of a process that was killed and whose run went on in this one.
  await removeOperatorLogs(open.stateDir, {runId: plan.id});
  return reportDrill(open, conducted);
}
