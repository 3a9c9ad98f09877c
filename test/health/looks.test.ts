import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {type Counted, countLook, UNCOUNTED} from '../../src/lib/health/looks.ts';
import type {ProbeResult} from '../../src/lib/ports/probe.ts';
import {AT, endpoint, REFUSED, reading, region} from './samples.ts';

const GOOD: Partial<ProbeResult> = {};

/** A region whose endpoints are asked one after the other, in any order, as a monitor does it. */
class Region {
  #order = 0;
  #memory: Counted = UNCOUNTED;
  readonly #said = new Map<string, {result: Partial<ProbeResult>; order: number; failures: number}>();
  readonly #critical: boolean;
  constructor(names: readonly string[], critical = true) {
    this.#critical = critical;
    for (const name of names) this.#said.set(name, {result: GOOD, order: 0, failures: 0});
  }

  says(name: string, result: Partial<ProbeResult>): this {
    this.#order += 1;
    const failures = result === GOOD ? 0 : (this.#said.get(name)?.failures ?? 0) + 1;
    this.#said.set(name, {result, order: this.#order, failures});
    return this;
  }

  /** How often it counts now, when it leads to that state. */
  counts(state: string): number {
    const readings = [...this.#said].map(([name, {result, order, failures}]) => ({
      ...reading(endpoint(name, 'eu', {critical: this.#critical}), result),
      at: AT,
      order,
      failures,
    }));
    const [judged] = judgeFleet({regions: [region('eu')]}, readings, Number.NEGATIVE_INFINITY).regions;
    if (judged === undefined) throw new Error('no region');
    const {counts, next} = countLook(judged, this.#memory);
    this.#memory = next(counts > 0 ? state : null);
    return counts;
  }
}

/** After each judgement, every so many askings: how many failures have counted since the region was well, and the longest row there is. */
function played(given: readonly {name: string; good: boolean}[], every: number): readonly {falls: number; most: number}[] {
  const eu = new Region(['a', 'b', 'c']);
  const rows = new Map([...'abc'].map((name) => [name, 0]));
  let falls = 0;
  return given.flatMap(({name, good}, index) => {
    rows.set(name, good ? 0 : (rows.get(name) ?? 0) + 1);
    eu.says(name, good ? GOOD : REFUSED);
    if (index % every > 0) return [];
    const most = Math.max(...rows.values());
    const counted = eu.counts(most === 0 ? 'healthy' : 'degraded');
    falls = most === 0 ? 0 : falls + counted;
    return [{falls, most}];
  });
}

describe('a look', () => {
  it('counts as a failure only when one of those that are down was asked again', () => {
    const eu = new Region(['db', 'app']).says('db', REFUSED);
    expect(eu.counts('unhealthy')).toBe(1);
    expect(eu.counts('unhealthy')).toBe(0);
    expect(eu.says('app', REFUSED).counts('unhealthy'), 'the other has failed once as well').toBe(0);
    expect(eu.says('db', REFUSED).counts('unhealthy')).toBe(1);
    expect(eu.says('app', REFUSED).counts('unhealthy'), 'both have failed twice').toBe(0);
  });

  it('counts each failure of those that came since it was judged last', () => {
    expect(new Region(['db']).says('db', REFUSED).says('db', REFUSED).says('db', REFUSED).counts('unhealthy')).toBe(3);
  });

  it('counts failures in a row: an answer in between ends them, seen or not', () => {
    const eu = new Region(['e', 'f']);
    expect(eu.says('f', REFUSED).counts('degraded')).toBe(1);
    expect(eu.says('e', REFUSED).counts('degraded')).toBe(0);
    expect(eu.says('f', GOOD).counts('degraded')).toBe(0);
    expect(eu.says('e', REFUSED).counts('degraded')).toBe(1);
    expect(eu.says('e', GOOD).counts('healthy'), 'the region is well: that ends them').toBe(1);
    expect(eu.says('e', REFUSED).counts('degraded')).toBe(1);
    const alternating = new Region(['a']);
    const counts = Array.from({length: 10}, () => alternating.says('a', REFUSED).says('a', GOOD).says('a', REFUSED).counts('degraded'));
    expect(counts.reduce((sum, each) => sum + each)).toBe(1);
  });

  it('loses no failure, whoever is asked when: as many count as the endpoint that failed most often in a row has', () => {
    const steps = fc.array(fc.record({name: fc.constantFrom('a', 'b', 'c'), good: fc.boolean()}), {maxLength: 60});
    fc.assert(
      fc.property(steps, fc.integer({min: 1, max: 4}), (given, every) => {
        for (const {falls, most} of played(given, every)) expect(falls, 'a failure is lost').toBeGreaterThanOrEqual(most);
      }),
    );
  });

  it('counts as a recovery only when all that were down were asked again, each time', () => {
    const eu = new Region(['db', 'app'], false).says('db', REFUSED).says('app', REFUSED);
    expect(eu.counts('unhealthy')).toBe(1);
    expect(eu.says('db', GOOD).says('app', GOOD).counts('recovering')).toBe(1);
    expect(eu.says('app', GOOD).counts('recovering'), 'the other endpoint alone tells nothing of the recovery').toBe(0);
    expect(eu.says('db', GOOD).counts('healthy')).toBe(1);
    expect(eu.says('app', GOOD).counts('healthy')).toBe(1);
  });
});
