import {timeoutAwake} from '../awake.ts';
import {RegionctlError, unavailable, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Json} from '../plan/json.ts';
import type {Target} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import {known} from '../snapshot/cell.ts';
import {type DrillArguments, named} from './arguments.ts';
import {beforeOf, entriesOf, type FaultCare, injectWithCare, settle} from './fault-care.ts';
import {healUntilSettled} from './fault-coming.ts';
import type {LookOutside} from './fault-end.ts';
import type {FaultEntry, Outside} from './fault-ledger.ts';

type FaultDeps = {
  readonly faults: Fault | null;
  readonly clock: Clock;
  /** What keeps a fault from being left behind. Absent = only its injector's own lease does, and its end is only the injector's word. */
  readonly care?: FaultCare;
};

/** `fault.inject`, `fault.heal` and `fault.still`. */
export function faultActions(
  given: FaultDeps,
): readonly [Action<DrillArguments['fault.inject']>, Action<DrillArguments['fault.heal']>, Action<DrillArguments['fault.still']>] {
  const deps = {...given, seen: new Map<string, Outside | null>()};
  return [faultInject(deps), faultHeal(deps), faultStill(deps)];
}

/** `seen`: what this process saw answer on each place before its fault, for when neither ledger nor journal can be read. */
type Deps = FaultDeps & {readonly seen: Map<string, Outside | null>};

function faultInject({faults, clock, care, seen}: Deps): Action<DrillArguments['fault.inject']> {
  return {
    ...named('fault.inject', 'leased'),
    describe: (target, {kind, leaseMs}) => `inject ${kind} into ${target.region ?? '?'}, for ${leaseMs} ms at most`,
    async look(ctx, target, {kind, beside}) {
      const active = await portOf(faults).active(regionOf(target), ctx.signal);
      if (!active.known) return 'unknown';
      if (isSame(active.value, beside)) return 'before';
      return isSame(active.value, [...beside, kind]) ? 'done' : 'elsewhere';
    },
    async apply(ctx, target, {kind, args, leaseMs}) {
      const port = portOf(faults);
      const region = regionOf(target);
      if (!port.kinds.includes(kind)) throw usageError(`the fault injector knows no fault "${kind}"; it knows ${port.kinds.join(', ')}`);
      const order = {kind, region, args, leaseMs};
      const {detail, before} =
        care === undefined ? {detail: await port.inject(ctx, order), before: null} : await injectWithCare(care, port, clock, ctx, order);
      if (!seen.has(region)) seen.set(region, before);
      const says = `${kind} is active on ${region}`;
      return {fault: kind, region, injectedAt: iso(clock), leaseMs, detail, before, says};
    },
  };
}

/** `fault.still`: fails when a fault is known to have ended by itself. Where that cannot be told it says so. */
function faultStill({faults}: FaultDeps): Action<DrillArguments['fault.still']> {
  return {
    ...named('fault.still', 'none'),
    describe: () => 'see that the fault outlasted the reaction',
    look: async () => 'before',
    async apply(ctx, _target, {faults: wanted}) {
      const seen = await Promise.all(
        wanted.map(async ({region, kinds}) => ({region, kinds, cell: await portOf(faults).active(region, ctx.signal)})),
      );
      const over = seen.find(({kinds, cell}) => cell.known && lacks(cell.value, kinds));
      if (over !== undefined)
        throw new RegionctlError(
          'fault-over',
          EXIT.critical,
          `${over.kinds.join(', ')} on ${over.region} had ended before the reaction did: give it a longer lease`,
        );
      const untold = seen.find(({cell}) => !cell.known);
      return {
        held: untold === undefined,
        says:
          untold === undefined
            ? 'the fault outlasted the reaction'
            : `whether the fault on ${untold.region} outlasted the reaction is not known`,
      };
    },
  };
}

