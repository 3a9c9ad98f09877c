import {EXIT, type ExitCode} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {RunDocument} from '../run/document.ts';
import {notInjectedExit} from './not-injected.ts';
import type {DrillDocument, LoadObjectiveRow, LoadRow} from './report.ts';
import type {SteadyRow, VerdictCode} from './verdict.ts';

type Verdict = Pick<DrillDocument, 'verdict' | 'verdictCode' | 'verdictReason'>;

/**
 * The exit code of a drill: 0 passed, 1 an objective missed, 2 failed, 3 could not be measured, 77 not started; 69 and 73 when that was for want of a reaper, or
 * of a record, of its fault.
 */
export function drillExit({verdict, verdictCode, code}: Pick<DrillDocument, 'verdict' | 'verdictCode' | 'code'>): ExitCode {
  if (verdictCode === 'not-started') return notInjectedExit(code) ?? EXIT.refused;
  if (verdictCode === 'not-ended') return EXIT.interrupted;
  if (verdict === 'passed') return EXIT.good;
  if (verdict === 'unknown') return EXIT.unknown;
  return verdictCode === 'objective-missed' ? EXIT.warning : EXIT.critical;
}

/** What a drill is judged by. */
export type DrillSeen = Pick<DrillDocument, 'faults' | 'stores' | 'beside' | 'load'> & {
  readonly run: RunDocument;
  readonly loads: readonly LoadObjectiveRow[];
  readonly after: SteadyRow | null;
  /** Once no fault was left: what is wrong with the primaries, and why it is not known whether something is. */
  readonly primaries: {readonly wrong: string | null; readonly unsure: string | null};
  /** What the run has left held, and what lets it go; null = nothing. */
  readonly held: string | null;
  /** Why something was not measured; null = it was, or nobody said why. */
  readonly why: {readonly gap: string | null; readonly loss: string | null; readonly load: string | null};
  /** Whether the drill is to be followed by the way back once its run has succeeded. */
  readonly goesBack: boolean;
  /** Whether anything but looking and measuring was begun. */
  readonly touched: boolean;
};

/** The verdict, the worst first: a fault that may be left behind outweighs any measurement. What is still held is said whatever the verdict. */
export function verdictOf(seen: DrillSeen): Verdict {
  const verdict = notJudged(seen) ??
    failure(seen) ??
    notMeasured(seen) ?? {verdict: 'passed', verdictCode: 'passed', verdictReason: 'every objective was met'};
  return seen.held === null ? verdict : {...verdict, verdictReason: `${verdict.verdictReason.replace(/\.$/, '')}; ${seen.held}`};
}

function notJudged(seen: DrillSeen): Verdict | null {
  const {run, touched: any} = seen;
  const unknown = (verdictCode: VerdictCode, verdictReason: string): Verdict => ({verdict: 'unknown', verdictCode, verdictReason});
  if (run.outcome === 'running' || run.outcome === 'paused') return unknown('not-ended', `the drill is ${run.outcome}`);
  // Ctrl+C is no finding of the drill, also where everything could be taken back; a fault that it then could not end is.
  if (run.code === 'interrupted' && seen.faults.some(({provenHealed}) => !provenHealed)) return null;
  if (run.outcome === 'interrupted' || isCutShort(run)) return unknown('not-ended', run.reason ?? 'the drill was interrupted');
  if (!any && run.outcome !== 'succeeded') return unknown('not-started', `the drill was not started: ${run.reason ?? run.outcome}`);
  return null;
}

function isCutShort({outcome, code}: RunDocument): boolean {
  return outcome === 'undone' && code === 'interrupted';
}

function failure({run, faults, after, stores, primaries, loads, beside, goesBack}: DrillSeen): Verdict | null {
  const failed = (verdictCode: VerdictCode, verdictReason: string): Verdict => ({verdict: 'failed', verdictCode, verdictReason});
  const left = faults.find((fault) => !fault.provenHealed);
  if (left !== undefined) return failed('not-healed', `it is not proven that ${left.fault} in ${left.region} was healed`);
  const split = stores.find(({twoWriters}) => twoWriters !== null);
  if (split?.twoWriters != null)
    return failed(
      'two-writers',
      `${split.twoWriters.members.join(' and ')} acknowledged writes of ${split.store} at the same time, for ${Math.round(split.twoWriters.ms)} ms`,
    );
  if (primaries.wrong !== null) return failed('wrong-primary', primaries.wrong);
  if (run.outcome !== 'succeeded') return failed('run-failed', run.reason ?? `the run ended as ${run.outcome}`);
  const wrong = after?.checks.find(({holds}) => holds === false);
  if (wrong !== undefined) return failed('not-steady', `the steady state did not come back: ${wrong.says}`);
  const stuck = beside.find(({when, outcome}) => when === 'after' && outcome !== 'succeeded');
  if (stuck !== undefined) return failed('not-rolled-back', `the ${stuck.kind} after the drill did not succeed: ${stuck.says}`);
  if (goesBack && beside.every(({when}) => when !== 'after'))
    return failed('not-rolled-back', 'the failback after the drill is not on record: it was not begun');
  const missed = [
    ...run.objectives.filter(({met}) => met === false).map((one) => missedText(one, run.measured.lostWrites)),
    ...loads.filter(({met}) => met === false).map(loadText),
  ];
  if (missed.length > 0) return failed('objective-missed', missed.join('; '));
  return null;
}

