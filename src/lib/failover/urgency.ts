import type {Fleet, StoreSpec} from '../fleet/fleet.ts';
import {SERVICE_CLASSES} from '../fleet/lookup.ts';

/** Stores in the order in which they are wanted back: those of critical services first; otherwise as in the fleet file. */
export function byUrgency(fleet: Fleet, stores: readonly StoreSpec[]): readonly StoreSpec[] {
  return stores.toSorted((a, b) => rank(fleet, a) - rank(fleet, b));
}

function rank(fleet: Fleet, {name}: StoreSpec): number {
  const classes: readonly string[] = SERVICE_CLASSES;
  const ranks = fleet.services.filter(({stores}) => stores.includes(name)).map((service) => classes.indexOf(service.class));
  return Math.min(classes.length, ...ranks.filter((each) => each >= 0));
}
