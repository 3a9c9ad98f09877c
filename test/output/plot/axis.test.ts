import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {valueAxis} from '../../../src/lib/output/plot/axis.ts';
import {shortFigure} from '../../../src/lib/output/plot/figure.ts';
import {timeTicks} from '../../../src/lib/output/plot/time-axis.ts';

describe('valueAxis', () => {
  it.each([
    [[10, 95, 5], {low: 0, high: 95, ticks: [0, 20, 40, 60, 80]}],
    [[0.1, 0.34, 4], {low: 0, high: 0.34, ticks: [0, 0.1, 0.2, 0.3]}],
    [[90, 100, 5], {low: 90, high: 100, ticks: [90, 92, 94, 96, 98, 100]}],
    [[-5, 5, 4], {low: -5, high: 5, ticks: [-5, 0, 5]}],
    [[7, 7, 3], {low: 3.5, high: 10.5, ticks: [5, 10]}],
    [[0, 0, 3], {low: -0.5, high: 0.5, ticks: [-0.5, 0, 0.5]}],
  ] as const)('%j', ([low, high, most], expected) => {
    expect(valueAxis(low, high, most)).toEqual(expected);
  });

  it('has its ticks inside, rising', () => {
    const figure = fc.double({min: -1e15, max: 1e15, noNaN: true});
    fc.assert(
      fc.property(figure, figure, fc.integer({min: 2, max: 20}), (a, b, most) => {
        const {low, high, ticks} = valueAxis(Math.min(a, b), Math.max(a, b), most);
        expect(high).toBeGreaterThan(low);
        const slack = (high - low) * 1e-6;
        for (const tick of ticks) expect(tick >= low - slack && tick <= high + slack).toBe(true);
        expect(ticks.toSorted((x, y) => x - y)).toEqual(ticks);
        expect(ticks.length).toBeLessThanOrEqual(most + 2);
      }),
    );
  });
});

describe('shortFigure', () => {
  it.each([
    [0, '0'],
    [0.0123, '0.012'],
    [0.0004, '4.0e-4'],
    [0.9996, '1'],
    [12.34, '12.3'],
    [999.6, '1k'],
    [1234, '1.23k'],
    [45_000, '45k'],
    [999_950, '1M'],
    [4.5e8, '450M'],
    [-2500, '-2.5k'],
    [1e18, '1.0e18'],
    [Number.NaN, '–'],
  ])('%d reads %s', (value, text) => {
    expect(shortFigure(value)).toBe(text);
  });
});

describe('timeTicks', () => {
  const texts = (from: string, to: string, most: number, zone = 'UTC') => {
    const ticks = timeTicks(Date.parse(from), Date.parse(to), most, zone);
    return ticks.map(({at, text}) => `${new Date(at).toISOString().slice(5, 16)} ${text}`);
  };

  it('takes round hours, and says the day where one begins', () => {
    expect(texts('2026-03-01T10:20Z', '2026-03-02T10:20Z', 4)).toEqual([
      '03-01T12:00 12:00',
      '03-01T18:00 18:00',
      '03-02T00:00 2 Mar',
      '03-02T06:00 06:00',
    ]);
  });

  it('takes Mondays for weeks', () => {
    const ticks = timeTicks(Date.parse('2026-03-01T00:00Z'), Date.parse('2026-04-10T00:00Z'), 6, 'UTC');
    expect(ticks.map(({at}) => new Date(at).getUTCDay())).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it('takes months for long times', () => {
    expect(texts('2026-11-28T00:00Z', '2028-05-20T00:00Z', 6).map((each) => each.slice(12))).toEqual([
      'Jan 2027',
      'Apr 2027',
      'Jul 2027',
      'Oct 2027',
      'Jan 2028',
      'Apr 2028',
    ]);
  });

  it('goes by the clock of the zone, also where it changes', () => {
    // In Berlin the clock went forward on 29 March 2026 at 01:00 UTC.
    expect(texts('2026-03-27T12:00Z', '2026-03-31T12:00Z', 5, 'Europe/Berlin')).toEqual([
      '03-27T23:00 28 Mar',
      '03-28T23:00 29 Mar',
      '03-29T22:00 30 Mar',
      '03-30T22:00 31 Mar',
    ]);
  });
});
