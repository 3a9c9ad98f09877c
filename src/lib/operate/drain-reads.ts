import {timeoutAwake} from '../awake.ts';
import {messageOf, usageError} from '../errors.ts';
import type {RouteSpec} from '../fleet/fleet.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates, refuseShutGates} from '../run/judge-gates.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {type DrainRecord, keepDrain, type Moved, recallDrain, settled, withoutClosed, withPending} from '../traffic/drain-record.ts';
import {planDrain} from '../traffic/plan-drain.ts';
import {
  type DrainDecision,
  type DrainLink,
  decideDrain,
  drainedRoutes,
  type IsPrimary,
  keptServing,
  lagOfRegions,
  type Weights,
} from '../traffic/read-drain.ts';
import {conductPlan, newRunId} from './conduct.ts';
import {worldOf} from './world.ts';

/** A region that is held off a route now. `weight` is what it had, `since` ISO 8601, `run` the run that did it. */
export type DrainRow = {
  readonly route: string;
  readonly region: string;
  readonly weight: number;
  readonly since: string;
  readonly run: string;
  readonly reason: string;
};

/**
 * What became of a region on a route. `held` and `returned` were done by `run`; `stays` = it is too late, and must serve; `moved` = another hand changed the
 * weights, so that they are left alone; `failed` = what should have been done was not (`region` null: the whole route). `reason` is one sentence without
 * its full stop.
 */
export type DrainEvent = {
  readonly at: string;
  readonly route: string;
  readonly region: string | null;
  readonly what: 'held' | 'returned' | 'stays' | 'moved' | 'failed';
  readonly weight: number | null;
  readonly run: string | null;
  readonly reason: string;
};

/** `leave` ends a run at once, in the middle; what it had done is told by the weights. */
export type DrainOptions = {readonly signal: AbortSignal; readonly leave: AbortSignal};

const GATES_MS = 10_000;

/** Throws (64) where the fleet file lets no breaker drain, or wants people to agree to it: a breaker waits for nobody, and holds nobody up. */
export function refuseUndrainable({fleet}: Pick<OpenFleet, 'fleet'>): void {
  if (drainedRoutes(fleet).length === 0)
    throw usageError('--drain: no store of the fleet file names routes whose reads it may hold off (stores.NAME.breaker.drain)');
  if (fleet.approval?.before.includes('reroute'))
    throw usageError(
      '--drain: the fleet file wants approval before reroute, and a breaker cannot wait for people: take reroute out of approval.before',
    );
}

/** The regions that are held off routes, by what is kept: whether they still are is known to the routers. */
export function heldNow({fleet}: Pick<OpenFleet, 'fleet'>, state: Pick<State, 'recall'>): readonly DrainRow[] {
  return fleet.routes.flatMap(({name: route}) =>
    Object.entries(recallDrain(state, fleet.name, route)?.held ?? {}).map(([region, {weight, since, run, says}]) => {
      return {route, region, weight, since, run, reason: says};
    }),
  );
}

/**
 * Looks at the routes whose reads breakers may hold off, and does what the links ask for, each route by a run of its own. Answers with what became of which
 * region, also where nothing could be done. Throws when state cannot be kept (73).
 */
export async function drainReads(open: OpenFleet, links: readonly DrainLink[], options: DrainOptions): Promise<readonly DrainEvent[]> {
  const state = await open.state();
  const {snapshot} = await observeFleet({...open, signal: options.signal, vantage: 'here'});
  const events: DrainEvent[] = [];
  for (const route of drainedRoutes(open.fleet)) events.push(...(await drainRoute({open, state, snapshot, links}, route, options)));
  return events;
}

type Look = {readonly open: OpenFleet; readonly state: State; readonly snapshot: Snapshot; readonly links: readonly DrainLink[]};

async function drainRoute(look: Look, route: RouteSpec, options: DrainOptions): Promise<readonly DrainEvent[]> {
  const {open, snapshot, links} = look;
  const tell = teller(open, route.name);
  const cell = snapshot.routers[route.name];
  if (cell?.known !== true)
    return [tell('failed', null, `the weights of ${route.name} are not known: ${cell?.reason ?? 'it was not looked at'}`)];
  const weights = cell.value;
  const lag = lagOfRegions(open.fleet, route, links, primaryIn(snapshot));
  const {record, moved} = settle(look, route, weights, lag);
  const keep = keptServing(open.fleet, route.name);
  const decision = decideDrain({weights, held: record.held, left: record.left, lag, isFit: fitIn(snapshot), keep});
  return [
    ...moved.map(({region, weight, isServing}) => tell('moved', region, movedSays(route.name, region, {weight, isServing}), {weight})),
    ...decision.stays.map(({region, says}) => tell('stays', region, says)),
    ...(decision.hold.length + decision.giveBack.length === 0 ? [] : await act(look, route, {weights, record, decision}, options)),
  ];
}

