import {timeoutAwake} from '../awake.ts';
import {beforeOf, endReaper, type FaultCare, settled} from '../drill/fault-care.ts';
import {comingSays, isStillComing} from '../drill/fault-coming.ts';
import {type Ended, healUntilProven, lookAtEnd} from '../drill/fault-end.ts';
import type {FaultEntry} from '../drill/fault-ledger.ts';
import {healWithin} from '../drill/fault-limits.ts';
import {runningReapers} from '../drill/start-reaper.ts';
import {messageOf} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {Ctx} from '../plan/action.ts';
import type {Fault} from '../ports/fault.ts';
import type {State} from '../ports/state.ts';
import {isRunning} from '../processes.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {readEvent} from '../run/events.ts';
import {type CleanHold, holdToClean} from './clean-hold.ts';
import {cleanWitness, type LeftWitness} from './clean-witness.ts';
import {faultCare, noteEnd} from './fault-care.ts';
import {removeOperatorLogs} from './operator-logs.ts';

/** A fault that was left. Times are ISO 8601; null = nobody wrote it down. `fault` null = which, or whether any, cannot be told. */
export type LeftFault = {
  readonly fault: string | null;
  readonly region: string;
  readonly since: string | null;
  readonly leaseEndsAt: string | null;
  readonly runId: string | null;
  /** Whether it was told to end now. */
  readonly healed: boolean;
  /** null = it cannot be told. */
  readonly provenHealed: boolean | null;
  readonly says: string;
};

/** `none` = no fault is left, `left` = a dry run found some, `healed` = all that was found has ended, `not-proven`, `unknown` = it cannot be told. */
export type CleanVerdict = 'none' | 'left' | 'healed' | 'not-proven' | 'unknown';

/**
 * The document of `drill clean`. `removed` counts records of faults whose end is proven, `reapers` those ended that watched over nothing, `logs` files of
 * operators whose process is gone. `witness`: what drills had left in stores. `troubles`: what could not be recorded or looked for, one sentence each.
 */
export type CleanDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly found: readonly LeftFault[];
  readonly removed: number;
  readonly reapers: number;
  readonly witness: readonly LeftWitness[];
  readonly logs: number;
  readonly troubles: readonly string[];
  readonly verdict: CleanVerdict;
};

const EXITS: Readonly<Record<CleanVerdict, ExitCode>> = {
  none: EXIT.good,
  healed: EXIT.good,
  left: EXIT.warning,
  'not-proven': EXIT.critical,
  unknown: EXIT.unknown,
};

/** How long one place may take to be healed and proven, where its injector does not say more, and to be looked at. */
const HEAL_MS = 30_000;
const LOOK_MS = 15_000;

type Cleaning = {
  readonly open: OpenFleet;
  readonly care: FaultCare;
  readonly hold: CleanHold;
  readonly signal: AbortSignal;
  readonly dryRun: boolean;
};

/**
 * Finds what is left of the fleet's drills. Faults first: by the ledger, and by what the injector says of every region and route. Each is healed and its end
 * proven, also where nothing can be recorded. Then what their witnesses left in stores. Throws `lease-held` (75) while a run acts on the fleet: what is there
 * is its own.
 */
export async function cleanFaults(
  open: OpenFleet,
  {signal, dryRun}: {readonly signal: AbortSignal; readonly dryRun: boolean},
): Promise<{document: CleanDocument; exit: ExitCode}> {
  const hold = await holdToClean(open, dryRun);
  try {
    const cleaning = {open, care: faultCare(open), hold, signal, dryRun};
    const {entries, broken} = listed(cleaning);
    const places = [
      ...new Set([...open.fleet.regions, ...open.fleet.routes].map(({name}) => name).concat(entries.map(({region}) => region))),
    ];
    const cleaned = await Promise.all(
      places.map((place) =>
        cleanPlace(
          cleaning,
          place,
          entries.filter(({region}) => region === place),
        ),
      ),
    );
    const reapers = await endStrays(cleaning);
    const found = [...cleaned.flatMap((each) => each.found), ...broken.map(unreadable)];
    const removed = cleaned.reduce((sum, each) => sum + each.removed, 0);
    const [{left: witness, troubles}, logs] = await Promise.all([
      cleanWitness(open, hold, {signal, dryRun}),
      removeOperatorLogs(open.stateDir, {dryRun}),
    ]);
    const verdict = verdictOf(found, dryRun);
    const at = new Date(open.clock.wall()).toISOString();
    const all = [...hold.troubles, ...cleaned.flatMap((each) => each.troubles), ...troubles];
    const exit = EXITS[verdict] === EXIT.good && witness.some((each) => !each.removed) ? EXIT.warning : EXITS[verdict];
    return {document: {fleet: open.fleet.name, at, found, removed, reapers, witness, logs, troubles: all, verdict}, exit};
  } finally {
    hold.release();
  }
}

