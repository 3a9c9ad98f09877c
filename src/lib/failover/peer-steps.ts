import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Expectation, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {answeringOf, FIT, sidesOf, type Weights, weightsNow, weightsText, withRegion} from './peers.ts';
import {call, expect, type StoreScope, step, verify} from './steps.ts';

/** A region that is emptied as planned gets this long to answer what it was asked before its sessions are cut, in ms. */
const GRACE_MS = 1000;
/** How long it is watched for writes that reach it past the routes, in ms. */
const WATCH_MS = 1000;
/** How long changes that were written may take to arrive, in ms. */
const ARRIVE_MS = 120_000;
/** The same where a stream does not run now: it may begin to. */
const TRY_MS = 10_000;
const COUNT_MS = 60_000;
const HOUR_MS = 3_600_000;
const STAGE_LOOK_MS = 2000;

/** Takes a region out of a route and ends its sessions there; nobody else's. `isWell`: it can have the traffic back if what follows fails. */
export function leaveStep(route: RouteSpec, from: string, weights: Weights, {snapshot, isWell, fit}: Leave): Step {
  const now = weightsNow(route, snapshot);
  return step({
    id: `leave-${route.name}`,
    phase: 'reroute',
    title: `take ${from} out of ${route.name}: ${weightsText(weights)}`,
    do: call('route.leave', {router: route.name, region: from}, {weights, graceMs: isWell ? GRACE_MS : 0}),
    requires: [expect('regions.any-well', {}, {of: [...fit]})],
    ensures: [verify('route.weights', {router: route.name}, weights)],
    undo: isWell ? call('route.give-back', {router: route.name, region: from}, {weights: now}) : null,
    // A router that does not answer stops the run at its gate; whoever passed that gate by name goes on without it.
    onFailure: snapshot.routers[route.name]?.known === true ? goBack(isWell) : 'continue',
  });
}

type Leave = {readonly snapshot: Snapshot; readonly isWell: boolean; readonly fit: readonly string[]};

/** A region that is well can have its traffic back; from one that is not it stays away, whatever else fails. */
const goBack = (isWell: boolean): 'undo' | 'stop' => (isWell ? 'undo' : 'stop');

/** Writes through the front door: each of the regions must answer one, and none may be answered by another. */
export function writesStep(fleet: Fleet, regions: readonly string[], {without, isWell}: {without: string | null; isWell: boolean}): Step[] {
  if (fleet.witness === null || regions.length === 0) return [];
  const none = without === null ? '' : `, and never ${without}`;
  const {url, deadlineMs} = fleet.witness;
  return [
    step({
      id: 'verify-writes',
      phase: 'verify',
      title: `write through the front door and see ${regions.join(' and ')} answer${none}`,
      do: call('verify.writes', {}, {url, deadlineMs, regions: [...regions], without}),
      onFailure: goBack(isWell),
    }),
  ];
}

/** What happens to one store when a region is left: what can still arrive is waited for, what did not is counted, and who writes on is told. */
export function leaveStoreSteps(scope: StoreScope, spec: StoreSpec, from: string, {snapshot, isWell, waits}: LeaveStore): Step[] {
  const {inside, outside} = sidesOf(spec, from);
  const members = inside.map(({name}) => name);
  const others = answeringOf(snapshot, spec, outside);
  const target = {store: scope.store, region: from};
  const sent = step({
    id: `await-sent${scope.suffix}`,
    phase: 'converge',
    title: `wait until ${others.join(' and ')} ${others.length === 1 ? 'has' : 'have'} applied what ${from} wrote`,
    do: call('peers.await-sent', target, {members, others: [...others]}),
    onFailure: isWell && waits === 'must' ? 'undo' : 'continue',
    deadlineMs: waits === 'must' ? ARRIVE_MS : TRY_MS,
  });
  const count = step({
    id: `count-unsent${scope.suffix}`,
    phase: 'verify',
    title: `count what ${from} wrote and no other region has`,
    do: call('peers.count-unsent', target, {members, others: [...others]}),
    onFailure: 'continue',
    deadlineMs: COUNT_MS,
  });
  const watch = step({
    id: `watch-direct${scope.suffix}`,
    phase: 'verify',
    title: `see whether ${from} is written to past the routes`,
    do: call('peers.watch-direct', target, {members, others: [...others], forMs: WATCH_MS}),
    onFailure: 'continue',
  });
  return [...(waits === 'not' || others.length === 0 ? [] : [sent]), count, watch];
}

/** `waits`: the run is to fail if what the region wrote does not arrive, may go on without, or has nobody to ask. */
type LeaveStore = {readonly snapshot: Snapshot; readonly isWell: boolean; readonly waits: 'must' | 'may' | 'not'};

