import {afterEach, beforeEach, describe, expect, it, onTestFinished, vi} from 'vitest';
import {FaultDesk} from '../../src/lab/fault-desk.ts';
import {parseFault} from '../../src/lab/fault-request.ts';
import {conditionOf} from '../../src/lab/faults.ts';
import type {RegionMachine} from '../../src/lab/region-machine.ts';

const said: string[] = [];
beforeEach(() => {
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'Date']});
  said.length = 0;
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** One region whose machine does not start as often as `fails` says. `starts` are the times of all attempts, in ms. */
function lab(fails: number, more: Partial<RegionMachine> = {}) {
  const began = Date.now();
  const state = {fails, starts: [] as number[], running: true};
  const machine = {
    condition: conditionOf('ap', []),
    kill: async () => void Object.assign(state, {running: false}),
    thaw: () => undefined,
    settleWrites: async () => undefined,
    settleErrors: async () => undefined,
    settleClock: async () => undefined,
    start: async () => {
      state.starts.push(Date.now() - began);
      if (state.starts.length <= state.fails) throw new Error('could not fork');
      state.running = true;
    },
    ...more,
  } as unknown as RegionMachine;
  const desk = new FaultDesk({machines: new Map([['ap', machine]]), paths: () => null, door: () => null});
  onTestFinished(() => desk.close());
  const inject = (kind = 'kill', leaseMs = 1000) => desk.inject({...parseFault({region: 'ap', kind}, ['ap'], Date.now()), leaseMs});
  const listed = () => desk.all.map(({kind}) => kind);
  return {desk, state, machine, inject, listed};
}

describe('a lease that ends', () => {
  it('is listed until its region runs again, which is tried with longer and longer pauses', async () => {
    const {desk, state, machine, inject, listed} = lab(3);
    await inject();
    await vi.advanceTimersByTimeAsync(1600);
    // It does not act any more: whoever starts the machine by hand can.
    expect([listed(), desk.ended, machine.condition.dead.database]).toEqual([['kill'], [], false]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([listed(), state.running, state.starts]).toEqual([[], true, [1000, 1250, 1750, 2750]]);
    expect(desk.ended).toMatchObject([{kind: 'kill', by: 'lease'}]);
    expect(said).toEqual(Array(3).fill('healing ap: could not fork\n'));
  });

  it('is tried at least every 30 s, and not any more once the lab goes down', async () => {
    const {desk, state, inject, listed} = lab(1000);
    await inject();
    await vi.advanceTimersByTimeAsync(600_000);
    const pauses = state.starts.slice(1).map((at, index) => at - (state.starts[index] ?? 0));
    expect([Math.max(...pauses), listed()]).toEqual([30_000, ['kill']]);
    desk.close();
    const tried = state.starts.length;
    await vi.advanceTimersByTimeAsync(120_000);
    expect([state.starts.length, listed()]).toEqual([tried, []]);
  });

  it('is left alone once it was healed, or another like it has begun', async () => {
    const healed = lab(1);
    await healed.inject();
    await vi.advanceTimersByTimeAsync(1100);
    await healed.desk.heal('ap');
    expect([healed.listed(), healed.desk.ended.map(({by}) => by)]).toEqual([[], ['heal']]);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([healed.state.starts.length, healed.desk.ended.length]).toEqual([2, 1]);

    const again = lab(1);
    await again.inject();
    await vi.advanceTimersByTimeAsync(1100);
    await again.inject('kill', 60_000);
    expect(again.listed()).toEqual(['kill']);
    await vi.advanceTimersByTimeAsync(50_000);
    expect([again.state.starts.length, again.state.running]).toEqual([1, false]);
  });
});

describe('a heal that fails', () => {
  it('says so, and is tried again: nobody takes the region for whole meanwhile', async () => {
    const {desk, state, inject, listed} = lab(2);
    await inject('kill', 60_000);
    await expect(desk.heal('ap')).rejects.toThrow('could not fork');
    expect([listed(), state.running]).toEqual([['kill'], false]);
    await vi.advanceTimersByTimeAsync(2000);
    expect([listed(), state.running, desk.ended.map(({by}) => by)]).toEqual([[], true, ['heal']]);
  });
});

describe('an injection that fails', () => {
  it('is listed until what it had begun is taken back', async () => {
    const {state, inject, listed} = lab(1, {kill: async () => Promise.reject(new Error('not permitted'))});
    await expect(inject('kill', 60_000)).rejects.toThrow('not permitted');
    expect(listed()).toEqual(['kill']);
    await vi.advanceTimersByTimeAsync(1000);
    expect([listed(), state.starts.length]).toEqual([[], 2]);
    const well = lab(0, {kill: async () => Promise.reject(new Error('not permitted'))});
    await expect(well.inject()).rejects.toThrow('not permitted');
    expect(well.listed()).toEqual([]);
  });
});
