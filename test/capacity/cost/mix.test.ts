import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {bestMix, type DurationCurve, durationCurve, fixedCost, type HourlyPrices} from '../../../src/lib/capacity/cost/mix.ts';

const HOUR = 3_600_000;
const PRICES: HourlyPrices = {onDemand: 1, reserved: 0.6, spot: 0.3};
const DAY: DurationCurve = [
  {instances: 4, hours: 10},
  {instances: 8, hours: 8},
  {instances: 10, hours: 6},
];

it('a load-duration curve counts hours by instances, on instances that hold several replicas', () => {
  const stretch = (from: number, to: number, replicas: number) => ({from: from * HOUR, to: to * HOUR, replicas});
  expect(durationCurve([stretch(0, 2, 7), stretch(2, 3, 20), stretch(3, 4.5, 8)], 4)).toEqual([
    {instances: 2, hours: 3.5},
    {instances: 5, hours: 1},
  ]);
});

describe('bestMix', () => {
  /*
   * Without spot. Level 1-4 is needed 24 of 24 h, 5-8 in 14 (58.3 %), 9-10 in 6 (25 %). Reserving pays from 60 % on: 4 are reserved.
   * Cost: 4 * 24 * 0.6 = 57.6; on demand 4 * 8 + 6 * 6 = 68; together 125.6. With 8: 8 * 24 * 0.6 + 2 * 6 = 127.2.
   */
  it('reserves up to the level that is used often enough', () => {
    const mix = bestMix(DAY, {...PRICES, spot: null}, 40);
    expect(mix).toMatchObject({reserved: 4, breakEven: 60, hours: {reserved: 96, onDemand: 68, spot: 0, idle: 0}});
    expect(mix.cost.total).toBeCloseTo(125.6, 9);
    // At 0.58 of the price of on demand the second level pays too: 14 of 24 hours are 58.3 %.
    expect(bestMix(DAY, {onDemand: 1, reserved: 0.58, spot: null}, 40)).toMatchObject({reserved: 8, hours: {idle: 40}});
  });

  /*
   * With 40 % spot: at most 1 of 4, 3 of 8, 4 of 10. Reserve 4: then 8 needs 3 spot + 1 on demand for 8 h, 10 needs 4 spot + 2 on demand for 6 h:
   * 57.6 + (3 * 8 + 4 * 6) * 0.3 + (8 + 12) * 1 = 57.6 + 14.4 + 20 = 92. Reserve 3: 43.2 + (10 + 24 + 24) * 0.3 + (2 * 8 + 3 * 6) = 94.6.
   * Reserve 5: 72 + 48 * 0.3 + 1 * 6 = 92.4 (one idles for 10 h). So 4 it is.
   */
  it('uses spot up to its share at every hour, and reserves what is left where it pays', () => {
    const mix = bestMix(DAY, PRICES, 40);
    expect(mix).toMatchObject({reserved: 4, hours: {reserved: 96, spot: 48, onDemand: 20, idle: 0}});
    expect(mix.cost.total).toBeCloseTo(92, 9);
    expect(bestMix(DAY, PRICES, 100)).toMatchObject({reserved: 0, hours: {onDemand: 0, spot: 164}});
    expect(bestMix(DAY, PRICES, 0).cost.total).toBeCloseTo(125.6, 9);
  });

  it('does without what costs more, and without anything', () => {
    expect(bestMix(DAY, {onDemand: 1, reserved: null, spot: 2}, 40)).toMatchObject({
      reserved: 0,
      breakEven: null,
      cost: {spot: 0, total: 164},
    });
    expect(bestMix(DAY, {onDemand: 1, reserved: 1.5, spot: null}, 40)).toMatchObject({reserved: 0, cost: {total: 164}});
    expect(bestMix([], PRICES, 40)).toMatchObject({reserved: 0, cost: {total: 0}});
    expect(bestMix(DAY, {onDemand: 0, reserved: 0, spot: 0}, 40)).toMatchObject({breakEven: null, cost: {total: 0}});
  });

  /* 10 instances for 24 hours at 1: 240, against 92. */
  it('fixed capacity is the peak, all the time, on demand', () => {
    expect(fixedCost(DAY, PRICES)).toBe(240);
    expect(fixedCost([], PRICES)).toBe(0);
  });

  const curves = fc
    .uniqueArray(fc.record({instances: fc.integer({min: 0, max: 60}), hours: fc.integer({min: 1, max: 100})}), {
      maxLength: 8,
      selector: ({instances}) => instances,
    })
    .map((levels) => levels.toSorted((a, b) => a.instances - b.instances));
  const price = fc.double({min: 0, max: 10, noNaN: true});
  const prices = fc.record({onDemand: price, reserved: fc.option(price), spot: fc.option(price)});
  const shares = fc.integer({min: 0, max: 100});

  /** Every number of reserved instances, hour by hour. */
  function bruteForce(curve: DurationCurve, {onDemand, reserved, spot}: HourlyPrices, spotShare: number): number {
    const most = reserved === null ? 0 : (curve.at(-1)?.instances ?? 0);
    const costs = Array.from({length: most + 1}, (_, count) =>
      curve.reduce((sum, {instances, hours}) => {
        const rest = Math.max(0, instances - count);
        const spots = spot === null || spot >= onDemand ? 0 : Math.min(rest, Math.floor((instances * spotShare) / 100));
        return sum + hours * (count * (reserved ?? 0) + spots * (spot ?? 0) + (rest - spots) * onDemand);
      }, 0),
    );
    return Math.min(...costs);
  }

  it('is the cheapest of all, never dearer than all on demand, and covers every hour', () => {
    fc.assert(
      fc.property(curves, prices, shares, (curve, each, share) => {
        const mix = bestMix(curve, each, share);
        const needed = curve.reduce((sum, {instances, hours}) => sum + instances * hours, 0);
        expect(mix.cost.total).toBeCloseTo(bruteForce(curve, each, share), 6);
        expect(mix.cost.total).toBeLessThanOrEqual(needed * each.onDemand + 1e-6);
        expect(mix.hours.reserved - mix.hours.idle + mix.hours.onDemand + mix.hours.spot).toBe(needed);
      }),
    );
  });

  it('never costs less for more, hour by hour', () => {
    const hours = fc.array(fc.tuple(fc.integer({min: 0, max: 50}), fc.integer({min: 0, max: 20})), {maxLength: 30});
    fc.assert(
      fc.property(hours, prices, shares, fc.integer({min: 1, max: 5}), (load, each, share, perInstance) => {
        const curveOf = (replicas: readonly number[]) =>
          durationCurve(
            replicas.map((count, hour) => ({from: hour * HOUR, to: (hour + 1) * HOUR, replicas: count})),
            perInstance,
          );
        const less = bestMix(curveOf(load.map(([count]) => count)), each, share).cost.total;
        const more = bestMix(curveOf(load.map(([count, added]) => count + added)), each, share).cost.total;
        expect(more).toBeGreaterThanOrEqual(less - 1e-6);
      }),
    );
  });
});
