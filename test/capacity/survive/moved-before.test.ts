import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {goneFrom, untilMoved, withoutMoved} from '../../../src/lib/capacity/survive/moved-before.ts';
import {load} from './world.ts';

const DAYS = 96;
/** A day with a peak, with a little noise that is the same in every run; the newest hours have only a share of it. */
function drained(hours: number, share: number, length = DAYS) {
  const whole = load({name: 'requests', region: 'us', length, at: (hour) => 100 + 60 * Math.sin((hour / 12) * Math.PI)});
  const values = whole.values.map((value, step) => value * (1 + 0.05 * Math.sin(step * 7.3)) * (step >= length - hours ? 1 - share : 1));
  return {...whole, values};
}

describe('since when a part of a load is elsewhere', () => {
  it.each([
    [3, 2 / 3],
    [12, 2 / 3],
    [40, 0.4],
    [1, 0.8],
  ])('%i hours with %f of it gone', (hours, share) => {
    expect(goneFrom(drained(hours, share), share)).toBe(DAYS - hours);
  });

  it('longer than a week, by the hour of the week', () => {
    expect(goneFrom(drained(200, 0.5, 800), 0.5)).toBe(600);
  });

  it('has just begun where no fall of that size is seen', () => {
    expect(goneFrom(drained(0, 0), 0.5)).toBe(DAYS);
    expect(goneFrom(drained(20, 0.1), 0.8)).toBe(DAYS);
    expect(goneFrom(load({name: 'requests', region: 'us', at: () => 0}), 0.5)).toBe(DAYS);
  });

  it('all of it: where zeros begin, or what is left idles', () => {
    expect(goneFrom(load({name: 'requests', region: 'us', gone: 7, fill: 0}), 1)).toBe(DAYS - 7);
    expect(goneFrom(load({name: 'requests', region: 'us', gone: 7, fill: 2}), 1)).toBe(DAYS - 7);
  });
});

it('what moved and what stayed are together what there was before, and what is measured after', () => {
  fc.assert(
    fc.property(fc.integer({min: 0, max: 60}), fc.double({min: 0.1, max: 0.9, noNaN: true}), (hours, share) => {
      const series = drained(hours, share);
      const from = goneFrom(series, share);
      const [went, stayed] = [untilMoved(series, share, series.starts), withoutMoved(series, share)];
      series.values.forEach((value, step) => {
        const all = share * (went.values[step] ?? 0) + (stayed.values[step] ?? 0);
        expect(all).toBeCloseTo(value, 6);
        if (step >= from) expect(went.values[step]).toBe(0);
      });
    }),
  );
});
