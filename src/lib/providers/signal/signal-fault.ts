import {timeoutAwake} from '../../awake.ts';
import {isRegionctlError, messageOf, refused, unavailable, usageError} from '../../errors.ts';
import {EXIT} from '../../exit-codes.ts';
import type {Ctx} from '../../plan/action.ts';
import type {Json} from '../../plan/json.ts';
import type {Fault, FaultOrder, FaultTrouble} from '../../ports/fault.ts';
import {isRunning, processTable, waitUntil} from '../../processes.ts';
import {known, unknown} from '../../snapshot/cell.ts';
import type {ProviderContext} from '../define.ts';
import {sameTwice} from '../exec/fault-order.ts';
import {endSentence, runProgram} from '../exec/run-program.ts';
import {type SignalKind, type SignalNotes, signalNotes} from './notes.ts';
import type {SignalConfig, SignalRegion} from './provider.ts';
import {refuseOwn, signalMarks, stoppedOf, type Targets, targetsOf} from './targets.ts';

type Place = {readonly name: string; readonly region: SignalRegion; readonly notes: SignalNotes; readonly context: ProviderContext};

/** Signals are taken at once; a process that waits for a disk takes a moment. */
const TAKEN_MS = 5000;
/* A tree that goes on growing while it is stopped. */
const MOST_ROUNDS = 20;

/**
 * Freezes (SIGSTOP) and kills (SIGKILL) the processes of a region on this machine, with all their children. What is touched is written down before, by pid
 * and start time, and a process is only signalled as long as it is that one. `kill` is there for regions that say how they are started.
 */
export function signalFault(config: SignalConfig, context: ProviderContext): Fault {
  const notes = signalNotes(context);
  const placeOf = (name: string): Place | null => {
    const region = Object.hasOwn(config.regions, name) ? config.regions[name] : undefined;
    return region === undefined ? null : {name, region, notes, context};
  };
  const canKill = Object.values(config.regions).some(({start}) => start !== null);
  const longest = Math.max(0, ...Object.values(config.regions).map(({timeout}) => timeout));
  return {
    kinds: canKill ? ['freeze', 'kill'] : ['freeze'],
    needsReaper: true,
    // Thawed, started, and waited for until every process runs.
    healMs: TAKEN_MS + 2 * longest,
    accepts: (order, beside) => orderTrouble(order, config) ?? sameTwice(order, beside),
    async inject(ctx, order) {
      const trouble = orderTrouble(order, config);
      if (trouble !== null) throw usageError(trouble.says, {suggestions: [trouble.fix]});
      return injectInto(placeOf(order.region) as Place, order.kind as SignalKind, ctx);
    },
    async heal(ctx, region, kind) {
      const place = placeOf(region);
      if (place === null) return; // No process of it was ever touched.
      if (kind !== 'kill') await thaw(place, 'freeze');
      if (kind !== 'freeze') await startAgain(place, ctx.signal);
    },
    async active(region, signal) {
      const at = context.clock.wall();
      if (signal.aborted) return unknown('interrupted', messageOf(signal.reason), at);
      try {
        return known(activeOn(placeOf(region)), at, 'signal');
      } catch (error) {
        return unknown('not-read', messageOf(error), at);
      }
    },
  };
}

function orderTrouble({kind, region, args, leaseMs}: FaultOrder, {regions}: SignalConfig): FaultTrouble | null {
  const place = Object.hasOwn(regions, region) ? regions[region] : undefined;
  if (place === undefined) {
    const names = Object.keys(regions).join(', ');
    return {
      field: 'region',
      says: `no processes of "${region}" can be signalled; the fleet file has them of ${names}`,
      fix: `Name one of ${names}.`,
    };
  }
  if (kind !== 'freeze' && kind !== 'kill')
    return {field: 'kind', says: `signals know no fault "${kind}"; they know freeze and kill`, fix: 'Write freeze or kill.'};
  if (kind === 'kill' && place.start === null) {
    const fix = `Add faults.regions.${region}.start to the fleet file.`;
    return {field: 'region', says: `${region} cannot be killed: the fleet file gives it no start`, fix};
  }
  if (!(leaseMs >= 1)) return {field: 'lease', says: `a fault needs a lease: ${leaseMs} ms is none`, fix: 'Write a longer lease.'};
  const [arg] = Object.keys(Object(args));
  return arg === undefined ? null : {field: 'args', arg, says: `${kind} takes no arguments`, fix: 'Leave "args" out.'};
}

async function injectInto(place: Place, kind: SignalKind, ctx: Ctx): Promise<Json> {
  const {name, notes} = place;
  const earlier = notes.read(name, kind);
  if (kind === 'kill' && earlier !== null && activeOn(place).includes('kill')) return {pids: [], says: 'it was killed already'};
  try {
    const marks = await freeze(place, kind, ctx);
    if (kind === 'kill') await kill(place, marks);
    return {pids: marks.map(({pid}) => pid)};
  } catch (error) {
    // What was begun is taken back at once. What cannot be, stays noted: whoever heals later finds it.
    await thaw(place, kind).catch(() => undefined);
    throw error;
  }
}

