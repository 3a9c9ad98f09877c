import type {Stretch} from '../scaling/schedule.ts';

/** Prices of one instance for an hour; null = it cannot be had like that. */
export type HourlyPrices = {readonly onDemand: number; readonly reserved: number | null; readonly spot: number | null};

/** The load-duration curve: for how many hours how many instances are needed, fewest first. */
export type DurationCurve = readonly {readonly instances: number; readonly hours: number}[];

/** How the instances of a period are bought, in instance hours and in money. */
export type Mix = {
  /** Instances that are reserved for the whole period. */
  readonly reserved: number;
  /** Percent of the hours that an instance must be needed for so that reserving it costs no more than renting it on demand; null = none can be reserved. */
  readonly breakEven: number | null;
  readonly hours: {
    readonly reserved: number;
    readonly onDemand: number;
    readonly spot: number /** Reserved, and not needed. */;
    readonly idle: number;
  };
  readonly cost: {readonly reserved: number; readonly onDemand: number; readonly spot: number; readonly total: number};
};

const HOUR_MS = 3_600_000;

/** The load-duration curve of a schedule, on instances that hold `perInstance` replicas each. */
export function durationCurve(stretches: readonly Stretch[], perInstance: number): DurationCurve {
  const hours = new Map<number, number>();
  for (const {from, to, replicas} of stretches) {
    const instances = Math.ceil(replicas / perInstance);
    hours.set(instances, (hours.get(instances) ?? 0) + (to - from) / HOUR_MS);
  }
  return [...hours].map(([instances, each]) => ({instances, hours: each})).toSorted((a, b) => a.instances - b.instances);
}

/**
 * The cheapest mix. Of what is needed at a time at most `spotShare` percent runs on spot instances (rounded down), because they can be taken away all at
 * once; reserved instances are used first, since they are paid anyway; the rest is on demand.
 *
 * How many to reserve: the cost is linear in the number of reserved instances between the points where one of the other two kinds runs out at some level of
 * the curve, so the optimum is at one of these points. Without spot this is the textbook rule: reserve up to the level that is needed for at least
 * reserved / onDemand of the hours (the screening curve method of power plants).
 */
export function bestMix(curve: DurationCurve, prices: HourlyPrices, spotShare: number): Mix {
  const rented = {...prices, spot: prices.spot !== null && prices.spot < prices.onDemand ? prices.spot : null};
  const spotMost = (instances: number): number => (rented.spot === null ? 0 : Math.floor((instances * spotShare) / 100));
  const points = curve.flatMap(({instances}) => [instances, instances - spotMost(instances)]);
  const candidates = prices.reserved === null ? [0] : [0, ...points];
  const mixes = candidates.map((reserved) => mixWith(reserved, curve, rented, spotMost));
  const best = mixes.reduce((cheapest, mix) => (mix.cost.total < cheapest.cost.total ? mix : cheapest));
  return best;
}

function mixWith(reserved: number, curve: DurationCurve, prices: HourlyPrices, spotMost: (instances: number) => number): Mix {
  const hours = {reserved: 0, onDemand: 0, spot: 0, idle: 0};
  for (const level of curve) {
    const rest = Math.max(0, level.instances - reserved);
    const spot = Math.min(rest, spotMost(level.instances));
    hours.reserved += reserved * level.hours;
    hours.idle += Math.max(0, reserved - level.instances) * level.hours;
    hours.spot += spot * level.hours;
    hours.onDemand += (rest - spot) * level.hours;
  }
  const cost = {
    reserved: hours.reserved * (prices.reserved ?? 0),
    onDemand: hours.onDemand * prices.onDemand,
    spot: hours.spot * (prices.spot ?? 0),
  };
  const breakEven = prices.reserved === null || prices.onDemand === 0 ? null : (prices.reserved / prices.onDemand) * 100;
  return {reserved, breakEven, hours, cost: {...cost, total: cost.reserved + cost.onDemand + cost.spot}};
}

/** The most instances of a curve for all of its hours, on demand: what capacity that never changes would cost. */
export function fixedCost(curve: DurationCurve, {onDemand}: HourlyPrices): number {
  const hours = curve.reduce((sum, level) => sum + level.hours, 0);
  return (curve.at(-1)?.instances ?? 0) * hours * onDemand;
}
