import {timeoutAwake} from '../../awake.ts';
import {messageOf, refused, unavailable, usageError} from '../../errors.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Json} from '../../plan/json.ts';
import type {Fault, FaultOrder} from '../../ports/fault.ts';
import {type Cell, known, unknown} from '../../snapshot/cell.ts';
import type {ProviderContext} from '../define.ts';
import {argsTrouble, askedOf, orderTrouble, sameTwice} from './fault-order.ts';
import {FAULT_PLACEHOLDER} from './fault-placeholders.ts';
import type {ExecFaultConfig} from './fault-provider.ts';
import {lastLine} from './output-tail.ts';
import {runGuarded} from './run-guarded.ts';
import {endSentence, type ProgramEnd, runProgram} from './run-program.ts';

type Verb = 'inject' | 'heal' | 'prove';
type Values = Readonly<Record<string, string>>;
type Call = {
  readonly kind: string;
  readonly region: string;
  readonly values?: Values;
  readonly runId?: string;
  readonly signal: AbortSignal;
};
type Home = {readonly config: ExecFaultConfig; readonly context: ProviderContext};

/* What a heal runs, each with the `timeout`: prove, heal, and prove again; of several kinds at once. */
const PROVE_AND_HEAL = 3;
/** A longer timer would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

/* Exit codes of `prove`. */
const NONE = 0;
const THERE = 1;

/**
 * Faults by commands of the fleet file. An injection that fails, or is cut short, is healed at once. Throws `fault-failed` (69) with what the command
 * said last, without its arguments.
 */
export function execFault(config: ExecFaultConfig, context: ProviderContext): Fault {
  const home: Home = {config, context};
  const kinds = Object.keys(config.faults);
  const longest = Math.max(0, ...Object.values(config.faults).map(({timeout}) => timeout));
  return {
    kinds,
    needsReaper: true,
    accepts: (order, beside) => orderTrouble(config, context.fleet, order) ?? argsTrouble(config, order) ?? sameTwice(order, beside),
    // Its guard ends a command when whoever ran it is killed. What got away from that, such as the other end of an ssh, has this long.
    lateMs: longest,
    injectMs: longest + PROVE_AND_HEAL * longest,
    healMs: PROVE_AND_HEAL * longest,
    inject: (ctx, order) => inject(home, ctx, order),
    async heal({signal, runId}, region, only) {
      const failed = await Promise.all(
        kinds.filter((kind) => kind === (only ?? kind)).map((kind) => heal(home, {kind, region, runId, signal})),
      );
      const why = failed.find((each) => each !== null);
      if (why !== undefined) throw unavailable('fault-failed', why);
    },
    active: (region, signal) => activeOn(home, kinds, region, signal),
  };
}

async function inject(home: Home, ctx: Ctx, order: FaultOrder): Promise<Json> {
  const {kind, region, leaseMs} = order;
  const wrong = orderTrouble(home.config, home.context.fleet, order);
  if (wrong !== null) throw usageError(wrong.says, {suggestions: [wrong.fix]});
  const value = argsTrouble(home.config, order);
  if (value !== null) throw refused('fault-value', value.says, {suggestions: [value.fix]});
  const values = valuesOf(home, order);
  const call = {kind, region, values, runId: ctx.runId, signal: ctx.signal};
  try {
    const end = await run(home, 'inject', {...call, values: {...values, lease: String(Math.ceil(leaseMs / 1000))}});
    if (end.how === 'exit' && end.code === 0) return {says: lastLine(end.tail)};
    throw unavailable('fault-failed', sentence(home, 'inject', call, end));
  } catch (error) {
    throw await healedAtOnce(home, call, error);
  }
}

/** What was begun may be half done, and who asked may be gone: it is ended without asking, and it is told what is known of it. */
async function healedAtOnce(home: Home, call: Call, error: unknown): Promise<Error> {
  const signal = timeoutAwake(Math.min(LONGEST_MS, PROVE_AND_HEAL * (home.config.faults[call.kind]?.timeout ?? 0)));
  const why = await heal(home, {...call, signal}).catch(messageOf);
  const cell = await activeOn(home, [call.kind], call.region, signal);
  const left = cell.known
    ? cell.value.length > 0
      ? `it is left: ${why ?? 'its heal did not end it'}`
      : 'it was healed at once, and none is left'
    : `it is not known whether it is left: ${cell.reason}`;
  return unavailable('fault-failed', `${messageOf(error)}; ${left}`, {cause: error});
}

function valuesOf(home: Home, {kind, args}: FaultOrder): Values {
  const given = Object(args) as Readonly<Record<string, Json>>;
  return Object.fromEntries(askedOf(home.config, kind).map((name) => [`args.${name}`, String(given[name])]));
}

/** Null when it was ended, or was not there; otherwise why it could not be. */
async function heal(home: Home, call: Call): Promise<string | null> {
  const before = await run(home, 'prove', call);
  if (before.how === 'exit' && before.code === NONE) return null;
  const end = await run(home, 'heal', call);
  return end.how === 'exit' && end.code === 0 ? null : sentence(home, 'heal', call, end);
}

/** What every kind's prove says of the region: one that cannot tell makes the answer unknown, never "none". */
async function activeOn(home: Home, kinds: readonly string[], region: string, signal: AbortSignal): Promise<Cell<readonly string[]>> {
  const at = home.context.clock.wall();
  try {
    const ends = await Promise.all(kinds.map(async (kind) => ({kind, end: await run(home, 'prove', {kind, region, signal})})));
    const unsure = ends.find(({end}) => end.how !== 'exit' || (end.code !== NONE && end.code !== THERE));
    if (unsure !== undefined) return unknown('cannot-tell', sentence(home, 'prove', {kind: unsure.kind, region}, unsure.end), at);
    const there = ends.filter(({end}) => end.how === 'exit' && end.code === THERE).map(({kind}) => kind);
    return known(there, home.context.clock.wall(), 'exec');
  } catch (error) {
    return unknown('cannot-tell', home.context.secrets.scrub(messageOf(error)), at);
  }
}

async function run({config, context}: Home, verb: Verb, {kind, region, values = {}, runId, signal}: Call): Promise<ProgramEnd> {
  const part = config.faults[kind];
  if (part === undefined) throw usageError(`the fleet file has no fault "${kind}"`);
  const {secrets, baseDir} = context;
  const revealed = Object.entries(config.env).map(async ([name, ref]) => [name, await secrets.reveal(ref)] as const);
  const all: Values = {...values, region, kind};
  // An injection that outlived this process would be a fault that nobody knows of.
  return (verb === 'inject' ? runGuarded : runProgram)({
    run: part[verb].map((argument) => argument.replaceAll(FAULT_PLACEHOLDER, (whole, name: string) => all[name] ?? whole)),
    env: {
      ...Object.fromEntries(await Promise.all(revealed)),
      ...{REGIONCTL_REGION: region, REGIONCTL_FAULT: kind, REGIONCTL_RUN_ID: runId},
    },
    ...{cwd: baseDir, timeoutMs: part.timeout, signal, scrub: secrets.scrub},
  });
}

const WORDS: Readonly<Record<Verb, string>> = {inject: 'be injected into', heal: 'be healed on', prove: 'be looked for on'};

/** Without arguments: they may hold what is not for everybody. */
function sentence({config, context}: Home, verb: Verb, {kind, region}: Pick<Call, 'kind' | 'region'>, end: ProgramEnd): string {
  return context.secrets.scrub(`${kind} could not ${WORDS[verb]} ${region}: ${endSentence(config.faults[kind]?.[verb][0] ?? verb, end)}`);
}
