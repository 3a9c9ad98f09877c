import {afterEach, describe, expect, it} from 'vitest';
import {type Sampler, startSampler} from '../../src/lib/operate/sampler.ts';
import {fakeClock} from '../run/fake-clock.ts';

const stops: AbortController[] = [];
const started: Sampler<unknown>[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) stop.abort(new Error('over'));
  await Promise.all(started.splice(0).map(({ended}) => ended));
});

function sample<T>(ask: (signal: AbortSignal) => Promise<T>, everyMs = 1000) {
  const clock = fakeClock({auto: false});
  const stop = new AbortController();
  const sampler = startSampler({clock, signal: stop.signal, everyMs, ask});
  stops.push(stop);
  started.push(sampler);
  const turn = async (ms = 0): Promise<void> => {
    clock.advance(ms);
    for (let each = 0; each < 20; each += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  return {clock, sampler, stop, turn};
}

describe('a sampled source', () => {
  it('is asked at its own pace, and knows when it answered', async () => {
    let count = 0;
    const {clock, sampler, turn} = sample(async () => ++count);
    expect(sampler.now()).toEqual({value: null, at: null, failing: null});
    await turn();
    expect(sampler.now()).toEqual({value: 1, at: clock.wall(), failing: null});
    await turn(999);
    expect(count).toBe(1);
    await turn(1);
    expect(sampler.now()).toEqual({value: 2, at: clock.wall(), failing: null});
  });

  it('comes back to the beat of its pace after it was late, so that those of one pace ask together', async () => {
    let count = 0;
    const {turn} = sample(async () => ++count);
    await turn();
    await turn(1010);
    expect(count).toBe(2);
    await turn(989);
    expect(count).toBe(2);
    await turn(1);
    expect(count).toBe(3);
  });

  it('is asked as often as was asked for, also where that is no round number', async () => {
    let count = 0;
    const {turn} = sample(async () => ++count, 1026);
    await turn();
    for (let round = 0; round < 40; round += 1) await turn(1026);
    expect(count).toBe(41);
  });

  it('keeps what it said last, with its time, while it fails, and since when it fails', async () => {
    const says = {fails: false};
    const {clock, sampler, turn} = sample(async () => {
      if (says.fails) throw Object.assign(new Error('no route to host'), {code: 'EHOSTUNREACH'});
      return 'well';
    });
    await turn();
    const at = clock.wall();
    says.fails = true;
    await turn(1000);
    const since = clock.wall();
    await turn(1000);
    expect(sampler.now()).toEqual({value: 'well', at, failing: {code: 'EHOSTUNREACH', reason: 'no route to host', since}});
    says.fails = false;
    await turn(1000);
    expect(sampler.now()).toEqual({value: 'well', at: clock.wall(), failing: null});
  });

  it('is not asked twice at once, and ends while it hangs', async () => {
    let asked = 0;
    const {sampler, stop, turn} = sample(() => {
      asked += 1;
      return new Promise<never>(() => undefined);
    });
    await turn(5000);
    expect(asked).toBe(1);
    expect(sampler.now()).toEqual({value: null, at: null, failing: null});
    stop.abort(new Error('over'));
    await sampler.ended;
  });
});
