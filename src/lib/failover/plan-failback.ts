import {refused, usageError} from '../errors.ts';
import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Objective, Override, Plan, Step} from '../plan/plan.ts';
import {isStale, primariesOf} from '../snapshot/primaries.ts';
import {isLeftAlone, type Snapshot} from '../snapshot/snapshot.ts';
import {withApprovals} from './approvals.ts';
import {type PlanCapacity, withCapacity} from './capacity-gate.ts';
import type {PrimaryFinding} from './find-primary.ts';
import {
  asked,
  clocksSane,
  judged,
  ourselvesSane,
  residency,
  routersReachable,
  runAlone,
  survivorsUnknown,
  takesOver,
  targetHealthy,
  unclaimed,
} from './gates.ts';
import {noneToMove, peersRemarks, watchedRemarks} from './left-alone.ts';
import {managerOf} from './managed-steps.ts';
import {noPrimary} from './no-primary.ts';
import {answering, named, namesOf} from './plan-failover.ts';
import {routesOfMove} from './routes-of-move.ts';
import {call, expect, inOrder, storeSteps, underClaims} from './steps.ts';
import {
  backSteps,
  formerSteps,
  isFollowing,
  isInStep,
  othersOf,
  preparingSteps,
  type Return,
  settleSteps,
  storeIn,
  strayBack,
  switchAcknowledgers,
  switchSteps,
} from './switch-steps.ts';
import {drainStep, homeSteps, witnessSteps, writeStep} from './traffic-steps.ts';
import {verifySteps} from './verify-steps.ts';

/** How long the witness writes before the switchover holds traffic. */
const WARM_UP_MS = 200;

/** What a failback is planned from. */
export type FailbackInput = {
  readonly id: string;
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  readonly from: string;
  readonly to: string;
  readonly objectives: readonly Objective[];
  readonly overrides: readonly Override[];
  /** What tells whether home can carry the load; absent = it is not asked. */
  readonly capacity?: PlanCapacity | undefined;
  /** Per store: how fast earlier copies of a member went, in bytes per second. */
  readonly copySpeeds?: Readonly<Record<string, number>>;
};

/** The region that traffic is meant to be in: the given one, or the one with the highest weight in the fleet file. */
export function chooseHome(fleet: Fleet, given: string | undefined): string {
  if (given !== undefined) return given;
  const totals = new Map<string, number>();
  for (const {weights} of fleet.routes)
    for (const [region, weight] of Object.entries(weights)) totals.set(region, (totals.get(region) ?? 0) + weight);
  const [best, second] = [...totals].sort((a, b) => b[1] - a[1]);
  if (best === undefined || best[1] === 0 || best[1] === second?.[1])
    throw usageError('the fleet file does not say which region is home: name it with --to');
  return best[0];
}

/**
 * The region that holds the primaries now; home itself when only members have to be brought back under a primary that is there already, or traffic has to
 * be let go that a run has left held. Refuses (77) with one sentence when there is nothing to bring back.
 */
export function chooseAway(fleet: Fleet, snapshot: Snapshot, home: string): string {
  const without = noneToMove(fleet.stores, snapshot);
  if (without !== null) throw refused('no-primary', without, {suggestions: ['regionctl replication lag']});
  const away = new Set<string>();
  for (const spec of movable(fleet, snapshot)) {
    const [current, rival] = primariesOf(storeIn(snapshot, spec));
    if (current !== undefined && isStale(storeIn(snapshot, spec), current.member)) throw stalePrimary(spec, current.name);
    if (current !== undefined && current.member.durable.epoch === rival?.member.durable.epoch)
      throw splitBrain(spec, current.name, rival.name, current.member.durable.epoch);
    if (current === undefined)
      throw noPrimary([spec], snapshot, {
        says: `no member of ${spec.name} answers as primary: fail over first`,
        fix: 'fail over first',
        suggestions: ['regionctl failover plan'],
      });
    if (current.member.region !== home) away.add(current.member.region);
  }
  const [only, ...others] = [...away];
  if (only === undefined && movable(fleet, snapshot).some((spec) => repairOf(spec, snapshot, home) !== null)) return home;
  if (only === undefined && heldRoutes(fleet, snapshot, home).length > 0) return home;
  if (only === undefined) throw refused('nothing-to-do', `nothing was done: every primary is in ${home} already`);
  if (others.length > 0) throw usageError(`primaries are in ${[...away].join(' and ')}: bring them back one at a time`);
  return only;
}

/** A standby is ahead of the only primary that answers, or a run made another: the true one is silent, and what it holds must not be overwritten. */
function stalePrimary(spec: StoreSpec, name: string) {
  return refused(
    'stale-primary',
    `nothing was done: ${name} answers as primary of ${spec.name}, but a standby is on a later timeline or a run promoted another, so the true primary is another one`,
    {
      suggestions: ['bring the region of the true primary back, or fail over from it, then run this again'],
    },
  );
}

