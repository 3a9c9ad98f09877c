import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {AuditSlice} from '../../../../src/lib/ports/audit.ts';
import {keyMap, sliceFrom} from '../../../../src/lib/providers/postgres/audit/key-map.ts';

const LEAST = -(2n ** 63n);
const MOST = 2n ** 63n - 1n;

/** Slices as they are cut when each holds about so many rows. */
function cut(map: ReturnType<typeof keyMap>, rows: number, most = 20_000): readonly AuditSlice[] {
  const slices: AuditSlice[] = [];
  for (let from: bigint | null = null; slices.length < most; ) {
    const slice = sliceFrom(map, from, rows);
    slices.push(slice);
    if (slice.to === null) return slices;
    from = BigInt(slice.to);
  }
  throw new Error(`no end after ${most} slices`);
}

/** Each begins where the one before it ended, none is empty of keys, and together they have no ends. */
function assertWhole(slices: readonly AuditSlice[]): void {
  expect(slices[0]?.from).toBeNull();
  expect(slices.at(-1)?.to).toBeNull();
  for (const [index, slice] of slices.entries()) {
    if (index > 0) expect(slice.from).toBe(slices[index - 1]?.to);
    if (slice.from !== null && slice.to !== null) expect(BigInt(slice.to) > BigInt(slice.from)).toBe(true);
    expect(Number.isInteger(slice.width) && slice.width >= 0 && slice.width <= 63).toBe(true);
    expect(slice.rows).toBeGreaterThanOrEqual(0);
  }
}

const key = fc.oneof(
  fc.bigInt({min: LEAST, max: MOST}),
  fc.bigInt({min: -1000n, max: 1000n}),
  fc.constantFrom(LEAST, LEAST + 1n, 0n, MOST - 1n, MOST),
);
const ends = fc.tuple(key, key).map(([a, b]) => (a < b ? {least: a, most: b} : {least: b, most: a}));
const histogram = fc.array(key, {maxLength: 101}).map((keys) => keys.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).map(String));

describe('slices of a table by its integer key', () => {
  it('hold every possible key exactly once, whatever is known of the table', () => {
    fc.assert(
      fc.property(
        fc.option(ends),
        fc.nat({max: 5_000_000}),
        histogram,
        fc.integer({min: 256, max: 1_000_000}),
        (between, rows, bounds, each) => {
          assertWhole(cut(keyMap(between, rows, bounds), Math.max(each, Math.ceil(rows / 500))));
        },
      ),
      {numRuns: 1000},
    );
  });

  it('go on from any key, also one that the table no longer reaches', () => {
    fc.assert(
      fc.property(
        fc.option(ends),
        fc.nat({max: 1e9}),
        histogram,
        key,
        fc.integer({min: 256, max: 1e6}),
        (between, rows, bounds, from, each) => {
          const slice = sliceFrom(keyMap(between, rows, bounds), from, each);
          expect(slice.from).toBe(String(from));
          if (slice.to !== null) expect(BigInt(slice.to) > from).toBe(true);
        },
      ),
      {numRuns: 3000},
    );
  });

  it('are one slice of an empty table', () => {
    expect(cut(keyMap(null, 0, []), 1000)).toEqual([{rows: 0, from: null, to: null, width: 8}]);
  });

  it('hold about as many rows as was asked for, by the histogram', () => {
    const bounds = Array.from({length: 101}, (_, index) => String(index * 10_000));
    const slices = cut(keyMap({least: 0n, most: 1_000_000n}, 1_000_000, bounds), 100_000);
    expect(slices).toHaveLength(10);
    for (const slice of slices) expect(slice.rows).toBeGreaterThan(80_000);
    expect(slices[3]).toMatchObject({width: 8});
  });

  it('are narrow where keys are dense, whatever lies far off', () => {
    // A million keys in a row, and one at each end of all that there are.
    const bounds = Array.from({length: 101}, (_, index) => String(index * 10_000));
    const slices = cut(keyMap({least: LEAST, most: MOST}, 1_000_002, bounds), 100_000);
    assertWhole(slices);
    const inside = slices.filter(({from, to}) => from !== null && to !== null && BigInt(from) >= 0n && BigInt(to) <= 1_000_000n);
    expect(inside.length).toBeGreaterThan(1);
    for (const {width} of inside) expect(width).toBeLessThanOrEqual(9);
  });

  it('take what lies outside of an old histogram for as dense as what it knows', () => {
    const bounds = Array.from({length: 101}, (_, index) => String(1_000_000 + index * 1000));
    const slices = cut(keyMap({least: 900_000n, most: 1_300_000n}, 400_000, bounds), 50_000);
    assertWhole(slices);
    for (const slice of slices) expect(slice.rows).toBeLessThan(80_000);
  });

  it('do not make a chunk of every key of what lies beyond the last one that was known', () => {
    expect(sliceFrom(keyMap({least: 1n, most: 10n}, 10, []), 100n, 1000)).toMatchObject({to: null, width: 8});
  });
});