/** Records that cannot be read keep no fault from being healed: the injector knows them, too. */
function listed({open, care: {ledger}}: Cleaning): ReturnType<FaultCare['ledger']['list']> {
  try {
    return ledger.list(open.fleet.name);
  } catch (error) {
    return {entries: [], broken: [{file: ledger.dir, why: messageOf(error)}]};
  }
}

type Cleaned = {readonly found: readonly LeftFault[]; readonly removed: number; readonly troubles: readonly string[]};

async function cleanPlace(cleaning: Cleaning, region: string, entries: readonly FaultEntry[]): Promise<Cleaned> {
  const {open, dryRun} = cleaning;
  const {fault: port} = open;
  if (port === null) return {found: entries.map((entry) => leftOf(region, entry.kind, entry, NO_INJECTOR)), removed: 0, troubles: []};
  const first = await look(cleaning, port, region, entries);
  // A place that is silent has a fault only if somebody injected one.
  if (first.active?.length === 0 && entries.length === 0) return {found: [], removed: 0, troubles: []};
  const late = entries.filter((entry) => isStillComing(entry, open.clock.wall()));
  const isOver = first.proven === true && late.length === 0;
  const ended = dryRun || isOver ? first : await healPlace(cleaning, port, region, entries);
  cleaning.signal.throwIfAborted();
  const trouble = !dryRun && ended.proven === true && late.length === 0 ? await retired(cleaning, entries, isOver) : null;
  const troubles = trouble === null ? [] : [`${region}: ${trouble}`];
  if (isOver) return {found: [], removed: trouble === null ? entries.length : 0, troubles};
  return {found: rowsOf({region, entries, first, ended, late, dryRun}), removed: 0, troubles};
}

/**
 * The end of what was healed here, now or by an earlier call that could not prove it, is written into the journals of their runs: their reports tell when it
 * was, and who goes on with them does not inject it again. Answers what could not be done.
 */
async function retired({open, care, hold}: Cleaning, entries: readonly FaultEntry[], wasOver: boolean): Promise<string | null> {
  const at = open.clock.wall();
  const {state} = hold;
  const known = hold.troubles.length > 0 || state === null ? [] : entries.filter((entry) => isUntold(state, entry));
  for (const entry of known) {
    const byLease = wasOver && at >= entry.since + entry.leaseMs;
    await noteEnd(open, entry, {at, by: byLease ? 'lease' : 'heal'}).catch(() => undefined);
  }
  return settled(care, entries);
}

/** Whether the journal of its run is here, can be read, and has no end of it yet. */
function isUntold(state: Pick<State, 'plan' | 'events'>, {runId, kind, region, since}: FaultEntry): boolean {
  try {
    if (state.plan(runId) === null) return false;
    return !state.events(runId).some((line) => {
      const event = readEvent(line);
      const ended = event.type === 'note' ? event.data.ended : undefined;
      return ended?.fault === kind && ended.region === region && Date.parse(ended.at) >= since;
    });
  } catch {
    return false; // A later version's, or a broken one: nothing is added to it.
  }
}

type Place = {
  readonly region: string;
  readonly entries: readonly FaultEntry[];
  readonly first: Ended;
  readonly ended: Ended;
  readonly late: readonly FaultEntry[];
  readonly dryRun: boolean;
};

