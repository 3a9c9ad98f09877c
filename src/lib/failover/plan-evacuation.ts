import {refused, usageError} from '../errors.ts';
import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Objective, Override, Plan, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {withApprovals} from './approvals.ts';
import {type PlanCapacity, withCapacity} from './capacity-gate.ts';
import {clocksSane, ourselvesSane, regionDown, routersReachable, runAlone, takesOver, unclaimed} from './gates.ts';
import {watchedRemarks} from './left-alone.ts';
import {othersFit, regionKnown, residencyIn} from './peer-gates.ts';
import {type Outbound, outboundLoss} from './peer-loss.ts';
import {leaveStep, leaveStoreSteps, standsOnRoute, writesStep} from './peer-steps.ts';
import {answeringOf, FIT, peerStores, sidesOf, unfitness, type Weights, weightsNow, withoutRegion} from './peers.ts';
import {answering, named, namesOf} from './plan-failover.ts';
import {inOrder, storeSteps, underClaims} from './steps.ts';
import {witnessSteps} from './traffic-steps.ts';
import {byUrgency} from './urgency.ts';
import {verifySteps} from './verify-steps.ts';

/** How long the witness writes before traffic is moved away from a region that is well. */
const WARM_UP_MS = 200;

/** What an evacuation is planned from: `outbound` by store. */
export type EvacuationInput = {
  readonly id: string;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly from: string;
  readonly outbound: Readonly<Record<string, Outbound>>;
  readonly objectives: readonly Objective[];
  readonly overrides: readonly Override[];
  /** What tells whether the others can carry the load; absent = it is not asked. */
  readonly capacity?: PlanCapacity | undefined;
  /** Whether the run measures the write gap with its own witness. */
  readonly witness: boolean;
  /** Whether the approval of the fleet file is asked for. */
  readonly approve: boolean;
};

/** A route that sends something to the region, and what it is to send. `null` = nobody is fit to take it. */
type Left = {readonly route: RouteSpec; readonly weights: Weights | null};

/**
 * The region that is to be emptied: the given one, or the only unhealthy one that a route sends traffic to. Refuses (77) with one sentence when there is
 * nothing to do.
 */
export function chooseEvacuated(fleet: Fleet, snapshot: Snapshot, given: string | undefined): string {
  const served = (region: string): boolean => isServed(fleet, snapshot, region);
  if (given !== undefined) {
    if (served(given)) return given;
    throw refused('nothing-to-do', `nothing was done: no route sends anything to ${given}`, {
      suggestions: ['what it has not sent: regionctl replication lag', `to take it back: regionctl failback plan --to ${given}`],
    });
  }
  const down = fleet.regions
    .map(({name}) => name)
    .filter((name) => {
      const cell = snapshot.regions[name];
      return cell?.known === true && cell.value.verdict === 'unhealthy' && cell.value.agree * 2 > cell.value.asked;
    });
  const [first, second] = down.filter(served);
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) throw usageError(`${down.filter(served).join(' and ')} are unhealthy: name the region to leave with --from`);
  const why = down.length === 0 ? 'no region is unhealthy' : `no route sends anything to ${down.join(' or ')} any more`;
  throw refused('nothing-to-do', `nothing was done: ${why}`, {suggestions: ['to empty a region that is well, name it: --from REGION']});
}

/** Whether any route sends a region anything. */
export const isServed = ({routes}: Fleet, snapshot: Snapshot, region: string): boolean =>
  routes.some((route) => (weightsNow(route, snapshot)[region] ?? 0) > 0);

/** Plans the evacuation of a region whose stores are of peers: pure, from one snapshot. Nobody is promoted, and the others are never held up. */
export function planEvacuation(input: EvacuationInput): Plan {
  const {id, fleet, snapshot, from, objectives, approve} = input;
  const stores = concerned(fleet, snapshot, from);
  const left = leftBy(fleet, snapshot, from);
  const receiving = receivers(left, from);
  const judged = stores.map((spec) => ({spec, outbound: outboundOf(input, spec), ...outboundLoss(spec, from, outboundOf(input, spec))}));
  const isWell = FIT.includes(verdictOf(snapshot, from) ?? '');
  const fit = receiving.filter((region) => unfitness(snapshot, stores, region) === null);
  const leave = left.flatMap(({route, weights}) => (weights === null ? [] : [leaveStep(route, from, weights, {snapshot, isWell, fit})]));
  const asked = gatesOf(input, {stores, left, receiving, losses: judged.map(({gate}) => gate)});
  const isDown = regionDown(snapshot, from).verdict === 'pass';
  const {gates, overrides, remarks} = withCapacity(input, asked, {fleet, snapshot, steps: leave, from, takers: [], isDown});
  const url = input.witness ? fleet.witness : null;
  const steps: Step[] = [
    ...stores.map((spec) => storeSteps(named(spec, stores)).claim(answering(snapshot, spec), {evict: takesOver(spec, overrides)})),
    ...witnessSteps(url, isWell ? WARM_UP_MS : 0).start,
    ...leave,
    ...writesStep(fleet, receiversOfWrites(fleet, left, from), {without: from, isWell}),
    ...judged.flatMap(({spec, outbound, loss}) => {
      const waits = !outbound.answers ? 'not' : loss.transactions === 0 ? 'must' : 'may';
      return leaveStoreSteps(named(spec, stores), spec, from, {snapshot, isWell, waits});
    }),
    ...verifySteps(
      fleet,
      [],
      left.map(({route}) => route),
    ).checks,
  ];
  return {
    version: 1,
    ...{id, kind: 'evacuation', from, to: null, snapshot},
    expects: [],
    standsOn: left.flatMap(({route, weights}) => standsOnRoute(route, snapshot, weights === null ? [] : [weights])),
    gates,
    overrides,
    steps: withApprovals(inOrder(underClaims(steps, namesOf(stores.map((spec) => ({spec}))))), approve ? fleet.approval : null),
    abortIf: [],
    always: [...stores.map((spec) => storeSteps(named(spec, stores)).release()), ...witnessSteps(url).stop],
    files: [],
    objectives,
    expected: {gapMs: null, loss: judged.map(({loss}) => loss)},
    remarks: [...remarksOf(snapshot, stores, from), ...watchedRemarks(fleet.stores, snapshot, from), ...remarks],
    drill: null,
  };
}

