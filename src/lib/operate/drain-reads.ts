import {isDeepStrictEqual} from 'node:util';
import {timeoutAwake} from '../awake.ts';
import {isRegionctlError, messageOf, usageError} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import type {RouteSpec} from '../fleet/fleet.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {Plan} from '../plan/plan.ts';
import type {Lease, LeaseHolder, State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates, refuseShutGates} from '../run/judge-gates.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {
  type DrainRecord,
  isSameButFine,
  keepDrain,
  lookedAt,
  type Moved,
  recallDrain,
  settled,
  withoutGone,
  withPending,
} from '../traffic/drain-record.ts';
import {planDrain} from '../traffic/plan-drain.ts';
import {
  type DrainDecision,
  type DrainInput,
  type DrainLink,
  decideDrain,
  drainedRoutes,
  type IsPrimary,
  keptServing,
  lagOfRegions,
  readmitAfter,
  type Weights,
} from '../traffic/read-drain.ts';
import {conductHeld, newRunId} from './conduct.ts';
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
 * weights, so that they are left alone; `waits` = another run acts on the fleet; `failed` = what should have been done was not (`region` null: the route). `reason` is one sentence without
 * its full stop.
 */
export type DrainEvent = {
  readonly at: string;
  readonly route: string;
  readonly region: string | null;
  readonly what: 'held' | 'returned' | 'stays' | 'moved' | 'waits' | 'failed';
  readonly weight: number | null;
  readonly run: string | null;
  readonly reason: string;
};

/** `leave` ends a run at once, in the middle; what it had done is told by the weights. */
export type DrainOptions = {readonly signal: AbortSignal; readonly leave: AbortSignal};

const GATES_MS = 2000;
/** What was seen longer ago decides nothing: another route's run may have taken its time. */
const FRESH_MS = 2000;
const ROUTER_MS = 2000;

