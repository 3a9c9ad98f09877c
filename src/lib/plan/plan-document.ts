import type {Expectation, Gate, Kind, Objective, Override, Phase, Plan, Step} from './plan.ts';

/** Where a step stands. */
export type StepStatus = 'pending' | 'running' | 'done' | 'skipped' | 'failed' | 'undone';

/** One step as documents show it. Times are ISO 8601; `detail` is one sentence. */
export type StepRow = {
  readonly id: string;
  readonly phase: Phase;
  readonly action: string;
  readonly title: string;
  readonly status: StepStatus;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly detail: string | null;
};

/** A step of a plan with how it is undone and how it is verified (names of the action and of the checks). */
export type PlanStepRow = StepRow & {
  readonly undo: string | null;
  readonly verifiedBy: readonly string[];
  readonly pivot: boolean;
  readonly always: boolean;
};

/** How long each phase took, in ms; what was not measured is null. */
export type PhaseTimes = Readonly<
  Record<'detectMs' | 'decideMs' | 'fenceMs' | 'promoteMs' | 'rerouteMs' | 'verifyMs' | 'convergeMs', number | null>
>;

/** What the witness measured; what was not measured is null. */
export type Measured = {readonly writeGapMs: number | null; readonly lostWrites: number | null; readonly duplicatedWrites: number | null};

/** An objective with what was measured for it. `met` null = it could not be told. */
export type ObjectiveRow = Objective & {readonly measuredMs: number | null; readonly met: boolean | null};

/** A gate with whether it was passed by name. */
export type GateRow = Pick<Gate, 'id' | 'verdict' | 'measured' | 'says' | 'overridable'> & {readonly overridden: boolean};

/** What `--json` prints for a plan: the fields of a run with nothing done yet, plus what is expected of it. */
export type PlanDocument = {
  readonly runId: null;
  readonly planId: string;
  readonly kind: Kind;
  readonly from: string | null;
  readonly to: string | null;
  readonly outcome: null;
  readonly steps: readonly PlanStepRow[];
  readonly phases: PhaseTimes;
  readonly measured: Measured;
  readonly objectives: readonly ObjectiveRow[];
  readonly approvals: readonly {readonly step: string; readonly approvers: number; readonly verdict: null}[];
  readonly notes: readonly string[];
  /** What stays down, one sentence each. */
  readonly staysDown: readonly string[];
  readonly overrides: readonly Override[];
  readonly gates: readonly GateRow[];
  readonly expects: readonly Expectation[];
  readonly expected: Plan['expected'];
  /** The plan itself: `run --plan` takes this document as it is. */
  readonly plan: Plan;
};

/** The document of a plan that was not run. */
export function planDocument(plan: Plan): PlanDocument {
  return {
    runId: null,
    planId: plan.id,
    kind: plan.kind,
    from: plan.from,
    to: plan.to,
    outcome: null,
    steps: [...plan.steps.map((step) => stepRow(step, false)), ...plan.always.map((step) => stepRow(step, true))],
    phases: {detectMs: null, decideMs: null, fenceMs: null, promoteMs: null, rerouteMs: null, verifyMs: null, convergeMs: null},
    measured: {writeGapMs: null, lostWrites: null, duplicatedWrites: null},
    objectives: plan.objectives.map((objective) => ({...objective, measuredMs: null, met: null})),
    approvals: plan.steps.flatMap(({id, approval}) =>
      approval === null ? [] : [{step: id, approvers: approval.approvers, verdict: null}],
    ),
    notes: plan.remarks ?? [],
    staysDown: plan.staysDown ?? [],
    overrides: plan.overrides,
    gates: gateRows(plan),
    expects: plan.expects,
    expected: plan.expected,
    plan,
  };
}

/** The gates of a plan with their overrides. */
export function gateRows(plan: Plan): readonly GateRow[] {
  return plan.gates.map(({id, verdict, measured, says, overridable}) => {
    return {id, verdict, measured, says, overridable, overridden: plan.overrides.some((override) => override.gate === id)};
  });
}

/** Whether a gate lets the run begin: it passed, or a person passed it by name and it may be passed. */
export function gateOpen(gate: GateRow): boolean {
  return gate.verdict === 'pass' || (gate.overridden && gate.overridable);
}

function stepRow(step: Step, always: boolean): PlanStepRow {
  return {
    id: step.id,
    phase: step.phase,
    action: step.do.action,
    title: step.title,
    status: 'pending',
    startedAt: null,
    endedAt: null,
    detail: null,
    undo: step.undo?.action ?? null,
    verifiedBy: [...new Set(step.ensures.map((fact) => fact.check))],
    pivot: step.pivot,
    always,
  };
}
