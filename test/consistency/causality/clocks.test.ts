import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {compareHlc, hlcAt, hlcDriftMs, hlcParts, parseHlc, receiveHlc, sendHlc} from '../../../src/lib/consistency/causality/hlc.ts';
import {compareStamps, mergeLww} from '../../../src/lib/consistency/causality/lww-register.ts';
import {microsOf} from '../../../src/lib/consistency/causality/stamp.ts';
import {
  compareClocks,
  incrementClock,
  mergeClocks,
  NO_CLOCK,
  parseClock,
  printClock,
} from '../../../src/lib/consistency/causality/vector-clock.ts';
import {histories, play, REGIONS} from './histories.ts';

const counts = fc.dictionary(fc.constantFrom(...REGIONS), fc.nat(3)).map((each) => new Map(Object.entries(each)));

describe('vector clocks', () => {
  it('compare is a partial order whose least upper bound is merge', () => {
    fc.assert(
      fc.property(counts, counts, counts, (a, b, c) => {
        const [ab, opposite] = [compareClocks(a, b), {equal: 'equal', before: 'after', after: 'before', concurrent: 'concurrent'}];
        expect(compareClocks(b, a)).toBe(opposite[ab]);
        expect(compareClocks(a, a)).toBe('equal');
        if (ab === 'before' && compareClocks(b, c) === 'before') expect(compareClocks(a, c)).toBe('before');
        expect(compareClocks(a, mergeClocks(a, b))).toMatch(/^(before|equal)$/);
        if (compareClocks(a, c) === 'before' && compareClocks(b, c) === 'before')
          expect(compareClocks(mergeClocks(a, b), c)).toMatch(/^(before|equal)$/);
        expect(compareClocks(a, incrementClock(a, 'ap'))).toBe('before');
      }),
    );
  });

  it('say of any two writes exactly whether one had seen the other', () => {
    fc.assert(
      fc.property(histories, (events) => {
        const writes: {readonly clock: ReadonlyMap<string, number>; readonly saw: ReadonlySet<number>}[] = [];
        type State = {readonly clock: ReadonlyMap<string, number>; readonly saw: ReadonlySet<number>};
        const merge = (a: State, b: State): State => ({clock: mergeClocks(a.clock, b.clock), saw: new Set([...a.saw, ...b.saw])});
        play<State>(events, {empty: {clock: NO_CLOCK, saw: new Set()}, merge}, ({clock, saw}, region) => {
          const write = {clock: incrementClock(clock, region), saw};
          writes.push(write);
          return {clock: write.clock, saw: new Set([...saw, writes.length - 1])};
        });
        writes.forEach((a, i) => {
          writes.forEach((b, j) => {
            if (i !== j) expect(compareClocks(a.clock, b.clock)).toBe(b.saw.has(i) ? 'before' : a.saw.has(j) ? 'after' : 'concurrent');
          });
        });
      }),
    );
  });

  it('are read and written as jsonb has them; what is 0 says nothing', () => {
    const read = parseClock('{"us-east": 3, "ap": 1, "eu-west": 0}');
    expect(read.ok && printClock(read.value)).toBe('{"ap": 1, "us-east": 3}');
    expect(parseClock('null')).toEqual({ok: false, reason: 'the clock is not an object'});
    expect(parseClock('{"ap": -1}')).toEqual({ok: false, reason: 'the count of "ap" is not an integer from 0 to 2^53-1'});
  });
});

/** The algorithm as figure 5 of Kulkarni et al. writes it, on pairs. */
type Pair = readonly [l: number, c: number];
const paperSend = ([l, c]: Pair, now: number): Pair => (Math.max(l, now) === l ? [l, c + 1] : [now, 0]);
function paperReceive([l, c]: Pair, [lm, cm]: Pair, now: number): Pair {
  const next = Math.max(l, lm, now);
  if (next === l && next === lm) return [next, Math.max(c, cm) + 1];
  if (next === l) return [next, c + 1];
  return next === lm ? [next, cm + 1] : [next, 0];
}

