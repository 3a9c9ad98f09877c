import type {LabMode} from './record.ts';

/** Share of new requests per region, 0-100. */
export type Weights = Readonly<Record<string, number>>;

/** How the front door begins: with everything for the primary, or the same for each of peers. */
export function firstWeights(regions: readonly string[], mode: LabMode): Weights {
  return Object.fromEntries(regions.map((region, index) => [region, mode === 'active-active' || index === 0 ? 100 : 0]));
}

/** Chooses a region with a probability by its weight; `dice` is from 0 up to, not including, 1. null = every weight is 0. */
export function chooseRegion(weights: Weights, dice: number): string | null {
  const open = Object.entries(weights).filter(([, weight]) => weight > 0);
  const sum = open.reduce((total, [, weight]) => total + weight, 0);
  let left = dice * sum;
  for (const [region, weight] of open) {
    left -= weight;
    if (left < 0) return region;
  }
  // Rounding can leave a hair: it belongs to the last one.
  return open.at(-1)?.[0] ?? null;
}

/** The weights of a request, complete: regions that it does not name get 0. Throws Error naming the region and the value. */
export function parseWeights(value: unknown, regions: readonly string[]): Weights {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('weights must be an object of region: 0-100');
  const given: Record<string, unknown> = {...value};
  for (const [region, weight] of Object.entries(given)) {
    if (!regions.includes(region)) throw new Error(`unknown region "${region}"; the lab has ${regions.join(', ')}`);
    if (typeof weight !== 'number' || !(weight >= 0 && weight <= 100))
      throw new Error(`weight of ${region} must be 0-100, not ${JSON.stringify(weight)}`);
  }
  return Object.fromEntries(regions.map((region) => [region, Number(given[region] ?? 0)]));
}
