import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {createTrail, type Look, withLook} from '../../../src/lib/providers/redis/trail.ts';

const LOG = 'us 1234';

describe('where a log ended at earlier looks', () => {
  it('tells since when something is missing, also after an hour of ten looks a second', () => {
    const trail = createTrail();
    const hour = 3_600_000;
    for (let at = 0; at <= hour; at += 100) trail.note(LOG, at, at);
    // It has had nothing since the first minute.
    const seconds = trail.secondsSince(LOG, 60_000, hour);
    expect(seconds).toBeGreaterThanOrEqual(3540);
    expect(seconds).toBeLessThanOrEqual(3540 + 3540 / 8 + 1);
    expect(trail.secondsSince(LOG, hour - 200, hour), 'what is near is known to the look').toBeLessThanOrEqual(0.5);
    expect(trail.secondsSince(LOG, -1, hour)).toBeNull();
    expect(trail.secondsSince('another', hour, hour)).toBeNull();
  });

  it('takes little room, however often it is looked and for however long', () => {
    let looks: readonly Look[] = [];
    for (let at = 0; at <= 24 * 3_600_000; at += 1000) looks = withLook(looks, {end: at, at});
    expect(looks.length).toBeLessThan(200);
    expect(looks[0], 'and the oldest is known still').toEqual({end: 0, at: 0});
    let still: readonly Look[] = [];
    for (let end = 0; end < 1000; end += 1) still = withLook(still, {end, at: 5});
    expect(still.length, 'where the clock does not move either').toBeLessThan(3);
  });

  it('goes by the last look at which nothing was missing, where nothing is written', () => {
    const trail = createTrail();
    for (let at = 0; at <= 600_000; at += 100) trail.note(LOG, 50, at);
    trail.note(LOG, 60, 600_100);
    expect(trail.secondsSince(LOG, 50, 601_000)).toBe(1);
  });

  it('begins anew with a log that is shorter than it was', () => {
    const trail = createTrail();
    trail.note(LOG, 1000, 0);
    trail.note(LOG, 10, 1000);
    expect(trail.secondsSince(LOG, 5, 2000)).toBeNull();
    expect(trail.secondsSince(LOG, 999, 2000)).toBe(1);
    trail.note(LOG, 5, 900);
    expect(trail.secondsSince(LOG, 10, 2000), 'but not with an answer that was overtaken').toBe(1);
  });

  it('never says less than is missing, nor more than an eighth and a look too much, at any pace', () => {
    const growth = fc.array(fc.integer({min: 0, max: 500}), {minLength: 2, maxLength: 3000});
    fc.assert(
      fc.property(growth, fc.integer({min: 50, max: 5000}), fc.double({min: 0, max: 1, noNaN: true}), (steps, everyMs, share) => {
        const trail = createTrail();
        let end = 0;
        const looks = steps.map((step, index) => {
          end += step;
          return {end, at: index * everyMs};
        });
        for (const look of looks) trail.note(LOG, look.end, look.at);
        const now = looks.length * everyMs;
        const held = Math.round(share * end);
        const exact = looks.findLast((look) => look.end <= held);
        const seconds = trail.secondsSince(LOG, held, now);
        if (exact === undefined) {
          expect(seconds).toBeNull();
          return;
        }
        const missing = (now - exact.at) / 1000;
        expect(seconds).toBeGreaterThanOrEqual(missing);
        expect(seconds).toBeLessThanOrEqual((missing * 8) / 7 + everyMs / 1000);
      }),
      {numRuns: 200},
    );
  });
});
