import {refused, usageError} from '../errors.ts';
import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Objective, Override, Plan, Step} from '../plan/plan.ts';
import type {Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';
import {withApprovals} from './approvals.ts';
import {type PlanCapacity, withCapacity} from './capacity-gate.ts';
import {chooseTarget} from './choose-target.ts';
import {findPrimary, type PrimaryFinding, standbysOf} from './find-primary.ts';
import {
  acknowledgers,
  breakerClosed,
  clocksSane,
  enoughStandbys,
  fenceable,
  type JudgedLoss,
  lossWithinRpo,
  ourselvesSane,
  primarySilent,
  regionDown,
  residency,
  routersReachable,
  runAlone,
  survivorsKnown,
  takesOver,
  targetHealthy,
  targetSettings,
  unclaimed,
} from './gates.ts';
import {type Guard, guardStep} from './guard.ts';
import {noneToMove, peersRemarks, watchedIn, watchedRemarks} from './left-alone.ts';
import {handoverStep, managerFit, managerOf, settledStep} from './managed-steps.ts';
import {noPrimary} from './no-primary.ts';
import {placeFor} from './place.ts';
import {quorumFit} from './quorum.ts';
import {routeTarget, writeTarget} from './route-target.ts';
import {type DurabilityRule, expect, inOrder, storeSteps, underClaims} from './steps.ts';
import {drainStep, rerouteStep, witnessSteps, writeStep} from './traffic-steps.ts';
import {byUrgency} from './urgency.ts';
import {countsStep, verifySteps} from './verify-steps.ts';
import {warmUpSteps} from './warm-up.ts';

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
  /** What tells whether the others can carry the load; absent = it is not asked. */
  readonly capacity?: PlanCapacity | undefined;
  /** Whether the run measures the write gap with its own witness. A drill brings its own. */
  readonly witness: boolean;
  /** How long the old primary is guarded at the end; null = not at all (a drill heals and guards by itself). */
  readonly guard: Guard | null;
  /** Whether the approval of the fleet file is asked for. */
  readonly approve: boolean;
};

/** One store that has to move: where its primary is, and who will be its primary. */
export type Move = {
  readonly spec: StoreSpec;
  readonly primary: PrimaryFinding;
  readonly target: string;
  /** Where the target is: not always where the rest goes. */
  readonly region: string;
  /** Why it goes elsewhere than the rest; null = it does not. */
  readonly why: string | null;
  readonly epoch: number;
  readonly standbys: readonly string[];
};