function rowsOf({region, entries, first, ended, late, dryRun}: Place): readonly LeftFault[] {
  const proven = ended.proven === true && late.length > 0 ? null : ended.proven;
  const says = [ended.says, ...reapersSay(entries), ...(late.length === 0 ? [] : [`${comingSays(late)}: run this again then`])].join('; ');
  const healed = !dryRun && (ended.proven === true || ended.active?.length === 0);
  const more = {healed, provenHealed: dryRun ? null : proven, says};
  const kinds = new Set<string | null>([...entries.map(({kind}) => kind), ...(first.active ?? [])]);
  if (kinds.size === 0) kinds.add(null);
  const entryOf = (kind: string | null) => entries.find((entry) => entry.kind === kind);
  return [...kinds].map((kind) => leftOf(region, kind, entryOf(kind), more));
}

function reapersSay(entries: readonly FaultEntry[]): readonly string[] {
  const gone = entries.flatMap(({reaper}) => (reaper === null || isRunning(reaper) ? [] : [reaper.pid]));
  return gone.length === 0 ? [] : [`its reaper had been killed (pid ${gone.join(', ')})`];
}

const NO_INJECTOR = {healed: false, provenHealed: null, says: 'the fleet file has no part "faults" any more, so nobody can heal it'};

async function look({care, signal}: Cleaning, port: Fault, region: string, entries: readonly FaultEntry[]): Promise<Ended> {
  const bounded = AbortSignal.any([signal, timeoutAwake(LOOK_MS)]);
  const ended = await lookAtEnd({port, outside: care.outside}, {region, kind: null, before: beforeOf(entries)}, bounded);
  signal.throwIfAborted();
  return ended;
}

async function healPlace({open, care, signal}: Cleaning, port: Fault, region: string, entries: readonly FaultEntry[]): Promise<Ended> {
  const {clock} = open;
  const ms = healWithin(port, HEAL_MS);
  const ctx: Ctx = {
    runId: entries[0]?.runId ?? 'clean',
    token: 'clean',
    signal: AbortSignal.any([signal, timeoutAwake(ms)]),
    now: () => clock.now(),
    deadline: clock.now() + ms,
  };
  const looking = {port, outside: care.outside, clock};
  try {
    return await healUntilProven(looking, ctx, {region, kind: null, before: beforeOf(entries)});
  } catch (error) {
    signal.throwIfAborted();
    return {proven: null, active: null, says: messageOf(error)};
  }
}

function leftOf(
  region: string,
  fault: string | null,
  entry: FaultEntry | undefined,
  more: Pick<LeftFault, 'healed' | 'provenHealed' | 'says'>,
): LeftFault {
  const since = entry === undefined ? null : iso(entry.since);
  return {
    fault,
    region,
    since,
    leaseEndsAt: entry === undefined ? null : iso(entry.since + entry.leaseMs),
    runId: entry?.runId ?? null,
    ...more,
  };
}

function unreadable({file, why}: {readonly file: string; readonly why: string}): LeftFault {
  const says = `the record ${file} cannot be read: ${why}. Remove it when no fault is left`;
  return {fault: null, region: 'unknown', since: null, leaseEndsAt: null, runId: null, healed: false, provenHealed: null, says};
}

/** Reapers whose record is gone end by themselves in a moment, unless something stopped them. */
async function endStrays({care, dryRun}: Cleaning): Promise<number> {
  const {ledger} = care;
  const strays = runningReapers(ledger.dir).filter(({file}) => isGone(ledger, file));
  if (!dryRun) await Promise.all(strays.map(endReaper));
  return strays.length;
}

function isGone({fileOf, read}: FaultCare['ledger'], file: string): boolean {
  const id = file.slice(file.lastIndexOf('/') + 1, -'.json'.length);
  try {
    return fileOf(id) === file && read(id) === null;
  } catch {
    return false; // One that cannot be read still says that there was a fault.
  }
}

function verdictOf(found: readonly LeftFault[], dryRun: boolean): CleanVerdict {
  if (found.length === 0) return 'none';
  if (found.some(({provenHealed}) => provenHealed === false)) return 'not-proven';
  if (dryRun) return found.some(({fault}) => fault === null) ? 'unknown' : 'left';
  return found.every(({provenHealed}) => provenHealed === true) ? 'healed' : 'unknown';
}

const iso = (at: number): string => new Date(at).toISOString();
