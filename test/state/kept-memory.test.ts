import {describe, expect, it} from 'vitest';
import type {Memory} from '../../src/lib/ports/state.ts';
import {keptMemory} from '../../src/lib/state/kept-memory.ts';
import {mapMemory} from '../health/memory.ts';
import {fakeClock} from '../run/fake-clock.ts';

/** A state that can be made to fail. */
function fragile() {
  const state = mapMemory();
  const broken = {now: false};
  const guarded = <T>(work: () => T): T => {
    if (broken.now) throw new Error('disk full');
    return work();
  };
  const memory: Memory = {...state, recall: (key) => guarded(() => state.recall(key)), together: (work) => guarded(work)};
  return {state, broken, memory};
}

describe('what a watch remembers', () => {
  it('begins with what the state knows, and is written through', () => {
    const {state, memory} = fragile();
    state.remember('eu', {state: 'unhealthy'});
    const kept = keptMemory({state: memory}, fakeClock());
    expect(kept.recall('eu')).toEqual({state: 'unhealthy'});
    kept.together(() => {
      kept.remember('eu', {state: 'healthy'});
      kept.note('health', 'well again');
    });
    expect(state.recall('eu'), 'whoever watches is told first').toEqual({state: 'unhealthy'});
    kept.flush();
    expect(state.recall('eu')).toEqual({state: 'healthy'});
    expect(state.noted).toMatchObject([{topic: 'health', data: 'well again'}]);
    expect(kept.trouble()).toBeNull();
  });

  it('writes at once what is remembered in the same moment, soon after', async () => {
    const {state, memory} = fragile();
    const clock = fakeClock({auto: false});
    let written = 0;
    const together: Memory['together'] = (work) => {
      written += 1;
      return memory.together(work);
    };
    const kept = keptMemory({state: {...memory, together}}, clock);
    kept.together(() => kept.remember('eu', 'healthy'));
    clock.advance(50);
    kept.together(() => kept.remember('us', 'healthy'));
    expect(written).toBe(0);
    clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
    expect([written, state.recall('eu'), state.recall('us')]).toEqual([1, 'healthy', 'healthy']);
    kept.together(() => kept.remember('eu', 'unhealthy'));
    clock.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
    expect([written, state.recall('eu')]).toEqual([2, 'unhealthy']);
  });

  it('leads by itself while the state cannot be written, leaves that alone for a while, and says so', () => {
    const {state, broken, memory} = fragile();
    const clock = fakeClock();
    const kept = keptMemory({state: memory}, clock);
    const write = (value: string) => {
      kept.together(() => kept.remember('eu', value));
      kept.flush();
    };
    write('healthy');
    broken.now = true;
    write('unhealthy');
    expect(kept.trouble()).toBe('what is seen is not kept: disk full');
    broken.now = false;
    write('recovering');
    expect([kept.recall('eu'), state.recall('eu')]).toEqual(['recovering', 'healthy']);
    clock.advance(31_000);
    kept.note('health', 'was lost for a while');
    write('well');
    expect(state.noted.map(({data}) => data)).toEqual(['was lost for a while']);
    expect([kept.recall('eu'), state.recall('eu'), kept.trouble()]).toEqual(['well', 'well', null]);
  });

  it('keeps each change with the time at which it was seen, however late it is written, and writes at the end what it can', () => {
    const {state, broken, memory} = fragile();
    const clock = fakeClock();
    const kept = keptMemory({state: memory}, clock);
    const began = clock.wall();
    broken.now = true;
    for (const to of ['unhealthy', 'healthy']) {
      kept.together(() => kept.note('health', to));
      kept.flush();
      clock.advance(1000);
    }
    expect(kept.end()).toBe('what is seen is not kept: disk full');
    broken.now = false;
    kept.flush();
    expect(state.noted, 'a state that failed is left alone for a while').toEqual([]);
    expect(kept.end()).toBeNull();
    expect(state.noted.map(({data, at}) => [data, (at ?? 0) - began])).toEqual([
      ['unhealthy', 0],
      ['healthy', 1000],
    ]);
  });

  it('keeps the last value of a key and every note while nothing can be written, and is patient at the end', () => {
    const {state, broken, memory} = fragile();
    const kept = keptMemory({state: {...memory, bePatient: () => (broken.now = false)}}, fakeClock());
    broken.now = true;
    kept.together(() => kept.note('health', 'seen first'));
    for (let value = 0; value < 5000; value += 1) kept.together(() => kept.remember(`link ${value % 40}`, value));
    kept.flush();
    for (let value = 0; value < 5000; value += 1) kept.together(() => kept.remember(`link ${value % 40}`, value));
    kept.flush();
    expect([kept.trouble(), state.noted]).toEqual(['what is seen is not kept: disk full', []]);
    expect(kept.end()).toBeNull();
    expect([state.recall('link 0'), state.recall('link 39')]).toEqual([4960, 4999]);
    expect(state.noted).toMatchObject([{data: 'seen first'}]);
  });

  it('opens anew what could not be opened, half a minute apart; begins then with what it knows, and writes what was seen meanwhile', async () => {
    const {state, memory} = fragile();
    state.remember('ap', {state: 'unhealthy'});
    const clock = fakeClock();
    const says: {tries: number; memory: Memory | null} = {tries: 0, memory: null};
    const again = async () => {
      says.tries += 1;
      if (says.memory === null) throw new Error('locked');
      return says.memory;
    };
    const kept = keptMemory({state: null, note: 'what is seen is not kept: no room', again}, clock);
    const look = async (afterMs: number) => {
      clock.advance(afterMs);
      kept.recall('ap');
      kept.flush();
      await new Promise((resolve) => setImmediate(resolve));
      return [says.tries, kept.trouble()];
    };
    kept.together(() => kept.note('health', 'eu is down'));
    expect(await look(0)).toEqual([0, 'what is seen is not kept: no room']);
    expect(await look(30_000)).toEqual([1, 'what is seen is not kept: locked']);
    says.memory = memory;
    expect(await look(29_000)).toEqual([1, 'what is seen is not kept: locked']);
    expect(await look(1000)).toEqual([2, null]);
    expect(kept.recall('ap')).toEqual({state: 'unhealthy'});
    expect(state.noted).toMatchObject([{data: 'eu is down', at: clock.wall() - 60_000}]);
    expect(await look(60_000), 'what is open stays open').toEqual([2, null]);
  });

  it('leads on from what the state knows once it can be read, not from nothing', async () => {
    const {state, memory} = fragile();
    state.remember('eu', {since: 1});
    const clock = fakeClock();
    const kept = keptMemory({state: null, note: 'locked', again: async () => memory}, clock);
    const look = (value: number) =>
      kept.together(() => {
        const before = kept.recall('eu');
        if (before !== undefined) return;
        kept.remember('eu', {since: value});
        kept.note('health', `eu since ${value}`);
      });
    const ap = () => kept.together(() => (kept.recall('ap') === undefined ? kept.remember('ap', {since: 5}) : undefined));
    look(1000);
    ap();
    clock.advance(31_000);
    kept.flush();
    await new Promise((resolve) => setImmediate(resolve));
    expect([kept.recall('eu'), state.recall('eu')]).toEqual([{since: 1}, {since: 1}]);
    expect(state.recall('ap'), 'what it does not know is kept').toEqual({since: 5});
    expect(state.noted, 'a beginning that was none').toEqual([]);
    look(2000);
    kept.flush();
    expect(state.recall('eu')).toEqual({since: 1});
  });

  it('writes the next change of what could be read late', () => {
    const {state, broken, memory} = fragile();
    const clock = fakeClock();
    state.remember('eu', 'unhealthy');
    broken.now = true;
    const kept = keptMemory({state: memory}, clock);
    expect(kept.recall('eu')).toBeUndefined();
    broken.now = false;
    clock.advance(31_000);
    expect(kept.recall('eu')).toBe('unhealthy');
    kept.together(() => kept.remember('eu', 'healthy'));
    kept.flush();
    expect([kept.recall('eu'), state.recall('eu')]).toEqual(['healthy', 'healthy']);
  });

  it('opens nothing once it has ended: whoever closes the state is not waited for', async () => {
    const clock = fakeClock();
    const {state, memory} = fragile();
    const opening = Promise.withResolvers<Memory>();
    let tries = 0;
    const again = () => {
      tries += 1;
      return opening.promise;
    };
    const kept = keptMemory({state: null, note: 'locked', again}, clock);
    kept.together(() => kept.remember('eu', 1));
    clock.advance(30_000);
    kept.flush();
    kept.flush();
    expect(kept.end()).toBeNull();
    opening.resolve(memory);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(60_000);
    kept.flush();
    expect([tries, state.recall('eu')]).toEqual([1, undefined]);
  });

  it('goes on without any state', () => {
    const kept = keptMemory({state: null, note: 'what is seen is not kept: read-only'}, fakeClock());
    kept.together(() => kept.remember('eu', 1));
    expect([kept.recall('eu'), kept.trouble()]).toEqual([1, 'what is seen is not kept: read-only']);
  });
});
