import {timeoutAwake} from '../awake.ts';
import {isRegionctlError, messageOf, refused, stateError, unavailable, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import {after, type Clock} from '../ports/clock.ts';
import type {Fault, FaultOrder} from '../ports/fault.ts';
import {isRunning, type ProcessMark, processRow, signalAll, waitUntil} from '../processes.ts';
import {type LookOutside, seenBefore} from './fault-end.ts';
import {type FaultEntry, type FaultLedger, newFaultId, type Outside} from './fault-ledger.ts';

/** What keeps a fault from being left behind: the ledger, the reaper, and whoever looks from outside. */
export type FaultCare = {
  readonly ledger: FaultLedger;
  readonly fleet: {readonly name: string; readonly file: string};
  /** Kind of the fleet's injector. */
  readonly injector: string;
  readonly outside: LookOutside;
  /** What a run's journal says answered on a place before its fault; null = nothing. */
  journaled(runId: string, region: string): Promise<Outside | null>;
  /** Starts the reaper of an entry. Resolves when it is armed, and the entry names it; throws `reaper-failed` (69), and none is left then. */
  startReaper(file: string, signal: AbortSignal): Promise<void>;
};

/** An injection that came to its end: what the injector says, and what answered before. */
export type Injected = {readonly detail: Json; readonly before: Outside | null};

/** How long a reaper that is told to end may take for it, before it is killed; one that is killed is gone in a moment. */
const REAPER_MS = 3000;

/**
 * Injects a fault that cannot be left behind: it is written down, and its reaper is armed, before anything is touched. Throws
 * `fault-unrecorded` (73) or `reaper-failed` (69) with nothing injected, StateError (73) when a record cannot be had later, `lease-over` (69) when the lease ended meanwhile, or what the injector throws.
 */
export async function injectWithCare(care: FaultCare, port: Fault, clock: Clock, ctx: Ctx, order: FaultOrder): Promise<Injected> {
  if (order.leaseMs < 1) throw usageError(`a fault needs a lease: ${order.leaseMs} ms is none`);
  const seen = await care.outside(order.region, ctx.signal);
  const there = listedThere(care, order.region);
  // What is seen while another fault is there says nothing of the time before.
  const before = beforeOf(there) ?? seenBefore(seen);
  const entry = await registered(care, port, entryOf(care, port, clock, {ctx, order, before}), ctx.signal);
  // Only now: between the reaper of an earlier lease and this one the place is never without any.
  await retire(
    care,
    there.filter(({kind}) => kind === order.kind),
  );
  const detail = await injectInLease(care, port, clock, ctx, {order, entry});
  const now = care.ledger.read(entry.id);
  if (now === null) throw await tooLate(port, ctx, order);
  care.ledger.write({...now, injected: true});
  return {detail, before};
}

type Ordered = {readonly ctx: Ctx; readonly order: FaultOrder; readonly before: Outside | null};

function entryOf({fleet, injector}: FaultCare, port: Fault, clock: Clock, {ctx: {runId}, order, before}: Ordered): FaultEntry {
  const {kind, region, leaseMs} = order;
  const by = {pid: process.pid, start: processRow(process.pid)?.start ?? ''};
  return {
    ...{v: 1, id: newFaultId(runId, clock.wall()), fleet: fleet.name, fleetFile: fleet.file, injector, runId, kind, region},
    ...{since: clock.wall(), leaseMs, lateMs: port.lateMs ?? 0, injected: false, by, reaper: null, before},
  };
}

async function registered({ledger, startReaper}: FaultCare, port: Fault, entry: FaultEntry, signal: AbortSignal): Promise<FaultEntry> {
  try {
    ledger.write(entry);
    if (port.needsReaper === true) await startReaper(ledger.fileOf(entry.id), signal);
    return entry;
  } catch (error) {
    throw notRecorded(withdrawn(ledger, entry, error));
  }
}

/** Nothing is touched yet: records that cannot be read are none that can be kept. */
function listedThere(care: FaultCare, region: string): readonly FaultEntry[] {
  try {
    return entriesOf(care, region);
  } catch (error) {
    throw notRecorded(error);
  }
}

/** What cannot be removed either is found by `drill clean`; why nothing was injected is what matters. */
function withdrawn({remove}: FaultLedger, {id}: FaultEntry, error: unknown): unknown {
  try {
    remove(id);
  } catch {
    // It is found.
  }
  return error;
}

/** A code of its own: a record that cannot be written later leaves a fault, this one does not. */
function notRecorded(error: unknown): unknown {
  if (!isRegionctlError(error) || error.exit !== EXIT.state) return error;
  const {message, suggestions} = error;
  return stateError('fault-unrecorded', `no fault was injected: its record cannot be kept: ${message}`, {cause: error, suggestions});
}

/** An injection must not outlast its own lease: the reaper has healed by then. */
async function injectInLease(care: FaultCare, port: Fault, clock: Clock, ctx: Ctx, {order, entry}: {order: FaultOrder; entry: FaultEntry}) {
  const lease = new AbortController();
  const over = unavailable('lease-over', `the lease of ${formatMs(order.leaseMs)} ended before ${order.kind} was injected`);
  const callOff = port.needsReaper === true ? after(clock, order.leaseMs, () => lease.abort(over)) : () => undefined;
  try {
    return await port.inject({...ctx, signal: AbortSignal.any([ctx.signal, lease.signal])}, order);
  } catch (error) {
    if (await isUntouched(port, order, error)) await retire(care, [entry]).catch(() => undefined);
    throw error;
  } finally {
    callOff();
  }
}

/** Whether the injector refused before it did anything. What else failed may have left something: its entry stays until that is healed. */
async function isUntouched(port: Fault, {kind, region}: FaultOrder, error: unknown): Promise<boolean> {
  if (!isRegionctlError(error) || (error.exit !== EXIT.usage && error.exit !== EXIT.refused)) return false;
  const active = await port.active(region, timeoutAwake(REAPER_MS));
  return active.known && !active.value.includes(kind);
}

async function tooLate(port: Fault, ctx: Ctx, {kind, region}: FaultOrder): Promise<Error> {
  await port.heal(ctx, region, kind);
  return refused('lease-over', `${kind} of ${region} was healed while it was injected: its record is gone`);
}

/** What a place answered before its faults, as far as the ledger tells; null = it does not. */
export function beforeOf(entries: readonly FaultEntry[]): Outside | null {
  const known = entries.flatMap(({before}) => (before === null ? [] : [before]));
  // The oldest: a later fault may have begun when the first was there already.
  return known[0] ?? null;
}

/** The ledger's faults of a place, the oldest first. */
export function entriesOf({ledger, fleet}: Pick<FaultCare, 'ledger' | 'fleet'>, region: string): readonly FaultEntry[] {
  return ledger.list(fleet.name).entries.filter((entry) => entry.region === region);
}

/**
 * Takes faults whose end is proven, or that were replaced, off the ledger, and ends their reapers, also of those whose record cannot be removed. Throws
 * StateError (73) for the first of these afterwards.
 */
export async function retire({ledger}: Pick<FaultCare, 'ledger'>, entries: readonly FaultEntry[]): Promise<void> {
  const troubles = entries.flatMap(({id}) => {
    try {
      ledger.remove(id);
      return [];
    } catch (error) {
      return [error];
    }
  });
  await Promise.all(entries.flatMap(({reaper}) => (reaper === null ? [] : [endReaper(reaper)])));
  if (troubles.length > 0) throw troubles[0];
}

/** Ends a reaper: it looks at its record when it is told to, and it is killed if it does not. Only that very process is. */
export async function endReaper(mark: ProcessMark): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!isRunning(mark)) return;
    // One that was stopped hears it only when it goes on.
    signalAll([mark.pid], signal);
    signalAll([mark.pid], 'SIGCONT');
    if (await waitUntil(() => !isRunning(mark), REAPER_MS, 20)) return;
  }
}

/** Retires the faults of a place whose end is proven. Answers what could not be done, or null. */
export async function settle(care: FaultCare, region: string): Promise<string | null> {
  try {
    return await settled(care, entriesOf(care, region));
  } catch (error) {
    return `its record could not be read: ${messageOf(error)}`;
  }
}

/** The same for faults that are known. */
export async function settled(care: Pick<FaultCare, 'ledger'>, entries: readonly FaultEntry[]): Promise<string | null> {
  try {
    await retire(care, entries);
    return null;
  } catch (error) {
    return `its record could not be removed: ${messageOf(error)}`;
  }
}
