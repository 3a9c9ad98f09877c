import fc from 'fast-check';
import {expect, it} from 'vitest';
import {type KeptRate, type LogEnd, withLogEnd} from '../../src/lib/replication/write-rate.ts';

const DAY = 86_400_000;
const look = (at: number, end: number, xid: number | null = null): LogEnd => ({at, end, xid});
const after = (...looks: readonly LogEnd[]): KeptRate => {
  const [first, ...rest] = looks;
  if (first === undefined) throw new Error('no look');
  return rest.reduce<KeptRate>(withLogEnd, withLogEnd(null, first));
};
const rate = (...looks: readonly LogEnd[]) => {
  const {bytesPerSecond, transactionsPerSecond} = after(...looks);
  return [bytesPerSecond, transactionsPerSecond];
};

it('a time in which nothing was written tells no rate, whoever looked on', () => {
  expect(rate(look(0, 100, 7))).toEqual([null, null]);
  expect(rate(look(0, 100, 7), look(60_000, 100, 7)), 'nothing at all').toEqual([null, null]);
  expect(rate(look(0, 100, 7), look(60_000, 90_000, 7)), 'what the server writes by itself').toEqual([null, null]);
  expect(rate(look(0, 100, 7), look(500, 300, 8), look(1000, 500, 9)), 'a heartbeat at each look').toEqual([null, null]);
  expect(rate(look(0, 100), look(10_000, 900)), 'signs of life, where there are no ids').toEqual([null, null]);
});

it('the highest rate counts, however quiet it has become since, and half as much a day later', () => {
  const busy = [look(0, 0, 0), look(10_000, 1_000_000, 500)];
  expect(rate(...busy)).toEqual([100_000, 50]);
  expect(rate(...busy, look(20_000, 1_100_000, 550))).toEqual([expect.closeTo(100_000, -2), expect.closeTo(50, 1)]);
  expect(rate(...busy, look(10_000 + DAY, 1_000_000, 500))).toEqual([50_000, 25]);
  expect(rate(...busy, look(20_000, 3_000_000, 1500))).toEqual([200_000, 100]);
});

it('a burst between two looks that are near one another is not kept as the rate of longer times', () => {
  const burst = [look(0, 0, 0), look(100, 10_000_000, 1000)];
  expect(rate(...burst), 'as long as nothing else is known').toEqual([100_000_000, 10_000]);
  expect(rate(...burst, look(1000, 10_000_000, 1000))).toEqual([10_000_000, 1000]);
});

it('another log, and a clock that was set back, begin anew', () => {
  const busy = [look(10_000, 0, 0), look(20_000, 1_000_000, 500)];
  expect(rate(...busy, look(21_000, 999_999, 600))).toEqual([null, null]);
  expect(rate(...busy, look(19_999, 2_000_000, 600))).toEqual([null, null]);
  expect(rate(...busy, look(20_000, 2_000_000, 600)), 'two looks at once').toEqual([100_000, 50]);
});

it('is never below what was written between any two looks that are a second apart, but for its age', () => {
  const steps = fc.array(fc.record({ms: fc.integer({min: 1000, max: 60_000}), transactions: fc.nat(1000)}), {minLength: 1, maxLength: 20});
  fc.assert(
    fc.property(steps, (all) => {
      let last = look(0, 0, 0);
      const looks = [last];
      for (const {ms, transactions} of all) {
        last = look(last.at + ms, last.end + transactions * 100, (last.xid ?? 0) + transactions);
        looks.push(last);
      }
      const {bytesPerSecond, transactionsPerSecond} = after(...looks);
      for (const {ms, transactions} of all.filter((each) => each.transactions > 1)) {
        // At most 20 minutes have passed: less than 1 % has faded.
        expect(transactionsPerSecond).toBeGreaterThanOrEqual(((transactions * 1000) / ms) * 0.98);
        expect(bytesPerSecond).toBeGreaterThanOrEqual(Math.round((transactions * 100_000) / ms) * 0.98);
      }
    }),
  );
});