/** Stops the whole tree, parents first, until nothing of it runs: a parent that is stopped makes no more children. */
async function freeze(place: Place, kind: SignalKind, {signal}: Ctx): Promise<Targets['marks']> {
  const {name, region, notes, context} = place;
  const earlier = notes.read(name, kind);
  const first = targetsOf(region, context.baseDir);
  if (first.marks.length === 0) throw refused('no-process', `no process of ${name} runs: ${region.pidFiles.join(', ')} name none`);
  const files = [...new Set([...(earlier?.files ?? []), ...first.files])];
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    signal.throwIfAborted();
    const targets = targetsOf(region, context.baseDir);
    refuseOwn(targets, name);
    const stopped = new Set(stoppedOf(targets.marks, processTable()).map(({pid}) => pid));
    const going = targets.marks.filter(({pid}) => !stopped.has(pid));
    if (round > 0 && going.length === 0) return targets.marks;
    notes.write(name, kind, {marks: united(notes.read(name, kind)?.marks ?? [], targets.marks), files});
    signalMarks(going, 'SIGSTOP');
    await waitUntil(() => stoppedOf(going, processTable()).length >= going.filter((mark) => isRunning(mark)).length, TAKEN_MS);
  }
  throw unavailable('not-frozen', `the processes of ${name} were not all stopped`);
}

async function kill({name, notes}: Place, marks: Targets['marks']): Promise<void> {
  signalMarks(marks, 'SIGKILL');
  const gone = (): boolean => {
    const table = processTable();
    return marks.every((mark) => !isRunning(mark, table));
  };
  if (await waitUntil(gone, TAKEN_MS)) return;
  throw unavailable('not-killed', `not every process of ${name} has ended: ${notes.read(name, 'kill')?.files.join(', ')}`);
}

/** Lets every process go on that was stopped, children first. Throws `not-thawed` (69) when one stays stopped. */
async function thaw(place: Place, kind: SignalKind): Promise<void> {
  const {name, region, notes, context} = place;
  const noted = notes.read(name, kind)?.marks ?? [];
  const left = () => stoppedOf(united(noted, targetsOf(region, context.baseDir).marks), processTable());
  signalMarks(left().toReversed(), 'SIGCONT');
  if (!(await waitUntil(() => left().length === 0, TAKEN_MS))) {
    const pids = left().map(({pid}) => pid);
    throw unavailable('not-thawed', `processes of ${name} are still stopped: ${pids.join(', ')}`);
  }
  if (kind === 'freeze' || !activeOn(place).includes('kill')) forget(place, kind);
}

/** Starts what was killed, and waits until every process runs that ran before. */
async function startAgain(place: Place, signal: AbortSignal): Promise<void> {
  const {name, region, notes, context} = place;
  const note = notes.read(name, 'kill');
  if (note === null) return;
  // Killed halfway: what is only stopped would keep its place.
  signalMarks(stoppedOf(note.marks, processTable()).toReversed(), 'SIGCONT');
  const missing = (): readonly string[] => missingOf(note.files, region, context.baseDir);
  if (missing().length > 0 && region.start !== null) {
    const {timeout, start} = region;
    const end = await runProgram({
      ...{run: start, env: {REGIONCTL_REGION: name}, cwd: context.baseDir, timeoutMs: timeout, scrub: context.secrets.scrub},
      signal: AbortSignal.any([signal, timeoutAwake(timeout)]),
    });
    if (end.how !== 'exit' || end.code !== 0) {
      throw unavailable('not-started', context.secrets.scrub(`${name} could not be started again: ${endSentence(start[0] ?? '', end)}`));
    }
    await waitUntil(() => missing().length === 0 || signal.aborted, timeout, 25);
  }
  signal.throwIfAborted();
  if (missing().length > 0) throw unavailable('not-started', `no process of ${missing().join(', ')} runs on ${name}`);
  forget(place, 'kill');
}

/** What is written down of processes that run again says nothing more: where it cannot be removed, they run all the same. */
function forget({name, notes}: Place, kind: SignalKind): void {
  try {
    notes.remove(name, kind);
  } catch (error) {
    if (!isRegionctlError(error) || error.exit !== EXIT.state) throw error;
  }
}

function activeOn(place: Place | null): readonly SignalKind[] {
  if (place === null) return [];
  const {name, region, notes, context} = place;
  const table = processTable();
  const noted = [...(notes.read(name, 'freeze')?.marks ?? []), ...(notes.read(name, 'kill')?.marks ?? [])];
  const frozen = stoppedOf(united(noted, targetsOf(region, context.baseDir, table).marks), table).length > 0;
  const killed = notes.read(name, 'kill');
  const isKilled = killed !== null && missingOf(killed.files, region, context.baseDir).length > 0;
  return [...(frozen ? (['freeze'] as const) : []), ...(isKilled ? (['kill'] as const) : [])];
}

/** The pid files, of those that had a running process, that have none now. */
function missingOf(files: readonly string[], region: SignalRegion, baseDir: string): readonly string[] {
  const now = targetsOf(region, baseDir).files;
  return files.filter((file) => region.pidFiles.includes(file) && !now.includes(file));
}

function united(a: Targets['marks'], b: Targets['marks']): Targets['marks'] {
  return [...new Map([...a, ...b].map((mark) => [`${mark.pid} ${mark.start}`, mark])).values()];
}
