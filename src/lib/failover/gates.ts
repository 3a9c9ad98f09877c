import {refused, usageError} from '../errors.ts';
import type {DataClass, Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {Json} from '../plan/json.ts';
import type {Expectation, Gate, Loss, Override} from '../plan/plan.ts';
import {chainOf} from '../replication/chain.ts';
import type {Snapshot, StoreSnapshot} from '../snapshot/snapshot.ts';
import {standbysOf} from './find-primary.ts';
import {quorumFit} from './quorum.ts';
import {expect} from './steps.ts';

/** A loss preview judged against the data classes of its store. */
export type JudgedLoss = Loss & {readonly seconds: number | null; readonly withinRpo: boolean | null};

type Verdict = Pick<Gate, 'verdict' | 'says'> & {readonly measured?: Json};

/** A gate whose verdict follows from the snapshot alone. */
export function judged(id: string, overridable: boolean, {verdict, says, measured = null}: Verdict): Gate {
  return {id, asks: [], verdict, measured, says, overridable};
}

/** A gate whose verdict is that of its checks: asked of the world before the first effect. */
export function asked(id: string, overridable: boolean, asks: readonly Expectation[], says: string): Gate {
  return {id, asks, verdict: 'unknown', measured: null, says, overridable};
}

/** The region that is to be left must be unhealthy by the verdict: unknown is not down, and healthy needs no failover. */
export function regionDown(snapshot: Snapshot, region: string): Gate {
  const cell = snapshot.regions[region];
  if (cell === undefined || !cell.known) {
    return judged('region-down', true, {
      verdict: 'unknown',
      says: `it is not known whether ${region} is down: ${cell?.reason ?? 'it was not looked at'}`,
    });
  }
  const {verdict, reason, agree, asked: points} = cell.value;
  if (verdict === 'unhealthy' && agree * 2 <= points)
    return judged('region-down', true, {
      verdict: 'unknown',
      says: `only ${agree} of ${points} vantage points find ${region} down: ${reason}`,
      measured: {agree, asked: points},
    });
  if (verdict === 'unhealthy')
    return judged('region-down', true, {verdict: 'pass', says: `${region} is unhealthy: ${reason}`, measured: verdict});
  return judged('region-down', true, {
    verdict: 'refuse',
    says: `${region} is ${verdict}, so nothing needs to fail over: ${reason}`,
    measured: verdict,
  });
}

/** No standby has had a message from the old primary since we began to look: a fresh one means that it is alive. */
export function primarySilent(store: StoreSpec, primary: string, standbys: readonly string[]): Gate {
  const asks = standbys.length === 0 ? [] : [expect('store.silent', {store: store.name, member: primary}, {standbys})];
  return asked(`primary-silent:${store.name}`, true, asks, `no standby of ${store.name} hears ${primary}`);
}

/** The target must be seen as a standby in a region that is fit to serve. */
export function targetHealthy(fleet: Fleet, snapshot: Snapshot, region: string): Gate {
  const cell = snapshot.regions[region];
  const tier = fleet.regions.find(({name}) => name === region)?.tier;
  const id = 'target-healthy';
  if (tier === 'cold')
    return judged(id, false, {verdict: 'refuse', says: `${region} is a cold region: it has nothing running to fail over to`});
  if (cell === undefined || !cell.known)
    return judged(id, true, {verdict: 'unknown', says: `the state of ${region} is not known: ${cell?.reason ?? 'it was not looked at'}`});
  const fit = cell.value.verdict === 'healthy' || cell.value.verdict === 'degraded' || cell.value.verdict === 'recovering';
  return judged(id, true, {
    verdict: fit ? 'pass' : 'refuse',
    says: `${region} is ${cell.value.verdict}: ${cell.value.reason}`,
    measured: cell.value.verdict,
  });
}

/** Enough standbys must answer: to seal the old primary out, and to be sure that one of them holds the last acknowledged write. */
export function enoughStandbys(snapshot: Snapshot, spec: StoreSpec): Gate {
  const store = snapshot.stores[spec.name];
  const standbys = store === undefined ? [] : standbysOf(store).map(({name}) => name);
  const needed = Math.max(1, quorumFit(spec, store).seals);
  const says = `${standbys.length} of the ${spec.members.length - 1} standbys of ${spec.name} answer (${standbys.join(', ') || 'none'}); ${needed} ${needed === 1 ? 'is' : 'are'} needed`;
  return judged(`standbys:${spec.name}`, false, {verdict: standbys.length >= needed ? 'pass' : 'refuse', says, measured: standbys});
}

/**
 * Whoever takes over must find enough members to hold its writes, else it is promoted and accepts none. `left` = those that will follow it. Whoever
 * passes it by name has it promoted all the same, and it waits: to acknowledge with fewer than the fleet file says would make every later proof by
 * quorum wrong, so it is the file that has to say so. `asks` = what must hold besides.
 */
export function acknowledgers(spec: StoreSpec, target: string, left: readonly string[], asks: readonly Expectation[] = []): Gate[] {
  if (spec.quorum === 0) return [];
  const id = `acknowledgers:${spec.name}`;
  const will = `${left.length === 0 ? 'nobody' : left.join(' and ')} will follow ${target} and hold its writes; ${spec.quorum} must`;
  if (left.length >= spec.quorum)
    return [asks.length === 0 ? judged(id, true, {verdict: 'pass', says: will, measured: [...left]}) : asked(id, true, asks, will)];
  const says = `${will}, so ${target} would accept none until another member is back; to go on without, lower the quorum of ${spec.name} in the fleet file`;
  return [judged(id, true, {verdict: 'refuse', says, measured: [...left]})];
}

/** There must be a proof to be had that the old primary cannot acknowledge writes. */
export function fenceable(spec: StoreSpec, primary: string, region: string, quorum: Json): Gate {
  return asked(
    `fence:${spec.name}`,
    true,
    [expect('store.fenceable', {store: spec.name, member: primary, region}, quorum)],
    `${primary} can be fenced`,
  );
}

/** The expected loss must be within the RPO of every data class of the store. Unknown blocks. */
export function lossWithinRpo(loss: JudgedLoss): Gate {
  const verdict = loss.withinRpo === null ? 'unknown' : loss.withinRpo ? 'pass' : 'refuse';
  // Whoever estimates has not seen everything.
  const most = loss.certainty === 'estimate' ? 'about' : 'at most';
  const amount = loss.transactions === null ? 'an unknown number of transactions' : `${most} ${loss.transactions} transactions`;
  const measured: Json = {bytes: loss.bytes, transactions: loss.transactions, seconds: loss.seconds, certainty: loss.certainty};
  return judged(`loss:${loss.store}`, true, {verdict, says: `${loss.store} loses ${amount} (${loss.certainty}): ${loss.basis}`, measured});
}

/** Nobody else may be acting on the fleet. */
export function runAlone(): Gate {
  return asked('run-alone', false, [expect('run.alone', {}, true)], 'no other run acts on the fleet');
}

/** Nobody may be acting on the store from another machine. Whoever passes this gate by name ends that one's sessions: from then on it can change nothing. */
export function unclaimed(spec: StoreSpec, members: readonly string[]): Gate {
  const asks = [expect('store.unclaimed', {store: spec.name}, {members: [...members]})];
  return asked(`unclaimed:${spec.name}`, true, asks, `nobody else has claimed ${spec.name}`);
}

/** Whether somebody wants the store, whoever has it. */
export function takesOver(spec: StoreSpec, overrides: readonly Override[]): boolean {
  return overrides.some(({gate}) => gate === `unclaimed:${spec.name}`);
}

/** What we see is worth nothing while our own clock jumps or our own process stands still. */
export function ourselvesSane(): Gate {
  return asked('observer', true, [expect('observer.sane', {}, true)], 'this process and its clock can be trusted');
}

/** Everybody whose state decides must be seen: the target, the survivors, whoever is to be sealed. Only the region that is left may be unknown. */
export function survivorsKnown(snapshot: Snapshot, spec: StoreSpec, from: string, target: string): Gate {
  const cells = snapshot.stores[spec.name]?.members ?? {};
  const unseen = spec.members.filter(({name, region}) => (region !== from || name === target) && cells[name]?.known !== true);
  if (unseen.length > 0) return survivorsUnknown(snapshot, spec, unseen);
  return judged(`survivors:${spec.name}`, true, {verdict: 'pass', says: `every member of ${spec.name} outside ${from} answers`});
}

/** Members that do not answer: one of them may be a primary that nobody here knows of. */
export function survivorsUnknown(snapshot: Snapshot, spec: StoreSpec, unseen: readonly {readonly name: string}[]): Gate {
  const reasons = unseen.map(({name}) => {
    const cell = snapshot.stores[spec.name]?.members[name];
    return `${name} (${cell?.known === false ? cell.reason : 'it was not looked at'})`;
  });
  const says = `nothing is known of ${reasons.join(' and ')}`;
  return judged(`survivors:${spec.name}`, true, {verdict: 'unknown', says, measured: unseen.map(({name}) => name)});
}

/**
 * No link on the way from the primary to the target must have been too late to be relied on when it was looked at last. What was long ago is not known any
 * more: no gate then, nor where nobody has ever looked.
 */
export function breakerClosed(snapshot: Snapshot, spec: StoreSpec, primary: string, target: string): Gate[] {
  const store = snapshot.stores[spec.name];
  const known = wayTo(store, primary, target).flatMap(({from, to}) => {
    const breaker = store?.breakers?.[to]?.find((each) => each.from === from);
    const agoMs = breaker === undefined ? Number.NaN : Date.parse(snapshot.takenAt) - Date.parse(breaker.seenAt);
    return breaker !== undefined && agoMs >= 0 && agoMs <= BREAKER_KNOWN_MS ? [{...breaker, to, agoMs}] : [];
  });
  const worst = known.find(({state}) => state === 'open') ?? known.find(({state}) => state === 'warn') ?? known[0];
  if (worst === undefined) return [];
  const {from, to, state, says: why, agoMs} = worst;
  const ago = agoMs < 120_000 ? `${Math.round(agoMs / 1000)} s` : `${Math.round(agoMs / 60_000)} min`;
  const says = `the breaker of ${from} → ${to} was ${why} (${ago} ago)`;
  return [judged(`breaker:${spec.name}`, true, {verdict: state === 'open' ? 'refuse' : 'pass', says, measured: state})];
}

/** The links over which a member gets the log. Who follows nobody now followed the primary. */
function wayTo(store: StoreSnapshot | undefined, primary: string, target: string): readonly {readonly from: string; readonly to: string}[] {
  if (target === primary) return [];
  const upstreamOf = (to: string): string => {
    const cell = store?.members[to];
    return (cell?.known === true ? cell.value.upstream : null) ?? primary;
  };
  const all = Object.keys(store?.members ?? {}).flatMap((to) => (to === primary ? [] : [{from: upstreamOf(to), to}]));
  return chainOf(
    {from: upstreamOf(target), to: target},
    all.filter(({to}) => to !== target),
  ).links.toReversed();
}

/** A breaker that was open longer ago may have closed. */
const BREAKER_KNOWN_MS = 900_000;

/** The target's own settings must allow what a primary has to do. */
export function targetSettings(spec: StoreSpec, target: string): Gate {
  return asked(
    `settings:${spec.name}`,
    true,
    [expect('store.settings', {store: spec.name, member: target}, true)],
    `${target} is set up for it`,
  );
}

/** Clocks that are far apart make times, deadlines and last-writer-wins worthless. `members` = those that answer. */
export function clocksSane(spec: StoreSpec, members: readonly string[]): Gate {
  const want = {mostMs: MOST_SKEW_MS, members: [...members]};
  return asked(`clocks:${spec.name}`, true, [expect('store.clocks', {store: spec.name}, want)], 'clocks agree');
}

/** More than any network makes of a right clock. */
const MOST_SKEW_MS = 5000;

/** Data must stay where its class allows it. */
export function residency(spec: StoreSpec, classes: readonly DataClass[], region: string, jurisdiction: string): Gate {
  const barred = classes.filter(
    ({name, allowed}) => spec.dataClasses.includes(name) && allowed !== null && !allowed.includes(jurisdiction),
  );
  const says =
    barred.length === 0
      ? `every data class of ${spec.name} may be in ${region} (${jurisdiction})`
      : `${barred.map(({name}) => name).join(', ')} may not be in ${region} (${jurisdiction})`;
  return judged(`residency:${spec.name}`, false, {verdict: barred.length === 0 ? 'pass' : 'refuse', says});
}

/** Routers that send traffic to the region must answer: sessions that cannot be cut may go on writing. */
export function routersReachable(snapshot: Snapshot, routes: readonly string[]): Gate {
  const silent = routes.filter((name) => snapshot.routers[name]?.known !== true);
  const says =
    silent.length === 0
      ? `${routes.length === 0 ? 'no router to move' : `${routes.join(', ')} answers`}`
      : `${silent.join(', ')} does not answer, so its sessions cannot be cut`;
  return judged('routers', true, {verdict: silent.length === 0 ? 'pass' : 'refuse', says});
}

/**
 * Overrides with the full ids of the gates that they pass: `loss` stands for `loss:STORE` of every store. Throws a usage error for a gate
 * that the plan does not have, and refuses (77) one that nobody may pass.
 */
export function resolveOverrides(gates: readonly Gate[], overrides: readonly Override[]): readonly Override[] {
  return overrides.flatMap((override) => {
    const named = gates.filter(({id}) => id === override.gate || id.startsWith(`${override.gate}:`));
    if (named.length === 0)
      throw usageError(`--override ${override.gate}: no such gate; the gates are ${gates.map(({id}) => id).join(', ')}`);
    const fixed = named.find(({overridable}) => !overridable);
    if (fixed !== undefined) throw refused('not-overridable', `the gate ${fixed.id} cannot be overridden: ${fixed.says}`);
    return named.map(({id}) => ({...override, gate: id}));
  });
}
