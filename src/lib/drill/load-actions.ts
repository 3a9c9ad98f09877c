import {join} from 'node:path';
import {unavailable} from '../errors.ts';
import type {Action, Check} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Clock} from '../ports/clock.ts';
import type {StartGenerator} from '../ports/generator.ts';
import type {Load, LoadOptions} from '../witness/load.ts';
import {markLater, startExecLoad} from '../witness/load-exec.ts';
import {type LoadPhase, laterOf, readLoadLog} from '../witness/load-log.ts';
import {startLoadThread} from '../witness/load-thread.ts';
import {shownUrl} from '../witness/load-url.ts';
import type {LoadNow} from '../witness/load-window.ts';
import {type DrillArguments, named} from './arguments.ts';
import {loadChecks} from './load-check.ts';
import {loadRow} from './load-row.ts';

/** How a load is run. */
export type LoadWays = {
  /** How a program is run that makes load; null = none can be. */
  readonly generator: StartGenerator | null;
  /** Takes secrets out of what such a program prints. */
  readonly scrub: (text: string) => string;
  /** How the built-in load is started; default: in a thread of its own. */
  readonly start?: (options: LoadOptions) => Promise<Load>;
};

/** `dir` keeps the logs, one for each run. `life` outlives a run that is interrupted: the load ends with it at once. */
export type LoadDeps = {
  readonly load?: LoadWays;
  readonly witness: {readonly dir: string; readonly life: AbortSignal};
  readonly clock: Clock;
};

/** The load's part of a drill's kit. `now()`: the last 5 s, null = no load runs in this process. */
export type LoadKit = {readonly actions: readonly Action[]; readonly checks: readonly Check[]; now(): LoadNow | null};

/** `load.start`, `load.phase`, `load.stop`, `load.rate` and `load.running`. They share the load that runs, so one kit belongs to one run. */
export function loadKit(deps: LoadDeps): LoadKit {
  const held: Held = {load: null, phase: null, told: false};
  const now = (): LoadNow | null => held.load?.now() ?? null;
  return {
    actions: [loadStart(deps, held), loadPhase(deps, held), loadStop(deps, held)] as unknown as readonly Action[],
    checks: loadChecks(now, () => held.load !== null),
    now,
  };
}

/** `phase`: the part that was begun here last; null = the log knows. `told`: what the load that ran last measured is told. */
type Held = {load: Load | null; phase: LoadPhase | null; told: boolean};

/** The log of a run's load; it is evidence too. */
export function loadFile(dir: string, runId: string): string {
  return join(dir, `${runId}.load.ndjson`);
}

function loadStart(deps: LoadDeps, held: Held): Action<DrillArguments['load.start']> {
  return {
    ...named('load.start', 'reversible'),
    describe: (_target, args) => `load the service: ${what(args)}`,
    look: async () => (held.load === null ? 'before' : 'done'),
    async apply({runId}, _target, args) {
      held.load ??= await (args.kind === 'built-in' ? startBuiltIn(deps, runId, args) : startProgram(deps, runId, args));
      return {kind: args.kind, says: what(args)};
    },
  };
}

function what(args: DrillArguments['load.start']): string {
  if (args.kind === 'exec') return `by ${args.command[0]}`;
  return `${args.method} ${shownUrl(args.url)} ${args.rate} times a second`;
}

type Args<K> = Extract<DrillArguments['load.start'], {kind: K}>;

function startBuiltIn({load, witness, clock}: LoadDeps, run: string, {kind: _, ...args}: Args<'built-in'>): Promise<Load> {
  const start = load?.start ?? startLoadThread;
  return start({...args, run, logFile: loadFile(witness.dir, run), clock, signal: witness.life});
}

function startProgram({load, witness, clock}: LoadDeps, run: string, {command, timeoutMs, drill, cwd}: Args<'exec'>): Promise<Load> {
  const generator = load?.generator ?? null;
  if (load === undefined || generator === null) throw unavailable('load-failed', 'no program can be run that makes load');
  const env = {REGIONCTL_RUN: run, REGIONCTL_DRILL: drill ?? ''};
  const logFile = loadFile(witness.dir, run);
  return startExecLoad({command, cwd, env, timeoutMs, logFile, clock, signal: witness.life, start: generator, scrub: load.scrub});
}

function loadPhase({witness, clock}: LoadDeps, held: Held): Action<DrillArguments['load.phase']> {
  const last = async (file: string): Promise<LoadPhase> => held.phase ?? (await readLoadLog(file)).phase;
  return {
    ...named('load.phase', 'none'),
    describe: (_target, {phase}) => `count what clients feel as ${phase} the fault`,
    async look({runId}, _target, {phase}) {
      const now = await last(loadFile(witness.dir, runId));
      return laterOf(now, phase) === now ? 'done' : 'before';
    },
    async apply({runId}, _target, {phase}) {
      const file = loadFile(witness.dir, runId);
      if (held.load !== null) {
        await held.load.phase(phase);
        held.phase = laterOf(held.phase ?? phase, phase);
      } else if ((await readLoadLog(file)).sessions.length === 0) return {phase, says: 'no load was started'};
      else await markLater(file, clock, phase);
      return {phase, says: `what clients feel counts as ${phase} the fault from now on`};
    },
  };
}

function loadStop({witness}: LoadDeps, held: Held): Action<DrillArguments['load.stop']> {
  return {
    ...named('load.stop', 'none'),
    describe: () => 'stop the load and count what clients felt',
    async look({runId}) {
      if (held.load !== null) return 'before';
      // A process that died may have closed the log and not told what it measured: to tell it again harms nobody.
      return held.told || (await readLoadLog(loadFile(witness.dir, runId))).sessions.length === 0 ? 'done' : 'before';
    },
    async apply({runId}) {
      const log = held.load === null ? await readLoadLog(loadFile(witness.dir, runId)) : await held.load.stop();
      held.load = null;
      held.told = true;
      return loadRow(log) as Json;
    },
  };
}