/** Two primaries on one timeline cannot be told apart: nobody may decide which of them is right. */
function splitBrain(spec: StoreSpec, one: string, other: string, epoch: number) {
  return refused('split-brain', `nothing was done: ${one} and ${other} both answer as primary of ${spec.name} on timeline ${epoch}`, {
    suggestions: ['stop the one whose writes may be lost, then run this again'],
  });
}

/** Plans a failback: rejoin the home member, let it catch up, then switch over with zero loss. Pure, from one snapshot. */
export function planFailback(input: FailbackInput): Plan {
  const {id, fleet, snapshot, from, to, objectives} = input;
  const {returns, repairs} = workOf(input);
  const all = [...returns, ...repairs];
  const {routes, remarks: left} = returns.length === 0 ? {routes: [], remarks: []} : routesOfMove(fleet, from, () => to);
  const held = returns.length === 0 ? heldRoutes(fleet, snapshot, to) : [];
  const given = [...routes, ...held];
  const home = given.map((route) => homeSteps(route, from, to, snapshot));
  const reroutes = home.flatMap(({first, later}) => [first, ...later]);
  const coming = {fleet, snapshot, steps: reroutes, from: returns.length === 0 ? null : from, takers: [to], isDown: false};
  const {gates, overrides, remarks} = withCapacity(input, gatesOf(input, {returns, repairs}, given), coming);
  const moved = returns.map(({spec, primary, home: {name}}) => ({spec, primary, target: name}));
  const verify = verifySteps(fleet, moved, routes);
  const witness = returns.length === 0 ? null : fleet.witness;
  const steps = [
    ...all.flatMap(({spec}) => [
      storeSteps(named(spec, all)).claim(answering(snapshot, spec), {ready: true, evict: takesOver(spec, overrides)}),
    ]),
    ...all.flatMap((each) => rejoinSteps(each, snapshot, all, overrides)),
    ...openSteps(held.length === 0 ? [] : repairs, all),
    ...returns.flatMap((each) => caughtUpStep(each, all)),
    ...returns.flatMap((each) => preparingSteps(each, snapshot, all)),
    ...witnessSteps(witness, WARM_UP_MS).start,
    ...routes.map((route) => drainStep(route, snapshot)),
    ...returns.flatMap((each) => switchSteps(each, snapshot, all)),
    ...returns.flatMap((each) => formerSteps(each, snapshot, all)),
    ...home.map(({first}) => first),
    ...(returns.length === 0 && held.length === 0 ? [] : writeStep(fleet, to)),
    ...verify.checks,
    ...verify.rejected,
    ...home.flatMap(({later}) => later),
    ...returns.flatMap((each) => settleSteps(each, snapshot, all, keepsIn(each, overrides))),
    ...repairs.flatMap((each) => equalStep(each, snapshot, all)),
  ];
  return {
    version: 1,
    id,
    kind: 'failback',
    from,
    to,
    snapshot,
    expects: all.map(({spec, primary}) => expect('store.primary', {store: spec.name}, primary.member)),
    standsOn: all.map(({spec, primary, epoch}) => expect('store.unmoved', {store: spec.name}, {primary: primary.member, epoch})),
    gates,
    overrides,
    steps: withApprovals(inOrder(underClaims(steps, namesOf(all))), fleet.approval),
    abortIf: [],
    always: [...all.map(({spec}) => storeSteps(named(spec, all)).release()), ...witnessSteps(witness).stop],
    files: [],
    objectives,
    expected: {
      gapMs: null,
      loss: returns.map(({spec}) => ({
        store: spec.name,
        transactions: 0,
        bytes: 0,
        certainty: 'exact',
        basis: 'the primary is stopped only after it has shipped everything',
      })),
    },
    remarks: [...watchedRemarks(fleet.stores, snapshot, from), ...peersRemarks(fleet.stores, snapshot, from), ...left, ...remarks],
    drill: null,
  };
}

function workOf({fleet, snapshot, from, to}: FailbackInput): Work {
  const stores = movable(fleet, snapshot);
  return {
    returns: stores
      .filter((spec) => from !== to && primariesOf(storeIn(snapshot, spec))[0]?.member.region === from)
      .map((spec) => returnOf(spec, snapshot, to)),
    // Whoever lets traffic go must be the only one who acts on where it goes.
    repairs: stores.flatMap(
      (spec) => repairOf(spec, snapshot, to, {anyway: from === to && heldRoutes(fleet, snapshot, to).length > 0}) ?? [],
    ),
  };
}