describe('hybrid logical clocks', () => {
  const ms = fc.integer({min: 1_790_000_000_000, max: 1_790_000_000_005});
  const pair = fc.tuple(ms, fc.nat(3));

  it('do what the paper says', () => {
    fc.assert(
      fc.property(pair, pair, ms, (last, remote, now) => {
        expect(sendHlc(hlcAt(...last), now)).toBe(hlcAt(...paperSend(last, now)));
        expect(receiveHlc(hlcAt(...last), hlcAt(...remote), now)).toBe(hlcAt(...paperReceive(last, remote, now)));
      }),
    );
  });

  it('grow with every event, and never run ahead of the fastest physical clock', () => {
    const skews = fc.tuple(fc.nat(50), fc.nat(50), fc.nat(50));
    fc.assert(
      fc.property(histories, skews, (events, skew) => {
        let now = 1_790_000_000_000;
        const clocks = [0n, 0n, 0n];
        for (const {at, from, pick} of events) {
          now += pick % 3;
          const wall = now + skew[at]!;
          const next = from === null ? sendHlc(clocks[at]!, wall) : receiveHlc(clocks[at]!, clocks[from]!, wall);
          expect(compareHlc(clocks[at]!, next)).toBe(-1);
          if (from !== null) expect(compareHlc(clocks[from]!, from === at ? next : next - 1n)).toBeLessThanOrEqual(0);
          clocks[at] = next;
          expect(hlcDriftMs(next, now)).toBeLessThanOrEqual(Math.max(...skew));
        }
      }),
    );
  });

  it('are one integer of 64 bits', () => {
    expect(hlcAt(1_790_000_000_000, 7)).toBe(1_790_000_000_000n * 65_536n + 7n);
    expect(hlcParts(hlcAt(1_790_000_000_000, 65_535) + 1n)).toEqual({ms: 1_790_000_000_001, counter: 0});
    expect(hlcDriftMs(hlcAt(1_790_000_002_000, 9), 1_790_000_000_500)).toBe(1500);
    expect(compareHlc(5n, 5n)).toBe(0);
    expect(parseHlc('9223372036854775807')).toEqual({ok: true, value: 2n ** 63n - 1n});
    for (const wrong of ['9223372036854775808', '-1', '', '1.5', ' 1', '1e3'])
      expect(parseHlc(wrong)).toEqual({ok: false, reason: 'it is not an integer from 0 to 2^63-1'});
  });
});

describe('last-writer-wins registers', () => {
  const register = fc.tuple(fc.nat(2), fc.constantFrom(...REGIONS)).map(([time, region]) => ({
    value: `${time}${region}`,
    stamp: {time: BigInt(time), region},
  }));

  it('keep the laws of merge', () => {
    fc.assert(
      fc.property(register, register, register, (a, b, c) => {
        expect(mergeLww(a, b)).toEqual(mergeLww(b, a));
        expect(mergeLww(mergeLww(a, b), c)).toEqual(mergeLww(a, mergeLww(b, c)));
        expect(mergeLww(a, a)).toEqual(a);
        expect(compareStamps(a.stamp, mergeLww(a, b).stamp)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('break ties by the bytes of the region, as collation "C" does', () => {
    const at = (region: string) => ({value: region, stamp: {time: 1n, region}});
    expect(mergeLww(at('us-east'), at('ap')).value).toBe('us-east');
    expect(mergeLww(at('Z'), at('a')).value).toBe('a');
    expect(mergeLww(at('\u{1F600}'), at('\uFF5E')).value).toBe('\u{1F600}');
  });
});

describe('commit times', () => {
  it.each([
    ['2026-11-28T13:04:00.123456Z', 1_795_871_040_123_456n],
    ['2026-11-28 13:04:00.1234+00', 1_795_871_040_123_400n],
    ['2026-11-28T18:34:00.000001+05:30', 1_795_871_040_000_001n],
    ['2026-11-28T13:04:00Z', 1_795_871_040_000_000n],
    ['1969-12-31T23:59:59.999999Z', -1n],
    ['2026-11-28T13:04:00', null],
    ['infinity', null],
    ['2026-13-28T13:04:00Z', null],
    [null, null],
  ])('%s', (text, micros) => expect(microsOf(text)).toBe(micros));
});
