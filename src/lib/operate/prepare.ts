import {timeoutAwake} from '../awake.ts';
import {expectedLoss, restsOnLag} from '../failover/expected-loss.ts';
import type {Guard} from '../failover/guard.ts';
import {chooseAway, chooseHome, planFailback} from '../failover/plan-failback.ts';
import {chooseDestination, chooseSource, type FailoverInput, movesOf, planFailover} from '../failover/plan-failover.ts';
import {chooseSwitchTarget, planSwitchover} from '../failover/plan-switchover.ts';
import type {StoreSpec} from '../fleet/fleet.ts';
import {objectivesOf, regionOf} from '../fleet/lookup.ts';
import type {Override, Plan} from '../plan/plan.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import type {LagHistory} from '../replication/loss.ts';
import {judgeGates} from '../run/judge-gates.ts';
import type {PhaseMark} from '../run/runner.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {newRunId} from './conduct.ts';
import {copySpeeds, earlierGaps} from './earlier-runs.ts';
import {evacuationFrom, fleetOfPeers, readmissionFrom} from './evacuate.ts';
import {planFromLook} from './look.ts';
import {historyOf, readingOf} from './loss.ts';
import {planCapacity} from './plan-capacity.ts';
import type {World} from './world.ts';

/** What a person may say about a failover or failback; everything else is found. */
export type PrepareOptions = {
  /** How long a failover guards the old primary; default: until it can do no harm. */
  readonly guard?: Guard;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly overrides: readonly Override[];
  readonly signal: AbortSignal;
};

/** A plan whose gates are judged, with what it took to get there. */
export type Prepared = {readonly plan: Plan; readonly marks: readonly PhaseMark[]};

/** How long the gates may take to be judged. */
const GATES_MS = 10_000;
/** A primary that answered a moment ago and hangs now must not hold a failover up. */
const READING_MS = 2000;

/** Looks at the fleet, plans a failover, or of a fleet of peers an evacuation, and judges its gates. Nothing is written. */
export async function prepareFailover(open: OpenFleet, world: World, options: PrepareOptions): Promise<Prepared> {
  // The metrics are read while the fleet is looked at.
  const reading = planCapacity(open, options.signal);
  const state = await open.state().catch(() => null);
  const {guard = {forMs: null}} = options;
  return prepare(open, world, options, async (snapshot) => {
    const peers = fleetOfPeers(open, snapshot);
    const capacity = await reading;
    if (peers !== null) return evacuationFrom(open, peers, snapshot, {...options, state, capacity}, {witness: true, approve: true});
    return failoverFrom(open, snapshot, options, {witness: true, state, guard, approve: true, capacity});
  });
}

/**
 * The failover that a snapshot leads to. Of a store that nothing but its lag bounds the loss of it asks once more how much its target lacks, for 2 s at
 * most. A drill plans it before the fault, and brings its own witness.
 */
export async function failoverFrom(
  open: OpenFleet,
  snapshot: Snapshot,
  options: PrepareOptions,
  more: Pick<FailoverInput, 'witness' | 'guard' | 'approve' | 'capacity'> & {readonly state: State | null},
): Promise<Plan> {
  const {state, ...input} = more;
  const {fleet, clock} = open;
  if (options.from !== undefined) regionOf(fleet, options.from);
  if (options.to !== undefined) regionOf(fleet, options.to);
  const from = chooseSource(fleet, snapshot, options.from);
  const to = chooseDestination(fleet, snapshot, from, options.to);
  const loss = await Promise.all(
    movesOf(fleet, snapshot, from, to).moves.map(async ({spec, region, target}) => {
      const reading = restsOnLag(spec, snapshot) ? await readingOf(open, spec, target, options.signal, READING_MS) : null;
      return expectedLoss(fleet, spec, snapshot, region, {reading, history: lastSample(open, state, spec, target)});
    }),
  );
  const objectives = objectivesOf(fleet);
  return planFailover({
    id: newRunId('failover', clock.wall()),
    fleet,
    snapshot,
    from,
    to,
    loss,
    objectives,
    overrides: options.overrides,
    ...input,
  });
}

function lastSample(open: OpenFleet, state: State | null, spec: StoreSpec, target: string): LagHistory | undefined {
  return state === null ? undefined : historyOf(open, state, spec, target);
}

/** Looks at the fleet, plans the way home, or of a fleet of peers the return of a region, and judges its gates. Nothing is written. */
export async function prepareFailback(open: OpenFleet, world: World, options: PrepareOptions): Promise<Prepared> {
  const {fleet, clock} = open;
  const reading = planCapacity(open, options.signal);
  const state = await open.state().catch(() => null);
  return prepare(open, world, options, async (snapshot) => {
    const peers = fleetOfPeers(open, snapshot);
    const capacity = await reading;
    if (peers !== null) return readmissionFrom(open, peers, snapshot, {...options, state, capacity});
    const to = regionOf(fleet, chooseHome(fleet, options.to)).name;
    const from = chooseAway(fleet, snapshot, to);
    const found = {id: newRunId('failback', clock.wall()), fleet, snapshot, from, to, objectives: objectivesOf(fleet), capacity};
    return planFailback({...found, overrides: options.overrides, copySpeeds: copySpeeds(state, fleet.name)});
  });
}

/** Looks at the fleet, plans a planned move and judges its gates. Nothing is written. */
export async function prepareSwitchover(open: OpenFleet, world: World, options: PrepareOptions): Promise<Prepared> {
  const {fleet, clock} = open;
  const reading = planCapacity(open, options.signal);
  return prepare(open, world, options, async (snapshot) => {
    if (options.from !== undefined) regionOf(fleet, options.from);
    const from = chooseSource(fleet, snapshot, options.from);
    const to = regionOf(fleet, chooseSwitchTarget(fleet, from, options.to)).name;
    const found = {id: newRunId('switchover', clock.wall()), fleet, snapshot, from, to, objectives: objectivesOf(fleet)};
    return planSwitchover({...found, overrides: options.overrides, capacity: await reading});
  });
}

async function prepare(
  open: OpenFleet,
  world: World,
  {signal}: PrepareOptions,
  plan: (snapshot: Snapshot) => Plan | Promise<Plan>,
): Promise<Prepared> {
  const began = open.clock.now();
  const {made: planned, look} = await planFromLook(open, signal, ({snapshot}) => plan(snapshot));
  const {state, at: seen} = look;
  const ctx = {
    runId: 'plan',
    token: 'none',
    signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]),
    now: () => open.clock.now(),
    deadline: seen + GATES_MS,
  };
  const expected = {...planned.expected, gapMs: earlierGaps(state, open.fleet.name, planned)};
  const judged = await judgeGates({...planned, expected}, world.checks, ctx);
  const marks: PhaseMark[] = [
    {phase: 'detect', ms: Math.round(seen - began)},
    {phase: 'decide', ms: Math.round(open.clock.now() - seen)},
  ];
  return {plan: judged, marks};
}
