import {timeoutAwake} from '../awake.ts';
import {composeDrill} from '../drill/compose-drill.ts';
import type {Drill, Reaction} from '../drill/drill-file.ts';
import {refuseUnfitFaults} from '../drill/fault-fit.ts';
import type {PlanCapacity} from '../failover/capacity-gate.ts';
import {findPrimary} from '../failover/find-primary.ts';
import {resolveOverrides} from '../failover/gates.ts';
import {chooseAway, chooseHome, planFailback} from '../failover/plan-failback.ts';
import {chooseSource} from '../failover/plan-failover.ts';
import {chooseSwitchTarget, planSwitchover} from '../failover/plan-switchover.ts';
import {objectivesOf, regionOf} from '../fleet/lookup.ts';
import type {Override, Plan} from '../plan/plan.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates} from '../run/judge-gates.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {newRunId} from './conduct.ts';
import {copySpeeds} from './earlier-runs.ts';
import {unavailableFaults} from './fault-kinds.ts';
import {type Look, planFromLook} from './look.ts';
import {planCapacity} from './plan-capacity.ts';
import {failoverFrom, type Prepared} from './prepare.ts';
import type {World} from './world.ts';

const GATES_MS = 10_000;
/** The gates that a drill has beside those of its reaction. */
const DRILL_GATES = /^(steady-state|no-fault)(:|$)/;

/** What a drill is prepared with. `rehearsal`: it is only shown (default: it is run). */
export type PrepareDrill = {
  readonly drill: Drill;
  readonly overrides: readonly Override[];
  readonly signal: AbortSignal;
  readonly rehearsal?: boolean;
};

/**
 * Plans a drill on the fleet as it is now, and judges its gates. No fault is injected, and nothing is written but the one order that tells whether
 * writes are accepted; a rehearsal does not write that either.
 */
export async function prepareDrill(open: OpenFleet, world: World, given: PrepareDrill): Promise<Prepared> {
  const began = open.clock.now();
  const {made: plan} = await planFromLook(open, given.signal, (look) => drillFrom(open, look, given));
  return {
    plan: await judgedNow(open, world, plan, given.signal),
    marks: [{phase: 'decide', ms: Math.round(open.clock.now() - began)}],
  };
}

/** The drill that a look at the fleet leads to, with its overrides. */
async function drillFrom(open: OpenFleet, {snapshot, state}: Look, given: PrepareDrill): Promise<Plan> {
  const {fleet} = open;
  const {drill, overrides, signal, rehearsal = false} = given;
  const primaries = primariesOf(open, snapshot);
  const ofReaction = overrides.filter(({gate}) => !DRILL_GATES.test(gate));
  const reactionPlan = await reactionPlanOf(open, {drill, snapshot, state, overrides: ofReaction, signal});
  const [first] = Object.values(primaries);
  const composed = composeDrill({
    ...{drill, fleet, snapshot, reactionPlan, primaries, rehearsal},
    primary: primaries[fleet.stores[0]?.name ?? ''] ?? first ?? null,
    limits: open.fault ?? {},
    objectives: objectivesOf(fleet),
    runId: newRunId('drill', open.clock.wall()),
  });
  await refuseFaults(open, composed, signal);
  const own = resolveOverrides(composed.gates, reactionPlan === null ? overrides : overrides.filter(({gate}) => DRILL_GATES.test(gate)));
  return {...composed, overrides: [...composed.overrides, ...own]};
}

/** A fault that its injector cannot have would end a drill that has begun. Where the injector cannot be asked, the gates say so. */
async function refuseFaults(open: OpenFleet, composed: Plan, signal: AbortSignal): Promise<void> {
  const {fault} = open;
  if (fault === null || !composed.steps.some(({do: {action}}) => action === 'fault.inject')) return;
  const {kinds: cannot} = await unavailableFaults(open, signal);
  refuseUnfitFaults(composed, {kinds: fault.kinds, accepts: fault.accepts?.bind(fault), cannot});
}

function judgedNow(open: OpenFleet, world: World, plan: Plan, signal: AbortSignal): Promise<Plan> {
  const now = () => open.clock.now();
  return judgeGates(plan, world.checks, {
    runId: 'plan',
    token: 'none',
    signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]),
    now,
    deadline: now() + GATES_MS,
  });
}

/** The region that holds the primary of each store that has one. */
function primariesOf({fleet}: OpenFleet, snapshot: Snapshot): Readonly<Record<string, string>> {
  return Object.fromEntries(
    fleet.stores.flatMap((spec) => {
      const store = snapshot.stores[spec.name];
      const found = store === undefined ? null : findPrimary(store, spec);
      return found === null ? [] : [[spec.name, found.region] as const];
    }),
  );
}

type Reacting = {
  readonly drill: Drill;
  readonly snapshot: Snapshot;
  readonly state: State | null;
  readonly overrides: readonly Override[];
  readonly signal: AbortSignal;
};

type Planning = Reacting & {readonly capacity: PlanCapacity | undefined};

/** The plan that the reaction is, where it is one that this run carries out; null = it is something else. */
async function reactionPlanOf(open: OpenFleet, reacting: Reacting): Promise<Plan | null> {
  const {reaction} = reacting.drill;
  if (reaction.kind !== 'failover' && reaction.kind !== 'switchover' && reaction.kind !== 'failback') return null;
  const planning = {...reacting, capacity: await planCapacity(open, reacting.signal)};
  if (reaction.kind === 'failover') return failoverOf(open, reaction, planning);
  return reaction.kind === 'switchover' ? switchoverOf(open, reaction.to, planning) : failbackOf(open, reaction.to, planning);
}

function failoverOf(open: OpenFleet, {to}: Extract<Reaction, {kind: 'failover'}>, reacting: Planning): Promise<Plan> {
  const {drill, snapshot, overrides, signal, capacity} = reacting;
  const [fault] = drill.faults;
  const isRegion = fault !== undefined && open.fleet.regions.some(({name}) => name === fault.region);
  const from = isRegion ? fault.region : undefined;
  return failoverFrom(
    open,
    snapshot,
    {from, to: to ?? undefined, overrides, signal},
    {witness: false, state: null, guard: null, approve: false, capacity},
  );
}

function switchoverOf({fleet, clock}: OpenFleet, given: string | null, {snapshot, overrides, capacity}: Planning): Plan {
  const from = chooseSource(fleet, snapshot, undefined);
  const to = regionOf(fleet, chooseSwitchTarget(fleet, from, given ?? undefined)).name;
  const found = {id: newRunId('switchover', clock.wall()), fleet, snapshot, from, to, objectives: objectivesOf(fleet)};
  return planSwitchover({...found, overrides, capacity});
}

function failbackOf({fleet, clock}: OpenFleet, given: string | null, {snapshot, state, overrides, capacity}: Planning): Plan {
  const to = regionOf(fleet, chooseHome(fleet, given ?? undefined)).name;
  const from = chooseAway(fleet, snapshot, to);
  const found = {id: newRunId('failback', clock.wall()), fleet, snapshot, from, to, objectives: objectivesOf(fleet), overrides, capacity};
  return planFailback({...found, copySpeeds: copySpeeds(state, fleet.name)});
}
