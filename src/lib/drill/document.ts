import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Json} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {RunDocument} from '../run/document.ts';
import {type Progress, progressOf, stepProgress} from '../run/progress.ts';
import type {BesideRow, DrillDocument, EarlierDrill, EvidenceRow, FaultRow} from './report.ts';
import type {SteadyRow, VerdictCode} from './verdict.ts';
import {storeRowsOf, witnessRowOf} from './witness-rows.ts';

type Verdict = Pick<DrillDocument, 'verdict' | 'verdictCode' | 'verdictReason'>;

/** What a drill's document needs beside its run: what the plan and its journal do not hold. */
export type DrillMore = {
  readonly fleet?: string | null;
  readonly earlier?: readonly EarlierDrill[];
  readonly beside?: readonly BesideRow[];
  readonly evidence?: readonly EvidenceRow[];
};

/** Adds the drill's part to the document of its run. */
export function drillDocument(run: RunDocument, plan: Plan, events: readonly JournalEvent[], more: DrillMore = {}): DrillDocument {
  const progress = progressOf(plan, events);
  const steady = plan.steps.filter((step) => step.do.action === 'drill.steady').map((step) => steadyRow(progress, step));
  const steadyState = {before: steady[0] ?? null, after: steady.length > 1 ? (steady.at(-1) ?? null) : null};
  const faults = faultRows(plan, events);
  const measured = witnessResultOf(plan, progress);
  return {
    ...run,
    fleet: more.fleet ?? null,
    drill: plan.drill,
    description: '',
    scenario: null,
    expected: null,
    steadyState,
    faults,
    witness: measured === undefined ? null : witnessRowOf(measured),
    stores: storeRowsOf(measured),
    load: null,
    loadObjectives: [],
    timeline: [],
    surprises: [],
    beside: more.beside ?? [],
    evidence: more.evidence ?? [],
    earlier: more.earlier ?? [],
    ...verdictOf({run, faults, after: steadyState.after, touched: touched(events)}),
  };
}

/** The exit code of a drill: 0 passed, 1 an objective missed, 2 failed, 3 could not be measured, 77 not started. */
export function drillExit({verdict, verdictCode}: Pick<DrillDocument, 'verdict' | 'verdictCode'>): ExitCode {
  if (verdictCode === 'not-started') return EXIT.refused;
  if (verdictCode === 'not-ended') return EXIT.interrupted;
  if (verdict === 'passed') return EXIT.good;
  if (verdict === 'unknown') return EXIT.unknown;
  return verdictCode === 'objective-missed' ? EXIT.warning : EXIT.critical;
}

type Seen = {readonly run: RunDocument; readonly faults: readonly FaultRow[]; readonly after: SteadyRow | null; readonly touched: boolean};

/* The worst first: a fault that may be left behind outweighs any measurement. */
function verdictOf(seen: Seen): Verdict {
  return (
    notJudged(seen) ??
    failure(seen) ??
    notMeasured(seen) ?? {verdict: 'passed', verdictCode: 'passed', verdictReason: 'every objective was met'}
  );
}

function notJudged({run, touched: any}: Seen): Verdict | null {
  const unknown = (verdictCode: VerdictCode, verdictReason: string): Verdict => ({verdict: 'unknown', verdictCode, verdictReason});
  if (run.outcome === 'running' || run.outcome === 'paused') return unknown('not-ended', `the drill is ${run.outcome}`);
  if (run.outcome === 'interrupted') return unknown('not-ended', run.reason ?? 'the drill was interrupted');
  if (!any && run.outcome !== 'succeeded') return unknown('not-started', `the drill was not started: ${run.reason ?? run.outcome}`);
  return null;
}

function failure({run, faults, after}: Seen): Verdict | null {
  const failed = (verdictCode: VerdictCode, verdictReason: string): Verdict => ({verdict: 'failed', verdictCode, verdictReason});
  const left = faults.find((fault) => !fault.provenHealed);
  if (left !== undefined) return failed('not-healed', `it is not proven that ${left.fault} in ${left.region} was healed`);
  if (run.outcome !== 'succeeded') return failed('run-failed', run.reason ?? `the run ended as ${run.outcome}`);
  const wrong = after?.checks.find(({holds}) => holds === false);
  if (wrong !== undefined) return failed('not-steady', `the steady state did not come back: ${wrong.says}`);
  const missed = run.objectives.filter(({met}) => met === false);
  if (missed.length > 0) return failed('objective-missed', missed.map((one) => missedText(one, run.measured.lostWrites)).join('; '));
  return null;
}