/** What has to be so of a store before a region is sent traffic again. `marks`: from where what came late is counted; null = it was not noted. */
export function returnStoreSteps(scope: StoreScope, spec: StoreSpec, to: string, given: ReturnStore): Step[] {
  const {snapshot, marks, passed, until} = given;
  const members = answeringOf(snapshot, spec, spec.members);
  const {inside} = sidesOf(spec, to);
  const target = {store: scope.store, region: to};
  const own = inside.map(({name}) => name);
  const regions = auditedRegions(spec, snapshot);
  return [
    step({
      id: `caught-up${scope.suffix}`,
      phase: 'converge',
      title: `wait until ${members.join(', ')} have applied what each of them has now`,
      do: call('peers.await-caught-up', target, {members: [...members]}),
      onFailure: passed.catchUp ? 'continue' : 'undo',
      deadlineMs: HOUR_MS,
    }),
    ...(marks === null
      ? []
      : [
          step({
            id: `count-late${scope.suffix}`,
            phase: 'verify' as const,
            title: `count what came from ${to} since it was left`,
            do: call('peers.count-late', target, {members: own, marks}),
            onFailure: 'continue' as const,
            deadlineMs: COUNT_MS,
          }),
        ]),
    step({
      id: `audit${scope.suffix}`,
      phase: 'verify',
      title: `audit every row of ${spec.name} in ${regions.join(', ')}`,
      do: call('verify.audit', target, {regions: [...regions], accept: passed.audit}),
      // Who goes on with a run that was killed audits again, unless the region has its traffic already.
      ensures: [auditedFact(spec, to, snapshot)],
      ...(until === null ? {} : {until}),
      onFailure: 'undo',
      deadlineMs: 24 * HOUR_MS,
    }),
  ];
}

/** `until`: the step after which nobody audits again; null = there is none. */
type ReturnStore = {
  readonly until: string | null;
  readonly snapshot: Snapshot;
  readonly marks: Readonly<Record<string, {readonly snapshot: string}>> | null;
  readonly passed: {readonly catchUp: boolean; readonly audit: boolean};
};

/**
 * What is asked of a store right before a region is sent traffic: its streams run and it has caught up, and this process has audited it. An audit may take hours,
 * approvals too, and a run that was killed may be gone on with when the region is not what it was.
 */
export function readyFacts(
  spec: StoreSpec,
  to: string,
  {snapshot, passed}: Pick<ReturnStore, 'snapshot' | 'passed'>,
): readonly Expectation[] {
  const members = answeringOf(snapshot, spec, spec.members);
  const target = {store: spec.name, region: to};
  const touching = sidesOf(spec, to).inside.map(({name}) => name);
  return [
    ...(passed.catchUp
      ? []
      : [expect('peers.linked', target, {members: [...members], touching}), expect('peers.caught-up', target, {members: [...members]})]),
    auditedFact(spec, to, snapshot),
  ];
}

const auditedFact = (spec: StoreSpec, to: string, snapshot: Snapshot): Expectation =>
  expect('peers.audited', {store: spec.name, region: to}, {regions: [...auditedRegions(spec, snapshot)]});

function auditedRegions(spec: StoreSpec, snapshot: Snapshot): readonly string[] {
  const members = answeringOf(snapshot, spec, spec.members);
  return [...new Set(spec.members.filter(({name}) => members.includes(name)).map(({region}) => region))];
}

/** What a route may send as long as nobody but the run has changed it: what it sent when the plan was made, and what the run makes of that. */
export function standsOnRoute(route: RouteSpec, snapshot: Snapshot, made: readonly Weights[]): readonly Expectation[] {
  // A router that does not answer stops the run at its gate; who passes that by name knows nothing that could be compared.
  if (snapshot.routers[route.name]?.known !== true) return [];
  return [expect('route.weights-among', {router: route.name}, [weightsNow(route, snapshot), ...made])];
}

/** What a route sends in each stage of a return, in percent of the region's share. */
export function stagesOf(route: RouteSpec, to: string, snapshot: Snapshot): readonly {readonly share: number; readonly weights: Weights}[] {
  const now = weightsNow(route, snapshot);
  const shares = [...(route.stages?.shares ?? []).filter((share) => share < 100), 100];
  return shares.map((share) => ({share, weights: withRegion(route, now, to, share)}));
}

/** The id of the step that gives a region all that it has of a route. */
export const wholeReturn = ({name}: RouteSpec): string => `return-${name}`;

/** Gives a region its traffic back: at once, or in the stages of the fleet file, each of which it must stay well for. */
export function returnSteps(
  route: RouteSpec,
  to: string,
  {snapshot, requires}: {snapshot: Snapshot; requires: readonly Expectation[]},
): Step[] {
  const now = weightsNow(route, snapshot);
  const holdMs = route.stages?.holdMs ?? 0;
  const stages = stagesOf(route, to, snapshot);
  return stages.map(({share, weights}, index): Step => {
    const before = stages.slice(0, index).map((stage) => stage.weights);
    const isLast = index === stages.length - 1;
    const part = share === 100 ? 'its normal share' : `${share} % of its share`;
    const watch = [expect('region.verdict', {region: to}, [...FIT])];
    return step({
      id: `${wholeReturn(route)}${isLast ? '' : `-${share}`}`,
      phase: 'reroute',
      title: `give ${to} ${part} of ${route.name}: ${weightsText(weights)}`,
      do: call('route.weights', {router: route.name}, {weights, cut: false}),
      // A stage may last for hours: what somebody has changed meanwhile is not overwritten.
      requires: [...requires, ...standsOnRoute(route, snapshot, before)],
      ensures: [verify('route.weights', {router: route.name}, weights)],
      // One undo for all stages: the first one's.
      undo: index === 0 ? call('route.weights', {router: route.name}, {weights: now, cut: false}) : null,
      ...(isLast ? {} : {hold: {forMs: holdMs, everyMs: Math.min(STAGE_LOOK_MS, Math.max(1, holdMs)), minSamples: 2, watch}}),
    });
  });
}