/** Always applied, never skipped as "already done": its result is the proof, and healing twice harms nobody. */
function faultHeal({faults, clock, care, seen}: Deps): Action<DrillArguments['fault.heal']> {
  return {
    ...named('fault.heal', 'reversible'),
    describe: (target) => `heal ${target.region ?? '?'} and see that no fault is left`,
    look: async () => 'before',
    async apply(ctx, target) {
      const region = regionOf(target);
      const port = portOf(faults);
      const looking = {port, outside: care?.outside ?? nobodyLooks, clock};
      const before = (await beforeFault(care, ctx, region)) ?? seen.get(region) ?? null;
      const lookedAt = iso(clock);
      const found = await foundOn(port, ctx, region);
      const {proven, says} = await healUntilSettled(looking, ctx, {region, kind: null, before}, () => listedOf(care, region));
      if (proven !== true) throw notHealed(region, says);
      const healedAt = iso(clock);
      const trouble = care === undefined ? null : await settle(care, region);
      const also = trouble === null ? '' : `; ${trouble}`;
      const end = {lookedAt, found, ended: await endsOf(port, ctx, region)};
      return {region, healedAt, provenHealed: true, ...end, proof: `${says}${also}`, says: `no fault is left in ${region}${also}`};
    },
  };
}

/** What is there before it is healed: what is not, has ended by itself. Null = it cannot be told. */
async function foundOn(port: Fault, {signal}: Ctx, region: string): Promise<string[] | null> {
  const cell = await port.active(region, AbortSignal.any([signal, timeoutAwake(LOOK_MS)])).catch(() => null);
  signal.throwIfAborted();
  return cell?.known === true ? [...cell.value] : null;
}

/** What the injector wrote down of ends there; none where it keeps no record. */
async function endsOf(port: Fault, {signal}: Ctx, region: string): Promise<Json[]> {
  const cell = await port.ended?.(region, AbortSignal.any([signal, timeoutAwake(LOOK_MS)])).catch(() => null);
  return cell?.known === true ? cell.value.map(({kind, at, by}) => ({kind, at: new Date(at).toISOString(), by})) : [];
}

/** How long an injector may take to answer what only tells when a fault ended. */
const LOOK_MS = 3000;

function notHealed(region: string, says: string) {
  return new RegionctlError('not-healed', EXIT.critical, `it is not proven that no fault is left in ${region}: ${says}`, {
    suggestions: ['regionctl drill clean heals what is left, and proves it. The fault ends with its lease in any case.'],
  });
}

/** By the ledger, or by the journal when the reaper has proven the end already. */
async function beforeFault(care: FaultCare | undefined, {runId}: Ctx, region: string): Promise<Outside | null> {
  if (care === undefined) return null;
  try {
    return beforeOf(entriesOf(care, region)) ?? (await care.journaled(runId, region));
  } catch {
    return null; // It is healed all the same.
  }
}

/** The records of a place; none where they cannot be read, which is told when they are to be removed. */
function listedOf(care: FaultCare | undefined, region: string): readonly FaultEntry[] {
  try {
    return care === undefined ? [] : entriesOf(care, region);
  } catch {
    return [];
  }
}

/** Whether there are fewer of a kind than wanted: one place may have a kind twice, such as two lines that are cut. */
function lacks(active: readonly string[], wanted: readonly string[]): boolean {
  const many = (all: readonly string[], kind: string) => all.filter((one) => one === kind).length;
  return wanted.some((kind) => many(active, kind) < many(wanted, kind));
}

/** As many of each kind, in whatever order. */
function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted());
}
/* Nothing to ask: the injector's word is all there is. */
const nobodyLooks: LookOutside = async (_region, _signal) =>
  known({answering: [], silent: [], refused: [], stopped: [], untold: []}, 0, 'nobody');

function portOf(faults: Fault | null): Fault {
  if (faults !== null) return faults;
  throw unavailable('no-faults', 'the fleet file has no part "faults", so no fault can be injected or healed');
}

function regionOf(target: Target): string {
  if (target.region !== undefined) return target.region;
  throw usageError('a fault needs a region as its target');
}

function iso(clock: Clock): string {
  return new Date(clock.wall()).toISOString();
}