/** The stores that a plan may move. */
function movable(fleet: Fleet, snapshot: Snapshot): readonly StoreSpec[] {
  return fleet.stores.filter((each) => !isLeftAlone(storeIn(snapshot, each)));
}

/** Routes that give nothing to any region, and something to home in normal operation: a run that failed at its point of no return has left them so. */
function heldRoutes({routes}: Fleet, snapshot: Snapshot, home: string): readonly RouteSpec[] {
  return routes.filter(({name, weights}) => {
    const cell = snapshot.routers[name];
    return cell?.known === true && (weights[home] ?? 0) > 0 && Object.values(cell.value).every((weight) => weight === 0);
  });
}

/** A store whose primary is home already and whose other members do not all follow it; null = it needs nothing. `anyway`: also when all of them do. */
function repairOf(
  spec: StoreSpec,
  snapshot: Snapshot,
  home: string,
  {anyway}: {readonly anyway: boolean} = {anyway: false},
): Return | null {
  const [current] = primariesOf(storeIn(snapshot, spec));
  if (current === undefined || current.member.region !== home || managerOf(snapshot, spec.name) !== null) return null;
  const primary = {member: current.name, region: current.member.region, seen: true, basis: 'it answers as the primary'};
  const member = spec.members.find(({name}) => name === current.name);
  const others = spec.members.filter(({name}) => name !== current.name);
  if (member === undefined) return null;
  if (!anyway && others.every(({name}) => isFollowing(snapshot, spec, name, current.name))) return null;
  return {spec, primary, epoch: current.member.durable.epoch, home: member, others, followers: others.map(({name}) => name), silent: []};
}

function returnOf(spec: StoreSpec, snapshot: Snapshot, to: string): Return {
  const [current] = primariesOf(storeIn(snapshot, spec));
  const home = spec.members.find(({region}) => region === to);
  if (current === undefined) throw refused('no-primary', `no member of ${spec.name} answers as primary`);
  if (home === undefined) throw refused('no-target', `${to} has no member of ${spec.name}`);
  const primary = {member: current.name, region: current.member.region, seen: true, basis: 'it answers as the primary'};
  const rest = othersOf(spec, snapshot, current.name, home.name);
  return {
    spec,
    primary,
    epoch: current.member.durable.epoch,
    home,
    ...rest,
    // Whoever does not follow now is brought back before anything is moved. One that follows and has yet to come over to this timeline is not relied on.
    followers: rest.others
      .map(({name}) => name)
      .filter((name) => !isFollowing(snapshot, spec, name, current.name) || isInStep(snapshot, spec, name, current.name)),
  };
}

type Work = {readonly returns: readonly Return[]; readonly repairs: readonly Return[]};

function gatesOf({fleet, snapshot, to, copySpeeds}: FailbackInput, {returns, repairs}: Work, routes: readonly RouteSpec[]): Gate[] {
  const jurisdiction = fleet.regions.find(({name}) => name === to)?.jurisdiction ?? '';
  return [
    runAlone(),
    ...[...returns, ...repairs].map(({spec}) => unclaimed(spec, answering(snapshot, spec))),
    ourselvesSane(),
    ...(returns.length === 0 ? [] : [targetReachable(fleet, snapshot, to, returns)]),
    routersReachable(
      snapshot,
      routes.map(({name}) => name),
    ),
    ...returns.flatMap((each) => {
      const {spec, primary, home} = each;
      return [
        residency(spec, fleet.dataClasses, to, jurisdiction),
        onePrimaryPerTimeline(spec, snapshot, primary),
        clocksSane(spec, answering(snapshot, spec)),
        asked(
          `rejoin:${spec.name}`,
          false,
          [
            expect(
              'store.can-rejoin',
              {store: spec.name, member: home.name, region: home.region},
              {bytesPerSecond: copySpeeds?.[spec.name] ?? null},
            ),
          ],
          `${home.name} can be brought back`,
        ),
        ...keptFirst(each, snapshot),
        ...switchAcknowledgers(each, snapshot),
        ...(each.silent.length === 0 ? [] : [survivorsUnknown(snapshot, spec, each.silent)]),
      ];
    }),
    ...repairs.flatMap((each) => [
      onePrimaryPerTimeline(each.spec, snapshot, each.primary),
      ...noRivalAmong(each, snapshot),
      clocksSane(each.spec, answering(snapshot, each.spec)),
      ...keptFirst(each, snapshot),
    ]),
  ];
}

/**
 * Nothing has moved, so the primary at home is taken for the true one: unless so many are silent that one of them may be a later primary, with
 * enough others behind it to acknowledge writes.
 */
function noRivalAmong({spec, others}: Return, snapshot: Snapshot): Gate[] {
  const silent = others.filter(({name}) => storeIn(snapshot, spec).members[name]?.known !== true);
  return silent.length > spec.quorum ? [survivorsUnknown(snapshot, spec, silent)] : [];
}

