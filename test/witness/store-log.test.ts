import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {measureWitness} from '../../src/lib/witness/measure.ts';
import {acksByMember, overMembers, twoWriters, unsentByMember} from '../../src/lib/witness/store-log.ts';
import type {Outcome, WitnessLog, WitnessWrite} from '../../src/lib/witness/witness-log.ts';

const logOf = (writes: readonly WitnessWrite[]): WitnessLog => ({
  sessions: [{openedAt: 0, endedAt: 1e6, closed: true, url: 'store:orders'}],
  writes,
  stalls: [],
  torn: 0,
});
const write = (member: string, n: number, outcome: Outcome = 'acknowledged', sentAt = n * 20, endedAt = sentAt + 2): WitnessWrite => ({
  n,
  ref: `r-${member}-${n}`,
  member,
  sentAt,
  endedAt,
  outcome,
});
const range = (from: number, to: number) => Array.from({length: to - from}, (_, i) => from + i);
const stream = (member: string, from: number, to: number) => range(from, to).map((n) => write(member, n));

describe('a store seen over its members', () => {
  it('refuses a number only when every member refused it, and with the last of them', () => {
    const log = logOf([
      write('us', 0),
      write('eu', 0, 'failed'),
      write('us', 1, 'unknown'),
      write('eu', 1, 'failed'),
      write('us', 2, 'failed', 40, 41),
      write('eu', 2, 'failed', 40, 45),
    ]);
    expect(overMembers(log).writes.map(({ref, outcome}) => `${ref} ${outcome}`)).toEqual([
      'r-us-0 acknowledged',
      'r-us-1 unknown',
      'r-eu-2 failed',
    ]);
  });

  it('has the losses, the duplicates and the gap that an account kept by hand has', () => {
    const outcome = fc.constantFrom<Outcome>('acknowledged', 'failed', 'unknown');
    const run = fc.array(fc.record({us: outcome, eu: outcome, took: fc.integer({min: 1, max: 500}), there: fc.integer({min: 0, max: 2})}), {
      minLength: 2,
      maxLength: 60,
    });
    fc.assert(
      fc.property(run, (each) => {
        const writes = each.flatMap(({us, eu, took}, n) => [
          write('us', n, us, n * 20, n * 20 + took),
          write('eu', n, eu, n * 20, n * 20 + took + 1),
        ]);
        const rows = new Map(
          writes.flatMap(({ref, n}): [string, number][] => ((each[n]?.there ?? 0) > 0 ? [[ref, each[n]?.there ?? 0]] : [])),
        );
        const measured = measureWitness(overMembers(logOf(writes)), rows);
        const acks = writes.filter((one) => one.outcome === 'acknowledged');
        expect(measured.acknowledged).toBe(acks.length);
        expect(measured.lost?.toSorted()).toEqual(
          acks
            .filter(({ref}) => !rows.has(ref))
            .map(({ref}) => ref)
            .toSorted(),
        );
        expect(measured.unknown).toBe(writes.filter((one) => one.outcome === 'unknown').length);
        expect(measured.failed).toBe(each.filter(({us, eu}) => us === 'failed' && eu === 'failed').length);
        const times = acks.map(({endedAt}) => endedAt).toSorted((a, b) => a - b);
        const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
        expect(measured.longestGapMs).toBe(gaps.length === 0 ? null : Math.max(...gaps));
        expect(measured.duplicated).toHaveLength([...rows.values()].filter((count) => count > 1).length);
      }),
    );
  });

  it('counts by member what was acknowledged, and what was not sent', () => {
    const log = logOf([...stream('us', 0, 5), {...write('eu', 0, 'failed'), unsent: true}]);
    expect(acksByMember(log, ['us', 'eu'])).toEqual([
      {member: 'us', acknowledged: 5, firstAckAt: 2, lastAckAt: 82},
      {member: 'eu', acknowledged: 0, firstAckAt: null, lastAckAt: null},
    ]);
    expect([...unsentByMember(log)]).toEqual([['eu', 1]]);
  });
});

describe('two writers', () => {
  it('are none where one hands over to the other, and back, however often', () => {
    const turns = fc.array(fc.integer({min: 60, max: 200}), {minLength: 1, maxLength: 5});
    fc.assert(
      fc.property(turns, (lengths) => {
        let at = 0;
        const writes = lengths.flatMap((length, turn) => {
          const from = at;
          at += length;
          return stream(turn % 2 === 0 ? 'us' : 'eu', from, at);
        });
        expect(twoWriters(logOf(writes))).toBeNull();
      }),
    );
  });

  it('are none where an acknowledgement was on its way while the other took over', () => {
    const late = write('us', 50, 'acknowledged', 1000, 1300);
    expect(twoWriters(logOf([...stream('us', 0, 50), late, ...stream('eu', 55, 100)]))).toBeNull();
  });

  it('are those that both acknowledge, from the first to the last such acknowledgement', () => {
    fc.assert(
      fc.property(fc.integer({min: 1, max: 40}), fc.integer({min: 0, max: 20}), (both, frozen) => {
        // eu takes over at 100; us, which stood still, goes on and writes as well.
        const begin = 101 + frozen;
        const again = range(begin, begin + both).map((n) => write('us', n, 'acknowledged', n * 20 + 5, n * 20 + 7));
        const seen = twoWriters(logOf([...stream('us', 0, 90), ...stream('eu', 100, 200), ...again]));
        expect(seen).toMatchObject({members: ['us', 'eu'], from: begin * 20 + 7, to: (begin + both - 1) * 20 + 7});
        expect(seen?.writes).toBe(2 * both - 1);
      }),
    );
  });
});
