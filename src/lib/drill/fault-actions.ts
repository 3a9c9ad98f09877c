import {messageOf, RegionctlError, unavailable, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {Action, Ctx} from '../plan/action.ts';
import type {Target} from '../plan/plan.ts';
import type {Clock} from '../ports/clock.ts';
import type {Fault} from '../ports/fault.ts';
import {type DrillArguments, named} from './arguments.ts';

type FaultDeps = {readonly faults: Fault | null; readonly clock: Clock};

/* How often a heal is tried again and looked for. */
const PROVE_MS = 250;

/** `fault.inject` and `fault.heal`. */
export function faultActions(deps: FaultDeps): readonly [Action<DrillArguments['fault.inject']>, Action<DrillArguments['fault.heal']>] {
  return [faultInject(deps), faultHeal(deps)];
}

function faultInject({faults, clock}: FaultDeps): Action<DrillArguments['fault.inject']> {
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
      const detail = await port.inject(ctx, {kind, region, args, leaseMs});
      return {fault: kind, region, injectedAt: iso(clock), leaseMs, detail, says: `${kind} is active on ${region}`};
    },
  };
}

/** Always applied, never skipped as "already done": its result is the proof, and healing twice harms nobody. */
function faultHeal({faults, clock}: FaultDeps): Action<DrillArguments['fault.heal']> {
  return {
    ...named('fault.heal', 'reversible'),
    describe: (target) => `heal ${target.region ?? '?'} and see that no fault is left`,
    look: async () => 'before',
    async apply(ctx, target) {
      const region = regionOf(target);
      const left = await healUntilProven(portOf(faults), ctx, region, clock);
      if (left === null) return {region, healedAt: iso(clock), provenHealed: true, says: `no fault is left in ${region}`};
      throw new RegionctlError('not-healed', EXIT.critical, `it is not proven that no fault is left in ${region}: ${left}`, {
        suggestions: ['The fault ends with its lease. regionctl lab heal ends it now.'],
      });
    },
  };
}

/** Null when no fault is left; otherwise what was seen last. */
async function healUntilProven(port: Fault, ctx: Ctx, region: string, clock: Clock): Promise<string | null> {
  for (;;) {
    const left = await healOnce(port, ctx, region);
    if (left === null || clock.now() + PROVE_MS >= ctx.deadline) return left;
    await clock.sleep(PROVE_MS, ctx.signal);
  }
}

async function healOnce(port: Fault, ctx: Ctx, region: string): Promise<string | null> {
  try {
    await port.heal(ctx, region);
    const active = await port.active(region, ctx.signal);
    if (!active.known) return active.reason;
    return active.value.length === 0 ? null : `${active.value.join(', ')} is still active`;
  } catch (error) {
    ctx.signal.throwIfAborted();
    return messageOf(error);
  }
}

/** As many of each kind, in whatever order. */
function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted());
}

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
