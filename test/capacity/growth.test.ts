import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {addMonths, crossingOf, endOf, grow, multiplierAt, parseGrown, parseGrowth} from '../../src/lib/capacity/growth.ts';

const FROM = Date.parse('2026-01-31T00:00:00Z');
const DAY = 86_400_000;
const days = (count: number) => Float64Array.from({length: count}, (_, day) => FROM + day * DAY);

function flat(level: number, count: number) {
  const of = (factor: number) => new Float64Array(count).fill(level * factor);
  return {mean: of(1), p10: of(0.9), p90: of(1.1), lower95: of(0.8), upper95: of(1.2)};
}

describe('parseGrowth', () => {
  it('reads a factor over a span and a rate per span', () => {
    expect(parseGrowth('10x', '18mo', FROM)).toEqual({
      factor: 10,
      from: FROM,
      to: Date.parse('2027-07-31T00:00:00Z'),
      text: '10x over 18mo',
    });
    expect(parseGrowth('5%/mo', undefined, FROM)).toEqual({
      factor: 1.05,
      from: FROM,
      to: FROM + (365.25 / 12) * DAY,
      text: '5%/mo',
    });
    expect(parseGrowth('-20%/y', '18mo', FROM)).toMatchObject({factor: 0.8, text: '-20%/y over 18mo'});
  });

  it.each([
    ['10x', undefined, /needs --over/],
    ['ten', '18mo', /expected a factor such as 10x/],
    ['0x', '18mo', /must be above 0/],
    ['-100%/mo', undefined, /must be above 0/],
    ['10x', '0mo', /expected a span/],
    ['10x', '18m', /expected a span/],
    ['10x', '11y', /at most ten years/],
  ])('%s over %s is refused with what is expected', (growth, over, message) => {
    expect(() => parseGrowth(growth, over, FROM)).toThrow(message);
  });
});

it('months are those of the calendar, and end with their last day', () => {
  expect(addMonths(FROM, 1)).toBe(Date.parse('2026-02-28T00:00:00Z'));
  expect(addMonths(Date.parse('2028-01-30T06:00:00Z'), 1)).toBe(Date.parse('2028-02-29T06:00:00Z'));
  expect(endOf('2w', FROM) - FROM).toBe(14 * DAY);
});

describe('parseGrown', () => {
  it('is the whole factor at its end, of a rate after all of the span', () => {
    expect(parseGrown('2x', '6mo', FROM)).toEqual({factor: 2, at: endOf('6mo', FROM), text: '2x over 6mo'});
    expect(parseGrown('5%/mo', undefined, FROM)).toEqual({factor: 1.05, at: endOf('1mo', FROM), text: '5%/mo'});
    expect(parseGrown('5%/mo', '1y', FROM)).toMatchObject({at: endOf('1y', FROM), text: '5%/mo over 1y'});
    expect(parseGrown('5%/mo', '1y', FROM).factor).toBeCloseTo(1.05 ** 12, 9);
    expect(parseGrown('-10%/w', '14d', FROM).factor).toBeCloseTo(0.81, 9);
  });

  it('refuses what grows beyond all bounds, and what is no growth', () => {
    expect(() => parseGrown('900%/d', '1y', FROM)).toThrow(/the factor must be above 0 and at most 1000000/);
    expect(() => parseGrown('2x', undefined, FROM)).toThrow(/needs --over/);
  });
});

describe('grow', () => {
  /* 10x over 18 months: at 9 of 18 months (2026-10-31, day 273 of 546) it is 10^(273/546) = sqrt(10) = 3.1623 times as much. */
  it('is the factor at the end of the span, and its square root in the middle of it', () => {
    const growth = parseGrowth('10x', '18mo', FROM);
    const starts = Float64Array.of(FROM, FROM + 273 * DAY, growth.to);
    const path = grow(flat(100, 3), starts, growth);
    expect([...path.mean].map((value) => Number(value.toFixed(2)))).toEqual([100, 316.23, 1000]);
    expect(path.upper95[2]).toBeCloseTo(1200, 9);
    expect(path.lower95[2]).toBeCloseTo(800, 9);
  });

  /* A level of 100 meets a limit of 300 when 10^(d/546) > 3: d > 546 * log10(3) = 260.51, so on day 261; its p90 of 110 when d > 546 * log10(300/110) = 237.9. */
  it('tells when a limit is crossed under the scenario', () => {
    const growth = parseGrowth('10x', '18mo', FROM);
    const starts = days(547);
    const path = grow(flat(100, 547), starts, growth);
    expect(crossingOf(path, starts, 300)).toEqual({limit: 300, p50At: FROM + 261 * DAY, p90At: FROM + 238 * DAY});
    expect(crossingOf(path, starts, 1001)).toMatchObject({p50At: null, p90At: FROM + Math.ceil(546 * Math.log10(1001 / 110)) * DAY});
    expect(crossingOf(flat(100, 547), starts, 300)).toEqual({limit: 300, p50At: null, p90At: null});
  });

  it('meets a limit that it is at: nothing is left of it then', () => {
    expect(crossingOf(flat(100, 3), days(3), 100)).toEqual({limit: 100, p50At: FROM, p90At: FROM});
  });

  it('has no step that is no number, however steep it is', () => {
    const steep = {factor: 1e6, from: FROM, to: FROM + DAY, text: ''};
    for (const level of [0, 100, -100]) {
      const {mean, p10, upper95} = grow(flat(level, 400), days(400), steep);
      expect([...mean, ...p10, ...upper95].every(Number.isFinite)).toBe(true);
    }
  });

  /* 5 % a month: 1.05^18 = 2.4066 after 18 months, of which the first one has 28 days here. */
  it('goes on at the same rate after its span', () => {
    const growth = parseGrowth('5%/mo', undefined, FROM);
    expect(multiplierAt(growth, FROM + (365.25 / 12) * DAY)).toBeCloseTo(1.05, 12);
    expect(multiplierAt(growth, endOf('18mo', FROM)) / 2.4066).toBeCloseTo(1, 2);
    expect(multiplierAt(growth, endOf('1y', FROM))).toBeCloseTo(1.05 ** 12, 2);
    expect(multiplierAt(growth, FROM - DAY)).toBe(1);
  });

  it('keeps intervals nested, and never makes less of more', () => {
    fc.assert(
      fc.property(
        fc.double({min: 0.01, max: 1000, noNaN: true}),
        fc.integer({min: 2, max: 60}),
        fc.double({min: 0, max: 1e9, noNaN: true}),
        (factor, count, level) => {
          const starts = days(count);
          const path = grow(flat(level, count), starts, {factor, from: FROM, to: FROM + count * DAY, text: ''});
          path.mean.forEach((mean, step) => {
            const [low, p10, p90, high] = [path.lower95[step]!, path.p10[step]!, path.p90[step]!, path.upper95[step]!];
            expect(low <= p10 && p10 <= mean && mean <= p90 && p90 <= high).toBe(true);
          });
          const {p50At, p90At} = crossingOf(path, starts, level * 2 + 1);
          expect(p50At === null || (p90At !== null && p90At <= p50At)).toBe(true);
        },
      ),
    );
  });
});
