import type {Override} from '../plan/plan.ts';
import type {GateRow, ObjectiveRow, PlanDocument, PlanStepRow, StepRow, StepStatus} from '../plan/plan-document.ts';
import type {RunHead} from '../ports/state.ts';
import type {RunDocument} from '../run/document.ts';
import type {Outcome} from '../run/events.ts';
import type {Meaning, Paint} from './paint.ts';
import {type Cell, type Column, cut, table, wrap} from './table.ts';
import {formatAge, formatBytes, formatMs, formatTime, NOT_MEASURED} from './units.ts';

/** How text is laid out: no line is wider than `columns`. `now` (epoch ms) is what ages are counted from. */
export type Layout = {readonly columns: number; readonly paint: Paint; readonly now: number};

/** One line of the list of runs: the head, and how the run stands. */
export type RunListRow = RunHead & {readonly outcome: Outcome};

const STATUS: Readonly<Record<StepStatus, Meaning>> = {
  pending: 'muted',
  running: 'warning',
  done: 'good',
  skipped: 'muted',
  failed: 'critical',
  undone: 'warning',
};

const OUTCOME: Readonly<Record<Outcome, Meaning>> = {
  running: 'strong',
  paused: 'warning',
  succeeded: 'good',
  failed: 'critical',
  undone: 'warning',
  aborted: 'warning',
  interrupted: 'warning',
};

/** A run for people: what it was, each step with how long it took, what was measured, and the objectives. */
export function runText(run: RunDocument, layout: Layout): string {
  const {columns, paint, now} = layout;
  const started = run.startedAt === null ? '' : `, started ${formatTime(run.startedAt)} (${formatAge(Date.parse(run.startedAt), now)})`;
  return joined([
    [
      `${paint.strong(cut(`${run.kind}${way(run)}`, columns - run.outcome.length - 2))}  ${paint[OUTCOME[run.outcome]](run.outcome)}`,
      ...paragraph(`run ${run.runId}${started}`, columns, 0, paint.muted),
      ...(run.reason === null ? [] : paragraph(run.reason, columns, 0)),
    ],
    section('Stays down', listed(run.staysDown, columns, paint.critical), paint),
    section('Gates', gateLines(run, layout), paint),
    section('Steps', stepLines(run.steps, layout), paint),
    section('Phases', phaseLine(run, columns), paint),
    section('Measured', measuredLine(run, columns), paint),
    section('Objectives', objectiveLines(run.objectives, layout), paint),
    section('Notes', listed(run.notes, columns), paint),
  ]);
}

/** A plan for people: gates with their values, each step with how it is verified and undone, and what to expect. */
export function planText(plan: PlanDocument, layout: Layout): string {
  const {columns, paint} = layout;
  return joined([
    [
      paint.strong(cut(`plan: ${plan.kind}${way(plan)}`, columns)),
      ...paragraph(`plan ${plan.planId}; nothing was done yet`, columns, 0, paint.muted),
    ],
    section('Stays down', listed(plan.staysDown, columns, paint.critical), paint),
    section('Gates', gateLines(plan, layout), paint),
    section(
      'Steps',
      plan.steps.flatMap((step, index) => plannedStep(step, index, layout)),
      paint,
    ),
    section('Expected', expectedLines(plan, columns), paint),
    section('Objectives', objectiveLines(plan.objectives, layout), paint),
    section('Notes', listed(plan.notes, columns), paint),
  ]);
}

/** The list of runs. */
export function runListText(runs: readonly RunListRow[], {columns, paint, now}: Layout): string {
  if (runs.length === 0) return 'No runs yet.';
  const heads: Column[] = [
    {title: 'RUN', shrink: false},
    {title: 'KIND'},
    {title: 'WAY'},
    {title: 'OUTCOME', shrink: false},
    {title: 'STARTED'},
  ];
  const rows = runs.map((run): Cell[] => [
    run.runId,
    run.kind,
    way(run).trim() || NOT_MEASURED,
    {text: run.outcome, paint: paint[OUTCOME[run.outcome]]},
    `${formatAge(run.startedAt, now)}, ${formatTime(run.startedAt)}`,
  ]);
  return table(heads, rows, columns).join('\n');
}

function listed(sentences: readonly string[], columns: number, meaning?: (text: string) => string): readonly string[] {
  return sentences.flatMap((sentence) => paragraph(sentence, columns, 2, meaning));
}

function way({from, to, kind}: {readonly from: string | null; readonly to: string | null; readonly kind: string}): string {
  if (from === null && to === null) return '';
  // Where all others share what a region had there is no second place.
  if (kind === 'evacuation' || kind === 'readmission') return ` of ${from ?? to}`;
  return ` ${from ?? 'any'} → ${to ?? 'any'}`;
}

type Gated = {readonly gates: readonly GateRow[]; readonly overrides: readonly Override[]};

/** Who passed a shut gate, and why, is told in full. */
export function gateLines({gates, overrides}: Gated, {columns, paint}: Layout): readonly string[] {
  const rows = gates.map((gate): Cell[] => {
    const [word, meaning]: [string, Meaning] =
      gate.verdict === 'pass'
        ? ['pass', 'good']
        : gate.overridden && gate.overridable
          ? ['overridden', 'warning']
          : [gate.verdict, gateMeaning(gate)];
    return ['', {text: word, paint: paint[meaning]}, gate.id, gate.says];
  });
  const lines = table([{}, {shrink: false}, {shrink: false}, {}], rows, columns);
  return gates.flatMap(({id, verdict}, i) => {
    const passed = verdict === 'pass' ? [] : overrides.filter(({gate}) => gate === id);
    return [lines[i] ?? '', ...passed.flatMap(({by, reason}) => paragraph(`passed by ${by}: ${reason}`, columns, 4, paint.muted))];
  });
}