const movedSays = (route: string, region: string, {weight, isServing}: Omit<Moved, 'region'>): string =>
  isServing
    ? `another hand gave it traffic again; it is left alone until its links have closed`
    : `the weights of ${route} were changed by another hand; to have its ${weight} back, ${region} needs that hand too`;

/** What is kept of the route, led on by what its weights are now. */
function settle(
  {open, state}: Look,
  route: RouteSpec,
  weights: Weights,
  lag: Parameters<typeof withoutClosed>[1],
): ReturnType<typeof settled> {
  return state.together(() => {
    const {record, moved} = settled(recallDrain(state, open.fleet.name, route.name), weights);
    const led = withoutClosed(record, lag);
    keepDrain(state, open.fleet.name, route.name, led);
    return {record: led, moved};
  });
}

type Shift = {readonly weights: Weights; readonly record: DrainRecord; readonly decision: DrainDecision};

async function act(look: Look, route: RouteSpec, shift: Shift, options: DrainOptions): Promise<readonly DrainEvent[]> {
  const {decision} = shift;
  const tell = teller(look.open, route.name);
  try {
    const {run, trouble} = await runShift(look, route, shift, options);
    if (trouble !== null) return [tell('failed', null, trouble, {run})];
    return [
      ...decision.hold.map(({region, weight, says}) => tell('held', region, says, {weight, run})),
      ...decision.giveBack.map(({region, weight, says}) => tell('returned', region, says, {weight, run})),
    ];
  } catch (error) {
    options.signal.throwIfAborted();
    const wanted = [...decision.hold.map(({region}) => `${region} off`), ...decision.giveBack.map(({region}) => `${region} back`)];
    return [tell('failed', null, `${wanted.join(', ')}: ${messageOf(error).replace(/\.$/, '')}`)];
  }
}

/** Plans, judges and runs. `trouble` null = the weights are as they should be. */
async function runShift(
  {open, state, snapshot}: Look,
  {name: route}: RouteSpec,
  {weights, record, decision}: Shift,
  {signal, leave}: DrainOptions,
): Promise<{readonly run: string; readonly trouble: string | null}> {
  const {clock, fleet} = open;
  const life = new AbortController();
  const world = worldOf(open, {life: life.signal});
  const id = newRunId('shift', clock.wall());
  const now = (): number => clock.now();
  const asked = {runId: 'plan', token: 'none', signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]), now, deadline: now() + GATES_MS};
  const plan = await judgeGates(planDrain({id, snapshot, route, weights, decision}), world.checks, asked);
  refuseShutGates(plan);
  const since = new Date(clock.wall()).toISOString();
  const pending = withPending(record, decision, id, since);
  const {result} = await conductPlan(open, world, plan, {
    // It is over in a moment: who ends the view waits for it, who cannot wait leaves it.
    interrupt: new AbortController().signal,
    leave,
    marks: [],
    // From here on the lease is held, and nothing was touched: what comes to pass is told by the weights, whatever becomes of this process.
    onEvent: ({type}) => (type === 'run-started' ? keepDrain(state, fleet.name, route, pending) : undefined),
  });
  life.abort(new Error('the run is over'));
  const isDone = result.outcome === 'succeeded';
  if (isDone && pending.pending !== null) keepDrain(state, fleet.name, route, {...pending, ...pending.pending, pending: null});
  return {run: id, trouble: isDone ? null : result.reason.replace(/\.$/, '')};
}

function primaryIn(snapshot: Snapshot): IsPrimary {
  return (store, member) => {
    const cell = snapshot.stores[store]?.members[member];
    return cell?.known === true ? cell.value.role === 'primary' : null;
  };
}

function fitIn(snapshot: Snapshot): (region: string) => boolean | null {
  return (region) => {
    const cell = snapshot.regions[region];
    return cell?.known === true ? cell.value.verdict !== 'unhealthy' : null;
  };
}

type Tell = (
  what: DrainEvent['what'],
  region: string | null,
  reason: string,
  more?: Partial<Pick<DrainEvent, 'weight' | 'run'>>,
) => DrainEvent;

function teller({clock}: OpenFleet, route: string): Tell {
  return (what, region, reason, {weight = null, run = null} = {}) => {
    return {at: new Date(clock.wall()).toISOString(), route, region, what, weight, run, reason};
  };
}
