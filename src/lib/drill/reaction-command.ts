import {RegionctlError, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Override} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import {type DrillArguments, named} from './arguments.ts';
import type {Senses} from './senses.ts';
import {untilWritable} from './until-writable.ts';

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
  /** The newest failover that was begun for this reaction of the drill `runId` before and has left anything; null = none. */
  begunBefore(runId: string): Promise<EarlierFailover | null>;
};

/** A failover of an earlier attempt at the reaction, whose process is not ours any more. */
export type EarlierFailover = {
  readonly runId: string;
  /** `going` = a process carries it now; `unfinished` = none does, and it has touched something. */
  readonly stands: 'going' | 'succeeded' | 'unfinished';
  /** Whether it was cut short and gone on with. */
  readonly wasResumed: boolean;
};

/** Often enough to stop a process between two steps. */
const LOOK_MS = 5;
const WAIT_MS = 250;
const WELL: ReadonlySet<number | null> = new Set([EXIT.good, EXIT.warning]);

/** `reaction.command`: a failover by a process of its own, which is killed (-9) at a step and resumed where the drill says so. */
export function commandReaction(deps: {
  readonly clock: Clock;
  readonly senses: Pick<Senses, 'writable'>;
  readonly operator: Operator | null;
}): Action<DrillArguments['reaction.command']> {
  return {
    // What verifies it is part of it, as for `reaction.exec`.
    ...named('reaction.command', 'none'),
    describe: (_target, {killAt}) =>
      killAt === null ? 'a process of its own fails over' : `a process of its own fails over and is killed at ${killAt}`,
    look: async () => 'before',
    async apply(ctx, _target, args) {
      const watched = {...deps, operator: operatorOf(deps.operator), ctx};
      const began = deps.clock.now();
      const until = began + args.withinMs;
      const {runId, killedAt, how} = await react(watched, args, until);
      const afterMs = Math.round(deps.clock.now() - began);
      const who = runId ?? 'the failover';
      // That clients can write is no sign that it has been done already: not every fault keeps them from it.
      const seen = await untilWritable(deps, until, ctx.signal);
      if (seen !== null) throw failed(`${who} ${how}, and clients cannot write`, {says: seen});
      return {runId, killedAt, afterMs, says: `${who} ${how} after ${formatMs(afterMs)}`};
    },
  };
}

/** One that an earlier attempt has started may not be on record before it holds the lease of the fleet: whoever finds that held looks once more. */
async function react(watched: Watched, args: Wanted, until: number): Promise<Done> {
  const earlier = await endedBefore(watched, until);
  if (earlier !== null) return takeOver(watched, args, earlier);
  try {
    return await failOver(watched, args);
  } catch (error) {
    const late = isLeaseHeld(error) ? await endedBefore(watched, until) : null;
    if (late === null) throw error;
    return takeOver(watched, args, late);
  }
}

type Wanted = DrillArguments['reaction.command'];
type Done = {readonly runId: string | null; readonly killedAt: string | null; readonly how: string};

async function failOver(watched: Watched, {to, killAt, overrides, withinMs}: Wanted): Promise<Done> {
  const {operator, ctx} = watched;
  const args = ['failover', 'run', '--yes', '--no-guard', ...(to === null ? [] : ['--to', to]), ...overrideFlags(overrides)];
  const child = operator.start(args, ctx.runId);
  if (killAt === null) {
    const end = await endOf(watched, child, async () => true);
    const runId = await child.begunRun();
    if (!WELL.has(end.code)) throw failed(`regionctl ${args.join(' ')}${runText(runId)} ${ended(end)}`, end);
    return {runId, killedAt: null, how: 'went well'};
  }
  const runId = await killWhenThere({...watched, child, killAt, withinMs});
  await resume(watched, runId, 'the drill had killed its process');
  return {runId, killedAt: killAt, how: `was killed at ${killAt}, resumed, and went well`};
}

/** What an earlier attempt at the reaction has begun, once no process carries it; null = nothing. The process of a drill that died goes on without it. */
async function endedBefore({clock, operator, ctx}: Watched, until: number): Promise<EarlierFailover | null> {
  for (;;) {
    const earlier = await operator.begunBefore(ctx.runId);
    if (earlier?.stands !== 'going') return earlier;
    const goesOn = {says: 'a process that this drill had started before goes on with it'};
    if (ctx.signal.aborted) throw failed(`the drill was stopped before ${earlier.runId} had ended`, goesOn);
    if (clock.now() >= until) throw failed(`${earlier.runId} had not ended in time`, goesOn);
    await clock.sleep(WAIT_MS, ctx.signal).catch(() => undefined);
  }
}

/** Brings a failover of an earlier attempt to its end, instead of beginning a second one. */
async function takeOver(watched: Watched, {killAt}: Wanted, {runId, stands, wasResumed}: EarlierFailover): Promise<Done> {
  const isLeft = stands === 'unfinished';
  const came = killAt !== null && (wasResumed || isThere(await watched.operator.begun(runId), killAt));
  if (isLeft) await resume(watched, runId, 'the drill that had begun it was cut short');
  else if (killAt !== null && !wasResumed)
    throw failed(`${runId} went well without being killed at ${killAt}`, {says: 'the drill was cut short before that'});
  return {
    runId,
    killedAt: came ? killAt : null,
    how: `was begun before the drill was cut short,${isLeft ? ' resumed,' : ''} and went well`,
  };
}

const isThere = (begun: Awaited<ReturnType<Operator['begun']>>, killAt: string): boolean =>
  begun.some(({id, phase}) => id === killAt || phase === killAt);

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
    if (runId !== null && isThere(begun, killAt)) {
      child.kill('SIGKILL');
      await child.ended;
      return runId;
    }
    if (early.end !== null) throw failed(`the failover ended before it came to ${killAt}${runText(runId)}`, early.end);
    if (clock.now() >= until)
      throw failed(`the failover had not come to ${killAt} within ${formatMs(withinMs)}${runText(runId)}`, {says: 'it was stopped'});
    await clock.sleep(LOOK_MS, ctx.signal).catch(() => undefined);
  }
  const end = await endOf({clock, operator, ctx}, child, async () => true);
  throw failed(`the drill was stopped before the failover came to ${killAt}${runText(await child.begunRun())}`, end);
}

/** Goes on with a run whose process was killed, also when the drill was stopped meanwhile: nobody else would bring it to where it is safe. */
async function resume(watched: Watched, runId: string, reason: string): Promise<void> {
  const child = watched.operator.start(['runs', 'resume', runId, '--no-guard', '--reason', reason], watched.ctx.runId);
  const end = await endOf(watched, child, () => child.hasTakenUp(runId));
  if (!WELL.has(end.code)) throw failed(`regionctl runs resume ${runId} ${ended(end)}`, end);
}

const runText = (runId: string | null): string => (runId === null ? '' : ` (${runId})`);
const ended = ({code}: OperatorEnd): string => `ended with ${code ?? 'a signal'}`;

function failed(what: string, end: Pick<OperatorEnd, 'says'>): RegionctlError {
  return new RegionctlError('no-reaction', EXIT.critical, `${what}: ${end.says}`, {cause: end});
}

function isLeaseHeld(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : null;
  return typeof cause === 'object' && cause !== null && 'code' in cause && cause.code === EXIT.leaseHeld;
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
