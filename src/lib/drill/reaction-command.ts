import {RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Override} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import {type DrillArguments, named} from './arguments.ts';

/** How a process of regionctl ended: `code` null = by a signal. `says` is the end of what it printed. */
export type OperatorEnd = {readonly code: number | null; readonly says: string};

/** Regionctl as somebody else runs it: processes of their own, and what their journals say. */
export type Operator = {
  /** Starts regionctl with these arguments, on this fleet, for the drill `runId`. It is not ended with this process: half a failover would be worse. */
  start(args: readonly string[], runId: string): {readonly ended: Promise<OperatorEnd>; kill(signal: 'SIGKILL' | 'SIGINT'): void};
  /** The run of a failover that was begun since (epoch ms) and is the newest; null = none. */
  newestRun(since: number): Promise<string | null>;
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
      const since = deps.clock.wall();
      const began = deps.clock.now();
      const args = ['failover', 'run', '--yes', '--no-guard', ...(to === null ? [] : ['--to', to]), ...overrideFlags(overrides)];
      const child = operator.start(args, ctx.runId);
      const stop = () => child.kill('SIGINT');
      const lives = stillRunning(child);
      ctx.signal.addEventListener('abort', stop, {once: true});
      try {
        const runId = killAt === null ? null : await killWhenThere({...deps, operator, ctx, child, since, killAt, withinMs});
        const end = runId === null ? await child.ended : await resumed(operator, runId, ctx.runId);
        if (!WELL.has(end.code))
          throw failed(`regionctl ${runId === null ? args.join(' ') : `runs resume ${runId}`} ended with ${end.code ?? 'a signal'}`, end);
        const afterMs = Math.round(deps.clock.now() - began);
        const run = runId ?? (await operator.newestRun(since));
        return {
          runId: run,
          killedAt: killAt,
          afterMs,
          says:
            killAt === null
              ? `${run} went well after ${formatMs(afterMs)}`
              : `${run} was killed at ${killAt}, resumed, and went well after ${formatMs(afterMs)}`,
        };
      } finally {
        ctx.signal.removeEventListener('abort', stop);
        // It goes on by itself for as long as it takes to be safe.
        if (lives()) stop();
      }
    },
  };
}

function stillRunning(child: ReturnType<Operator['start']>): () => boolean {
  let running = true;
  child.ended.then(() => {
    running = false;
  });
  return () => running;
}

type Killing = {
  readonly clock: Clock;
  readonly operator: Operator;
  readonly ctx: Ctx;
  readonly child: ReturnType<Operator['start']>;
  readonly since: number;
  readonly killAt: string;
  readonly withinMs: number;
};

/** Kills the process as soon as its journal has come to the step. Answers the run. */
async function killWhenThere({clock, operator, ctx, child, since, killAt, withinMs}: Killing): Promise<string> {
  const until = clock.now() + withinMs;
  const early: {end: OperatorEnd | null} = {end: null};
  child.ended.then((end) => {
    early.end = end;
  });
  for (;;) {
    const runId = await operator.newestRun(since);
    const begun = runId === null ? [] : await operator.begun(runId);
    if (runId !== null && begun.some(({id, phase}) => id === killAt || phase === killAt)) {
      child.kill('SIGKILL');
      await child.ended;
      return runId;
    }
    if (early.end !== null) throw failed(`the failover ended before it came to ${killAt}`, early.end);
    if (clock.now() >= until)
      throw failed(`the failover had not come to ${killAt} within ${formatMs(withinMs)}`, {code: null, says: 'it was stopped'});
    await clock.sleep(LOOK_MS, ctx.signal);
  }
}

function resumed(operator: Operator, runId: string, drill: string): Promise<OperatorEnd> {
  return operator.start(['runs', 'resume', runId, '--no-guard', '--reason', 'the drill had killed its process'], drill).ended;
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
