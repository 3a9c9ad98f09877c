import type {Json} from '../plan/json.ts';

/** What a check of readiness found for one way: [epoch ms, 1 = open or 0]. */
export type ReadySample = readonly [number, number];

/** Where `failover ready` remembers what it found for one way. All ways of one check have the same time. */
export function readyKey(fleet: string, from: string, to: string): string {
  return `ready/${fleet}/${from}/${to}`;
}

/** The samples of a way, oldest first; what is none is left out. */
export function samplesOf(value: Json | undefined): readonly ReadySample[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((sample: Json) =>
    Array.isArray(sample) && typeof sample[0] === 'number' && typeof sample[1] === 'number' ? [[sample[0], sample[1]] as const] : [],
  );
}
