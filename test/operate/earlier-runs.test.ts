import {describe, expect, it} from 'vitest';
import {copySpeeds, earlierGaps, withPromotions} from '../../src/lib/operate/earlier-runs.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {State} from '../../src/lib/ports/state.ts';
import {memoryState} from '../run/memory-state.ts';
import {planOf, step} from '../run/world.ts';

const MIB = 1024 * 1024;

describe('what earlier runs took', () => {
  let at = 0;
  const clock = {wall: () => at, now: () => at, sleep: async () => {}};

  /** One run with one step, which took so long and had this result. */
  function ran(state: State, runId: string, part: Partial<Plan>, action: string, took: number, result: Json, pivot = false): void {
    const plan = {...planOf([step('one', {pivot, do: {action, v: 1, target: {store: 'orders', member: 'us'}, args: {}}})]), ...part};
    state.createRun(runId, 'fleet', plan);
    const add = (type: string, id: string | null, data: Json) => state.append(runId, {type, step: id, data});
    add('run-started', null, {v: 1, by: 'ana', token: '1-x'});
    add('step-started', 'one', {attempt: 1});
    add('intent', 'one', {action, v: 1, says: 'do it'});
    at += took;
    add('result', 'one', {result, says: 'done'});
    add('run-ended', null, {outcome: 'succeeded', code: 'succeeded', reason: null});
  }

  const failback = {kind: 'failback', from: 'eu', to: 'us'} as const;

  it('copies: as fast as the last one that copied much, whatever else ran', () => {
    const state = memoryState(clock);
    ran(state, 'r1', failback, 'store.rejoin', 1000, {how: 'rebuild', bytes: 800 * MIB});
    ran(state, 'r2', failback, 'store.rejoin', 4000, {how: 'rebuild', bytes: 800 * MIB});
    ran(state, 'r3', failback, 'store.rejoin', 10, {how: 'follow', bytes: null});
    ran(state, 'r6', failback, 'store.rejoin', 3000, {how: 'rewind', bytes: 16 * MIB});
    ran(state, 'r4', failback, 'store.follow', 10, {bytes: 5});
    ran(state, 'r5', {...failback, kind: 'failover'}, 'store.rejoin', 10, {how: 'rebuild', bytes: 800 * MIB});
    expect(copySpeeds(state, 'fleet')).toEqual({orders: 200 * MIB});
    expect(copySpeeds(state, 'another')).toEqual({});
    expect(copySpeeds(null, 'fleet')).toEqual({});
  });

  it('gaps: the shortest and the longest of the same kind between the same regions', () => {
    const state = memoryState(clock);
    const plan = (part: Partial<Plan>): Plan => ({...planOf([]), ...part});
    expect(earlierGaps(state, 'fleet', plan(failback))).toBeNull();
    ran(state, 'r1', failback, 'witness.stop', 5, {writeGapMs: 120, lostWrites: 0, duplicatedWrites: 0});
    ran(state, 'r2', failback, 'witness.stop', 5, {writeGapMs: 90, lostWrites: 0, duplicatedWrites: 0});
    ran(state, 'r3', {...failback, from: 'ap'}, 'witness.stop', 5, {writeGapMs: 7, lostWrites: 0, duplicatedWrites: 0});
    expect(earlierGaps(state, 'fleet', plan(failback))).toEqual([90, 120]);
  });

  it('promotions: the latest of each store, which is that of the newest run', () => {
    const state = memoryState(clock);
    const ready = {version: 1, takenAt: '', fleetDigest: 'd', vantage: 'here', regions: {}, routers: {}} as const;
    const ack = {known: false, code: 'not-read', reason: '', at: 0} as const;
    const snapshot = {...ready, stores: {orders: {engine: 'postgres', ack, members: {}}, other: {engine: 'postgres', ack, members: {}}}};
    const at = (epoch: number) => ({position: {lineage: 'L', epoch, offset: '5'}, mark: 7});
    expect(withPromotions(state, 'fleet', snapshot)).toEqual(snapshot);
    ran(state, 'r1', {kind: 'failover'}, 'store.promote', 5, at(2), true);
    ran(state, 'r2', failback, 'store.promote', 5, at(3), true);
    ran(state, 'r3', failback, 'store.rejoin', 5, {how: 'follow', bytes: null});
    ran(state, 'r4', failback, 'store.await-caught-up', 5, at(9));
    expect(withPromotions(state, 'fleet', snapshot).stores).toEqual({
      orders: {...snapshot.stores.orders, promoted: {lineage: 'L', epoch: 3}},
      other: snapshot.stores.other,
    });
    expect(withPromotions(null, 'fleet', snapshot)).toBe(snapshot);
  });

  it('a journal that cannot be read stops no plan', () => {
    const state = memoryState(clock);
    ran(state, 'r1', failback, 'store.rejoin', 1000, {how: 'rebuild', bytes: 800 * MIB});
    const broken: State = {
      ...state,
      events: () => {
        throw new Error('torn');
      },
    };
    expect(copySpeeds(broken, 'fleet')).toEqual({});
  });
});
