import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {SlotReading} from '../../src/lib/ports/store.ts';
import {judgeSlots, needsRate, type SlotRow} from '../../src/lib/replication/slots.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import {AT, ISO} from './topology-samples.ts';

const MIB = 1024 * 1024;
const SLOT: SlotReading = {
  name: 'eu',
  kind: 'physical',
  keptFor: 'eu',
  database: null,
  active: true,
  temporary: false,
  retainedBytes: 16 * MIB,
  safeBytes: null,
  status: 'reserved',
  invalidated: null,
  inactiveSeconds: null,
  end: '1000000',
  at: AT - 1040,
};
const cells = (...slots: readonly SlotReading[]) => ({us: known(slots, AT, 'sql')});
/** One slot, looked at twice, a second apart, while `rate` bytes were written. */
function judge(change: Partial<SlotReading>, rate: number | null = MIB): SlotRow {
  const slot = {...SLOT, ...change};
  const later = {...slot, end: String(BigInt(slot.end) + BigInt(rate ?? 0)), at: slot.at + 1000};
  const store = {store: 'orders', members: ['us'], at: AT, first: cells(slot), second: rate === null ? null : cells(later)};
  const [row] = judgeSlots(ISO, [store]).slots;
  if (row === undefined) throw new Error('no row');
  return row;
}
const inactive = {active: false, inactiveSeconds: 90};
const copy = {...inactive, copyOf: 'us'};