/** Who would be overwritten is read first. Whoever passes this gate by name gives up what such a member holds alone. */
function keptFirst({spec, primary, home, others}: Return, snapshot: Snapshot): Gate[] {
  if (managerOf(snapshot, spec.name) !== null) return [];
  const strays = [...others, home].filter(({name}) => name !== primary.member && !isFollowing(snapshot, spec, name, primary.member));
  if (strays.length === 0) return [];
  const asks = strays.map(({name, region}) =>
    expect('store.can-save', {store: spec.name, member: name, region}, {upstream: primary.member}),
  );
  return [asked(`keep:${spec.name}`, true, asks, `what ${strays.map(({name}) => name).join(' and ')} hold alone is kept first`)];
}

/** Home may be unhealthy only because its database is not yet what it should be; it must be reachable. */
function targetReachable(fleet: Fleet, snapshot: Snapshot, to: string, returns: readonly Return[]): Gate {
  const following = returns.every(({spec, home, primary}) => isFollowing(snapshot, spec, home.name, primary.member));
  if (following) return targetHealthy(fleet, snapshot, to);
  const cell = snapshot.regions[to];
  if (cell === undefined || !cell.known)
    return judged('target-healthy', true, {
      verdict: 'unknown',
      says: `the state of ${to} is not known: ${cell?.reason ?? 'it was not looked at'}`,
    });
  return judged('target-healthy', true, {
    verdict: 'pass',
    says: `${to} answers (${cell.value.verdict}); its database is brought back first`,
    measured: cell.value.verdict,
  });
}

/** A primary on an older timeline is a stale one, and is closed first. */
function onePrimaryPerTimeline(spec: StoreSpec, snapshot: Snapshot, primary: PrimaryFinding): Gate {
  const primaries = primariesOf(storeIn(snapshot, spec));
  const epoch = primaries[0]?.member.durable.epoch;
  const stale = primaries.filter(({name}) => name !== primary.member).map(({name}) => name);
  const says = `${primary.member} is the primary (timeline ${epoch})${stale.length === 0 ? '' : `; ${stale.join(', ')} is a stale one and is closed first`}`;
  return judged(`one-primary:${spec.name}`, false, {verdict: 'pass', says});
}

/** Brings every member that does not follow the primary back under it; a stale primary is fenced for good first. */
function rejoinSteps(
  {spec, primary, home, others}: Return,
  snapshot: Snapshot,
  returns: readonly Return[],
  overrides: readonly Override[],
): Step[] {
  const build = storeSteps(named(spec, returns));
  const keeps = managerOf(snapshot, spec.name) === null && keepsIn({spec}, overrides);
  const strays = [...others, home].filter(({name}) => name !== primary.member && !isFollowing(snapshot, spec, name, primary.member));
  return strays.flatMap((member): Step[] => {
    const cell = storeIn(snapshot, spec).members[member.name];
    if (cell?.known !== true || cell.value.role !== 'standby') return backSteps(build, member, primary.member, keeps);
    return strayBack(build, member, primary.member, keeps);
  });
}

/** Whether what members hold alone is kept: unless somebody gave it up. */
const keepsIn = ({spec}: Pick<Return, 'spec'>, overrides: readonly Override[]): boolean =>
  !overrides.some(({gate}) => gate === `keep:${spec.name}`);

/**
 * Whoever held the traffic may have fenced the primary as well. Once every other member follows it, under our claim, nobody has passed it by and nobody
 * can.
 */
function openSteps(repairs: readonly Return[], all: readonly Return[]): Step[] {
  return repairs.map(({spec, primary: {member, region}, others}) => ({
    ...storeSteps(named(spec, all)).unfence(member, region),
    title: `lift the fence of ${member}, if it has one: everybody follows it`,
    do: call('store.unfence', {store: spec.name, member, region}, {when: 'undo'}),
    requires: others.map(({name, region: where}) => expect('store.following', {store: spec.name, member: name, region: where}, member)),
  }));
}

function caughtUpStep({spec, primary, home}: Return, all: readonly Return[]): Step[] {
  return [storeSteps(named(spec, all)).caughtUp(home.name, home.region, primary.member)];
}

/** All members, once they follow; but for one that was left alone, since it has yet to come over to this timeline. */
function equalStep({spec, primary, others}: Return, snapshot: Snapshot, all: readonly Return[]): Step[] {
  const members = spec.members.map(({name}) => name);
  const follows = (is: typeof isFollowing) => others.map(({name}) => name).filter((name) => is(snapshot, spec, name, primary.member));
  const inStep = follows(isInStep);
  const late = follows(isFollowing).filter((name) => !inStep.includes(name));
  return [storeSteps(named(spec, all)).equal(members, primary.member, late)];
}
