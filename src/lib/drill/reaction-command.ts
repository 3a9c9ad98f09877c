import {RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Override} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import {type DrillArguments, named} from './arguments.ts';

/** How a process of regionctl ended: `code` null = by a signal. `says` is the end of what it printed. */
export type OperatorEnd = {readonly code: number | null; readonly says: string};

/** One process of regionctl. */
export type OperatorProcess = {
  readonly ended: Promise<OperatorEnd>;
  kill(signal: 'SIGKILL' | 'SIGINT'): void;
  /** The run that this very process has begun, whoever else begins one meanwhile; null = none yet. */
  begunRun(): Promise<string | null>;
  /** Whether this very process has taken that run up: from then on it heeds SIGINT as a run does. */
  hasTakenUp(runId: string): Promise<boolean>;
};

/** Regionctl as somebody else runs it: processes of their own, and what their journals say. */
export type Operator = {
  /** Starts regionctl with these arguments, on this fleet, for the drill `runId`. It is not ended with this process: half a failover would be worse. */
  start(args: readonly string[], runId: string): OperatorProcess;
  /** The steps whose intent the run's journal has, with their phases. */
  begun(runId: string): Promise<readonly {readonly id: string; readonly phase: string}[]>;
};

/** Often enough to stop a process between two steps. */
const LOOK_MS = 5;
const WELL: ReadonlySet<number | null> = new Set([EXIT.good, EXIT.warning]);

/** `reaction.command`: a failover by a process of its own, which is killed (-9) at a step and resumed where the drill says so. */
export function commandReaction(deps: {
  readonly clock: Clock;
  readonly operator: Operator | null;
}): Action<DrillArguments['reaction.command']> {
  return {
    ...named('reaction.command', 'reversible'),
    describe: (_target, {killAt}) =>
      killAt === null ? 'a process of its own fails over' : `a process of its own fails over and is killed at ${killAt}`,
    look: async () => 'before',
    async apply(ctx, _target, {to, killAt, overrides, withinMs}) {
      const operator = operatorOf(deps.operator);
      const began = deps.clock.now();
      const args = ['failover', 'run', '--yes', '--no-guard', ...(to === null ? [] : ['--to', to]), ...overrideFlags(overrides)];
      const child = operator.start(args, ctx.runId);
      const watched = {...deps, operator, ctx};
      const killed = killAt === null ? null : await killWhenThere({...watched, child, killAt, withinMs});
      const end = killed === null ? await endOf(watched, child, async () => true) : await resumed(watched, killed);
      if (!WELL.has(end.code))
        throw failed(`regionctl ${killed === null ? args.join(' ') : `runs resume ${killed}`} ended with ${end.code ?? 'a signal'}`, end);
      const afterMs = Math.round(deps.clock.now() - began);
      const runId = killed ?? (await child.begunRun());
      const how = killAt === null ? 'went well' : `was killed at ${killAt}, resumed, and went well`;
      return {runId, killedAt: killAt, afterMs, says: `${runId ?? 'the failover'} ${how} after ${formatMs(afterMs)}`};
    },
  };
}

type Watched = {readonly clock: Clock; readonly operator: Operator; readonly ctx: Ctx};

/** Waits for the end of a process. When the drill is stopped it is told so, as by Ctrl+C, as soon as it heeds that; it then takes the time that it needs to be safe. */
async function endOf({clock, ctx}: Watched, child: OperatorProcess, heeds: () => Promise<boolean>): Promise<OperatorEnd> {
  const over = new AbortController();
  const tell = async (): Promise<void> => {
    while (!over.signal.aborted && !(await heeds())) await clock.sleep(LOOK_MS, over.signal);
    if (!over.signal.aborted) child.kill('SIGINT');
  };
  const stop = () => void tell().catch(() => undefined);
  ctx.signal.addEventListener('abort', stop, {once: true});
  if (ctx.signal.aborted) stop();
  try {
    return await child.ended;
  } finally {
    over.abort();
    ctx.signal.removeEventListener('abort', stop);
  }
}

type Killing = Watched & {readonly child: OperatorProcess; readonly killAt: string; readonly withinMs: number};

/** Kills the process as soon as its journal has come to the step. Answers its run. Where that fails the process is told to stop. */
async function killWhenThere(killing: Killing): Promise<string> {
  const early: {end: OperatorEnd | null} = {end: null};
  void killing.child.ended.then((end) => {
    early.end = end;
  });
  try {
    return await killAtStep(killing, early);
  } catch (error) {
    // It goes on by itself for as long as it takes to be safe.
    if (early.end === null) killing.child.kill('SIGINT');
    throw error;
  }
}

/** Where the drill is stopped before, the process is told so, and waited for. */
async function killAtStep({clock, operator, ctx, child, killAt, withinMs}: Killing, early: {end: OperatorEnd | null}): Promise<string> {
  const until = clock.now() + withinMs;
  while (!ctx.signal.aborted) {
    const runId = await child.begunRun();
    const begun = runId === null ? [] : await operator.begun(runId);
    if (runId !== null && begun.some(({id, phase}) => id === killAt || phase === killAt)) {
      child.kill('SIGKILL');
      await child.ended;
      return runId;
    }
    if (early.end !== null) throw failed(`the failover ended before it came to ${killAt}`, early.end);
    if (clock.now() >= until)
      throw failed(`the failover had not come to ${killAt} within ${formatMs(withinMs)}`, {code: null, says: 'it was stopped'});
    await clock.sleep(LOOK_MS, ctx.signal).catch(() => undefined);
  }
  throw failed(`the drill was stopped before the failover came to ${killAt}`, await endOf({clock, operator, ctx}, child, async () => true));
}

/** Goes on with a run whose process was killed, also when the drill was stopped meanwhile: nobody else would bring it to where it is safe. */
function resumed(watched: Watched, runId: string): Promise<OperatorEnd> {
  const child = watched.operator.start(
    ['runs', 'resume', runId, '--no-guard', '--reason', 'the drill had killed its process'],
    watched.ctx.runId,
  );
  return endOf(watched, child, () => child.hasTakenUp(runId));
}

function failed(what: string, {says}: OperatorEnd): RegionctlError {
  return new RegionctlError('no-reaction', EXIT.critical, `${what}: ${says}`);
}

/** The flags that pass gates by name; they share one reason on a command line. */
function overrideFlags(overrides: readonly Override[]): readonly string[] {
  if (overrides.length === 0) return [];
  return [...overrides.flatMap(({gate}) => ['--override', gate]), '--reason', overrides.map(({reason}) => reason).join('; ')];
}

/** Throws where a reaction needs regionctl's own program and it is not known. */
function operatorOf(operator: Operator | null): Operator {
  if (operator !== null) return operator;
  throw usageError('this process cannot start regionctl: a reaction by command needs the installed program');
}
