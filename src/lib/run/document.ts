import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Json} from '../plan/json.ts';
import type {Kind, Objective, Override, Phase, Plan, Step} from '../plan/plan.ts';
import {type GateRow, gateRows, type Measured, type ObjectiveRow, type PhaseTimes, type StepRow} from '../plan/plan-document.ts';
import type {JournalEvent} from '../ports/state.ts';
import type {Ending} from './context.ts';
import type {Outcome} from './events.ts';
import {approvalOf, goOnSays, type Progress, progressOf, stepProgress} from './progress.ts';

/** What `--json` prints for a run (CLI.md, "plans and runs"), plus gates, the reason and its code. What was not measured is null, never 0. */
export type RunDocument = {
  readonly runId: string;
  readonly kind: Kind;
  readonly from: string | null;
  readonly to: string | null;
  readonly outcome: Outcome;
  readonly code: string | null;
  readonly reason: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly steps: readonly StepRow[];
  readonly phases: PhaseTimes;
  readonly measured: Measured;
  readonly objectives: readonly ObjectiveRow[];
  readonly approvals: readonly ApprovalRow[];
  readonly overrides: readonly Override[];
  readonly gates: readonly GateRow[];
  /** What the run left down, and why. */
  readonly staysDown: readonly string[];
  /** What is worth knowing and changed nothing: what a guard saw, a notifier that could not be reached. */
  readonly notes: readonly string[];
};

/** One step's approval. `verdict` null = not asked yet. Times are ISO 8601. */
export type ApprovalRow = {
  readonly step: string;
  readonly approvers: number;
  readonly verdict: 'waiting' | 'approved' | 'rejected' | 'expired' | null;
  readonly expiresAt: string | null;
  readonly votes: readonly {readonly verdict: string; readonly by: string; readonly reason: string | null; readonly at: string}[];
};

/** A run's document out of its plan and journal. `alive` = a process holds its lease now; without one, a run that did not end is interrupted. */
export function runDocument(runId: string, plan: Plan, events: readonly JournalEvent[], alive: boolean): RunDocument {
  const progress = progressOf(plan, events);
  const measured = measuredBy(plan, progress);
  const ended = progress.ended;
  return {
    runId,
    kind: plan.kind,
    from: plan.from,
    to: plan.to,
    outcome: ended?.outcome ?? standing(plan, progress, alive),
    code: ended?.code ?? null,
    reason: ended?.reason ?? (alive ? null : `the process that ran it is gone. ${goOnSays(runId, progress)}`),
    startedAt: iso(events[0]?.at ?? null),
    endedAt: ended === null ? null : iso(events.findLast((event) => event.type === 'run-ended')?.at ?? null),
    steps: [...plan.steps, ...plan.always].map((step) => stepRow(step, progress, alive && ended === null)),
    phases: phaseTimes(plan, progress),
    measured: {writeGapMs: measured.writeGapMs, lostWrites: measured.lostWrites, duplicatedWrites: measured.duplicatedWrites},
    objectives: plan.objectives.map((objective) => judge(objective, measured)),
    approvals: approvalRows(plan, progress),
    staysDown: plan.staysDown ?? [],
    notes: [...(plan.remarks ?? []), ...progress.notes],
    overrides: plan.overrides,
    gates: gateRows(plan),
  };
}

/** The exit code of an ending. `touched` = an effect of the run may be in the world. */
export function endingExit({outcome, code}: Pick<Ending, 'outcome' | 'code'>, touched: boolean): ExitCode {
  if (outcome === 'succeeded') return code === 'incomplete' ? EXIT.warning : EXIT.good;
  if (outcome === 'undone' && code === 'undone') return EXIT.good; // it was asked for
  if (outcome === 'interrupted' || (outcome === 'undone' && code === 'interrupted')) return EXIT.interrupted;
  if (outcome === 'running' || outcome === 'paused') return EXIT.good;
  // The audit before a readmission is a gate that takes too long to be asked before the run.
  const guard =
    code === 'gate-refused' ||
    code === 'audit-not-equal' ||
    code === 'plan-outdated' ||
    (code === 'requires' && !touched && outcome === 'failed');
  return guard ? EXIT.refused : EXIT.critical;
}

/** The exit code of a finished run's document: an objective that was missed is a warning. */
export function documentExit(document: RunDocument, events: readonly JournalEvent[]): ExitCode {
  const touched = events.some((event) => event.type === 'intent');
  const exit = endingExit({outcome: document.outcome, code: document.code ?? ''}, touched);
  const missed = document.objectives.some((objective) => objective.met === false);
  return exit === EXIT.good && missed ? EXIT.warning : exit;
}

function approvalRows(plan: Plan, progress: Progress): readonly ApprovalRow[] {
  return plan.steps.flatMap((step): ApprovalRow[] => {
    if (step.approval === null) return [];
    const asked = progress.asked.get(step.id);
    const verdict = approvalOf(progress, step);
    const votes = (asked?.votes ?? []).map(({by, reason, at, verdict: vote}) => ({verdict: vote, by, reason, at: iso(at) ?? ''}));
    return [
      {
        step: step.id,
        approvers: step.approval.approvers,
        verdict: verdict === 'none' ? null : verdict,
        expiresAt: iso(asked?.expiresAt ?? null),
        votes,
      },
    ];
  });
}

