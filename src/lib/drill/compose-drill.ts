import {refused} from '../errors.ts';
import {ourselvesSane, runAlone} from '../failover/gates.ts';
import {noPrimary} from '../failover/no-primary.ts';
import {expect, step} from '../failover/steps.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {formatMs} from '../output/units.ts';
import type {Json} from '../plan/json.ts';
import type {Gate, Objective, Plan, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import type {SteadyCheck} from './arguments.ts';
import {loadSteps} from './compose-load.ts';
import {drillCall, type Part, placesOf, resolved, resolvedChecks} from './compose-parts.ts';
import {expectedText, movesPrimary, onePrimaryStep, reactionSteps, unmovedStep} from './compose-reaction.ts';
import type {Drill} from './drill-file.ts';
import {withPrimary} from './fault-fit.ts';

/**
 * What a drill is composed from. `reactionPlan` is a failover, switchover or failback that was planned from the same snapshot and without a witness of its
 * own; null = the reaction has none. `primary` is the region that holds the primary now; null = none does. `primaries`: by store.
 */
export type DrillInput = {
  readonly drill: Drill;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly reactionPlan: Plan | null;
  readonly primary: string | null;
  readonly primaries: Readonly<Record<string, string>>;
  readonly objectives: readonly Objective[];
  readonly runId: string;
  readonly rehearsal?: boolean;
};

const HEAL_MS = 40_000;
const READ_BACK_MS = 40_000;
/** The step that a fault has to be there for last. */
const OUTLASTED = 'outlasted';
/** Gates of a failover that say "the primary is down". A drill plans while it is up, so they are asked after the fault instead. */
const SAYS_DOWN = /^(region-down|primary-silent)(:|$)/;

/**
 * Composes the plan of a drill: steady state, witness, load, faults, detection, the reaction, and whatever must happen in any case. Pure. Throws
 * `no-witness`, `no-faults`, `no-region`, `no-traffic` or `primary-unknown` (exit 77) when the fleet does not allow the drill.
 */
export function composeDrill(input: DrillInput): Plan {
  const {drill, snapshot, reactionPlan, runId} = input;
  const part = partOf(input);
  const moved = drill.faults.length === 0 ? [] : (reactionPlan?.gates.filter(({id}) => SAYS_DOWN.test(id)) ?? []);
  const gates = reactionPlan?.gates.filter((gate) => !moved.includes(gate)) ?? [runAlone(), ourselvesSane()];
  const reaction = reactionSteps(part, reactionPlan, moved).map((each) =>
    // What another process did is not done again for a service that stopped writing once the fault was healed.
    each.id === 'reaction' && drill.faults.length > 0 ? {...each, until: OUTLASTED} : each,
  );
  const load = loadSteps(part);
  return {
    ...(reactionPlan ?? emptyPlan(part)),
    id: runId,
    kind: 'drill',
    snapshot,
    gates: [steadyGate(part, input.rehearsal === true), ...part.places.map(noFault), ...gates],
    steps: inLine([...before(part, load), ...load.during, ...faultSteps(part), ...detection(part), ...reaction, ...after(part, load)]),
    abortIf: drill.abortIf.map((check) => expect('drill.abort', {}, resolved(check, part) as Json)),
    always: [
      ...part.places.map((place) => healStep(place, part)),
      stopStep('witness-end', drill.witness.coolDownMs),
      ...load.always,
      ...onePrimaryStep(part),
      ...(reactionPlan?.always.filter(({do: {action}}) => !action.startsWith('witness.')) ?? []),
    ],
    objectives: objectivesOf(drill, input.objectives),
    drill: drill.name,
    drillSpec: {
      name: drill.name,
      description: drill.description,
      scenario: drill.scenario,
      expected: expectedText(part),
      loadObjectives: drill.objectives.load,
      region: part.region,
      classes: Object.fromEntries(part.fleet.stores.map(({name, dataClasses}) => [name, dataClasses])),
      evidence: drill.evidence,
      rollback: drill.rollback,
    },
  };
}

function partOf({drill, fleet, snapshot, reactionPlan, primary, primaries}: DrillInput): Part {
  if (fleet.witness === null) throw notAllowed('no-witness', fleet, 'witness', 'lets regionctl write');
  if (drill.faults.length > 0 && fleet.fault === null) throw notAllowed('no-faults', fleet, 'faults', 'says how to inject one');
  const needsPrimary = JSON.stringify([drill.faults, drill.reaction, drill.detect, drill.abortIf, drill.steadyState]).includes('"primary"');
  const held = reactionPlan?.from ?? primary;
  if (held === null && needsPrimary)
    throw noPrimary(fleet.stores, snapshot, {
      code: 'no-region',
      says: `the drill ${drill.name} speaks of the region with the primary, and none holds one`,
      suggestions: [],
    });
  const places = placesOf(drill, held ?? '');
  const regions = fleet.regions.map(({name}) => name);
  return {
    drill,
    fleet,
    witness: fleet.witness,
    snapshot,
    primary: held ?? '',
    primaries,
    places,
    region: places.find((place) => regions.includes(place)) ?? held,
  };
}

/** Each step comes after the one before it, and after what it names itself: a drill is read from top to bottom. */
function inLine(steps: readonly Step[]): Step[] {
  return steps.map((one, index) => {
    const last = steps.slice(0, index).findLast(({onFailure}) => onFailure !== 'continue');
    return last === undefined ? one : {...one, after: [...new Set([...one.after, last.id])]};
  });
}

function before(part: Part, load: ReturnType<typeof loadSteps>): Step[] {
  const {drill, witness} = part;
  const {everyMs, warmUpMs, stores} = drill.witness;
  // Not that the service takes writes: a run that is resumed in the gap starts its witness anew.
  const watch = [expect('witness.running', {}, true)];
  const direct = stores ? witness.stores : [];
  return [
    step({
      id: 'steady-before',
      phase: 'preflight',
      title: 'see that the fleet is in its steady state',
      do: drillCall('drill.steady', {}, {checks: resolvedChecks(drill.steadyState.before, part), except: [], withinMs: 0, must: true}),
      deadlineMs: 30_000,
    }),
    ...load.start,
    step({
      id: 'witness-start',
      phase: 'preflight',
      title: `write a numbered order every ${formatMs(everyMs)}${direct.length > 0 ? `, and to ${direct.join(', ')} directly` : ''}${warmUpMs > 0 ? `, for ${formatMs(warmUpMs)} before the fault` : ''}`,
      do: drillCall('witness.start', {}, {url: witness.url, everyMs, deadlineMs: witness.deadlineMs, ready: true, stores: [...direct]}),
      ensures: [expect('witness.running', {}, true)],
      until: 'witness-stop',
      hold: warmUpMs > 0 ? {forMs: warmUpMs, everyMs: Math.min(250, warmUpMs), minSamples: 1, watch} : null,
    }),
  ];
}

function faultSteps({drill, primary}: Part): Step[] {
  const active = new Map<string, string[]>();
  return drill.faults.map((fault, index) => {
    const {kind, region, args, leaseMs} = withPrimary(fault, primary);
    const beside = active.get(region) ?? [];
    active.set(region, [...beside, kind]);
    const only = drill.faults.length === 1;
    return step({
      id: only ? 'inject' : `inject-${index + 1}`,
      phase: 'inject',
      title: `inject ${kind} into ${region}, for ${formatMs(leaseMs)} at most`,
      do: drillCall('fault.inject', {region, fault: kind}, {kind, args, leaseMs, beside}),
      ensures: [expect('fault.active', {region}, [...beside, kind])],
      undo: drillCall('fault.heal', {region}, {}),
      leaseMs,
      until: OUTLASTED,
      deadlineMs: 30_000,
    });
  });
}

/** How the fault is noticed: by what the drill says; else its region is unhealthy, or, where a router is hurt, writes are refused. */
function detection(part: Part): Step[] {
  const {drill, fleet} = part;
  const {everyMs, fall, withinMs, until} = drill.detect;
  const [place] = part.places;
  if (place === undefined) return [];
  const isRegion = fleet.regions.some(({name}) => name === place);
  const common = {id: 'detect', phase: 'detect', deadlineMs: withinMs + 15_000} as const;
  if (until === null && isRegion)
    return [
      step({
        ...common,
        title: `notice that ${place} is unhealthy`,
        do: drillCall('health.await', {region: place}, {verdict: 'unhealthy', everyMs, fall, withinMs}),
      }),
    ];
  const checks: readonly SteadyCheck[] = until === null ? [{writable: false}] : resolvedChecks(until, part);
  const title = 'notice the fault by what the drill says';
  return [step({...common, title, do: drillCall('drill.await', {}, {checks: [...checks], everyMs, withinMs, what: title})})];
}

/** The witness is stopped after its own start too: a resumed run starts it again as long as its end is open. */
function after(part: Part, load: ReturnType<typeof loadSteps>): Step[] {
  const {drill, primary, places} = part;
  const lost = [...(drill.heal === 'end' ? places : []), ...(movesPrimary(drill) && drill.faults.length > 0 ? [primary] : [])];
  const except = [...new Set(lost)].filter((place) => part.fleet.regions.some(({name}) => name === place));
  const {withinMs} = drill.steadyState;
  const thaw =
    drill.heal === 'end'
      ? []
      : places.map((place) => ({
          ...healStep(place, part),
          id: `thaw-${place}`,
          ensures: [expect('fault.active', {region: place}, [])],
          onFailure: 'stop' as const,
        }));
  return [
    ...stillThere(part),
    ...thaw,
    ...(drill.watchMs === 0 ? [] : [waitStep(drill.watchMs)]),
    ...unmovedStep(part),
    ...load.after,
    {...stopStep('witness-stop', drill.witness.coolDownMs), after: ['witness-start']},
    ...load.end,
    step({
      id: 'steady-after',
      phase: 'converge',
      title: `see that the fleet${except.length === 0 ? '' : ` without ${except.join(', ')}`} is in its steady state`,
      do: drillCall('drill.steady', {}, {checks: resolvedChecks(drill.steadyState.after, part), except, withinMs, must: false}),
      onFailure: 'continue',
      deadlineMs: withinMs + 15_000,
    }),
  ];
}

/** A fault whose lease ran out during the reaction has ended by itself: whatever came after was no reaction to it. */
function stillThere({drill, primary, places}: Part): Step[] {
  if (drill.faults.length === 0) return [];
  const at = (fault: Drill['faults'][number]) => (fault.region === 'primary' ? primary : fault.region);
  const faults = places.map((region) => ({region, kinds: drill.faults.filter((fault) => at(fault) === region).map(({kind}) => kind)}));
  const title = 'see that the fault outlasted the reaction';
  return [step({id: OUTLASTED, phase: 'verify', title, do: drillCall('fault.still', {}, {faults}), onFailure: 'stop', deadlineMs: 15_000})];
}

function waitStep(forMs: number): Step {
  return step({
    id: 'watch',
    phase: 'converge',
    title: `look on for ${formatMs(forMs)}`,
    do: drillCall('drill.wait', {}, {forMs}),
    deadlineMs: forMs + 5000,
  });
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

/** In any case, so that a drill that failed leaves no fault behind. */
function healStep(place: string, {places}: Part): Step {
  return step({
    id: places.length === 1 ? 'heal' : `heal-${place}`,
    phase: 'heal',
    title: `heal ${place} and see that no fault is left`,
    do: drillCall('fault.heal', {region: place}, {}),
    ensures: [],
    onFailure: 'continue',
    deadlineMs: HEAL_MS,
  });
}

/* The gate refuses to start (77) from anything else; the step of the same name records what was seen. Whether a write is accepted is told by one only. */
function steadyGate(part: Part, rehearsal: boolean): Gate {
  const checks = resolvedChecks(part.drill.steadyState.before, part);
  const asked = rehearsal ? checks.filter((check) => !('writable' in check)) : checks;
  return {
    id: 'steady-state',
    asks: [expect('fleet.steady', {}, {checks: asked, except: []})],
    verdict: 'unknown',
    measured: null,
    says: 'the fleet is in its steady state',
    overridable: true,
  };
}

function noFault(place: string, index: number): Gate {
  return {
    id: index === 0 ? 'no-fault' : `no-fault:${place}`,
    asks: [expect('fault.active', {region: place}, [])],
    verdict: 'unknown',
    measured: null,
    says: `no fault is active on ${place}`,
    overridable: false,
  };
}

function emptyPlan({
  primary,
  snapshot,
}: Part): Omit<Plan, 'id' | 'kind' | 'gates' | 'steps' | 'abortIf' | 'always' | 'objectives' | 'drill'> {
  return {
    version: 1,
    from: primary === '' ? null : primary,
    to: null,
    snapshot,
    expects: [],
    overrides: [],
    files: [],
    expected: {gapMs: null, loss: []},
  };
}

/** A drill's own targets come before those of the fleet file of the same kind; a class of its own before all. */
function objectivesOf({objectives}: Drill, ofFleet: readonly Objective[]): Objective[] {
  const given = {rto: {all: objectives.rtoMs, by: objectives.services}, rpo: {all: objectives.rpoMs, by: objectives.data}};
  return (['rto', 'rpo'] as const).flatMap((kind): Objective[] => {
    const {all, by} = given[kind];
    const own: Objective[] = Object.entries(by).map(([name, targetMs]) => ({class: name, kind, targetMs}));
    if (all !== null) return [{class: 'drill', kind, targetMs: all}, ...own];
    return [...own, ...ofFleet.filter((one) => one.kind === kind && !(one.class in by))];
  });
}

function notAllowed(code: string, fleet: Fleet, key: string, what: string) {
  return refused(code, `no drill was started: the fleet ${fleet.name} has no part "${key}" that ${what}`, {
    suggestions: [`Add "${key}" to ${fleet.file}.`],
  });
}
