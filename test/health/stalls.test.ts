import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createStalls} from '../../src/lib/health/stalls.ts';

const EVERY = 10;

/** A loop that polls after each of these times, in ms. */
function loop(...gaps: readonly number[]) {
  let now = 0;
  const stalls = createStalls(() => now, EVERY);
  const wait = (ms: number): number => (now += ms);
  for (const gap of gaps) {
    wait(gap);
    stalls.polled();
  }
  return {stalls, wait};
}

describe('the times in which our own loop stood still', () => {
  it('count together, though each of them is short', () => {
    const {stalls} = loop(10, 90, 10, 90, 10, 90, 10);
    expect(stalls.longest(0)).toBe(80);
    expect(stalls.together(0, 25)).toBe(240);
  });

  it('are no stall where a timer is a little late, however often', () => {
    const {stalls} = loop(...Array.from({length: 100}, () => 30));
    expect(stalls.together(0, 25)).toBe(0);
    expect(loop(...Array.from({length: 100}, () => 14)).stalls.together(0, 0)).toBe(0);
  });

  it('count as far as they are over, or going on, and not for what was before', () => {
    const {stalls, wait} = loop(10, 110, 60);
    expect(stalls.together(100, 25), 'of the first only what reaches into it').toBe(70);
    expect(stalls.together(130, 25)).toBe(50);
    wait(310);
    expect(stalls.longest(300)).toBe(300);
    expect(stalls.together(300, 25), 'it began before').toBe(190);
    wait(120_001);
    stalls.polled();
    expect(stalls.together(0, 25), 'nobody asks of what is two minutes old').toBe(120_301);
  });

  it('together are never less than the longest, and never more than the time', () => {
    const gaps = fc.array(fc.integer({min: 0, max: 400}), {maxLength: 40});
    fc.assert(
      fc.property(gaps, fc.integer({min: 0, max: 500}), (all, since) => {
        const {stalls, wait} = loop(...all);
        const now = wait(0);
        const together = stalls.together(since, 0);
        expect(together).toBeLessThanOrEqual(Math.max(0, now - since));
        if (stalls.longest(0) >= 5) expect(stalls.together(0, 0)).toBeGreaterThanOrEqual(stalls.longest(0));
        expect(stalls.together(since, 100)).toBeLessThanOrEqual(together);
      }),
    );
  });
});