/** Throws (64) where the fleet file lets no breaker drain, or wants people to agree to it: a breaker waits for nobody, and holds nobody up. */
export function refuseUndrainable(open: Pick<OpenFleet, 'fleet' | 'stores'>, state: Pick<State, 'recall'> | null = null): void {
  const {fleet, stores} = open;
  const routes = drainedRoutes(fleet);
  if (routes.length === 0 && (state === null || heldNow(open, state).length === 0))
    throw usageError('--drain: no store of the fleet file names routes whose reads it may hold off (stores.NAME.breaker.drain)');
  const blind = fleet.stores.find(
    ({name, breaker}) => breaker?.drain !== undefined && stores[name] !== undefined && stores[name].abilities.links === undefined,
  );
  if (blind !== undefined)
    throw usageError(
      `--drain: nobody can tell how late ${blind.name} is: its engine ${blind.engine} has no links to read; take drain out of it`,
    );
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

/** Whether anything is kept that a later look has to go on with: regions that are held off, or left alone until their links have closed. */
export function isUnfinished({fleet}: Pick<OpenFleet, 'fleet'>, state: Pick<State, 'recall'>): boolean {
  const records = fleet.routes.map(({name}) => recallDrain(state, fleet.name, name));
  return records.some((record) => record !== null && !isAtRest(record));
}

const isAtRest = ({held, left, pending}: DrainRecord): boolean => pending === null && left.length === 0 && Object.keys(held).length === 0;

/**
 * Looks at the routes whose reads breakers may hold off, and does what the links ask for, each route by a run of its own. Answers with what became of which
 * region, also where nothing could be done. Throws when state cannot be kept (73).
 */
export async function drainReads(open: OpenFleet, links: readonly DrainLink[], options: DrainOptions): Promise<readonly DrainEvent[]> {
  const {fleet} = open;
  const state = await open.state();
  const see = async (): Promise<Pick<Look, 'snapshot' | 'seenAt'>> => {
    const {snapshot} = await observeFleet({...open, signal: options.signal, vantage: 'here'});
    options.signal.throwIfAborted();
    return {snapshot, seenAt: open.clock.now()};
  };
  let seen = await see();
  const drained = drainedRoutes(fleet);
  // What is held off a route that the file takes out of drain is given back.
  const routes = fleet.routes.filter((route) => drained.includes(route) || recallDrain(state, fleet.name, route.name) !== null);
  const events: DrainEvent[] = [];
  for (const route of routes) {
    if (open.clock.now() - seen.seenAt > FRESH_MS) seen = await see();
    events.push(...(await drainRoute({open, state, links, ...seen}, route, options)));
  }
  return events;
}

/** `seenAt`: when the snapshot was taken, by the monotonic clock. */
type Look = {
  readonly open: OpenFleet;
  readonly state: State;
  readonly links: readonly DrainLink[];
  readonly snapshot: Snapshot;
  readonly seenAt: number;
};

async function drainRoute(look: Look, route: RouteSpec, options: DrainOptions): Promise<readonly DrainEvent[]> {
  const {open, state, snapshot} = look;
  const tell = teller(open, route.name);
  const cell = snapshot.routers[route.name];
  if (cell?.known !== true)
    return [tell('failed', null, `the weights of ${route.name} are not known: ${cell?.reason ?? 'it was not looked at'}`)];
  // Whoever moves a primary holds all traffic for a moment.
  if (isAllHeld(cell.value)) return [];
  const first = think(look, route, cell.value);
  const stays = first.decision.stays.map(({region, says}) => tell('stays', region, says));
  if (!first.isNews) return stays;
  const holder = state.holder(open.fleet.name);
  if (holder !== null) return [...stays, tell('waits', null, busySays(first, holder))];
  try {
    const done = await actAlone(look, route, options);
    return [...stays.filter((each) => !done.some(({region}) => region === each.region)), ...done];
  } catch (error) {
    options.signal.throwIfAborted();
    const what = isRegionctlError(error) && error.exit === EXIT.leaseHeld ? 'waits' : 'failed';
    return [...stays, tell(what, null, `${wantedSays(first)}: ${messageOf(error).replace(/\.$/, '')}`)];
  }
}

const isAllHeld = (weights: Weights): boolean => Object.values(weights).every((weight) => weight === 0);

const busySays = (thought: Thought, {user, host, runId}: LeaseHolder): string =>
  `${wantedSays(thought)}: ${user}@${host} acts on the fleet${runId === null ? '' : ` with run ${runId}`}`;

function wantedSays({decision: {hold, giveBack}}: Thought): string {
  const wanted = [...hold.map(({region}) => `${region} off`), ...giveBack.map(({region}) => `${region} back`)];
  return wanted.length === 0 ? 'what is held off' : wanted.join(', ');
}

/** What a look makes of a route: the record led on, what another hand has done, and what is to be done. `isNews` = something must be kept or done. */
type Thought = {
  readonly record: DrainRecord;
  readonly moved: readonly Moved[];
  readonly decision: DrainDecision;
  readonly isNews: boolean;
};

function think({open, state, snapshot, links}: Look, route: RouteSpec, weights: Weights): Thought {
  const {fleet, clock} = open;
  const at = clock.wall();
  const kept = recallDrain(state, fleet.name, route.name);
  const lag = lagOfRegions(fleet, route, links, primaryIn(snapshot));
  const now = settled(kept, weights);
  const there = withoutGone(now.record, Object.keys(route.weights));
  const record = lookedAt(there.record, lag, new Date(at).toISOString());
  const readmitMs = readmitAfter(fleet, route.name);
  const decision = decideDrain({
    ...{weights, held: record.held, left: record.left, lag, keep: keptServing(fleet, route.name)},
    ...fitnessIn(snapshot),
    isReady: (region) => isLongAgo(record.held[region]?.fineSince ?? null, at - readmitMs),
  });
  const isKept = isSameButFine(kept, record);
  // Since when a region is fine is nobody's news, and may be noted by anybody who saw the same record.
  if (isKept)
    state.together(() =>
      isDeepStrictEqual(recallDrain(state, fleet.name, route.name), kept) ? keepDrain(state, fleet.name, route.name, record) : undefined,
    );
  // The weights of a route off which nothing is held are nobody's news either.
  const isIdle = [kept, record].every((each) => each === null || isAtRest(each));
  const isNews = decision.hold.length + decision.giveBack.length > 0 || !(isKept || isIdle);
  return {record, moved: [...now.moved, ...there.moved], decision, isNews};
}

const isLongAgo = (iso: string | null, at: number): boolean => iso !== null && Date.parse(iso) <= at;

/** Thinks once more with nobody else at work and the weights as they are by now, and does it. */
async function actAlone(look: Look, route: RouteSpec, options: DrainOptions): Promise<readonly DrainEvent[]> {
  const {open, state} = look;
  const id = newRunId('shift', open.clock.wall());
  const lease = state.lease(open.fleet.name, id);
  let isPassedOn = false;
  try {
    const router = open.routers[route.name];
    if (router === undefined) throw new Error(`the route ${route.name} was not opened`);
    const weights = await router.read(AbortSignal.any([options.signal, timeoutAwake(ROUTER_MS)]));
    if (isAllHeld(weights)) return [];
    const thought = think(look, route, weights);
    const tell = teller(open, route.name);
    const moved = thought.moved.map(({region, weight, isServing}) =>
      tell('moved', region, movedSays(route, region, {weight, isServing}), {weight}),
    );
    const {hold, giveBack} = thought.decision;
    if (hold.length + giveBack.length === 0) {
      keepDrain(state, open.fleet.name, route.name, thought.record);
      return moved;
    }
    const plan = await judgedPlan(look, route, {id, weights, decision: thought.decision}, options.signal);
    const begun = withPending(thought.record, thought.decision, id, new Date(open.clock.wall()).toISOString());
    // Before anything is touched: what comes to pass is told by the weights, whatever becomes of this process.
    keepDrain(state, open.fleet.name, route.name, begun);
    isPassedOn = true;
    const trouble = await runShift(look, route, {plan, begun, lease}, options);
    if (trouble !== null) return [...moved, tell('failed', null, `${wantedSays(thought)}: ${trouble}`, {run: id})];
    return [
      ...moved,
      ...hold.map(({region, weight, says}) => tell('held', region, says, {weight, run: id})),
      ...giveBack.map(({region, weight, says}) => tell('returned', region, says, {weight, run: id})),
    ];
  } finally {
    if (!isPassedOn) lease.release();
  }
}

const movedSays = ({name, weights}: RouteSpec, region: string, {weight, isServing}: Omit<Moved, 'region'>): string => {
  if (!(region in weights)) return `the route ${name} of the fleet file has no region ${region} any more: its ${weight} is not given back`;
  return isServing
    ? 'another hand gave it traffic again; it is left alone until its links have closed'
    : `the weights of ${name} were changed by another hand; to have its ${weight} back, ${region} needs that hand too`;
};

async function judgedPlan(
  {open, snapshot}: Look,
  {name: route}: RouteSpec,
  {id, weights, decision}: {readonly id: string; readonly weights: Weights; readonly decision: DrainDecision},
  signal: AbortSignal,
): Promise<Plan> {
  const now = (): number => open.clock.now();
  const asked = {runId: 'plan', token: 'none', signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]), now, deadline: now() + GATES_MS};
  const checks = worldOf(open, {life: signal}).checks;
  const plan = await judgeGates(planDrain({id, snapshot, route, weights, decision}), checks, asked);
  refuseShutGates(plan);
  return plan;
}

