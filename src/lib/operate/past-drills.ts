import type {DrillDocument} from '../drill/report.ts';
import {messageOf} from '../errors.ts';
import type {GateRow} from '../plan/plan-document.ts';
import type {State} from '../ports/state.ts';
import {type RecordedDrill, recordedDrills} from './recorded-drills.ts';

/** A drill that was run, or tried. `at` is epoch ms of its beginning. `overridden` = which shut gate was passed by hand when it was run, a sentence. */
export type PastDrill = Pick<DrillDocument, 'runId' | 'verdict' | 'verdictCode' | 'verdictReason'> & {
  readonly drill: string;
  readonly at: number;
  readonly writeGapMs: number | null;
  readonly lostWrites: number | null;
  readonly overridden: string | null;
};

/** One whose plan or journal cannot be read: which drill it was is not known. */
export type UnreadableDrill = {readonly runId: string; readonly at: number; readonly trouble: string};

/** Who gave an override that the drill's file declares is written as "FILE (who)": see commands/drill/run.ts. Such a one belongs to the drill. */
const DECLARED = /^.+ \(.+ \(pid \d+\)\)$/;

/** The drills of the fleet, the newest first. Each is read when it is asked for. */
export function* pastDrills(state: State, fleet: string): Generator<PastDrill | UnreadableDrill> {
  for (const drill of recordedDrills(state, fleet)) yield* readPast(drill);
}

function readPast(recorded: RecordedDrill): readonly (PastDrill | UnreadableDrill)[] {
  const {runId, at} = recorded;
  try {
    const plan = recorded.plan();
    if (plan === null || plan.drill === null) return [];
    const {verdict, verdictCode, verdictReason, measured, gates, overrides} = recorded.document(plan);
    const {writeGapMs, lostWrites} = measured;
    const overridden = overriddenBy(gates, overrides);
    return [{runId, at, drill: plan.drill, verdict, verdictCode, verdictReason, writeGapMs, lostWrites, overridden}];
  } catch (error) {
    return [{runId, at, trouble: messageOf(error)}];
  }
}

/** An override of a gate that was open changed nothing. */
function overriddenBy(gates: readonly GateRow[], overrides: DrillDocument['overrides']): string | null {
  for (const {id} of gates.filter(({verdict}) => verdict !== 'pass')) {
    const by = overrides.find(({gate, by: who}) => gate === id && !DECLARED.test(who));
    if (by !== undefined) return `the gate ${id} was passed with --override by ${by.by}: ${by.reason}`;
  }
  return null;
}
