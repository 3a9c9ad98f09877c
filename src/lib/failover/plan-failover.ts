import {refused, usageError} from '../errors.ts';
import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Objective, Override, Plan, Step} from '../plan/plan.ts';
import type {Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';
import {chooseTarget} from './choose-target.ts';
import {findPrimary, type PrimaryFinding, standbysOf} from './find-primary.ts';
import {
  enoughStandbys,
  fenceable,
  type JudgedLoss,
  lossWithinRpo,
  primarySilent,
  regionDown,
  residency,
  resolveOverrides,
  routersReachable,
  targetHealthy,
} from './gates.ts';
import {quorumFit} from './quorum.ts';
import {expect, inOrder, storeSteps} from './steps.ts';
import {drainStep, rerouteStep, witnessSteps, writeStep} from './traffic-steps.ts';

/** What a failover is planned from. `loss` judges a promotion of `to` per store; `takenAt` of the snapshot is when looking began. */
export type FailoverInput = {
  readonly id: string;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly from: string;
  readonly to: string;
  readonly loss: readonly JudgedLoss[];
  readonly objectives: readonly Objective[];
  readonly overrides: readonly Override[];
  /** Whether the run measures the write gap with its own witness. A drill brings its own. */
  readonly witness: boolean;
};

/** One store that has to move: where its primary is, and who will be its primary. */
export type Move = {
  readonly spec: StoreSpec;
  readonly primary: PrimaryFinding;
  readonly target: string;
  readonly epoch: number;
  readonly standbys: readonly string[];
};

/** The region whose loss is to be handled: the given one, or the one unhealthy region that holds a primary. Refuses (77) with one sentence when there is none. */
export function chooseSource(fleet: Fleet, snapshot: Snapshot, given: string | undefined): string {
  const holders = new Map<string, string[]>();
  for (const spec of fleet.stores) {
    const store = snapshot.stores[spec.name];
    const primary = store === undefined ? null : findPrimary(store, spec);
    if (primary !== null) holders.set(primary.region, [...(holders.get(primary.region) ?? []), spec.name]);
  }
  if (given !== undefined) {
    if (holders.has(given)) return given;
    throw refused('nothing-to-do', `nothing was done: ${given} holds no primary${holderText(holders)}`);
  }
  const [only, ...others] = [...holders.keys()];
  if (only === undefined)
    throw refused('no-primary', 'no primary of any store could be found, neither seen nor named by a standby', {
      suggestions: ['regionctl status'],
    });
  if (others.length === 0) return only;
  const down = [...holders.keys()].filter((region) => unhealthy(snapshot, region));
  const [first] = down;
  if (down.length === 1 && first !== undefined) return first;
  throw usageError(`primaries are in ${[...holders.keys()].join(' and ')}: name the region to leave with --from`);
}

/** The region to go to: the given one, or the first fit one of the failover order. Refuses (77) when there is none. */
export function chooseDestination(fleet: Fleet, snapshot: Snapshot, from: string, given: string | undefined): string {
  if (given === from) throw usageError(`--to ${given}: that is the region that is being left`);
  if (given !== undefined) return given;
  const choice = chooseTarget(fleet, snapshot, from, storesHeldBy(fleet, snapshot, from));
  if (choice.region === null) throw refused('no-target', `no region can take over from ${from}: ${choice.reason}`);
  return choice.region;
}

/** The stores whose primary is in a region. */
export function storesHeldBy(fleet: Fleet, snapshot: Snapshot, region: string): readonly StoreSpec[] {
  return fleet.stores.filter((spec) => {
    const store = snapshot.stores[spec.name];
    return store !== undefined && findPrimary(store, spec)?.region === region;
  });
}

/** Plans a failover: pure, from one snapshot. Gates that must ask the world are still open (`unknown`) in the result. */
export function planFailover(input: FailoverInput): Plan {
  const {id, fleet, snapshot, from, to, objectives, loss} = input;
  const moves = storesHeldBy(fleet, snapshot, from).map((spec) => moveOf(spec, snapshot, to));
  const routes = fleet.routes.filter(({weights}) => to in weights || from in weights);
  const gates = gatesOf(input, moves, routes);
  const overrides = resolveOverrides(gates, input.overrides);
  const url = input.witness ? fleet.witness : null;
  const steps = [
    ...witnessSteps(url).start,
    ...moves.flatMap(({spec}) => [storeSteps(named(spec, moves)).claim(answering(snapshot, spec))]),
    ...routes.map((route) => drainStep(route, snapshot)),
    ...moves.flatMap((move) => stepsOf(move, moves, snapshot, {to, overrides})),
    ...routes.map((route) => rerouteStep(route, to, snapshot)),
    ...writeStep(fleet, to),
  ];
  return {
    version: 1,
    id,
    kind: 'failover',
    from,
    to,
    snapshot,
    expects: moves.map(({spec}) => expect('store.no-other-primary', {store: spec.name}, {except: from})),
    gates,
    overrides,
    steps: inOrder(steps),
    abortIf: [],
    always: [...moves.map(({spec}) => storeSteps(named(spec, moves)).release()), ...witnessSteps(url).stop],
    files: [],
    objectives,
    expected: {gapMs: null, loss},
    drill: null,
  };
}

function gatesOf({fleet, snapshot, from, to, loss}: FailoverInput, moves: readonly Move[], routes: readonly RouteSpec[]): Gate[] {
  const jurisdiction = fleet.regions.find(({name}) => name === to)?.jurisdiction ?? 'an unknown jurisdiction';
  return [
    regionDown(snapshot, from),
    targetHealthy(fleet, snapshot, to),
    routersReachable(
      snapshot,
      routes.map(({name}) => name),
    ),
    ...moves.flatMap(({spec, primary, standbys}) => [
      enoughStandbys(snapshot, spec),
      residency(spec, fleet.dataClasses, to, jurisdiction),
      primarySilent(spec, primary.member, standbys),
      fenceable(spec, primary.member, primary.region, quorumOf(spec, snapshot.stores[spec.name], standbys)),
    ]),
    ...loss.map(lossWithinRpo),
  ];
}

function moveOf(spec: StoreSpec, snapshot: Snapshot, to: string): Move {
  const store = snapshot.stores[spec.name];
  const primary = store === undefined ? null : findPrimary(store, spec);
  if (store === undefined || primary === null) throw refused('no-primary', `no primary of ${spec.name} could be found`);
  const standbys = standbysOf(store).map(({name}) => name);
  const inTarget = spec.members.filter(({region}) => region === to).map(({name}) => name);
  const target = inTarget.find((name) => standbys.includes(name)) ?? inTarget[0];
  if (target === undefined) throw refused('no-target', `${to} has no member of ${spec.name}`);
  const cell = store.members[target];
  return {spec, primary, target, epoch: cell?.known ? cell.value.durable.epoch : 0, standbys};
}

function stepsOf(
  {spec, primary, target, epoch, standbys}: Move,
  moves: readonly Move[],
  snapshot: Snapshot,
  {to, overrides}: {readonly to: string; readonly overrides: readonly Override[]},
): Step[] {
  const passed = (gate: string) => overrides.some((override) => override.gate === `${gate}:${spec.name}`);
  const accept = passed('fence') ? [...PROOFS, 'break-glass'] : PROOFS;
  const silent =
    standbys.length === 0 || passed('primary-silent')
      ? []
      : [expect('store.silent', {store: spec.name, member: primary.member}, {standbys})];
  const build = storeSteps(named(spec, moves));
  const others = spec.members.map(({name}) => name).filter((name) => name !== target);
  const followers = standbys.filter((name) => name !== target);
  const quorum = quorumOf(spec, snapshot.stores[spec.name], standbys);
  const sealed = expect('store.sealed', {store: spec.name}, {members: standbys});
  const fenced = expect('store.fenced', {store: spec.name, member: primary.member, region: primary.region}, {...quorum, accept});
  return [
    build.seal(standbys, primary.member, silent),
    build.fence(primary.member, primary.region, quorum, accept),
    build.catchUp(target, to, standbys),
    build.durability(target, to, spec.quorum, others),
    build.promote(target, to, epoch, [
      sealed,
      fenced,
      expect('store.most-advanced', {store: spec.name, member: target}, {among: standbys}),
    ]),
    // One follower too many that cannot follow must not keep all traffic waiting.
    ...followers.map((name) => ({
      ...build.follow(name, regionOfMember(spec, name), target),
      ...(followers.length > spec.quorum ? {onFailure: 'continue' as const} : {}),
    })),
  ];
}

const PROOFS = ['stopped', 'closed', 'sealed', 'hook'] as const;

/** What the fence needs to know to accept sealing as a proof. */
export function quorumOf(
  spec: StoreSpec,
  store: StoreSnapshot | undefined,
  standbys: readonly string[],
): {need: number; standbys: readonly string[]; others: number} {
  return {need: quorumFit(spec, store).seals, standbys, others: spec.members.length - 1};
}

/** The members that answer: a claim on one that does not would only cost time. */
export function answering(snapshot: Snapshot, spec: StoreSpec): readonly string[] {
  return spec.members.map(({name}) => name).filter((name) => snapshot.stores[spec.name]?.members[name]?.known === true);
}

/** Ids carry the store's name only when several stores move. */
export function named(spec: StoreSpec, moves: readonly unknown[]) {
  return {store: spec.name, suffix: moves.length > 1 ? `:${spec.name}` : ''};
}

/** The region of a member, from the fleet file: never from the node. */
export function regionOfMember(spec: StoreSpec, name: string): string {
  return spec.members.find((member) => member.name === name)?.region ?? '';
}

function unhealthy(snapshot: Snapshot, region: string): boolean {
  const cell = snapshot.regions[region];
  return cell?.known === true && cell.value.verdict === 'unhealthy';
}

function holderText(holders: ReadonlyMap<string, readonly string[]>): string {
  const list = [...holders].map(([region, stores]) => `${stores.join(', ')} has its primary in ${region}`);
  return list.length === 0 ? '' : `; ${list.join('; ')}`;
}
