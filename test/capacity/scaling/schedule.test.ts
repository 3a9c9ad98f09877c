import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {planReplicas, replicaHours, SCALING_DEFAULTS, type ScalingRule} from '../../../src/lib/capacity/scaling/schedule.ts';

const FROM = Date.parse('2026-11-28T00:00:00Z');
const [MIN, HOUR] = [60_000, 3_600_000];
const hours = (count: number) => Float64Array.from({length: count}, (_, hour) => FROM + hour * HOUR);
const RULE: ScalingRule = {...SCALING_DEFAULTS, perReplica: 50};
const plan = (load: readonly number[], rule: Partial<ScalingRule> = {}) =>
  planReplicas(Float64Array.from(load), hours(load.length), HOUR, {...RULE, ...rule});
const minutes = (made: ReturnType<typeof plan>) =>
  made.stretches.map(({from, to, replicas}) => [(from - FROM) / MIN, (to - FROM) / MIN, replicas]);

describe('planReplicas', () => {
  /* margin 2, 50 for each: 100 -> 4, 500 -> 20, 250 -> 10. Up 3 min before the hour, down 5 min after it. */
  it('has more before it is needed, and fewer some time after it was', () => {
    const made = plan([100, 500, 250]);
    expect(made.needs.map(({replicas}) => replicas)).toEqual([4, 20, 10]);
    expect(minutes(made)).toEqual([
      [0, 57, 4],
      [57, 125, 20],
      [125, 180, 10],
    ]);
    expect(replicaHours(made.stretches)).toBeCloseTo((57 * 4 + 68 * 20 + 55 * 10) / 60, 9);
  });

  /* A burst of 10 min outlasts the lead of 3 min: at the peak of 500 it is 1000, and with margin 2 that wants 40 of 50 each. */
  it('bounds an autoscaler so that a burst finds room', () => {
    expect(plan([100, 500])).toMatchObject({min: 4, max: 40});
    // Over before new replicas serve: what runs carries it, and no more are asked for.
    expect(plan([100, 500], {burstMs: 2 * MIN})).toMatchObject({min: 4, max: 20});
  });

  it('the burst counts where it is more than the margin', () => {
    expect(plan([100], {margin: 1.2, burst: 3}).needs).toMatchObject([{replicas: 6}]);
    expect(plan([100], {margin: 3, burst: 2}).needs).toMatchObject([{replicas: 6}]);
    expect(plan([0, 1], {least: 3}).needs.map(({replicas}) => replicas)).toEqual([3, 3]);
  });

  it('keeps to the budget, and says for which hours it is too little', () => {
    const made = plan([100, 500, 250], {most: 12});
    expect(made).toMatchObject({max: 12, short: [{at: FROM + HOUR, load: 500, replicas: 20}]});
    expect(Math.max(...made.stretches.map(({replicas}) => replicas))).toBe(12);
  });

  it('a lead of hours looks hours ahead', () => {
    expect(minutes(plan([50, 50, 50, 500], {leadMs: 2 * HOUR}))).toEqual([
      [0, 60, 2],
      [60, 240, 20],
    ]);
    expect(plan([])).toMatchObject({needs: [], stretches: [], short: []});
  });

  it.each([
    [{perReplica: 0}, /a replica must serve something/],
    [{margin: 0.5}, /--margin 0.5: a safety margin is at least 1/],
    [{burst: 0}, /a burst is at least 1/],
    [{least: 5, most: 4}, /cannot both be/],
  ])('%j is refused', (rule, message) => {
    expect(() => plan([1], rule)).toThrow(message);
  });

  it('a load that nothing can serve is refused', () => {
    expect(() => plan([1e300])).toThrow(/more than anything can run: perReplica is too small/);
  });

  it('always runs what is needed, without a hole, and never fewer for more load', () => {
    const list = fc.array(fc.double({min: 0, max: 1e6, noNaN: true}), {minLength: 1, maxLength: 60});
    const rules = fc.record({
      leadMs: fc.integer({min: 0, max: 5 * HOUR}),
      stabilisationMs: fc.integer({min: 0, max: 3 * HOUR}),
      margin: fc.double({min: 1, max: 4, noNaN: true}),
    });
    fc.assert(
      fc.property(list, rules, (load, rule) => {
        const made = plan(load, rule);
        made.stretches.forEach(({from, to, replicas}, index) => {
          expect(to).toBeGreaterThan(from);
          if (index > 0) expect(from).toBe(made.stretches[index - 1]!.to);
          for (const need of made.needs) if (from < need.at + HOUR && to > need.at) expect(replicas).toBeGreaterThanOrEqual(need.replicas);
          expect(replicas >= made.min && replicas <= made.max).toBe(true);
        });
        expect(
          replicaHours(
            plan(
              load.map((value) => value * 1.5),
              rule,
            ).stretches,
          ),
        ).toBeGreaterThanOrEqual(replicaHours(made.stretches));
      }),
    );
  });

  it('8,760 hours take no time to speak of', () => {
    const load = Array.from({length: 8760}, (_, hour) => 1000 + 900 * Math.sin((hour * Math.PI) / 12));
    const before = performance.now();
    expect(plan(load).stretches.length).toBeGreaterThan(4000);
    expect(performance.now() - before).toBeLessThan(2000);
  });
});