/** A live run stands still while a step of it waits for people. */
function standing(plan: Plan, progress: Progress, alive: boolean): Outcome {
  if (!alive) return 'interrupted';
  const waits = plan.steps.some((step) => stepProgress(progress, step).status === 'running' && approvalOf(progress, step) === 'waiting');
  return waits ? 'paused' : 'running';
}

function stepRow(step: Step, progress: Progress, live: boolean): StepRow {
  const {status, startedAt, endedAt, detail, intended} = stepProgress(progress, step);
  const row = {id: step.id, phase: step.phase, action: step.do.action, title: step.title};
  const times = {startedAt: iso(startedAt), endedAt: iso(endedAt)};
  if (status !== 'running' || live) return {...row, status, ...times, detail};
  // Its process is gone: what it was doing is not going on.
  return intended
    ? {...row, status: 'failed', ...times, detail: 'cut short: its effect may have happened; resume looks before it repeats it'}
    : {...row, status: 'pending', ...times, detail: 'cut short before its effect'};
}

function phaseTimes(plan: Plan, progress: Progress): PhaseTimes {
  const time = (phase: Phase) => progress.marks.get(phase) ?? elapsed(plan, progress, phase);
  return {
    detectMs: time('detect'),
    decideMs: time('decide'),
    fenceMs: time('fence'),
    promoteMs: time('promote'),
    rerouteMs: time('reroute'),
    verifyMs: time('verify'),
    convergeMs: time('converge'),
  };
}

/** From the first start to the last end of a phase's steps that ran; null as long as one of them goes on or none ran. What was undone does not count. */
function elapsed(plan: Plan, progress: Progress, phase: Phase): number | null {
  const ran = plan.steps
    .filter((step) => step.phase === phase)
    .map((step) => stepProgress(progress, step))
    .filter((step) => step.startedAt !== null && step.status !== 'undone');
  const starts = ran.map((step) => step.startedAt ?? 0);
  const ends = ran.flatMap((step) => (step.endedAt === null ? [] : [step.endedAt]));
  if (ran.length === 0 || ends.length < ran.length) return null;
  return Math.max(0, Math.max(...ends) - Math.min(...starts));
}

/** The witness's figures: from the last `witness.stop` that measured something. */
function measuredBy(plan: Plan, progress: Progress): Measured & {readonly lossWindowMs: number | null} {
  const results = [...plan.steps, ...plan.always]
    .filter((step) => step.do.action === 'witness.stop')
    .map((step) => stepProgress(progress, step).result)
    .filter((result) => result !== null);
  const result = results.at(-1) ?? null;
  return {
    writeGapMs: figure(result, 'writeGapMs'),
    lostWrites: lostOf(figure(result, 'lostWrites'), guardedLosses(plan, progress), plan.kind === 'evacuation'),
    duplicatedWrites: figure(result, 'duplicatedWrites'),
    lossWindowMs: figure(result, 'lossWindowMs'),
  };
}

/** Writes that an old primary had and the new one lacks, per guard, or that nobody but a region that was left has; null = could not be counted. */
function guardedLosses(plan: Plan, progress: Progress): readonly (number | null)[] {
  return plan.steps
    .filter((step) => step.do.action === 'store.guard' || step.do.action === 'peers.count-unsent')
    .map((step) => figure(stepProgress(progress, step).result, 'lostWrites'));
}

/**
 * A guard counts everything that its store lost, so where all of them counted the witness has nothing to add: its own writes are among them.
 * Where one could not, what the witness lost may be that one's. Nobody counted = null. `isLeft`: a region was left, whose own writes only that count tells:
 * the witness began after them.
 */
function lostOf(witness: number | null, guards: readonly (number | null)[], isLeft: boolean): number | null {
  if (isLeft && guards.includes(null)) return witness === 0 ? null : witness;
  const counted = guards.filter((lost) => lost !== null);
  const sum = counted.reduce((all, lost) => all + lost, 0);
  if (guards.length > 0 && counted.length === guards.length) return Math.max(sum, witness ?? 0);
  return witness === null ? (sum > 0 ? sum : null) : witness + sum;
}

function figure(result: Json, name: string): number | null {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return null;
  const value = (result as {readonly [key: string]: Json})[name];
  return typeof value === 'number' ? value : null;
}

function judge(objective: Objective, measured: ReturnType<typeof measuredBy>): ObjectiveRow {
  const measuredMs = objective.kind === 'rto' ? measured.writeGapMs : lossMs(measured);
  if (measuredMs !== null) return {...objective, measuredMs, met: measuredMs <= objective.targetMs};
  // Writes were lost though none may be: that is missed, however long the window was.
  const missed = objective.kind === 'rpo' && objective.targetMs === 0 && (measured.lostWrites ?? 0) > 0;
  return {...objective, measuredMs, met: missed ? false : null};
}

function lossMs({lostWrites, lossWindowMs}: ReturnType<typeof measuredBy>): number | null {
  return lostWrites === 0 ? 0 : lossWindowMs;
}

function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
