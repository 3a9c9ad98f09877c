import {refused} from '../errors.ts';
import {call, expect, step} from '../failover/steps.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {formatMs} from '../output/units.ts';
import type {Json} from '../plan/json.ts';
import type {Expectation, Gate, Objective, Plan, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import type {DrillAction, DrillArguments} from './arguments.ts';
import type {Drill} from './drill-file.ts';

/** What a drill is composed from. `failoverPlan` is the reaction, planned from the same snapshot and without a witness of its own. */
export type DrillInput = {
  readonly drill: Drill;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly failoverPlan: Plan;
  readonly runId: string;
};

/** How long the other regions get to be steady again, and how long a heal may take to be proven. */
const SETTLE_MS = 15_000;
const HEAL_MS = 30_000;
const READ_BACK_MS = 40_000;
/** Gates of a failover that say "the primary is down". A drill plans while it is up, so they are asked after the fault instead. */
const SAYS_DOWN = /^(region-down|primary-silent)(:|$)/;

/**
 * Composes the plan of a drill: steady state, witness, fault, detection, the steps of the failover as they are, and whatever must happen in any
 * case. Pure. Throws `no-witness` or `no-faults` (exit 77) when the fleet file does not allow a drill.
 */
export function composeDrill({drill, fleet, snapshot, failoverPlan, runId}: DrillInput): Plan {
  const {from} = failoverPlan;
  if (from === null) throw refused('no-region', `the drill ${drill.name} has no region to lose: the failover plan names none`);
  if (fleet.witness === null) throw notAllowed('no-witness', fleet, 'witness', 'lets regionctl write');
  if (fleet.fault === null) throw notAllowed('no-faults', fleet, 'faults', 'says how to inject one');
  const moved = failoverPlan.gates.filter(({id}) => SAYS_DOWN.test(id));
  const reaction = failoverPlan.steps.filter(({do: {action}}) => !action.startsWith('witness.'));
  return {
    ...failoverPlan,
    id: runId,
    kind: 'drill',
    snapshot,
    gates: [steadyGate(drill), noFault(from), ...failoverPlan.gates.filter((gate) => !moved.includes(gate))],
    steps: [...before(drill, fleet.witness, from), ...afterDetection(failoverPlan, reaction, moved), ...after(drill, reaction, from)],
    always: [healStep(from), ...stopAgain(drill), ...failoverPlan.always],
    objectives: objectivesOf(drill, failoverPlan.objectives),
    drill: drill.name,
  };
}

function before(drill: Drill, witness: NonNullable<Fleet['witness']>, region: string): Step[] {
  const {fault, detect} = drill;
  const {everyMs, warmUpMs} = drill.witness;
  const watch = [expect('service.writable', {}, true)];
  return [
    step({
      id: 'steady-before',
      phase: 'preflight',
      title: 'see that the fleet is in its steady state',
      do: drillCall('drill.steady', {}, {checks: [...drill.steadyState.before], except: [], withinMs: 0, must: true}),
      deadlineMs: 30_000,
    }),
    step({
      id: 'witness-start',
      phase: 'preflight',
      title: `write a numbered order every ${everyMs} ms${warmUpMs > 0 ? `, for ${formatMs(warmUpMs)} before the fault` : ''}`,
      after: ['steady-before'],
      do: drillCall(
        'witness.start',
        {},
        {url: witness.url, everyMs, deadlineMs: witness.deadlineMs, ready: true, stores: [...(witness.stores ?? [])]},
      ),
      ensures: [expect('witness.running', {}, true)],
      hold: warmUpMs > 0 ? {forMs: warmUpMs, everyMs: Math.min(250, warmUpMs), minSamples: 1, watch} : null,
    }),
    step({
      id: 'inject',
      phase: 'inject',
      title: `inject ${fault.kind} into ${region}, for ${formatMs(fault.leaseMs)} at most`,
      after: ['witness-start'],
      do: drillCall('fault.inject', {region, fault: fault.kind}, {kind: fault.kind, args: fault.args, leaseMs: fault.leaseMs}),
      ensures: [expect('fault.active', {region}, [fault.kind])],
      undo: drillCall('fault.heal', {region}, {}),
      leaseMs: fault.leaseMs,
    }),
    step({
      id: 'detect',
      phase: 'detect',
      title: `notice that ${region} is unhealthy`,
      after: ['inject'],
      do: drillCall(
        'health.await',
        {region},
        {verdict: 'unhealthy', everyMs: detect.everyMs, fall: detect.fall, withinMs: detect.withinMs},
      ),
      deadlineMs: detect.withinMs + 5000,
    }),
  ];
}

/** Steps that waited for nothing wait for the detection, and for what the moved gates asked. A step that waited for a witness waits for what came before it. */
function afterDetection({steps}: Plan, reaction: readonly Step[], moved: readonly Gate[]): Step[] {
  const kept = new Set(reaction.map(({id}) => id));
  const resolve = (id: string): readonly string[] =>
    kept.has(id) ? [id] : (steps.find((one) => one.id === id)?.after.flatMap(resolve) ?? []);
  // The step before has only just found the region unhealthy: to ask again would add a probe's timeout to every gap.
  const down: readonly Expectation[] = moved.flatMap(({asks}) => asks);
  return reaction.map((one) => {
    const waits = [...new Set(one.after.flatMap(resolve))];
    return waits.length > 0 ? {...one, after: waits} : {...one, after: ['detect'], requires: [...down, ...one.requires]};
  });
}

/** The witness is stopped after its own start too: a resumed run starts it again as long as its end is open. */
function after(drill: Drill, reaction: readonly Step[], region: string): Step[] {
  const awaited = new Set(reaction.flatMap((one) => one.after));
  const last = reaction.map(({id}) => id).filter((id) => !awaited.has(id));
  const reacted = last.length > 0 ? last : ['detect'];
  return [
    {...stopStep('witness-stop', drill.witness.coolDownMs), after: [...reacted, 'witness-start']},
    step({
      id: 'steady-after',
      phase: 'converge',
      title: `see that the fleet without ${region} is in its steady state`,
      after: reacted,
      do: drillCall('drill.steady', {}, {checks: [...drill.steadyState.after], except: [region], withinMs: SETTLE_MS, must: false}),
      onFailure: 'continue',
      deadlineMs: SETTLE_MS + 15_000,
    }),
  ];
}

/** Its result is a measurement: one that cannot be had must not undo what the drill achieved. */
function stopStep(id: string, coolDownMs: number): Step {
  return step({
    id,
    phase: 'verify',
    title: 'stop the witness and read back what it wrote',
    do: drillCall('witness.stop', {}, {coolDownMs}),
    onFailure: 'continue',
    deadlineMs: coolDownMs + READ_BACK_MS,
  });
}

/** After the heal, so that a drill that failed still measures until the service is back. Already stopped = nothing is done. */
function stopAgain({witness}: Drill): Step[] {
  return [stopStep('witness-end', witness.coolDownMs)];
}

function healStep(region: string): Step {
  return step({
    id: 'heal',
    phase: 'heal',
    title: `heal ${region} and see that no fault is left`,
    do: drillCall('fault.heal', {region}, {}),
    ensures: [],
    onFailure: 'continue',
    deadlineMs: HEAL_MS,
  });
}

/* The gate refuses to start (77) from anything else; the step of the same name records what was seen. */
function steadyGate({steadyState}: Drill): Gate {
  return {
    id: 'steady-state',
    asks: [expect('fleet.steady', {}, {checks: [...steadyState.before], except: []})],
    verdict: 'unknown',
    measured: null,
    says: 'the fleet is in its steady state',
    overridable: true,
  };
}

function noFault(region: string): Gate {
  return {
    id: 'no-fault',
    asks: [expect('fault.active', {region}, [])],
    verdict: 'unknown',
    measured: null,
    says: `no fault is active on ${region}`,
    overridable: false,
  };
}

function objectivesOf(drill: Drill, ofFleet: readonly Objective[]): Objective[] {
  const given = {rto: drill.objectives.rtoMs, rpo: drill.objectives.rpoMs};
  return (['rto', 'rpo'] as const).flatMap((kind) => {
    const targetMs = given[kind];
    return targetMs === null ? ofFleet.filter((one) => one.kind === kind) : [{class: 'drill', kind, targetMs}];
  });
}

function drillCall<A extends DrillAction>(action: A, target: Step['do']['target'], args: DrillArguments[A]) {
  return call(action, target, args as Json);
}

function notAllowed(code: string, fleet: Fleet, key: string, what: string) {
  return refused(code, `no drill was started: the fleet ${fleet.name} has no part "${key}" that ${what}`, {
    suggestions: [`Add "${key}" to ${fleet.file}.`],
  });
}