function notMeasured({run, after}: Seen): Verdict | null {
  const unknown = (verdictReason: string): Verdict => ({verdict: 'unknown', verdictCode: 'not-measured', verdictReason});
  if (after?.met !== true)
    return unknown(after?.checks.find(({holds}) => holds === null)?.says ?? 'the steady state after the drill was not looked at');
  if (run.measured.lostWrites === null) return unknown('what was lost could not be read back');
  const open = run.objectives.filter(({met}) => met === null);
  if (open.length > 0) return unknown(`not measured: ${open.map((one) => `${one.kind} of ${one.class}`).join(', ')}`);
  return null;
}

function missedText({kind, class: name, measuredMs, targetMs}: RunDocument['objectives'][number], lost: number | null): string {
  const writes = kind === 'rpo' ? ` (${lost ?? 'an unknown number of'} writes lost)` : '';
  return `the ${kind} of ${name} was missed: ${measuredMs === null ? 'more' : `${Math.round(measuredMs)} ms`} instead of ${targetMs} ms${writes}`;
}

function steadyRow(progress: Progress, step: Step): SteadyRow | null {
  const {result, status, detail} = stepProgress(progress, step);
  if (isRecord(result) && Array.isArray(result.checks))
    return {met: result.met === true, checks: result.checks as unknown as SteadyRow['checks']};
  if (status !== 'failed') return null;
  return {met: false, checks: [{check: 'steady state', holds: null, says: detail ?? 'it could not be looked at'}]};
}

/** A fault counts from its intent on: a process that died may have injected it without a word. */
function faultRows(plan: Plan, events: readonly JournalEvent[]): FaultRow[] {
  return plan.steps.flatMap((step) => {
    const {region} = step.do.target;
    const intent = events.find((event) => event.step === step.id && event.type === 'intent');
    if (step.do.action !== 'fault.inject' || region === undefined || intent === undefined) return [];
    const injected = resultOf(events.findLast((event) => event.step === step.id && event.type === 'result'));
    const healed = healOf(plan, events, step, region);
    return [
      {
        fault: step.do.target.fault ?? 'fault',
        region,
        injectedAt: text(injected.injectedAt) ?? new Date(intent.at).toISOString(),
        healedAt: text(healed.healedAt),
        provenHealed: healed.provenHealed === true,
      },
    ];
  });
}

/** The last heal of the region after the last injection: by a step of its own, or by undoing the injection. */
function healOf(plan: Plan, events: readonly JournalEvent[], inject: Step, region: string): Record<string, Json> {
  const heals = [...plan.steps, ...plan.always]
    .filter((step) => step.do.action === 'fault.heal' && step.do.target.region === region)
    .map(({id}) => id);
  const last = events.findLast((event) => event.step === inject.id && event.type === 'intent');
  const healed = events.findLast(
    (event) =>
      event.seq > (last?.seq ?? 0) &&
      ((event.type === 'result' && heals.includes(event.step ?? '')) || (event.type === 'undo-result' && event.step === inject.id)),
  );
  return resultOf(healed);
}

/** What the last `witness.stop` left. */
function witnessResultOf(plan: Plan, progress: Progress): Record<string, Json> | undefined {
  const results = [...plan.steps, ...plan.always]
    .filter((step) => step.do.action === 'witness.stop')
    .map((step) => stepProgress(progress, step).result);
  return results.findLast(isRecord);
}

/** Whether anything but looking and writing numbered orders was begun. */
function touched(events: readonly JournalEvent[]): boolean {
  return events.some(
    (event) => event.type === 'intent' && isRecord(event.data) && !/^(drill|witness|health)\./.test(String(event.data.action)),
  );
}

function resultOf(event: JournalEvent | undefined): Record<string, Json> {
  const data = event?.data;
  return isRecord(data) && isRecord(data.result) ? data.result : {};
}

function isRecord(value: Json | undefined): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: Json | undefined): string | null {
  return typeof value === 'string' ? value : null;
}
