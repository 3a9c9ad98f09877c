import {isRecord, type Json, textOrNull} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {RunDocument} from '../run/document.ts';
import {type Progress, progressOf, stepProgress} from '../run/progress.ts';
import {faultRows} from './fault-rows.ts';
import {heldTraffic} from './held-traffic.ts';
import {type DrillSeen, objectivesWithStores, verdictOf} from './judge.ts';
import {judgeLoad} from './load-row.ts';
import {neverInjected} from './not-injected.ts';
import {WRONG_PRIMARY} from './one-primary.ts';
import type {BesideRow, DrillDocument, EarlierDrill, EvidenceRow, LoadRow} from './report.ts';
import {surprisesOf} from './surprises.ts';
import {timelineOf} from './timeline.ts';
import type {SteadyRow} from './verdict.ts';
import {storeRowsOf, witnessRowOf} from './witness-rows.ts';

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
  const measured = resultsOf(plan, progress, 'witness.stop').at(-1);
  const seen = {
    faults: faultRows(plan, events),
    witness: measured === undefined ? null : witnessRowOf(measured),
    stores: storeRowsOf(measured),
    load: loadRowOf(plan, progress),
    beside: more.beside ?? [],
    earlier: more.earlier ?? [],
  };
  const {drillSpec: spec} = plan;
  const loads = judgeLoad(spec?.loadObjectives ?? [], seen.load);
  const objectives = objectivesWithStores(run.objectives, seen.stores, spec?.classes ?? {});
  return {
    ...run,
    objectives,
    fleet: more.fleet ?? null,
    drill: plan.drill,
    description: spec?.description ?? '',
    scenario: spec?.scenario ?? null,
    expected: spec?.expected ?? null,
    steadyState,
    ...seen,
    loadObjectives: loads,
    timeline: timelineOf({...seen, run, plan, events}),
    surprises: surprisesOf({...seen, run, plan, events}),
    evidence: more.evidence ?? [],
    ...verdictOf({
      ...seen,
      run: {...run, objectives},
      loads,
      after: steadyState.after,
      held: heldTraffic(run, plan, progress),
      primaries: primariesSeen(plan, progress, events),
      goesBack: spec?.rollback === 'failback',
      touched: touched(plan, events),
      why: whyNotMeasured(plan, progress, seen.load),
    }),
  };
}

/** By what the steps that measure say of themselves. */
function whyNotMeasured(plan: Plan, progress: Progress, load: LoadRow | null): DrillSeen['why'] {
  const measured = resultsOf(plan, progress, 'witness.stop').at(-1);
  return {
    gap: textOrNull(measured?.writeGapReason) ?? failureOf(plan, progress, 'witness.stop'),
    loss: textOrNull(measured?.readBackTrouble) ?? failureOf(plan, progress, 'witness.stop'),
    load: plan.steps.some((step) => step.do.action === 'load.start') ? whyNoLoad(plan, progress, load) : null,
  };
}

/** A load that said nothing of any request has measured nothing, also where no objective speaks of it. */
function whyNoLoad(plan: Plan, progress: Progress, load: LoadRow | null): string | null {
  if (load === null) return failureOf(plan, progress, 'load.stop') ?? 'it did not say what it measured';
  return load.before.requests + load.during.requests + load.after.requests === 0 ? load.says : null;
}

/** Why the last step of this action failed; null = none did. */
function failureOf(plan: Plan, progress: Progress, action: string): string | null {
  const failed = [...plan.steps, ...plan.always]
    .filter((step) => step.do.action === action)
    .map((step) => stepProgress(progress, step))
    .findLast(({status}) => status === 'failed');
  return failed?.detail ?? null;
}

function steadyRow(progress: Progress, step: Step): SteadyRow | null {
  const {result, status, detail} = stepProgress(progress, step);
  if (isRecord(result) && Array.isArray(result.checks))
    return {met: result.met === true, checks: result.checks as unknown as SteadyRow['checks']};
  if (status !== 'failed') return null;
  return {met: false, checks: [{check: 'steady state', holds: null, says: detail ?? 'it could not be looked at'}]};
}

function loadRowOf(plan: Plan, progress: Progress): LoadRow | null {
  return (resultsOf(plan, progress, 'load.stop').at(-1) ?? null) as unknown as LoadRow | null;
}

function resultsOf(plan: Plan, progress: Progress, action: string): readonly Record<string, Json>[] {
  return [...plan.steps, ...plan.always]
    .filter((step) => step.do.action === action)
    .map((step) => stepProgress(progress, step).result)
    .filter(isRecord);
}

/** What became of the last look at the primaries. Old plans have none; one that was not carried out has found nothing. */
function primariesSeen(plan: Plan, progress: Progress, events: readonly JournalEvent[]): DrillSeen['primaries'] {
  const step = plan.always.find(({do: {action}}) => action === 'drill.primaries');
  if (step === undefined) return {wrong: null, unsure: null};
  const {status, detail, result} = stepProgress(progress, step);
  if (status !== 'failed') return {wrong: null, unsure: isRecord(result) && result.met === null ? detail : null};
  const failure = events.findLast((event) => event.step === step.id && event.type === 'step-failed')?.data;
  const isFinding = isRecord(failure) && WRONG_PRIMARY.has(String(failure.code));
  return isFinding ? {wrong: detail, unsure: null} : {wrong: null, unsure: `the primaries were not looked at: ${detail}`};
}

/**
 * Whether anything but looking and writing numbered orders was begun. What is done in any case looks too where nothing was: it heals and releases what is
 * not there.
 */
function touched(plan: Plan, events: readonly JournalEvent[]): boolean {
  const inAnyCase = new Set(plan.always.map(({id}) => id));
  const looksOnly = /^(drill|witness|health|load)\./;
  return events.some(
    ({type, step, data}) =>
      type === 'intent' &&
      !inAnyCase.has(step ?? '') &&
      isRecord(data) &&
      !looksOnly.test(String(data.action)) &&
      !(data.action === 'fault.inject' && neverInjected(events, step ?? '')),
  );
}