function notMeasured(seen: DrillSeen): Verdict | null {
  const {run, after, primaries, loads, why} = seen;
  const unknown = (verdictReason: string): Verdict => ({verdict: 'unknown', verdictCode: 'not-measured', verdictReason});
  if (after?.met !== true)
    return unknown(after?.checks.find(({holds}) => holds === null)?.says ?? 'the steady state after the drill was not looked at');
  if (primaries.unsure !== null) return unknown(primaries.unsure);
  if (run.measured.lostWrites === null) return unknown(`what was lost could not be read back${because(why.loss ?? why.gap)}`);
  if (why.load !== null) return unknown(`the load could not be measured: ${why.load}`);
  const open = [
    ...run.objectives.filter(({met}) => met === null).map((one) => openText(one, seen)),
    ...loads.filter(({met}) => met === null).map(({kind, phase}) => `${kind} ${phase} the fault${because(emptyPart(seen.load, phase))}`),
  ];
  if (open.length > 0) return unknown(`not measured: ${open.join(', ')}`);
  return null;
}

function openText({kind, class: name}: RunDocument['objectives'][number], {stores, why}: DrillSeen): string {
  const unread = stores.find(({all}) => all.lossWindowMs === null);
  const ofStore =
    unread === undefined ? null : `${unread.store}: ${unread.trouble ?? unread.all.writeGapReason ?? 'its losses are not known'}`;
  return `${kind} of ${name}${because(kind === 'rto' ? why.gap : (why.loss ?? ofStore))}`;
}

function emptyPart(load: LoadRow | null, phase: LoadObjectiveRow['phase']): string | null {
  if (load === null) return null;
  if (load[phase].requests === 0) return 'there was no request then';
  return load[phase].whole === false ? 'the load did not run to its end' : 'no request was answered as it should be';
}

function because(reason: string | null): string {
  return reason === null ? '' : ` (${reason})`;
}

function missedText({kind, class: name, measuredMs, targetMs}: RunDocument['objectives'][number], lost: number | null): string {
  const writes = kind === 'rpo' ? ` (${lost ?? 'an unknown number of'} writes lost)` : '';
  return `the ${kind} of ${name} was missed: ${measuredMs === null ? 'more' : `${Math.round(measuredMs)} ms`} instead of ${targetMs} ms${writes}`;
}

function loadText({kind, phase, measured, target}: LoadObjectiveRow): string {
  const text = (value: number | null) =>
    value === null ? 'unknown' : kind === 'p95' ? formatMs(value) : `${Math.round(value * 1000) / 10} %`;
  return `the ${kind === 'p95' ? 'p95' : 'error rate'} ${phase} the fault was ${text(measured)} instead of ${text(target)} at most`;
}

/** The objectives of loss, with what the witness of each store says: an objective speaks of the stores that hold its class, one of the drill of all. Pure. */
export function objectivesWithStores(
  objectives: RunDocument['objectives'],
  stores: DrillDocument['stores'],
  classes: Readonly<Record<string, readonly string[]>>,
): RunDocument['objectives'] {
  return objectives.map((objective) => {
    const ours = stores.filter(({store}) => speaksOf(objective, store, classes));
    return ours.reduce((worst, {all: {lossWindowMs}}) => withLoss(worst, lossWindowMs), objective);
  });
}

/** Whether it is an objective of what this store may lose. `classes`: what each store holds. */
export function speaksOf(
  {kind, class: name}: Pick<RunDocument['objectives'][number], 'kind' | 'class'>,
  store: string,
  classes: Readonly<Record<string, readonly string[]>>,
): boolean {
  return kind === 'rpo' && (name === 'drill' || classes[store]?.includes(name) === true);
}

/** What was missed stays missed; what one of the two could not measure is not met. */
function withLoss(objective: RunDocument['objectives'][number], lossMs: number | null): RunDocument['objectives'][number] {
  if (lossMs === null) return objective.met === false ? objective : {...objective, measuredMs: null, met: null};
  if (objective.measuredMs === null) return lossMs > objective.targetMs ? {...objective, measuredMs: lossMs, met: false} : objective;
  const measuredMs = Math.max(objective.measuredMs, lossMs);
  return {...objective, measuredMs, met: measuredMs <= objective.targetMs};
}
