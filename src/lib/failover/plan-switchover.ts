import {refused, usageError} from '../errors.ts';
import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Objective, Override, Plan, Step} from '../plan/plan.ts';
import {isStale, primariesOf} from '../snapshot/primaries.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {withApprovals} from './approvals.ts';
import {type PlanCapacity, withCapacity} from './capacity-gate.ts';
import {
  clocksSane,
  fenceable,
  judged,
  ourselvesSane,
  residency,
  routersReachable,
  runAlone,
  takesOver,
  targetHealthy,
  targetSettings,
  unclaimed,
} from './gates.ts';
import {peersRemarks, watchedRemarks} from './left-alone.ts';
import {managerFit, managerOf} from './managed-steps.ts';
import {noPrimary} from './no-primary.ts';
import {placeFor} from './place.ts';
import {answering, jurisdictionOf, named, namesOf, storesHeldBy} from './plan-failover.ts';
import {routeTarget, writeTarget} from './route-target.ts';
import {routesOfMove} from './routes-of-move.ts';
import {expect, inOrder, storeSteps, underClaims} from './steps.ts';
import {
  formerSteps,
  isInStep,
  othersOf,
  preparingSteps,
  type Return,
  settleSteps,
  storeIn,
  straySays,
  switchAcknowledgers,
  switchSteps,
} from './switch-steps.ts';
import {drainStep, rerouteStep, witnessSteps, writeStep} from './traffic-steps.ts';
import {byUrgency} from './urgency.ts';
import {verifySteps} from './verify-steps.ts';
import {warmUpSteps} from './warm-up.ts';

/** How long the witness writes before traffic is held. */
const WARM_UP_MS = 200;
const SETTLE_AFTER_MS = 3_600_000;

/** What a switchover is planned from. */
export type SwitchoverInput = {
  readonly id: string;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly from: string;
  readonly to: string;
  readonly objectives: readonly Objective[];
  readonly overrides: readonly Override[];
  /** What tells whether the target can carry the load; absent = it is not asked. */
  readonly capacity?: PlanCapacity | undefined;
};

/**
 * Plans a planned move while everything is well: hold traffic, close and stop the primary, which ships all that it has, promote, re-point,
 * reroute, bring the former primary back as a standby. Nothing is lost, or it goes back. Pure, from one snapshot.
 */
export function planSwitchover(input: SwitchoverInput): Plan {
  const {id, fleet, snapshot, from, to, objectives} = input;
  const {moves, stays} = moved(fleet, snapshot, from, to);
  const targets = moves.map(({spec, home, primary}) => ({spec, region: home.region, target: home.name, primary}));
  const {routes, remarks: left} = routesOfMove(fleet, from, (route) => routeTarget(fleet, route, targets, to));
  const verify = verifySteps(fleet, targets, routes);
  const reroutes = routes.map((route) => rerouteStep(route, routeTarget(fleet, route, targets, to), snapshot));
  const asked = gatesOf(input, moves, routes);
  const {gates, overrides, remarks} = withCapacity(input, asked, {fleet, snapshot, steps: reroutes, from, takers: [to], isDown: false});
  const steps = [
    ...moves.flatMap(({spec}) => [
      storeSteps(named(spec, moves)).claim(answering(snapshot, spec), {ready: true, evict: takesOver(spec, overrides)}),
    ]),
    ...warmUpSteps(fleet, targets, to),
    ...moves.flatMap((each) => preparingSteps(each, snapshot, moves)),
    ...witnessSteps(fleet.witness, WARM_UP_MS).start,
    ...routes.map((route) => drainStep(route, snapshot)),
    ...moves.flatMap((each) => switchSteps(each, snapshot, moves)),
    ...moves.flatMap((each) => formerSteps(each, snapshot, moves)),
    ...reroutes,
    ...writeStep(fleet, writeTarget(fleet, routes, targets, to)),
    ...verify.checks,
    ...verify.rejected,
    ...moves.flatMap((each) => patientSteps(each, snapshot, moves)),
  ];
  return {
    version: 1,
    id,
    kind: 'switchover',
    from,
    to,
    snapshot,
    expects: moves.map(({spec, primary}) => expect('store.primary', {store: spec.name}, primary.member)),
    standsOn: moves.map(({spec, primary, epoch}) => expect('store.unmoved', {store: spec.name}, {primary: primary.member, epoch})),
    gates,
    overrides,
    steps: withApprovals(inOrder(underClaims(steps, namesOf(moves))), fleet.approval),
    abortIf: [],
    always: [...moves.map(({spec}) => storeSteps(named(spec, moves)).release()), ...witnessSteps(fleet.witness).stop],
    files: [],
    objectives,
    expected: {
      gapMs: null,
      loss: moves.map(({spec}) => ({
        store: spec.name,
        transactions: 0,
        bytes: 0,
        certainty: 'exact',
        basis: 'the primary is stopped only after it has shipped everything',
      })),
    },
    staysDown: [],
    remarks: [
      ...stays,
      ...watchedRemarks(fleet.stores, snapshot, from),
      ...peersRemarks(fleet.stores, snapshot, from),
      ...left,
      ...remarks,
    ],
    drill: null,
  };
}