function gateMeaning(gate: GateRow): Meaning {
  return gate.verdict === 'refuse' ? 'critical' : 'unknown';
}

function stepLines(steps: readonly StepRow[], {columns, paint, now}: Layout): readonly string[] {
  const rows = steps.map((step): Cell[] => [
    '',
    {text: step.status, paint: paint[STATUS[step.status]]},
    {text: step.phase, paint: paint.muted},
    step.title,
    {text: took(step, now), paint: paint.muted},
  ]);
  const lines = table([{}, {shrink: false}, {shrink: false}, {}, {align: 'right', shrink: false}], rows, columns);
  return steps.flatMap((step, i) => [lines[i] ?? '', ...detailLines(step, columns, paint)]);
}

/** What failed is told in full, everything else in one line. */
function detailLines(step: StepRow, columns: number, paint: Paint): readonly string[] {
  if (step.detail === null) return [];
  if (step.status === 'failed') return paragraph(step.detail, columns, 4, paint.critical);
  return [paint.muted(`    ${cut(step.detail, columns - 4)}`)];
}

function took(step: StepRow, now: number): string {
  if (step.startedAt === null) return '';
  const end = step.endedAt === null ? now : Date.parse(step.endedAt);
  return step.status === 'running' || step.endedAt !== null ? formatMs(Math.max(0, end - Date.parse(step.startedAt))) : '';
}

function plannedStep(step: PlanStepRow, index: number, {columns, paint}: Layout): readonly string[] {
  const number = `${index + 1}`.padStart(4);
  const marks = [step.pivot ? 'point of no return' : '', step.always ? 'always run' : ''].filter((mark) => mark !== '');
  const facts = [
    `verified by ${step.verifiedBy.length === 0 ? 'its own result' : step.verifiedBy.join(', ')}`,
    step.undo === null ? 'not undone' : `undone by ${step.undo}`,
    ...marks,
  ];
  return [
    `${number} ${paint.muted(cut(step.phase.padEnd(9), columns - 5))} ${cut(step.title, columns - 15)}`.trimEnd(),
    ...paragraph(facts.join('; '), columns, 6, paint.muted),
  ];
}

function expectedLines({expected}: PlanDocument, columns: number): readonly string[] {
  const gap =
    expected.gapMs === null ? 'write gap not known' : `write gap ${formatMs(expected.gapMs[0])} to ${formatMs(expected.gapMs[1])}`;
  const losses = expected.loss.map((loss) => {
    const amount =
      // What is only estimated is never nothing.
      loss.certainty !== 'estimate' && (loss.transactions === 0 || loss.bytes === 0)
        ? 'nothing'
        : [loss.transactions === null ? '' : `${loss.transactions} transactions`, loss.bytes === null ? '' : formatBytes(loss.bytes)]
            .filter((part) => part !== '')
            .join(', ') || 'not known';
    return `loss in ${loss.store}: ${amount} (${loss.certainty}: ${loss.basis})`;
  });
  return [gap, ...losses].flatMap((line) => paragraph(line, columns, 2));
}

function phaseLine({phases}: RunDocument, columns: number): readonly string[] {
  const parts = Object.entries(phases).flatMap(([name, ms]) => (ms === null ? [] : [`${name.replace(/Ms$/, '')} ${formatMs(ms)}`]));
  return parts.length === 0 ? [] : paragraph(parts.join(' · '), columns, 2);
}

function measuredLine({measured}: RunDocument, columns: number): readonly string[] {
  if (measured.writeGapMs === null && measured.lostWrites === null && measured.duplicatedWrites === null) return [];
  const count = (value: number | null) => (value === null ? 'not measured' : String(value));
  const gap = measured.writeGapMs === null ? 'not measured' : formatMs(measured.writeGapMs);
  return paragraph(`write gap ${gap} · lost ${count(measured.lostWrites)} · duplicated ${count(measured.duplicatedWrites)}`, columns, 2);
}

function objectiveLines(objectives: readonly ObjectiveRow[], {columns, paint}: Layout): readonly string[] {
  const rows = objectives.map((objective): Cell[] => {
    const [word, meaning]: [string, Meaning] =
      objective.met === null ? ['not measured', 'unknown'] : objective.met ? ['met', 'good'] : ['missed', 'critical'];
    const measured = objective.measuredMs === null ? NOT_MEASURED : formatMs(objective.measuredMs);
    return ['', objective.kind, objective.class, `target ${formatMs(objective.targetMs)}`, measured, {text: word, paint: paint[meaning]}];
  });
  return table([{}, {shrink: false}, {}, {shrink: false}, {align: 'right', shrink: false}, {shrink: false}], rows, columns);
}

function paragraph(text: string, columns: number, indent: number, paint: (text: string) => string = (same) => same): readonly string[] {
  return wrap(text, columns - indent).map((line) => `${' '.repeat(indent)}${paint(line)}`);
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  return lines.length === 0 ? [] : [paint.strong(title), ...lines];
}

function joined(sections: readonly (readonly string[])[]): string {
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}
