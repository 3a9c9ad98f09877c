import {timeoutAwake} from '../awake.ts';
import {messageOf} from '../errors.ts';
import {EXIT, type ExitCode} from '../exit-codes.ts';
import type {PlanCapacity} from '../failover/capacity-gate.ts';
import {judged} from '../failover/gates.ts';
import {peerStores, unfitness} from '../failover/peers.ts';
import {isServed} from '../failover/plan-evacuation.ts';
import {storesHeldBy} from '../failover/plan-failover.ts';
import type {Fleet} from '../fleet/fleet.ts';
import {regionOf} from '../fleet/lookup.ts';
import {observeFleet} from '../observe/take-snapshot.ts';
import type {Plan} from '../plan/plan.ts';
import {type GateRow, gateRows} from '../plan/plan-document.ts';
import type {State} from '../ports/state.ts';
import type {OpenFleet} from '../providers/open-fleet.ts';
import {judgeGates} from '../run/judge-gates.ts';
import {evacuationFrom, fleetOfPeers} from './evacuate.ts';
import {rememberLatency} from './latency.ts';
import {planCapacity} from './plan-capacity.ts';
import {failoverFrom} from './prepare.ts';
import {readyKey, samplesOf} from './ready-samples.ts';
import {withRememberedAck} from './remember-ack.ts';
import type {World} from './world.ts';

/** One way that a failover could go. `reason` says why it cannot even be planned; `share` is of the checks of the last 30 days, null = the first. */
export type ReadyPair = {
  readonly from: string;
  readonly to: string;
  readonly ready: boolean;
  readonly reason: string | null;
  readonly gates: readonly GateRow[];
  readonly checks: number;
  readonly share: number | null;
  readonly since: string | null;
};

/** What `failover ready --json` prints. `share` is the smallest of its pairs: the objective is 0.999. */
export type ReadyDocument = {
  readonly fleet: string;
  readonly at: string;
  readonly pairs: readonly ReadyPair[];
  readonly share: number | null;
};

/** Gates that ask whether the region is down: they refuse by right as long as it is up. */
const ASKS_FOR_DOWN = /^(region-down|primary-silent|run-alone)(:|$)/;
const KEEP_MS = 30 * 24 * 3_600_000;
/** Enough for one check every ten minutes. */
const KEEP_MOST = 4500;
const GATES_MS = 10_000;

/** `record` false = what is found does not count for the share of the last 30 days: for who looks twice a minute. Default true. */
export type ReadyOptions = {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly signal: AbortSignal;
  readonly record?: boolean;
};

/**
 * Judges, without any write, whether each region that holds a primary could be left for each other one now. What was found is remembered, so
 * that the share of the last 30 days can be told. Exit code: 0 every region has a ready target, 1 some way is not ready, 2 a region has none.
 */
export async function readReady(
  open: OpenFleet,
  world: World,
  {from, to, signal, record = true}: ReadyOptions,
): Promise<{document: ReadyDocument; exit: ExitCode}> {
  const {fleet} = open;
  for (const name of [from, to]) if (name !== undefined) regionOf(fleet, name);
  const state = await open.state().catch(() => null);
  const capacity = planCapacity(open, signal);
  const {snapshot: seen} = await observeFleet({...open, signal, vantage: 'here'});
  const snapshot = withRememberedAck(state, fleet.name, seen);
  // Readiness is asked on calm days: what is measured now is what a run compares with.
  const measuring = record ? rememberLatency(open, signal) : null;
  const found = await readyFrom(open, world, {snapshot, state, capacity: await capacity}, {from, to, signal, record});
  await measuring;
  return found;
}

/** What readiness is judged from. `state` null = it cannot be read. */
export type ReadyLook = Pick<Asking, 'snapshot' | 'state' | 'capacity'>;

