import {join} from 'node:path';
import type {Action, Check, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import type {Store} from '../ports/store.ts';
import {readBack} from '../witness/read-back.ts';
import {startWitness, type Witness, type WitnessOptions} from '../witness/witness.ts';
import {readWitnessLog} from '../witness/witness-log.ts';
import {type DrillArguments, named} from './arguments.ts';
import {drillChecks} from './checks.ts';
import {faultActions} from './fault-actions.ts';
import type {FaultCare} from './fault-care.ts';
import {healthAwait} from './health-await.ts';
import {type LoadKit, type LoadWays, loadKit} from './load-actions.ts';
import {onePrimaryAction} from './one-primary.ts';
import {type ReactionDeps, reactionActions} from './reaction-actions.ts';
import type {Operator} from './reaction-command.ts';
import type {Senses} from './senses.ts';
import {awaitAction, steadyAction, waitAction} from './steady.ts';
import type {RecordFleet} from './store-records.ts';
import {storeWitnesses} from './store-witnesses.ts';
import {witnessResult} from './witness-result.ts';

/** What the drill's actions reach the world by. */
export type DrillDeps = {
  /** Null = the fleet file has no faults. */
  readonly faults: Fault | null;
  /** What is looked at, but for what the running witness and load tell. */
  readonly senses: Omit<Senses, 'sinceAckMs' | 'loadNow'>;
  readonly refusals: ReactionDeps['refusals'];
  readonly operator: Operator | null;
  /** Absent = no fault is written down, and none gets a reaper. */
  readonly care?: FaultCare;
  /** `dir` keeps the witness's logs, one for each run, of all fleets that share the state folder; `fleet` is the one whose run it is. `life` outlives a run that is interrupted: the witness ends with it at once. */
  readonly witness: {
    readonly dir: string;
    readonly fleet: RecordFleet;
    readonly life: AbortSignal;
    /** How it is started; default: in this thread. `ready` = writes are accepted now, so there is time to make it ready. */
    readonly start?: (options: WitnessOptions, how: {readonly ready: boolean}) => Promise<Witness>;
  };
  /** Those that `witness.start` may name. Default: none. */
  readonly stores?: Readonly<Record<string, Store>>;
  readonly clock: Clock;
  /** Absent = only the built-in load can be run. */
  readonly load?: LoadWays;
  /** Told when a witness starts, and with null when it has stopped: for the live view. */
  readonly onWitness?: (witness: Witness | null) => void;
};

/** The actions and checks of drills. `witness()` is the one that runs now in this process, `loadNow()` what its load felt in the last 5 s. */
export type DrillKit = {
  readonly actions: readonly Action[];
  readonly checks: readonly Check[];
  witness(): Witness | null;
  readonly loadNow: LoadKit['now'];
};

/** Makes the drill's actions and checks. They share the running witness, so one kit belongs to one run. */
export function drillActions(deps: DrillDeps): DrillKit {
  const running = witnessHolder(deps);
  const load = loadKit(deps);
  const senses: Senses = {
    ...deps.senses,
    sinceAckMs: () => running.current()?.snapshot().sinceLastAckMs ?? null,
    loadNow: load.now,
  };
  const look = {senses, clock: deps.clock};
  return {
    actions: [
      witnessStart(running),
      witnessStop(deps, running),
      ...faultActions(deps),
      healthAwait(look),
      steadyAction(look),
      awaitAction(look),
      waitAction(look),
      onePrimaryAction({stores: deps.stores ?? {}, clock: deps.clock}),
      ...reactionActions({...deps, senses}),
      ...load.actions,
    ] as readonly Action[],
    checks: [...drillChecks({...deps, senses}, running.current), ...load.checks],
    witness: running.current,
    loadNow: load.now,
  };
}

type Running = {
  current(): Witness | null;
  start(ctx: Ctx, args: DrillArguments['witness.start']): Promise<void>;
  /** What the log tells, after stopping the witness if it runs here; null when this run never had one. */
  stop(ctx: Ctx): Promise<Json>;
  stopped(runId: string): Promise<boolean>;
};

function witnessHolder({witness: {dir, fleet, life, start = startWitness}, stores = {}, clock, onWitness}: DrillDeps): Running {
  const held: {witness: Witness | null; url: string | null} = {witness: null, url: null};
  const fileOf = (runId: string) => join(dir, `${runId}.witness.ndjson`);
  const streams = storeWitnesses({fleet, stores, dir, life, clock});
  return {
    current: () => held.witness,
    async start(ctx, {url, everyMs, deadlineMs, ready, stores: named}) {
      const {runId} = ctx;
      await streams.prepare(ctx, named);
      held.url = url;
      held.witness = await start({url, run: runId, everyMs, deadlineMs, logFile: fileOf(runId), clock, signal: life}, {ready});
      onWitness?.(held.witness);
      await streams.start(runId, {stores: named, everyMs, deadlineMs});
    },
    async stop(ctx) {
      const {runId, signal} = ctx;
      const ofStores = streams.stop(ctx);
      ofStores.catch(() => undefined);
      const log = held.witness === null ? await readWitnessLog(fileOf(runId)) : await held.witness.stop();
      held.witness = null;
      onWitness?.(null);
      const url = held.url ?? log.sessions.at(-1)?.url ?? null;
      const rows =
        url === null ? Promise.reject(new Error('the log of the witness names no URL')) : readBack({url, run: runId, signal, clock}, log);
      return {...(await witnessResult(log, rows)), stores: await ofStores};
    },
    async stopped(runId) {
      if (held.witness !== null || !(await streams.done(runId))) return false;
      const {sessions} = await readWitnessLog(fileOf(runId));
      // A log that was never closed belongs to a process that died: what it measured is still to be told.
      return sessions.at(-1)?.closed !== false;
    },
  };
}

function witnessStart(running: Running): Action<DrillArguments['witness.start']> {
  return {
    ...named('witness.start', 'reversible'),
    describe: (_target, {url, everyMs, stores}) =>
      `write a numbered order to ${[url, ...stores.map((store) => `the store ${store}`)].join(' and ')} every ${everyMs} ms`,
    look: async () => (running.current() === null ? 'before' : 'done'),
    async apply(ctx, _target, args) {
      if (running.current() === null) await running.start(ctx, args);
      return {url: args.url, everyMs: args.everyMs, ...(args.stores.length === 0 ? {} : {stores: [...args.stores]})};
    },
  };
}

function witnessStop({clock}: DrillDeps, running: Running): Action<DrillArguments['witness.stop']> {
  return {
    ...named('witness.stop', 'none'),
    describe: () => 'stop the witness and read back what it wrote',
    look: async ({runId}) => ((await running.stopped(runId)) ? 'done' : 'before'),
    async apply(ctx, _target, {coolDownMs}) {
      if (running.current() !== null) await clock.sleep(coolDownMs, ctx.signal);
      return await running.stop(ctx);
    },
  };
}