describe('judging slots', () => {
  it.each<[string, Partial<SlotReading>, number | null, SlotRow['state'], SlotRow['verdict'], string]>([
    ['it is used and has no limit', {}, null, 'ok', 'healthy', 'ok'],
    ['it is used and far from its limit', {safeBytes: 7200 * MIB}, MIB, 'ok', 'healthy', 'ok'],
    ['it is used by somebody who is not known', {keptFor: null}, null, 'ok', 'healthy', 'ok'],
    ['less than an hour is left', {...inactive, safeBytes: 1800 * MIB}, MIB, 'at-risk', 'degraded', 'short-runway'],
    ['less than ten minutes are left', {...inactive, safeBytes: 300 * MIB}, MIB, 'at-risk', 'unhealthy', 'short-runway'],
    ['little would be left, but its receiver keeps up', {safeBytes: 300 * MIB}, MIB, 'ok', 'healthy', 'ok'],
    [
      'its receiver has used up half of the room',
      {safeBytes: 300 * MIB, retainedBytes: 301 * MIB},
      MIB,
      'at-risk',
      'unhealthy',
      'short-runway',
    ],
    ['little is left, but nothing is written', {safeBytes: MIB}, 0, 'ok', 'healthy', 'ok'],
    ['its log may be removed', {status: 'unreserved', safeBytes: null}, MIB, 'at-risk', 'degraded', 'unreserved'],
    ['nothing is left', {status: 'unreserved', safeBytes: -5}, 0, 'at-risk', 'unhealthy', 'unreserved'],
    ['it is lost', {status: 'lost', active: false}, MIB, 'lost', 'unhealthy', 'lost'],
    ['it was invalidated', {invalidated: 'wal_removed', active: false}, MIB, 'lost', 'unhealthy', 'lost'],
    ['nobody uses it, and it has a limit', {...inactive, safeBytes: 7200 * MIB}, MIB, 'inactive', 'degraded', 'inactive'],
    ['nobody uses it, and it has none', inactive, MIB, 'inactive', 'degraded', 'inactive-unlimited'],
    ['nobody uses it and nobody is known', {...inactive, keptFor: null}, MIB, 'orphan', 'degraded', 'orphan-unlimited'],
    [
      'nobody uses it and nobody is known, with a limit',
      {...inactive, keptFor: null, safeBytes: 7200 * MIB},
      MIB,
      'orphan',
      'degraded',
      'orphan',
    ],
    ['it is a copy', {...copy, keptFor: null}, MIB, 'copy', 'healthy', 'copy'],
    ['it is a copy, and little would be left', {...copy, safeBytes: 300 * MIB}, MIB, 'copy', 'healthy', 'copy'],
    [
      'it is a copy that uses up its room',
      {...copy, safeBytes: 300 * MIB, retainedBytes: 301 * MIB},
      MIB,
      'at-risk',
      'unhealthy',
      'short-runway',
    ],
    ['it is a copy, and invalid', {...copy, status: 'lost', invalidated: 'rows_removed'}, MIB, 'lost', 'degraded', 'copy-lost'],
    ['nobody uses it, and it keeps nothing yet', {...inactive, retainedBytes: null}, MIB, 'inactive', 'healthy', 'inactive'],
  ])('%s', (_name, change, rate, state, verdict, code) => {
    expect(judge(change, rate)).toMatchObject({state, verdict, code});
  });

  it('says how much it retains for whom, how fast that grows, and what is left', () => {
    expect(judge({...inactive}).reason).toBe(
      'Nobody uses it for 1 min 30 s, and it retains 16 MiB, for eu: it grows until the disk is full, now by 1 MiB/s. No runway: no limit is set to what it may retain.',
    );
    expect(judge({...inactive, safeBytes: 300 * MIB})).toMatchObject({
      bytesPerSecond: MIB,
      runwaySeconds: 300,
      reason: 'It is inactive, retains 16 MiB for eu, and that will soon be removed. At the present 1 MiB/s it has 5 min left (300 MiB).',
    });
    expect(judge({safeBytes: 300 * MIB}).reason).toBe(
      'eu uses it; it retains 16 MiB. At the present 1 MiB/s it would have 5 min left (300 MiB) if its receiver stopped now.',
    );
  });

  it('says whose copy it is, and what becomes of it', () => {
    const limit = 'No runway: no limit is set to what it may retain.';
    expect(judge(copy)).toMatchObject({
      copyOf: 'us',
      reason: `It is a copy of the slot on us, and goes when that is dropped; it retains 16 MiB. ${limit}`,
    });
    expect(judge({...copy, invalidated: 'rows_removed'}).reason).toBe(
      'It is a copy of the slot on us, and what that needs has been removed here (rows_removed): until it is made anew, its receiver could not go on after a promotion. No runway: what it needs is gone.',
    );
    expect(judge({...copy, status: 'unreserved'}).reason).toContain('It is a copy of the slot on us, retains 16 MiB for eu, and that may');
    expect(judge({}).copyOf).toBeNull();
  });

  it('says why there is no runway', () => {
    expect(judge({})).toMatchObject({runwaySeconds: null, reason: expect.stringContaining('no limit is set')});
    expect(judge({safeBytes: MIB}, 0)).toMatchObject({
      runwaySeconds: null,
      bytesPerSecond: 0,
      reason: expect.stringContaining('Nothing is written now; it reaches its limit after '),
    });
    expect(judge({safeBytes: MIB}, null)).toMatchObject({
      runwaySeconds: null,
      bytesPerSecond: null,
      reason: expect.stringContaining('a second look could not be had'),
    });
    expect(judge({safeBytes: MIB}, -500).bytesPerSecond, 'a log that is shorter is another one').toBeNull();
    expect(judge({status: 'lost'})).toMatchObject({runwaySeconds: null, reason: expect.stringContaining('what it needs is gone')});
  });

  it('a rate comes of positions that outgrow a double', () => {
    expect(judge({end: '9007199254740993000', safeBytes: 100 * MIB}, 3)).toMatchObject({bytesPerSecond: 3});
  });

  it('a member that could not be read is a row of its own', () => {
    const first = {us: unknown('timeout', 'us did not answer within 1500 ms.', AT - 1500)};
    const {slots, verdict, reason: why} = judgeSlots(ISO, [{store: 'orders', members: ['us', 'eu'], at: AT, first, second: null}]);
    expect([verdict, why]).toEqual(['unknown', `orders us: ${slots[0]?.reason}`]);
    expect(slots.map(({member, slot, state, code, reason, ageMs}) => [member, slot, state, code, reason, ageMs])).toEqual([
      ['us', null, 'unknown', 'timeout', 'The slots of us could not be read: us did not answer within 1500 ms.', 1500],
      ['eu', null, 'unknown', 'not-reported', "The slots of eu could not be read: the store's provider said nothing of eu.", 0],
    ]);
  });

  it('nothing to show is healthy', () => {
    expect(judgeSlots(ISO, [])).toEqual({at: ISO, verdict: 'healthy', reason: 'No slot is at risk.', only: null, stores: [], slots: []});
    expect(judgeSlots(ISO, [{store: 'orders', members: ['us'], at: AT, first: cells(), second: null}])).toMatchObject({
      verdict: 'healthy',
      slots: [],
    });
  });

  it('asks for a second look only where it tells something', () => {
    expect(needsRate(cells())).toBe(false);
    expect(needsRate(cells(SLOT))).toBe(false);
    expect(needsRate(cells({...SLOT, ...inactive}))).toBe(true);
    expect(needsRate(cells({...SLOT, ...copy}))).toBe(false);
    expect(needsRate(cells({...SLOT, safeBytes: 1}))).toBe(true);
    expect(needsRate({us: unknown('timeout', 'silent', AT)})).toBe(false);
  });

  it('nothing is negative, and what is null has its reason, whatever was read', () => {
    const size = fc.option(fc.integer({min: -5000, max: 1e15}));
    const slot = fc.record({
      active: fc.boolean(),
      keptFor: fc.constantFrom('eu', null),
      retainedBytes: size,
      safeBytes: size,
      status: fc.constantFrom('reserved', 'extended', 'unreserved', 'lost', null),
      invalidated: fc.constantFrom(null, 'idle_timeout'),
      inactiveSeconds: fc.option(fc.double({min: -5, max: 1e9, noNaN: true})),
    });
    fc.assert(
      fc.property(slot, fc.option(fc.integer({min: -500, max: 1e12})), (change, rate) => {
        const row = judge(change, rate);
        for (const value of [row.retainedBytes, row.safeBytes, row.bytesPerSecond, row.runwaySeconds, row.inactiveSeconds])
          expect(value ?? 0).toBeGreaterThanOrEqual(0);
        expect(row.reason).not.toMatch(/\b(undefined|NaN|null|Infinity)\b/u);
        if (row.runwaySeconds === null) expect(row.reason).toMatch(/No runway|runway is not known|Nothing is written now/u);
      }),
    );
  });
});
