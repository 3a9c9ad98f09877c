import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {barredFrom} from './place.ts';

/** Where to, and why there. `region` null = nowhere: `reason` says what is missing. */
export type TargetChoice = {readonly region: string; readonly reason: string} | {readonly region: null; readonly reason: string};

/** The first region of the failover order that has an answering standby of each store and is neither cold nor unhealthy. */
export function chooseTarget(fleet: Fleet, snapshot: Snapshot, from: string, stores: readonly StoreSpec[]): TargetChoice {
  const order = fleet.regions.find(({name}) => name === from)?.failoverOrder ?? [];
  if (order.length === 0) return {region: null, reason: `${from} has no failoverOrder in the fleet file; name a region with --to`};
  const why: string[] = [];
  for (const region of order) {
    const obstacle = obstacleTo(fleet, snapshot, region, stores);
    if (obstacle === null)
      return {region, reason: why.length === 0 ? `first in the failover order of ${from}` : `${why.join('; ')}; next in order`};
    why.push(obstacle);
  }
  return {region: null, reason: why.join('; ')};
}

/** Why a region cannot take over; null when it can. */
export function obstacleTo(fleet: Fleet, snapshot: Snapshot, region: string, stores: readonly StoreSpec[]): string | null {
  if (fleet.regions.find(({name}) => name === region)?.tier === 'cold') return `${region} is cold`;
  const health = snapshot.regions[region];
  if (health?.known && health.value.verdict === 'unhealthy') return `${region} is unhealthy (${health.value.reason})`;
  const barred = stores.map((store) => barredFrom(fleet, store, region));
  if (stores.length > 0 && barred.every((why) => why !== null)) return barred.filter((why) => why !== null).join('; ');
  // What may not go along goes to its secondary site, so it needs no member here.
  for (const store of stores.filter((_, index) => barred[index] === null)) {
    const members = store.members.filter((member) => member.region === region);
    if (members.length === 0) return `${region} has no member of ${store.name}`;
    const answering = members.some(({name}) => {
      const cell = snapshot.stores[store.name]?.members[name];
      return cell?.known === true && cell.value.role === 'standby';
    });
    if (!answering) return `${region} has no answering standby of ${store.name}`;
  }
  return null;
}
