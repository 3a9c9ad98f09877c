import type {BesideRow} from '../drill/report.ts';
import {isRegionctlError, messageOf, RegionctlError} from '../errors.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {refuseShutGates} from '../run/judge-gates.ts';
import type {Conducted} from './conduct.ts';
import {sensesOf} from './drill-senses.ts';
import {type Prepared, prepareFailback, prepareSwitchover} from './prepare.ts';
import type {World} from './world.ts';

/** A run beside a drill: what it is to reach, and how it is carried out. */
export type Beside = {
  readonly when: 'before' | 'after';
  readonly kind: 'switchover' | 'failback';
  readonly to: string | undefined;
  readonly signal: AbortSignal;
  readonly conduct: (plan: Prepared['plan'], marks: Prepared['marks'], world: World) => Promise<Conducted>;
};

/** Says that the fleet is already where the run would bring it. */
const THERE_ALREADY = 'nothing-to-do';

/** Plans and carries out a run before or after a drill, with a journal of its own. Whatever goes wrong is in the row; only an interrupt is thrown. */
export async function besideDrill(open: OpenFleet, world: World, beside: Beside): Promise<BesideRow> {
  const {when, kind, to, signal} = beside;
  const prepare = kind === 'switchover' ? prepareSwitchover : prepareFailback;
  const row = (part: Partial<BesideRow>): BesideRow => ({
    when,
    kind,
    runId: null,
    outcome: 'failed',
    says: '',
    startedAt: null,
    endedAt: null,
    ...part,
  });
  try {
    if (kind === 'switchover' && (await isThere(open, to, signal)))
      return row({outcome: 'succeeded', says: `nothing was to be done: every primary is in ${to}`});
    const {plan, marks} = await prepare(open, world, {to, overrides: [], signal});
    refuseShutGates(plan);
    const {document} = await beside.conduct(plan, marks, world);
    const {runId, outcome, reason, startedAt, endedAt} = document;
    return row({runId, outcome, says: reason ?? outcome, startedAt, endedAt});
  } catch (error) {
    signal.throwIfAborted();
    if (isRegionctlError(error) && error.code === THERE_ALREADY)
      return row({outcome: 'succeeded', says: `nothing was to be done: ${error.message}`});
    return row({says: messageOf(error)});
  }
}

/** What refused a drill after the run that it begins with: "nothing was done" is said of the drill, and that run was done. Other errors are left alone. */
export function afterSetUp(error: unknown, {kind, runId}: BesideRow, to: string): unknown {
  if (!isRegionctlError(error) || runId === null) return error;
  const {code, exit, message, suggestions} = error;
  const said = `${message}. The ${kind} to ${to} that the drill begins with was done before that, and stays: ${runId}`;
  return new RegionctlError(code, exit, said, {suggestions: [...suggestions, 'regionctl status'], cause: error});
}

/** What refused to show a drill that begins with a run of its own: a dry run does not carry that out. Other errors are left alone. */
export function withoutSetUp(error: unknown, to: string): unknown {
  if (!isRegionctlError(error)) return error;
  const {code, exit, message, suggestions} = error;
  const said = `${message}. The drill begins with a switchover to ${to}, which a dry run does not do`;
  return new RegionctlError(code, exit, said, {suggestions: [...suggestions, `regionctl switchover run --to ${to}`], cause: error});
}

async function isThere(open: OpenFleet, to: string | undefined, signal: AbortSignal): Promise<boolean> {
  const cells = Object.values(await sensesOf(open).primaries(signal));
  return cells.length > 0 && cells.every((cell) => cell.known && cell.value === to);
}