/** Nobody waits for these any more: they may take their time. */
function patientSteps(each: Return, snapshot: Snapshot, moves: readonly Return[]): Step[] {
  return settleSteps(each, snapshot, moves, true).map((step) => ({...step, deadlineMs: Math.max(step.deadlineMs, SETTLE_AFTER_MS)}));
}

/** Where each store goes. What may not go along stays where it is, and is named. */
function moved(fleet: Fleet, snapshot: Snapshot, from: string, to: string): {moves: readonly Return[]; stays: readonly string[]} {
  const places = byUrgency(fleet, storesHeldBy(fleet, snapshot, from)).map((spec) => moveOf(fleet, spec, snapshot, from, to));
  const moves = places.flatMap((one) => (typeof one === 'string' ? [] : [one]));
  const stays = places.filter((one) => typeof one === 'string');
  if (moves.length === 0)
    throw refused('nothing-to-do', `nothing was done: ${stays.length > 0 ? stays.join('; ') : `${from} holds no primary`}`);
  return {moves, stays};
}

function moveOf(fleet: Fleet, spec: StoreSpec, snapshot: Snapshot, from: string, to: string): Return | string {
  const store = storeIn(snapshot, spec);
  const [current, rival] = primariesOf(store);
  if (current === undefined)
    throw noPrimary([spec], snapshot, {
      says: `no member of ${spec.name} answers as primary: a switchover needs a primary that is well`,
      fix: 'fail over, since a switchover needs a primary that is well',
      suggestions: ['regionctl failover plan'],
    });
  if (isStale(store, current.member) || current.member.durable.epoch === rival?.member.durable.epoch)
    throw refused('split-brain', `nothing was done: it is not clear who is the primary of ${spec.name}`, {
      suggestions: ['regionctl status'],
    });
  const place = placeFor(fleet, snapshot, spec, {from, to, primary: current.name});
  const home = place.member === null ? undefined : spec.members.find(({name}) => name === place.member);
  // What may not leave needs no move: its region is well.
  if (home === undefined || (place.member !== null && place.why !== null))
    return `${spec.name} stays in ${from}: its data may not be in ${to}`;
  const rest = othersOf(spec, snapshot, current.name, home.name);
  return {
    spec,
    primary: {member: current.name, region: current.member.region, seen: true, basis: 'it answers as the primary'},
    epoch: current.member.durable.epoch,
    home,
    ...rest,
    followers: rest.others.map(({name}) => name).filter((name) => isInStep(snapshot, spec, name, current.name)),
  };
}

/** The region to go to: the given one, or the first of the failover order. */
export function chooseSwitchTarget(fleet: Fleet, from: string, given: string | undefined): string {
  if (given === from) throw usageError(`--to ${given}: the primary is there already`);
  const [first] = fleet.regions.find(({name}) => name === from)?.failoverOrder ?? [];
  const to = given ?? first;
  if (to === undefined) throw usageError(`${from} has no failoverOrder in the fleet file: name a region with --to`);
  return to;
}

function gatesOf({fleet, snapshot, from, to}: SwitchoverInput, moves: readonly Return[], routes: readonly RouteSpec[]): Gate[] {
  return [
    runAlone(),
    ...moves.map(({spec}) => unclaimed(spec, answering(snapshot, spec))),
    ourselvesSane(),
    targetHealthy(fleet, snapshot, to),
    routersReachable(
      snapshot,
      routes.map(({name}) => name),
    ),
    ...moves.flatMap((move) => {
      const {spec, primary, home, epoch} = move;
      const manager = managerOf(snapshot, spec.name);
      return [
        everyoneFollows(move, snapshot),
        ...switchAcknowledgers(move, snapshot),
        residency(spec, fleet.dataClasses, home.region, jurisdictionOf(fleet, home.region)),
        targetSettings(spec, home.name),
        clocksSane(spec, answering(snapshot, spec)),
        manager === null
          ? fenceable(spec, primary.member, from, {need: 0, standbys: [], others: spec.members.length - 1})
          : managerFit(spec.name, manager, {from: primary.member, to: home.name, region: home.region, epoch, planned: true}),
      ];
    }),
  ];
}

/** A planned move waits for nobody: the target is in step with the primary, and so is everybody who will have to follow it. */
function everyoneFollows({spec, primary, home, others, silent}: Return, snapshot: Snapshot): Gate {
  const strays = [home, ...others, ...silent].map(({name}) => name).filter((name) => !isInStep(snapshot, spec, name, primary.member));
  const says = strays.map((name) => `${name} ${straySays(snapshot, spec, name, primary.member)}`);
  // A stray that is not the target only costs a standby; the target itself must be one.
  return judged(`following:${spec.name}`, !strays.includes(home.name), {
    verdict: strays.length === 0 ? 'pass' : 'refuse',
    says: strays.length === 0 ? `every standby of ${spec.name} follows ${primary.member}` : says.join('; '),
    measured: strays,
  });
}