/** As `readReady`, from a look at the fleet that was taken before. */
export async function readyFrom(
  open: OpenFleet,
  world: World,
  {snapshot, state, capacity}: ReadyLook,
  {from, to, signal, record = true}: ReadyOptions,
): Promise<{document: ReadyDocument; exit: ExitCode}> {
  const {fleet, clock} = open;
  const names = fleet.regions.map(({name}) => name);
  const peers = fleetOfPeers(open, snapshot);
  const isSource = (name: string): boolean =>
    peers !== null ? isServed(fleet, snapshot, name) : storesHeldBy(fleet, snapshot, name).length > 0;
  const sources = names.filter((name) => (from === undefined || name === from) && isSource(name));
  const ways = sources.flatMap((source) =>
    names.filter((name) => name !== source && (to === undefined || name === to)).map((target) => ({source, target})),
  );
  const at = clock.wall();
  const pairs = await Promise.all(
    ways.map(({source, target}) =>
      peers === null
        ? judgePair(open, world, {snapshot, state, source, target, signal, capacity})
        : judgeLeaving(open, world, peers, {snapshot, state, source, target, signal, capacity}),
    ),
  );
  const documents = pairs.map((pair) => ({...pair, ...remembered(state, {fleet: fleet.name, pair, at, record})}));
  const shares = documents.flatMap(({share}) => (share === null ? [] : [share]));
  const document = {
    fleet: fleet.name,
    at: new Date(at).toISOString(),
    pairs: documents,
    share: shares.length === 0 ? null : Math.min(...shares),
  };
  return {document, exit: exitOf(document, sources)};
}

function exitOf({pairs}: ReadyDocument, sources: readonly string[]): ExitCode {
  if (sources.length === 0) return EXIT.unknown;
  if (sources.some((source) => !pairs.some(({from, ready}) => from === source && ready))) return EXIT.critical;
  return pairs.every(({ready}) => ready) ? EXIT.good : EXIT.warning;
}

type Asking = {
  readonly snapshot: Parameters<typeof failoverFrom>[1];
  readonly state: State | null;
  readonly source: string;
  readonly target: string;
  readonly signal: AbortSignal;
  readonly capacity: PlanCapacity | undefined;
};

/** Of peers: whether the one region could be left, and the other take a share of its traffic. */
function judgeLeaving(open: OpenFleet, world: World, fleet: Fleet, {snapshot, state, source, target, signal, capacity}: Asking) {
  return judgeWay(open, world, {from: source, to: target, signal}, async () => {
    const plan = await evacuationFrom(
      open,
      fleet,
      snapshot,
      {from: source, to: undefined, overrides: [], signal, state, capacity},
      {witness: false, approve: false},
    );
    const why = unfitness(snapshot, peerStores(fleet, snapshot), target);
    const fit = judged('target-healthy', true, {verdict: why === null ? 'pass' : 'refuse', says: why ?? `${target} takes writes`});
    return {...plan, gates: [...plan.gates, fit]};
  });
}

function judgePair(open: OpenFleet, world: World, {snapshot, state, source, target, signal, capacity}: Asking) {
  const way = {from: source, to: target};
  return judgeWay(open, world, {...way, signal}, () =>
    failoverFrom(open, snapshot, {...way, overrides: [], signal}, {witness: false, guard: null, approve: false, state, capacity}),
  );
}

type Way = {readonly from: string; readonly to: string; readonly signal: AbortSignal};

async function judgeWay(open: OpenFleet, world: World, {signal, ...way}: Way, planned: () => Promise<Plan>) {
  try {
    const plan = await planned();
    const asked = {...plan, gates: plan.gates.filter(({id}) => !ASKS_FOR_DOWN.test(id))};
    const now = () => open.clock.now();
    const ctx = {
      runId: 'ready',
      token: 'none',
      signal: AbortSignal.any([signal, timeoutAwake(GATES_MS)]),
      now,
      deadline: now() + GATES_MS,
    };
    const gates = gateRows(await judgeGates(asked, world.checks, ctx));
    const shut = gates.find(({verdict}) => verdict !== 'pass');
    return {...way, ready: shut === undefined, reason: shut === undefined ? null : `${shut.id}: ${shut.says}`, gates};
  } catch (error) {
    return {...way, ready: false, reason: messageOf(error), gates: []};
  }
}

type Found = {
  readonly fleet: string;
  readonly pair: {from: string; to: string; ready: boolean};
  readonly at: number;
  readonly record: boolean;
};

/** Samples are [epoch ms, 1 or 0], oldest first. */
function remembered(state: State | null, {fleet, pair: {from, to, ready}, at, record}: Found) {
  if (state === null) return {checks: 1, share: null, since: null};
  const key = readyKey(fleet, from, to);
  const earlier = samplesOf(state.recall(key)).filter(([when]) => when > at - KEEP_MS);
  const samples = [...earlier, [at, ready ? 1 : 0] as const].slice(-KEEP_MOST);
  if (record)
    state.remember(
      key,
      samples.map(([when, well]) => [when, well]),
    );
  const well = samples.filter(([, each]) => each === 1).length;
  const first = earlier[0]?.[0];
  return {
    checks: samples.length,
    share: earlier.length === 0 ? null : well / samples.length,
    since: first === undefined ? null : new Date(first).toISOString(),
  };
}
