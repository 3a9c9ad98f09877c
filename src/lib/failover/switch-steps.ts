import type {StoreMember, StoreSpec} from '../fleet/fleet.ts';
import type {Gate, Step} from '../plan/plan.ts';
import type {Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';
import type {PrimaryFinding} from './find-primary.ts';
import {acknowledgers} from './gates.ts';
import {handoverStep, managerOf, settledStep} from './managed-steps.ts';
import {acknowledgesNow, named, quorumOf, regionOfMember, ruleOf} from './plan-failover.ts';
import {expect, storeSteps} from './steps.ts';

/** One store whose primary is moved on purpose: who is its primary now, and the member that takes over. */
export type Return = {
  readonly spec: StoreSpec;
  readonly primary: PrimaryFinding;
  readonly epoch: number;
  readonly home: StoreMember;
  readonly others: readonly StoreMember[];
  /** Which of the others are sure to follow the one that takes over. */
  readonly followers: readonly string[];
  /** Who does not answer: nobody waits for them, and they are brought back at the end if they can be. */
  readonly silent: readonly StoreMember[];
};

/** The members beside the primary and the one that takes over: those that answer, and those that do not. */
export function othersOf(spec: StoreSpec, snapshot: Snapshot, primary: string, home: string): Pick<Return, 'others' | 'silent'> {
  const rest = spec.members.filter(({name}) => name !== home && name !== primary);
  const known = ({name}: StoreMember): boolean => storeIn(snapshot, spec).members[name]?.known === true;
  return {others: rest.filter(known), silent: rest.filter((member) => !known(member))};
}

/** Whether enough members can hold the writes of the one that takes over. A manager sees to that itself. */
export function switchAcknowledgers(move: Return, snapshot: Snapshot): Gate[] {
  const {spec, primary, home, followers} = move;
  if (managerOf(snapshot, spec.name) !== null) return [];
  const comesBack = spec.members.some(({name, host}) => name === primary.member && host !== null);
  const returns = expect('store.can-return', {store: spec.name, member: primary.member, region: primary.region}, true);
  const left = [...followers, ...(comesBack ? [primary.member] : [])];
  return acknowledgers(spec, home.name, left, needsFormer(move, snapshot) && comesBack ? [returns] : []);
}

/** Without the former primary too few would hold the first write: it is brought back before traffic is, not after. */
const needsFormer = ({spec, followers}: Return, snapshot: Snapshot): boolean =>
  managerOf(snapshot, spec.name) === null && followers.length < spec.quorum;

/** Those that must be back before traffic is: after all promotions, so that one that takes long holds up nothing else. */
export function formerSteps(move: Return, snapshot: Snapshot, returns: readonly Return[]): Step[] {
  const {spec, primary, home} = move;
  return needsFormer(move, snapshot)
    ? [storeSteps(named(spec, returns)).rejoin(primary.member, primary.region, home.name, 'auto', 'follow')]
    : [];
}

/** What can be done before traffic is held is. Who must acknowledge is set by then: it waits on the standby, and is in force from its first write as a primary. */
export function preparingSteps(move: Return, snapshot: Snapshot, returns: readonly Return[]): Step[] {
  const {spec, primary, home} = move;
  if (managerOf(snapshot, spec.name) !== null) return [];
  const build = storeSteps(named(spec, returns));
  const before = acknowledgesNow(snapshot, spec, home.name);
  return [
    ...(needsFormer(move, snapshot) ? [build.writeOut(primary.member, primary.region)] : []),
    {...build.durability(home.name, home.region, ruleOf(spec, home.name), before), phase: 'preflight'},
  ];
}

/** The switchover itself: stop the primary, let everybody let go, promote the one that has it all. */
export function switchSteps(move: Return, snapshot: Snapshot, returns: readonly Return[]): Step[] {
  const {spec, primary, epoch, home, others} = move;
  const build = storeSteps(named(spec, returns));
  const manager = managerOf(snapshot, spec.name);
  if (manager !== null) {
    const move = {from: primary.member, to: home.name, region: home.region, epoch, planned: true};
    return [handoverStep(named(spec, returns), manager, move, [])];
  }
  const standbys = [home.name, ...others.map(({name}) => name)];
  const quorum = quorumOf(spec, snapshot.stores[spec.name], standbys);
  const fenced = expect('store.fenced', {store: spec.name, member: primary.member, region: primary.region}, {...quorum, accept: PLANNED});
  // In a pair there is nobody to catch up from: it is only waited until what came last is replayed.
  const replayed = expect('store.most-advanced', {store: spec.name, member: home.name}, {among: standbys, replayed: true});
  return [
    build.fence(primary.member, primary.region, needsFormer(move, snapshot) ? {...quorum, clean: true} : quorum, PLANNED),
    build.seal(standbys, primary.member, [], others.length === 0 ? [replayed] : []),
    ...(others.length === 0 ? [] : [build.catchUp(home.name, home.region, standbys)]),
    build.promote(
      home.name,
      home.region,
      epoch,
      [
        fenced,
        expect('store.sealed', {store: spec.name}, {members: standbys}),
        expect('store.most-advanced', {store: spec.name, member: home.name}, {among: standbys}),
      ],
      // It was proven closed before it: nothing can come after it.
      false,
    ),
    ...others.map((member) => afterwards(move, snapshot, member, build)),
  ];
}

/**
 * Who did not follow before the move and cannot follow after it must not keep all traffic waiting. Who hears the primary and is not in step with it cannot
 * follow soon: it is only shown where to go on.
 */
function afterwards(
  {spec, primary, home, followers}: Return,
  snapshot: Snapshot,
  {name}: StoreMember,
  build: ReturnType<typeof storeSteps>,
): Step {
  const region = regionOfMember(spec, name);
  if (followers.includes(name)) return build.follow(name, region, home.name);
  if (hears(snapshot, spec, name, primary.member)) return build.point(name, region, home.name);
  return {...build.follow(name, region, home.name), onFailure: 'continue'};
}

const lateFollow = (follow: Step): Step => ({...follow, phase: 'converge', onFailure: 'continue'});

/** The former primary comes back as a standby, its fence is lifted, and all members are compared. */
export function settleSteps(move: Return, snapshot: Snapshot, returns: readonly Return[], keeps: boolean): Step[] {
  const {spec, primary, home, others, followers, silent} = move;
  const strays = others.filter(({name}) => !followers.includes(name));
  // What one holds that has yet to come over to this timeline is sound: it is only looked at whether it has.
  const late = strays.filter(({name}) => isFollowing(snapshot, spec, name, primary.member));
  const apart = strays.filter((member) => !late.includes(member));
  const build = storeSteps(named(spec, returns));
  const managed = managerOf(snapshot, spec.name) !== null;
  const rest = [primary.member, ...others.map(({name}) => name)];
  return [
    ...(managed ? rest.map((name) => settledStep(named(spec, returns), name, regionOfMember(spec, name), home.name, 'converge')) : []),
    ...(managed || needsFormer(move, snapshot) ? [] : [build.rejoin(primary.member, primary.region, home.name, 'auto', 'converge')]),
    ...(managed ? [] : [build.unfence(primary.member, primary.region)]),
    ...(managed ? [] : late.map(({name, region}) => lateFollow(build.follow(name, region, home.name)))),
    ...(managed ? [] : apart.flatMap((member) => eachIfTheLast(strayBack(build, member, home.name, keeps)))),
    ...(managed ? [] : silent.flatMap((member) => eachIfTheLast(backSteps(build, member, home.name, keeps)))),
    build.equal(
      spec.members.map(({name}) => name),
      home.name,
      [...strays, ...silent].map(({name}) => name),
    ),
  ];
}

/** A member that crashed as a primary may hold writes that the present one lacks: it is fenced for good, and rewound or rebuilt. It never just follows. */
export function backSteps(build: ReturnType<typeof storeSteps>, {name, region}: StoreMember, upstream: string, keeps: boolean): Step[] {
  const fence = build.fence(name, region, {need: 0, standbys: [], others: 0}, ['stopped', 'closed'], false);
  return [
    {...fence, id: `${fence.id}-first`, phase: 'converge', onFailure: 'stop'},
    ...(keeps ? [build.save(name, region, upstream)] : []),
    rejoinFirst(build, {name, region}, upstream, 'rewind'),
    {...build.unfence(name, region), id: `${build.unfence(name, region).id}-first`},
  ];
}

/** A standby that answers and follows nobody here: what it holds alone is kept, and it is brought under the present primary. */
export function strayBack(build: ReturnType<typeof storeSteps>, {name, region}: StoreMember, upstream: string, keeps: boolean): Step[] {
  return [...(keeps ? [build.save(name, region, upstream)] : []), rejoinFirst(build, {name, region}, upstream, 'auto')];
}

/** Brings a member under the present primary before anything is moved. */
function rejoinFirst(
  build: ReturnType<typeof storeSteps>,
  {name, region}: Pick<StoreMember, 'name' | 'region'>,
  upstream: string,
  how: 'auto' | 'rewind',
): Step {
  const rejoin = build.rejoin(name, region, upstream, how, 'converge');
  return {...rejoin, id: `${rejoin.id}-first`};
}

/** Steps that may fail without the run failing; each only after the one before it. */
function eachIfTheLast(steps: readonly Step[]): Step[] {
  return steps.map((step, index) => {
    const before = steps[index - 1];
    return {...step, onFailure: 'continue', after: before === undefined ? [] : [before.id]};
  });
}

/** A planned stop is proven on the server itself: no proof by quorum here. */
const PLANNED = ['stopped', 'closed'] as const;

/**
 * Whether a member streams from the primary, by the snapshot: one whose log went another way hears it, and gets nothing. A manager sees to such a one
 * itself.
 */
export function isFollowing(snapshot: Snapshot, spec: StoreSpec, member: string, primary: string): boolean {
  return hears(snapshot, spec, member, primary) && !(hasDiverged(snapshot, spec, member) && managerOf(snapshot, spec.name) === null);
}

function hasDiverged(snapshot: Snapshot, spec: StoreSpec, member: string): boolean {
  const cell = storeIn(snapshot, spec).members[member];
  return cell?.known === true && cell.value.diverged === true;
}

/** The same, and on the primary's timeline: one that has the end of an earlier one to receive or to apply first holds nothing of this one. */
export function isInStep(snapshot: Snapshot, spec: StoreSpec, member: string, primary: string): boolean {
  return isFollowing(snapshot, spec, member, primary) && timelineAhead(snapshot, spec, member, primary) === null;
}

/** Why a member is not in step with the primary, to be read after its name. */
export function straySays(snapshot: Snapshot, spec: StoreSpec, member: string, primary: string): string {
  if (!hears(snapshot, spec, member, primary)) return `does not follow ${primary}`;
  if (hasDiverged(snapshot, spec, member)) return `hears ${primary}, but its log went another way`;
  return `has not come over to timeline ${timelineAhead(snapshot, spec, member, primary)} of ${primary} yet`;
}

function hears(snapshot: Snapshot, spec: StoreSpec, member: string, primary: string): boolean {
  const cell = storeIn(snapshot, spec).members[member];
  return cell?.known === true && cell.value.role === 'standby' && cell.value.upstream === primary && cell.value.heardUpstreamAgoMs !== null;
}

/** The primary's timeline where the member's is an earlier one; null = it is not. */
function timelineAhead(snapshot: Snapshot, spec: StoreSpec, member: string, primary: string): number | null {
  const {[member]: own, [primary]: upstream} = storeIn(snapshot, spec).members;
  if (own?.known !== true || upstream?.known !== true) return null;
  const [held, leads] = [own.value.durable, upstream.value.durable];
  return held.lineage === leads.lineage && held.epoch < leads.epoch ? leads.epoch : null;
}

const unreadAck = {known: false, code: 'not-read', reason: 'it was not looked at', at: 0} as const;

/** A store as the snapshot has it; nothing known when it was not read. */
export function storeIn(snapshot: Snapshot, spec: StoreSpec): StoreSnapshot {
  return snapshot.stores[spec.name] ?? {engine: spec.engine, ack: unreadAck, members: {}};
}
