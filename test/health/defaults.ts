import type {HealthSpec} from '../../src/lib/fleet/fleet.ts';

/** How a fleet file that says nothing has its regions judged. */
export const HEALTH: HealthSpec = {intervalMs: 5000, riseFall: {rise: 2, fall: 1}, flapping: {changes: 6, withinMs: 900_000}};