const outboundOf = ({outbound}: EvacuationInput, {name}: StoreSpec): Outbound =>
  outbound[name] ?? {answers: false, isWell: false, streams: 'it was not looked at', history: []};

const verdictOf = ({regions}: Snapshot, region: string): string | null => {
  const cell = regions[region];
  return cell?.known === true ? cell.value.verdict : null;
};

/** The stores of peers that have a member in the region, the ones that critical services need first. */
function concerned(fleet: Fleet, snapshot: Snapshot, from: string): readonly StoreSpec[] {
  return byUrgency(
    fleet,
    peerStores(fleet, snapshot).filter((spec) => sidesOf(spec, from).inside.length > 0),
  );
}

function leftBy(fleet: Fleet, snapshot: Snapshot, from: string): readonly Left[] {
  const stores = peerStores(fleet, snapshot);
  const fit = fleet.regions.map(({name}) => name).filter((region) => unfitness(snapshot, stores, region) === null);
  return fleet.routes.flatMap((route) => {
    const now = weightsNow(route, snapshot);
    return (now[from] ?? 0) > 0 ? [{route, weights: withoutRegion(fleet, route, now, from, fit)}] : [];
  });
}

const takers = ({weights}: Left): readonly string[] => Object.keys(weights ?? {}).filter((region) => (weights?.[region] ?? 0) > 0);

/** Who gets traffic once the region is out; where nobody can take it, everybody who might. */
function receivers(left: readonly Left[], from: string): readonly string[] {
  const all = left.flatMap((each) =>
    each.weights === null ? Object.keys(each.route.weights).filter((region) => region !== from) : takers(each),
  );
  return [...new Set(all)];
}

/** Those behind the address that the witness writes to. */
function receiversOfWrites(fleet: Fleet, left: readonly Left[], from: string): readonly string[] {
  const url = fleet.witness?.url;
  const own = left.find(({route}) => url !== undefined && route.url !== null && url.startsWith(route.url));
  return own === undefined ? [] : takers(own).filter((region) => region !== from);
}

type Judging = {
  readonly stores: readonly StoreSpec[];
  readonly left: readonly Left[];
  readonly receiving: readonly string[];
  readonly losses: readonly Gate[];
};

function gatesOf({fleet, snapshot, from}: EvacuationInput, {stores, left, receiving, losses}: Judging): Gate[] {
  const all = fleet.regions.filter(({tier}) => tier !== 'cold').map(({name}) => name);
  return [
    runAlone(),
    ...stores.map((spec) => unclaimed(spec, answering(snapshot, spec))),
    ourselvesSane(),
    regionKnown(snapshot, from),
    othersFit(snapshot, stores, {from, receiving, all}),
    routersReachable(
      snapshot,
      left.map(({route}) => route.name),
    ),
    ...stores.flatMap((spec) => [residencyIn(fleet, spec, receiving), clocksSane(spec, answering(snapshot, spec))]),
    ...losses,
  ];
}

/** No peer can be fenced: what is written to it directly is merged like anything else. */
function remarksOf(snapshot: Snapshot, stores: readonly StoreSpec[], from: string): readonly string[] {
  return stores.map((spec) => {
    const {inside, outside} = sidesOf(spec, from);
    const silent = outside.filter(({name}) => !answeringOf(snapshot, spec, outside).includes(name)).map(({name}) => name);
    const who = silent.length === 0 ? '' : `; ${silent.join(' and ')} cannot be asked what has arrived there`;
    return `${inside.map(({name}) => name).join(' and ')} of ${spec.name} is not fenced: a client that reaches it directly still writes, and that is merged later${who}`;
  });
}
