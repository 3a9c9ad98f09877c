import fc from 'fast-check';
import {expect, it} from 'vitest';
import {formatAge, formatBytes, formatMs, formatTime, shortBytes, shortMs} from '../../src/lib/output/units.ts';

it.each([
  [null, '–'],
  [Number.NaN, '–'],
  [0, '0 ms'],
  [0.4, '0 ms'],
  [412, '412 ms'],
  [999.6, '1 s'],
  [1000, '1 s'],
  [1312.5, '1.3 s'],
  [59_949, '59.9 s'],
  [59_950, '1 min'],
  [245_000, '4 min 5 s'],
  [900_000, '15 min'],
  [3_599_400, '59 min 59 s'],
  [3_599_600, '1 h'],
  [7_500_000, '2 h 5 min'],
  [86_400_000 * 3 + 3_600_000 * 4, '3 d 4 h'],
  [-412, '-412 ms'],
])('%s ms is %s', (ms, text) => expect(formatMs(ms)).toBe(text));

it.each([
  [null, '–'],
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1 KiB'],
  [1536, '1.5 KiB'],
  [1024 * 1024 - 1, '1 MiB'],
  [5.25 * 2 ** 30, '5.3 GiB'],
  [-2048, '-2 KiB'],
])('%s bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

it.each([
  [null, '–'],
  [100_000, 'just now'],
  [88_000, '12 s ago'],
  [88_700, '11 s ago'],
  [112_000, 'in 12 s'],
  [-145_000, '4 min 5 s ago'],
])('an age is counted from %s', (at, text) => expect(formatAge(at, 100_000)).toBe(text));

it('times are UTC to the second', () => {
  expect(formatTime(1_800_000_000_999)).toBe('2027-01-15 08:00:00Z');
  expect(formatTime('2027-01-15T08:00:00.000Z')).toBe('2027-01-15 08:00:00Z');
  expect(formatTime('nonsense')).toBe('–');
});

it('no duration is written with a part that is full', () => {
  fc.assert(
    fc.property(fc.double({min: 0, max: 86_400_000 * 30, noNaN: true}), (ms) => {
      expect(formatMs(ms)).not.toMatch(/\b(1000 ms|60(\.0)? s|60 min|24 h)\b/);
    }),
  );
});

it.each([
  [null, '–'],
  [412, '412 ms'],
  [59_949, '59.9 s'],
  [59_950, '1 min'],
  [245_000, '4.1 min'],
  [599_000, '10 min'],
  [3_540_000, '59 min'],
  [3_599_000, '1 h'],
  [9_000_000, '2.5 h'],
  [86_390_000, '1 d'],
  [86_400_000 * 3.2, '3.2 d'],
])('%s ms is %s in a narrow column', (ms, text) => expect(shortMs(ms)).toBe(text));

it.each([
  [null, '–'],
  [1023, '1023 B'],
  [1536, '1.5 KiB'],
  [99.9 * 1024, '99.9 KiB'],
  [1023.9 * 1024, '1024 KiB'],
  [661.2 * 2 ** 20, '661 MiB'],
])('%s bytes are %s in a narrow column', (bytes, text) => expect(shortBytes(bytes)).toBe(text));

it('has at most 7 letters for any time and 8 for any size in a narrow column', () => {
  fc.assert(fc.property(fc.double({min: 0, max: 86_400_000 * 9999, noNaN: true}), (ms) => shortMs(ms).length <= 7));
  fc.assert(fc.property(fc.double({min: 0, max: 2 ** 60, noNaN: true}), (bytes) => shortBytes(bytes).length <= 8));
});
