import type {Fleet, RouteSpec, StoreMember, StoreSpec} from '../fleet/fleet.ts';
import type {LinkReading} from '../ports/store.ts';
import {isLeftAlone, isOfPeers, type Snapshot} from '../snapshot/snapshot.ts';

/** Weight of each region, 0-100. */
export type Weights = Readonly<Record<string, number>>;

/** The verdicts under which a region may be sent traffic. */
export const FIT: readonly string[] = ['healthy', 'degraded', 'recovering'];

/** What is known of a store's streams when a plan is made: each as both of its ends told, or why they could not be read. */
export type Streams = Readonly<Record<string, readonly LinkReading[] | string>>;

/** The stores whose members all take writes of their own. */
export function peerStores(fleet: Fleet, snapshot: Snapshot): readonly StoreSpec[] {
  return fleet.stores.filter(({name}) => {
    const store = snapshot.stores[name];
    return store !== undefined && store.watched !== true && isOfPeers(store);
  });
}

/** Whether a region is left and taken back without moving any primary: there is a store of peers, and no store with a primary that a plan moves. */
export function isOnlyPeers(fleet: Fleet, snapshot: Snapshot): boolean {
  const moved = fleet.stores.filter(({name}) => {
    const store = snapshot.stores[name];
    return store === undefined || !isLeftAlone(store);
  });
  return moved.length === 0 && peerStores(fleet, snapshot).length > 0;
}

/** The members of a store in a region, and those outside. */
export function sidesOf(
  {members}: StoreSpec,
  region: string,
): {readonly inside: readonly StoreMember[]; readonly outside: readonly StoreMember[]} {
  return {inside: members.filter((each) => each.region === region), outside: members.filter((each) => each.region !== region)};
}

/** Of some members, the names of those that answer. */
export function answeringOf(snapshot: Snapshot, {name: store}: StoreSpec, members: readonly StoreMember[]): readonly string[] {
  return members.map(({name}) => name).filter((name) => snapshot.stores[store]?.members[name]?.known === true);
}

/** Why a region may not be sent traffic now; null = it may: it is well, and each of its members of these stores answers and takes writes. */
export function unfitness(snapshot: Snapshot, stores: readonly StoreSpec[], region: string): string | null {
  const cell = snapshot.regions[region];
  if (cell?.known !== true) return `the state of ${region} is not known: ${cell?.reason ?? 'it was not looked at'}`;
  if (!FIT.includes(cell.value.verdict)) return `${region} is ${cell.value.verdict}: ${cell.value.reason}`;
  for (const spec of stores) {
    for (const {name} of sidesOf(spec, region).inside) {
      const member = snapshot.stores[spec.name]?.members[name];
      if (member?.known !== true) return `${name} of ${spec.name} does not answer: ${member?.reason ?? 'it was not looked at'}`;
      if (!member.value.writable) return `${name} of ${spec.name} takes no writes`;
    }
  }
  return null;
}

/** What a route sends now; where its router does not answer, what the fleet file says. */
export function weightsNow({name, weights}: RouteSpec, snapshot: Snapshot): Weights {
  const cell = snapshot.routers[name];
  return cell?.known === true ? cell.value : weights;
}

/**
 * A route without a region. The others keep their weights, and so share what it had in proportion; where all of them have none, those take it that have a
 * weight in the fleet file, or else the first of the failover order: of those that are fit, or null when none is.
 */
export function withoutRegion(fleet: Fleet, route: RouteSpec, now: Weights, from: string, fit: readonly string[]): Weights | null {
  const left = {...now, [from]: 0};
  if (Object.values(left).some((weight) => weight > 0)) return left;
  const able = fit.filter((region) => region !== from && region in now);
  const normal = able.filter((region) => (route.weights[region] ?? 0) > 0);
  const order = fleet.regions.find(({name}) => name === from)?.failoverOrder ?? [];
  const next = order.find((region) => able.includes(region));
  const takers = normal.length > 0 ? normal : next === undefined ? able.slice(0, 1) : [next];
  if (takers.length === 0) return null;
  return {...left, ...Object.fromEntries(takers.map((region) => [region, route.weights[region] || (now[from] ?? 100)]))};
}

/** A route with a share (percent) of a region's normal weight; with all of it, who has a weight only because it was away gives that back. */
export function withRegion(route: RouteSpec, now: Weights, to: string, share: number): Weights {
  const own = Math.max(1, Math.round(((route.weights[to] ?? 0) * share) / 100));
  const lent = (region: string): boolean => share === 100 && region !== to && (route.weights[region] ?? 0) === 0;
  return Object.fromEntries(Object.entries(now).map(([region, weight]) => [region, region === to ? own : lent(region) ? 0 : weight]));
}

/** Weights as people read them. */
export const weightsText = (weights: Weights): string =>
  Object.entries(weights)
    .map(([region, weight]) => `${region} ${weight}`)
    .join(', ');

/** The streams between these members that do not run, one sentence each. `touching`: only those that begin or end at one of these. */
export function brokenStreams(
  links: readonly LinkReading[],
  members: readonly string[],
  touching: readonly string[] = members,
): readonly string[] {
  return links
    .filter(({from, to}) => members.includes(from) && members.includes(to) && (touching.includes(from) || touching.includes(to)))
    .flatMap((link) => {
      const why = streamTrouble(link);
      return why === null ? [] : [why];
    });
}

/** Which of these members no stream leads from, and to: from each to each other one there should be one. */
export function missingWays(links: readonly LinkReading[], members: readonly string[]): readonly (readonly [string, string])[] {
  const there = new Set(links.flatMap(({from, to, kind}) => (kind === 'logical' ? [`${from}>${to}`] : [])));
  return members.flatMap((from) => members.flatMap((to) => (from === to || there.has(`${from}>${to}`) ? [] : [[from, to] as const])));
}

export const noStream = ([from, to]: readonly [string, string]): string => `there is no stream ${from} → ${to}`;

/** Why nothing moves over a stream; null = it runs, or waits for a lock that somebody will give back: whether it arrives is told by where it is. */
export function streamTrouble({from, to, cause, trouble, senderRead, senderState, receiverConnected}: LinkReading): string | null {
  if (cause?.state === 'broken') return trouble ?? `${from} → ${to}: ${cause.code}`;
  if (!senderRead) return `what ${from} sends to ${to} is not known: ${(trouble ?? `${from} was not read`).replace(/\.$/, '')}`;
  if (senderState === null || receiverConnected === false) return `${to} takes nothing from ${from} now: no worker reads its slot`;
  return null;
}