type Shift = {readonly plan: Plan; readonly begun: DrainRecord; readonly lease: Lease};

/** Runs it. null = the weights are as they should be; else why it is not known that they are. */
async function runShift(
  {open, state}: Look,
  {name: route}: RouteSpec,
  {plan, begun, lease}: Shift,
  {leave}: DrainOptions,
): Promise<string | null> {
  const {fleet} = open;
  const life = new AbortController();
  const {result} = await conductHeld(open, worldOf(open, {life: life.signal}), plan, {
    // It is over in a moment: who ends the view waits for it, who cannot wait leaves it.
    interrupt: new AbortController().signal,
    leave,
    marks: [],
    lease,
    onOver: ({outcome}) => {
      if (outcome === 'succeeded' && begun.pending !== null) keepDrain(state, fleet.name, route, {...begun.pending, pending: null});
    },
  }).finally(() => life.abort(new Error('the run is over')));
  return result.outcome === 'succeeded' ? null : result.reason.replace(/\.$/, '');
}

function primaryIn(snapshot: Snapshot): IsPrimary {
  return (store, member) => {
    const cell = snapshot.stores[store]?.members[member];
    return cell?.known === true ? cell.value.role === 'primary' : null;
  };
}

/** Whether a region can serve, and why not, in one clause. */
function fitnessIn(snapshot: Snapshot): Pick<DrainInput, 'isFit' | 'fitness'> {
  return {
    isFit: (region) => {
      const cell = snapshot.regions[region];
      return cell?.known === true ? cell.value.verdict !== 'unhealthy' : null;
    },
    fitness: (region) => {
      const cell = snapshot.regions[region];
      if (cell === undefined) return 'it was not looked at';
      return cell.known ? `${cell.value.verdict}, ${cell.value.reason}`.replace(/\.$/, '') : cell.reason.replace(/\.$/, '');
    },
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
