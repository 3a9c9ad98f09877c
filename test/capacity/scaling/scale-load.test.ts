import {describe, expect, it} from 'vitest';
import {scaleLoad} from '../../../src/lib/capacity/scaling/scale-load.ts';
import {SCALING_DEFAULTS, type ScalingRule} from '../../../src/lib/capacity/scaling/schedule.ts';
import {HOUR, load, NOW, sameAgain} from '../survive/world.ts';

const RULE: ScalingRule = {...SCALING_DEFAULTS, perReplica: 11};
const AHEAD = {from: NOW, to: NOW + 3 * HOUR, forecastOf: sameAgain};
const requests = {name: 'requests', region: 'us'};

describe('scaleLoad', () => {
  /* 100 at 12:00, 200 at 13:00, 100 at 14:00; p90 a tenth more; twice of it over 11 for each: 20, 40, 20. 400 req/s for an hour are 1,440,000. */
  it('plans for the p90 of the hours to come, and counts the units of the mean', () => {
    const made = scaleLoad(load({...requests, at: (hour) => (hour === 13 ? 200 : 100)}), RULE, AHEAD);
    if (typeof made === 'string') throw new Error(made);
    expect(made.schedule.needs.map(({at, replicas}) => [(at - NOW) / HOUR, replicas])).toEqual([
      [0, 20],
      [1, 40],
      [2, 20],
    ]);
    expect(made.units).toBe(400 * 3600);
  });

  /* Twice as much: p90 220 and 440, 40 and 80 replicas, twice the units. */
  it('plans for what a growth makes of it', () => {
    const made = scaleLoad(load({...requests, at: (hour) => (hour === 13 ? 200 : 100)}), RULE, {...AHEAD, times: 2});
    if (typeof made === 'string') throw new Error(made);
    expect(made.schedule.needs.map(({replicas}) => replicas)).toEqual([40, 80, 40]);
    expect(made.units).toBe(2 * 400 * 3600);
  });

  it.each([
    ['orders per hour', {purpose: 'orders', unit: 'orders'}, 300],
    ['a rate per minute', {purpose: 'throughput', unit: 'req/min'}, 300 * 60],
    ['a rate per hour', {purpose: 'throughput', unit: 'req / h'}, 300],
    ['percent', {purpose: 'cpu', unit: '%'}, null],
    ['connections', {purpose: 'connections', unit: 'connections'}, null],
  ] as const)('units of %s', (_, more, units) => {
    expect(scaleLoad(load({...requests, ...more}), RULE, AHEAD)).toMatchObject({units});
  });

  it('goes on from the last step that is known', () => {
    const made = scaleLoad(load({...requests, at: (hour) => (hour === 12 ? 300 : 100), gone: 5}), RULE, AHEAD);
    if (typeof made === 'string') throw new Error(made);
    expect(made.schedule.needs.map(({load: planned}) => Math.round(planned))).toEqual([330, 110, 110]);
  });

  it('one load that nothing can serve is said, and hides no other', () => {
    expect(scaleLoad(load({...requests, at: () => 1e99}), RULE, AHEAD)).toBe(
      'it takes 4.00e+98 replicas, more than anything can run: perReplica (11) is too small for a load of 1.10e+99',
    );
  });

  it('says why it cannot', () => {
    expect(scaleLoad(load({...requests, length: 12}), RULE, AHEAD)).toBe(
      'its history is too short: 12 hourly values are known, 48 are needed',
    );
    expect(scaleLoad(load(requests), RULE, {...AHEAD, from: NOW + 8 * 24 * HOUR, to: NOW + 9 * 24 * HOUR})).toBe(
      'its history ends at 2026-11-28 12:00Z',
    );
    const broken = {
      ...AHEAD,
      forecastOf: (...given: Parameters<typeof sameAgain>) => ({...sameAgain(...given), p90: new Float64Array(3).fill(Number.NaN)}),
    };
    expect(scaleLoad(load(requests), RULE, broken)).toBe('no forecast of it could be made');
  });
});
