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
    const kept = keptMemory(memory, fakeClock(), null);
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

  it('leads by itself while the state cannot be written, leaves that alone for a while, and says so', () => {
    const {state, broken, memory} = fragile();
    const clock = fakeClock();
    const kept = keptMemory(memory, clock, null);
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
    const kept = keptMemory(memory, clock, null);
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

  it('goes on without any state', () => {
    const kept = keptMemory(null, fakeClock(), 'what is seen is not kept: read-only');
    kept.together(() => kept.remember('eu', 1));
    expect([kept.recall('eu'), kept.trouble()]).toEqual([1, 'what is seen is not kept: read-only']);
  });
});
