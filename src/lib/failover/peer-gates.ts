import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {Gate} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {asked, judged} from './gates.ts';
import {answeringOf, FIT, sidesOf, unfitness} from './peers.ts';
import {expect} from './steps.ts';

/** Whoever empties a region has named it or found it unhealthy: either will do. A state that is not known may be our own blindness. */
export function regionKnown(snapshot: Snapshot, region: string): Gate {
  const cell = snapshot.regions[region];
  if (cell?.known !== true) {
    const says = `the state of ${region} is not known: ${cell?.reason ?? 'it was not looked at'}`;
    return judged('region', true, {verdict: 'unknown', says});
  }
  const {verdict, reason} = cell.value;
  const says = FIT.includes(verdict) ? `${region} is ${verdict}: it is emptied as planned` : `${region} is ${verdict}: ${reason}`;
  return judged('region', true, {verdict: 'pass', says, measured: verdict});
}

/**
 * The others must be able to take what the region had. None fit: nobody may pass that. One that would be sent traffic is not: a person may. Fewer than half of
 * all regions well: it may be our own view that is cut off, so a person has to say that it is not.
 */
export function othersFit(snapshot: Snapshot, stores: readonly StoreSpec[], {from, receiving, all}: Leaving): Gate {
  const why = new Map(all.map((region) => [region, unfitness(snapshot, stores, region)] as const));
  const fit = all.filter((region) => why.get(region) === null);
  const able = receiving.filter((region) => fit.includes(region));
  if (able.length === 0) {
    const reasons = receiving.flatMap((region) => why.get(region) ?? []);
    const says = `no other region can take what ${from} has: ${reasons.join('; ') || 'no route leads to another one'}`;
    return judged('others', false, {verdict: 'refuse', says, measured: fit});
  }
  const unfit = receiving.flatMap((region) => why.get(region) ?? []);
  if (unfit.length > 0)
    return judged('others', true, {
      verdict: 'refuse',
      says: `traffic would go on to a region that is not well: ${unfit.join('; ')}`,
      measured: fit,
    });
  if (fit.length * 2 < all.length)
    return judged('others', true, {
      verdict: 'unknown',
      says: `only ${fit.join(' and ')} of ${all.length} regions are well as seen from here: it may be this machine that is cut off`,
      measured: fit,
    });
  return judged('others', true, {
    verdict: 'pass',
    says: `${able.join(' and ')} ${able.length === 1 ? 'takes' : 'take'} writes`,
    measured: able,
  });
}

type Leaving = {readonly from: string; readonly receiving: readonly string[]; readonly all: readonly string[]};

/** Data must stay where its class allows it, in every region that is sent traffic. */
export function residencyIn(fleet: Fleet, spec: StoreSpec, regions: readonly string[]): Gate {
  const places = regions.map((name) => ({
    name,
    jurisdiction: fleet.regions.find((each) => each.name === name)?.jurisdiction ?? 'an unknown jurisdiction',
  }));
  const barred = places.flatMap(({name, jurisdiction}) =>
    fleet.dataClasses
      .filter((each) => spec.dataClasses.includes(each.name) && each.allowed !== null && !each.allowed.includes(jurisdiction))
      .map((each) => `${each.name} may not be in ${name} (${jurisdiction})`),
  );
  const says = barred.length === 0 ? `every data class of ${spec.name} may be in ${regions.join(' and ')}` : barred.join('; ');
  return judged(`residency:${spec.name}`, false, {verdict: barred.length === 0 ? 'pass' : 'refuse', says});
}

/** Every member must answer: nobody knows what a silent one has written. Whoever passes this by name takes the region back without it. */
export function membersAnswer(snapshot: Snapshot, spec: StoreSpec): Gate {
  const cells = snapshot.stores[spec.name]?.members ?? {};
  const silent = spec.members.filter(({name}) => cells[name]?.known !== true);
  const id = `members:${spec.name}`;
  if (silent.length === 0) return judged(id, true, {verdict: 'pass', says: `every member of ${spec.name} answers`});
  const reasons = silent.map(({name}) => {
    const cell = cells[name];
    return `${name} (${cell?.known === false ? cell.reason : 'it was not looked at'})`;
  });
  return judged(id, true, {
    verdict: 'unknown',
    says: `nothing is known of ${reasons.join(' and ')}`,
    measured: silent.map(({name}) => name),
  });
}

/** The streams to and from the region run. */
export function streamsRun(snapshot: Snapshot, spec: StoreSpec, region: string): Gate {
  const members = answeringOf(snapshot, spec, spec.members);
  const touching = sidesOf(spec, region).inside.map(({name}) => name);
  const asks = [expect('peers.linked', {store: spec.name, region}, {members: [...members], touching})];
  return asked(`streams:${spec.name}`, true, asks, `changes of ${spec.name} flow to ${region} and from it`);
}

/** The region has applied what the others had when this was asked, and they what it had. */
export function caughtUp(snapshot: Snapshot, spec: StoreSpec, region: string): Gate {
  const members = answeringOf(snapshot, spec, spec.members);
  const asks = [expect('peers.caught-up', {store: spec.name, region}, {members: [...members]})];
  return asked(`catch-up:${spec.name}`, true, asks, `${region} has caught up with ${spec.name}, and the others with it`);
}
