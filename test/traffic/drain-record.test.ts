import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import {
  type DrainRecord,
  isSameButFine,
  keepDrain,
  lookedAt,
  recallDrain,
  settled,
  withoutGone,
  withPending,
} from '../../src/lib/traffic/drain-record.ts';
import {mapMemory} from '../health/memory.ts';
import {lagOf, SINCE} from './drain-samples.ts';

const BEFORE = {us: 40, ap: 30};
const AFTER = {us: 40, ap: 0};
const record: DrainRecord = {weights: BEFORE, held: {}, pending: null, left: []};
const decision = {next: AFTER, hold: [{region: 'ap', weight: 30, says: 'late'}], giveBack: [], stays: []};
const begun = withPending(record, decision, 'shift-1', SINCE);
const held = {ap: {weight: 30, since: SINCE, run: 'shift-1', says: 'late', fineSince: null, seenAt: SINCE}};

describe('what is kept of a drained route', () => {
  it('is told by the weights after a run that was killed: whether it came to pass or not', () => {
    expect(settled(begun, AFTER)).toEqual({record: {weights: AFTER, held, pending: null, left: []}, moved: []});
    expect(settled(begun, BEFORE)).toEqual({record, moved: []});
    const back = withPending(
      {...record, weights: AFTER, held},
      {next: BEFORE, hold: [], giveBack: [{region: 'ap', weight: 30, says: 'well'}], stays: []},
      'shift-2',
      SINCE,
    );
    expect(settled(back, BEFORE)).toEqual({record, moved: []});
    expect(settled(back, AFTER).record.held).toEqual(held);
  });

  it('takes anything else for another hand, and leaves those regions alone until their links have closed', () => {
    const {record: undone, moved} = settled({...record, weights: AFTER, held}, BEFORE);
    expect(moved).toEqual([{region: 'ap', weight: 30, isServing: true}]);
    expect(undone).toEqual({...record, left: ['ap']});
    for (const [state, left] of [
      ['open', ['ap']],
      ['unknown', ['ap']],
      ['well', []],
    ] as const)
      expect(lookedAt(undone, {ap: lagOf(state)}, SINCE).left).toEqual(left);
    expect(settled({...record, weights: AFTER, held}, {us: 0, ap: 0}).moved, 'as a failover leaves it').toEqual([
      {region: 'ap', weight: 30, isServing: false},
    ]);
    expect(settled(undone, BEFORE).record.left, 'it stays so').toEqual(['ap']);
  });

  it('knows since when a region is fine, and begins anew when it is not', () => {
    const off = {...record, weights: AFTER, held};
    const fine = lookedAt(off, {ap: {...lagOf('open'), isFine: true}}, SINCE);
    expect(fine.held.ap?.fineSince).toBe(SINCE);
    expect(lookedAt(fine, {ap: lagOf('well')}, '2026-11-21T10:01:00.000Z').held.ap?.fineSince, 'the first of these looks').toBe(SINCE);
    expect(lookedAt(fine, {ap: lagOf('unknown')}, SINCE).held.ap?.fineSince).toBeNull();
    expect([isSameButFine(off, fine), isSameButFine(off, {...fine, left: ['eu']}), isSameButFine(null, fine)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('leaves a region alone that had to come back while it was late, and lets go of one that the fleet file has no more', () => {
    const off = {...record, weights: AFTER, held};
    const spared = {next: BEFORE, hold: [], giveBack: [{region: 'ap', weight: 30, says: 'no other', isSpared: true as const}], stays: []};
    expect(withPending(off, spared, 'shift-2', SINCE).pending).toEqual({weights: BEFORE, held: {}, left: ['ap']});
    expect(withoutGone(off, ['us'])).toEqual({record: {...off, held: {}}, moved: [{region: 'ap', weight: 30, isServing: false}]});
    expect(withoutGone(off, ['us', 'ap'])).toEqual({record: off, moved: []});
  });

  it('begins with what the route has; a region that is not named has no weight', () => {
    expect(settled(null, BEFORE)).toEqual({record, moved: []});
    expect(settled({...record, weights: {us: 100}}, {us: 100, ap: 0}).moved).toEqual([]);
  });

  it('comes back from the state as it was, and what cannot be read is nothing', () => {
    const state = mapMemory();
    fc.assert(
      fc.property(fc.constantFrom(record, begun, {...begun, left: ['eu']}), (each) => {
        keepDrain(state, 'shop', 'reads', each);
        expect(recallDrain(state, 'shop', 'reads')).toEqual(each);
      }),
    );
    expect(recallDrain(state, 'shop', 'writes')).toBeNull();
    state.remember('drain/shop/reads', {weights: 3});
    expect(recallDrain(state, 'shop', 'reads')).toBeNull();
  });
});