/** The region whose loss is to be handled: the given one, or the one unhealthy region that holds a primary. Refuses (77) with one sentence when there is none. */
export function chooseSource(fleet: Fleet, snapshot: Snapshot, given: string | undefined): string {
  const without = noneToMove(fleet.stores, snapshot);
  if (without !== null) throw refused('no-primary', without, {suggestions: ['regionctl replication lag']});
  const holders = new Map<string, string[]>();
  for (const spec of fleet.stores) {
    const store = snapshot.stores[spec.name];
    const primary = store === undefined ? null : findPrimary(store, spec);
    if (primary !== null) holders.set(primary.region, [...(holders.get(primary.region) ?? []), spec.name]);
  }
  if (given !== undefined) {
    if (holders.has(given)) return given;
    const watched = watchedIn(fleet.stores, snapshot, given);
    const none = watched.length === 0 ? 'no primary' : 'no primary that a plan moves';
    throw refused('nothing-to-do', [`nothing was done: ${given} holds ${none}${holderText(holders)}`, ...watched].join('; '));
  }
  const [only, ...others] = [...holders.keys()];
  if (only === undefined)
    throw noPrimary(fleet.stores, snapshot, {
      says: 'no primary of any store could be found, neither seen nor named by a standby',
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
  const stores = storesHeldBy(fleet, snapshot, from);
  if (given === from && !hasOtherSite(fleet, snapshot, from, stores))
    throw usageError(`--to ${given}: that is the region that is being left, and it has no other site with these stores`);
  if (given !== undefined) return given;
  const choice = chooseTarget(fleet, snapshot, from, stores);
  if (choice.region === null && hasOtherSite(fleet, snapshot, from, stores)) return from;
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

/** Whether any of the stores could be promoted within the region: it has another member there, which answers as a standby. */
function hasOtherSite(fleet: Fleet, snapshot: Snapshot, region: string, stores: readonly StoreSpec[]): boolean {
  return stores.some((spec) => {
    const store = snapshot.stores[spec.name];
    const primary = store === undefined ? null : findPrimary(store, spec);
    if (store === undefined || primary === null) return false;
    const place = placeFor(fleet, snapshot, spec, {from: region, to: region, primary: primary.member});
    const cell = place.member === null ? undefined : store.members[place.member];
    return cell?.known === true && cell.value.role === 'standby';
  });
}

/** Plans a failover: pure, from one snapshot. Gates that must ask the world are still open (`unknown`) in the result. */
export function planFailover(input: FailoverInput): Plan {
  const {id, fleet, snapshot, from, to, objectives, guard, approve} = input;
  const {moves, staysDown} = movesOf(fleet, snapshot, from, to);
  const routes = fleet.routes.filter(({weights}) => to in weights || from in weights);
  const reroutes = routes.map((route) => rerouteStep(route, routeTarget(fleet, route, moves, to), snapshot));
  const isDown = regionDown(snapshot, from).verdict === 'pass';
  const leaving = {fleet, snapshot, steps: reroutes, from: to === from ? null : from, takers: [to], isDown};
  const {gates, overrides, remarks} = withCapacity(input, gatesOf(input, moves, routes), leaving);
  const url = input.witness ? fleet.witness : null;
  const verify = verifySteps(fleet, moves, routes);
  const steps = [
    ...witnessSteps(url).start,
    ...moves.flatMap(({spec}) => [storeSteps(named(spec, moves)).claim(answering(snapshot, spec), {evict: takesOver(spec, overrides)})]),
    ...warmUpSteps(fleet, moves, to),
    ...routes.map((route) => drainStep(route, snapshot)),
    ...moves.flatMap((move) => stepsOf(move, moves, snapshot, overrides)),
    ...reroutes,
    ...writeStep(fleet, writeTarget(fleet, routes, moves, to)),
    ...verify.checks,
    ...moves.flatMap((move) => settledOf(move, moves, snapshot)),
    ...moves.flatMap((move) => countsOf(move, moves)),
    ...(guard === null ? [] : witnessSteps(url).end),
    // A manager brings its own former primary back, or keeps it down.
    ...(guard === null ? [] : moves.filter(({spec}) => managerOf(snapshot, spec.name) === null).map((move) => guardOf(move, moves, guard))),
    ...verify.rejected,
  ];
  return {
    version: 1,
    id,
    kind: 'failover',
    from,
    to,
    snapshot,
    expects: moves.map(({spec}) =>
      expect('store.no-other-primary', {store: spec.name}, {except: from, without: unheard(spec, snapshot, from, overrides)}),
    ),
    standsOn: moves.map(({spec, primary, epoch}) => expect('store.unmoved', {store: spec.name}, {primary: primary.member, epoch})),
    gates,
    overrides,
    steps: withApprovals(inOrder(underClaims(steps, namesOf(moves))), approve ? fleet.approval : null),
    abortIf: [],
    always: [...moves.map(({spec}) => storeSteps(named(spec, moves)).release()), ...witnessSteps(url).stop],
    files: [],
    objectives,
    expected: {gapMs: null, loss: input.loss},
    staysDown,
    remarks: [
      ...moves.flatMap(({spec, why}) => (why === null ? [] : [`${spec.name} stays in its jurisdiction: ${why}`])),
      ...watchedRemarks(fleet.stores, snapshot, from),
      ...peersRemarks(fleet.stores, snapshot, from),
      ...remarks,
    ],
    drill: null,
  };
}

function gatesOf({fleet, snapshot, from, to, loss}: FailoverInput, moves: readonly Move[], routes: readonly RouteSpec[]): Gate[] {
  return [
    runAlone(),
    ...moves.map(({spec}) => unclaimed(spec, answering(snapshot, spec))),
    ourselvesSane(),
    regionDown(snapshot, from),
    // Within one region only its stores can tell whether another site is fit; the region itself is what is down.
    ...(to === from ? [] : [targetHealthy(fleet, snapshot, to)]),
    routersReachable(
      snapshot,
      routes.map(({name}) => name),
    ),
    ...moves.flatMap((move) => managerGates(move, snapshot)),
    ...moves.flatMap((move) => {
      const {spec, primary, target, region, standbys} = move;
      // A manager's standbys are not ours to seal: there the quorum proves nothing by itself.
      const managed = managerOf(snapshot, spec.name) !== null;
      const quorum = managed ? {need: 0, standbys, others: spec.members.length - 1} : quorumOf(spec, snapshot.stores[spec.name], standbys);
      return [
        ...(managed ? [] : [enoughStandbys(snapshot, spec), ...acknowledgers(spec, target, lastingOf(move, snapshot, from, to))]),
        survivorsKnown(snapshot, spec, from, target),
        ...breakerClosed(snapshot, spec, primary.member, target),
        residency(spec, fleet.dataClasses, region, jurisdictionOf(fleet, region)),
        primarySilent(spec, primary.member, standbys),
        fenceable(spec, primary.member, primary.region, quorum),
        targetSettings(spec, target),
        clocksSane(spec, answering(snapshot, spec)),
      ];
    }),
    ...loss.map(lossWithinRpo),
  ];
}

/** Standbys on the target's own history: the others can follow it only if they are brought back first. */
function fitOf({spec, target, standbys}: Move, snapshot: Snapshot): readonly string[] {
  const cells = snapshot.stores[spec.name]?.members ?? {};
  const durable = (name: string) => {
    const cell = cells[name];
    return cell?.known === true ? cell.value.durable : null;
  };
  const own = durable(target);
  return standbys.filter((name) => name !== target && durable(name)?.lineage === own?.lineage && durable(name)?.epoch === own?.epoch);
}

/** Of those, who will be there when the region is gone. One that is down already has shown what it has left. */
function lastingOf(move: Move, snapshot: Snapshot, from: string, to: string): readonly string[] {
  const stays = to === from || unhealthy(snapshot, from);
  return fitOf(move, snapshot).filter((name) => stays || regionOfMember(move.spec, name) !== from);
}

function managerGates({spec, primary, target, region, epoch}: Move, snapshot: Snapshot): Gate[] {
  const manager = managerOf(snapshot, spec.name);
  if (manager === null) return [];
  return [managerFit(spec.name, manager, {from: primary.member, to: target, region, epoch, planned: false})];
}

/** Where each store goes, the ones that critical services need first, and what stays down. Refuses (77) when nothing can move at all. */
export function movesOf(
  fleet: Fleet,
  snapshot: Snapshot,
  from: string,
  to: string,
): {readonly moves: readonly Move[]; readonly staysDown: readonly string[]} {
  const held = byUrgency(fleet, storesHeldBy(fleet, snapshot, from)).map((spec) => moveOf(fleet, spec, snapshot, {from, to}));
  const moves = held.flatMap((one) => (typeof one === 'string' ? [] : [one]));
  const staysDown = held.filter((one) => typeof one === 'string');
  if (moves.length === 0 && staysDown.length > 0) throw refused('no-target', `nothing can move: ${staysDown.join('; ')}`);
  return {moves, staysDown};
}

function moveOf(fleet: Fleet, spec: StoreSpec, snapshot: Snapshot, {from, to}: {from: string; to: string}): Move | string {
  const store = snapshot.stores[spec.name];
  const primary = store === undefined ? null : findPrimary(store, spec);
  if (store === undefined || primary === null) throw refused('no-primary', `no primary of ${spec.name} could be found`);
  const place = placeFor(fleet, snapshot, spec, {from, to, primary: primary.member});
  if (place.member === null) return place.says;
  const cell = store.members[place.member];
  const standbys = standbysOf(store).map(({name}) => name);
  const epoch = cell?.known ? cell.value.durable.epoch : 0;
  return {spec, primary, target: place.member, region: place.region, why: place.why, epoch, standbys};
}

/** The stores that a plan is about. */
export const namesOf = (all: readonly {readonly spec: StoreSpec}[]): readonly string[] => all.map(({spec}) => spec.name);

/** Members outside the region that nothing is known of, where somebody went past their gate: whether they are primaries cannot be asked. */
function unheard(spec: StoreSpec, snapshot: Snapshot, from: string, overrides: readonly Override[]): string[] {
  if (!overrides.some(({gate}) => gate === `survivors:${spec.name}`)) return [];
  const known = answering(snapshot, spec);
  return spec.members.flatMap(({name, region}) => (region === from || known.includes(name) ? [] : [name]));
}

/** The others under a manager's new primary: it brings them there in its own time, and no traffic waits for them. */
function settledOf({spec, target, standbys}: Move, moves: readonly Move[], snapshot: Snapshot): Step[] {
  if (managerOf(snapshot, spec.name) === null) return [];
  const rest = standbys.filter((name) => name !== target);
  return rest.map((name) => settledStep(named(spec, moves), name, regionOfMember(spec, name), target, 'verify'));
}

/** Of the members that follow the new primary by now. */
function countsOf({spec, target, standbys}: Move, moves: readonly Move[]): Step[] {
  const followers = standbys.filter((name) => name !== target);
  return followers.length === 0 ? [] : [countsStep(named(spec, moves), followers, target)];
}

function guardOf({spec, primary, target}: Move, moves: readonly Move[], {forMs}: Guard): Step {
  const {member, region} = primary;
  return guardStep(named(spec, moves), {member, region, upstream: target, forMs});
}

function stepsOf(move: Move, moves: readonly Move[], snapshot: Snapshot, overrides: readonly Override[]): Step[] {
  const {spec, primary, target, region, epoch, standbys} = move;
  const passed = (gate: string) => overrides.some((override) => override.gate === `${gate}:${spec.name}`);
  const accept = passed('fence') ? [...PROOFS, 'break-glass'] : PROOFS;
  const silent =
    standbys.length === 0 || passed('primary-silent')
      ? []
      : [expect('store.silent', {store: spec.name, member: primary.member}, {standbys})];
  const build = storeSteps(named(spec, moves));
  const manager = managerOf(snapshot, spec.name);
  if (manager !== null) {
    const fencedBy = expect(
      'store.fenced',
      {store: spec.name, member: primary.member, region: primary.region},
      {need: 0, standbys, others: spec.members.length - 1, accept: passed('fence') ? [...PROOFS, 'break-glass'] : PROOFS},
    );
    const handover = {from: primary.member, to: target, region, epoch, planned: false};
    return [handoverStep(named(spec, moves), manager, handover, [fencedBy])];
  }
  const followers = standbys.filter((name) => name !== target);
  const fit = fitOf(move, snapshot);
  const quorum = quorumOf(spec, snapshot.stores[spec.name], standbys);
  const sealed = expect('store.sealed', {store: spec.name}, {members: standbys});
  const fenced = expect('store.fenced', {store: spec.name, member: primary.member, region: primary.region}, {...quorum, accept});
  return [
    build.seal(standbys, primary.member, silent),
    build.fence(primary.member, primary.region, quorum, accept),
    build.catchUp(target, region, standbys),
    build.durability(target, region, ruleOf(spec, target), acknowledgesNow(snapshot, spec, target)),
    build.promote(target, region, epoch, [
      sealed,
      fenced,
      expect('store.most-advanced', {store: spec.name, member: target}, {among: standbys}),
    ]),
    // One follower too many that cannot follow must not keep all traffic waiting.
    ...followers.map((name) => ({
      ...build.follow(name, regionOfMember(spec, name), target),
      ...(fit.length > spec.quorum || !fit.includes(name) ? {onFailure: 'continue' as const} : {}),
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

/** Who must hold a write of the one that takes over, as the fleet file says. */
export function ruleOf(spec: StoreSpec, target: string): DurabilityRule {
  return {need: spec.quorum, of: spec.members.map(({name}) => name).filter((name) => name !== target)};
}

/** Who must acknowledge on a member by its own setting, as it was seen. */
export function acknowledgesNow(snapshot: Snapshot, spec: StoreSpec, member: string): DurabilityRule | undefined {
  const cell = snapshot.stores[spec.name]?.members[member];
  return cell?.known === true ? cell.value.acknowledges : undefined;
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

/** The jurisdiction of a region, by the fleet file. */
export function jurisdictionOf(fleet: Fleet, region: string): string {
  return fleet.regions.find(({name}) => name === region)?.jurisdiction ?? 'an unknown jurisdiction';
}

function unhealthy(snapshot: Snapshot, region: string): boolean {
  const cell = snapshot.regions[region];
  return cell?.known === true && cell.value.verdict === 'unhealthy';
}

function holderText(holders: ReadonlyMap<string, readonly string[]>): string {
  const list = [...holders].map(([region, stores]) => `${stores.join(', ')} has its primary in ${region}`);
  return list.length === 0 ? '' : `; ${list.join('; ')}`;
}
