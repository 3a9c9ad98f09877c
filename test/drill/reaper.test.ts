import fc from 'fast-check';
import {describe, expect, it} from 'vitest';
import type {FaultEntry} from '../../src/lib/drill/fault-ledger.ts';
import {decide, GIVE_UP_MS, type ReaperClock, type ReaperDeps, reap, type Sight} from '../../src/lib/drill/reaper.ts';
import type {Fault} from '../../src/lib/ports/fault.ts';
import {type Cell, known, unknown} from '../../src/lib/snapshot/cell.ts';
import {entryWith, seen} from './faults.ts';

const LEASE = 10_000;
const sight = (more: Partial<Sight> = {}): Sight => ({
  ...{
    elapsedMs: 0,
    leaseMs: LEASE,
    lateMs: 0,
    listed: true,
    injected: true,
    aloneSince: null,
    told: false,
    attempts: 0,
    lastAt: 0,
    proven: false,
  },
  ...more,
});

describe('what a reaper does next', () => {
  it('is to wait until the lease is over, in slices, and then to heal', () => {
    expect(decide(sight())).toEqual({do: 'wait', ms: 500});
    expect(decide(sight({elapsedMs: LEASE - 3}))).toEqual({do: 'wait', ms: 3});
    expect(decide(sight({elapsedMs: LEASE}))).toEqual({do: 'heal'});
  });

  it('is never to heal before the lease is over, unless it was told to, and never to wait for longer than a slice', () => {
    const any = fc.record({
      elapsedMs: fc.integer({min: 0, max: 2 * LEASE}),
      leaseMs: fc.integer({min: 1, max: LEASE}),
      lateMs: fc.integer({min: 0, max: LEASE}),
      listed: fc.boolean(),
      injected: fc.boolean(),
      aloneSince: fc.option(fc.integer({min: 0, max: LEASE})),
      told: fc.boolean(),
      attempts: fc.integer({min: 0, max: 50}),
      lastAt: fc.integer({min: 0, max: LEASE}),
      proven: fc.boolean(),
    });
    fc.assert(
      fc.property(any, (one) => {
        const next = decide(one);
        if (!one.listed) expect(next).toEqual({do: 'end', why: 'healed-elsewhere'});
        else if (one.elapsedMs < one.leaseMs && !one.told) expect(next.do).toBe('wait');
        else if (next.do === 'end') expect(next.why === 'gave-up' || one.proven).toBe(true);
        if (next.do === 'wait') expect(next.ms > 0 && next.ms <= 500).toBe(true);
      }),
    );
  });

  it('is to end when the end is proven, or the fault was healed by others', () => {
    expect(decide(sight({elapsedMs: LEASE + 1, attempts: 1, lastAt: LEASE, proven: true}))).toEqual({do: 'end', why: 'proven'});
    expect(decide(sight({listed: false}))).toEqual({do: 'end', why: 'healed-elsewhere'});
  });

  it('is to heal again, less and less often, for an hour at least', () => {
    const failed = (attempts: number, sinceMs: number) => decide(sight({elapsedMs: LEASE + sinceMs, attempts, lastAt: LEASE}));
    expect(failed(1, 249)).toEqual({do: 'wait', ms: 1});
    expect(failed(1, 250)).toEqual({do: 'heal'});
    expect(failed(2, 250)).toEqual({do: 'wait', ms: 250});
    expect(failed(40, 29_000)).toEqual({do: 'wait', ms: 500});
    expect(failed(40, 30_000)).toEqual({do: 'heal'});
    expect(GIVE_UP_MS).toBeGreaterThanOrEqual(3_600_000);
    expect(failed(40, GIVE_UP_MS - 1).do).toBe('heal');
    expect(failed(40, GIVE_UP_MS)).toEqual({do: 'end', why: 'gave-up'});
  });

  it('is to go on after a proof as long as the injection may still be on its way', () => {
    const proven = {elapsedMs: LEASE + 1000, attempts: 1, lastAt: LEASE + 900, proven: true, injected: false, lateMs: 5000};
    expect(decide(sight(proven))).toMatchObject({do: 'wait'}); // Its injector runs.
    expect(decide(sight({...proven, aloneSince: LEASE - 1000}))).toMatchObject({do: 'wait'});
    expect(decide(sight({...proven, aloneSince: LEASE - 5000}))).toEqual({do: 'end', why: 'proven'});
  });
});

/** Takes the record away. */
const gone = (state: {listed: boolean}) => () => void Object.assign(state, {listed: false});

/** A reaper whose time passes by sleeping only. `jump` sets the clock on the wall, `nap` is a sleep of the machine. */
function world(more: Partial<ReaperDeps> & {entry?: FaultEntry} = {}) {
  const time = {now: 0, awake: 0, wall: 1_800_000_000_000};
  const state = {
    listed: true,
    injected: true,
    runs: true,
    active: ['freeze'] as string[],
    healedAt: [] as number[],
    onSleep: (): void => undefined,
  };
  const entry = more.entry ?? entryWith({leaseMs: LEASE});
  const lines: string[] = [];
  const told = new AbortController();
  const clock: ReaperClock = {
    now: () => time.now,
    awake: () => time.awake,
    wall: () => time.wall,
    async sleep(ms) {
      for (const each of ['now', 'awake', 'wall'] as const) time[each] += ms;
      state.onSleep();
    },
  };
  const port: Fault = {
    kinds: ['freeze'],
    inject: async () => null,
    heal: async () => {
      state.healedAt.push(time.now);
      state.active = [];
    },
    active: async () => known(state.active, 0, 'test'),
  };
  const deps: ReaperDeps = {
    ...{port, entry, clock, told: told.signal, outside: async () => seen({answering: ['app']}), log: (line) => lines.push(line)},
    ledger: {read: () => (state.listed ? {...entry, injected: state.injected} : null), remove: gone(state)},
    runs: () => state.runs,
    ...more,
  };
  return {time, state, lines, told, deps, port};
}

describe('a reaper', () => {
  it('heals when the lease is over, proves it, and takes the record away', async () => {
    const {deps, state} = world();
    expect(await reap(deps)).toBe('proven');
    expect([state.healedAt, state.listed]).toEqual([[LEASE], false]);
  });

  it('lets a heal take the time that the injector says it may take, two minutes at least', async () => {
    const given = async (more: Partial<Fault>) => {
      const {deps, port, time} = world();
      const allowed: number[] = [];
      const heal: Fault['heal'] = async (ctx, ...call) => {
        allowed.push(ctx.deadline - time.now);
        return port.heal(ctx, ...call);
      };
      await reap({...deps, port: {...port, heal, ...more}});
      return allowed;
    };
    expect([await given({healMs: 540_000}), await given({healMs: 1000}), await given({})]).toEqual([[555_000], [120_000], [120_000]]);
  });

  it('tells when it had proven the end, and by what, before the record goes; one that cannot be told keeps nothing', async () => {
    const told: unknown[] = [];
    const one = world();
    expect(await reap({...one.deps, ended: async (...end) => void told.push([...end, one.state.listed])})).toBe('proven');
    const early = world();
    early.state.onSleep = () => early.told.abort();
    await reap({...early.deps, ended: async (...end) => void told.push([...end, early.state.listed])});
    expect(told).toEqual([
      [1_800_000_000_000 + LEASE, 'lease', true],
      [1_800_000_000_500, 'heal', true],
    ]);
    const {deps, state, lines} = world();
    expect(await reap({...deps, ended: async () => Promise.reject(new Error('the disk is full'))})).toBe('proven');
    expect([state.listed, lines.at(-1)]).toEqual([false, 'its end is not in the journal of its run: the disk is full']);
  });

  it.each([
    ['forward', 86_400_000],
    ['back', -86_400_000],
  ])('does not go by a clock that is set %s', async (_, ms) => {
    const {deps, state, time, lines} = world();
    state.onSleep = () => {
      state.onSleep = () => undefined;
      time.wall += ms;
    };
    expect(await reap(deps)).toBe('proven');
    expect(state.healedAt).toEqual([LEASE]);
    expect(lines).toContain(`the clock was set by ${ms} ms; the lease is counted without it`);
  });

  it('counts the time in which the machine slept, and that in which it was stopped itself', async () => {
    for (const clocks of [
      ['awake', 'wall'],
      ['now', 'awake', 'wall'],
    ] as const) {
      const {deps, state, time} = world();
      state.onSleep = () => {
        state.onSleep = () => undefined;
        for (const each of clocks) time[each] += 3 * LEASE;
      };
      expect(await reap(deps)).toBe('proven');
      expect(state.healedAt).toHaveLength(1);
      expect(time.awake).toBe(3 * LEASE + 500);
    }
  });

  it('ends at once when others have healed the fault, and has touched nothing', async () => {
    const {deps, state, time} = world();
    state.onSleep = gone(state);
    expect(await reap(deps)).toBe('healed-elsewhere');
    expect([state.healedAt, time.now]).toEqual([[], 500]);
  });

  it('heals before its time when it is told to end', async () => {
    const {deps, state, told} = world();
    state.onSleep = () => told.abort();
    expect(await reap(deps)).toBe('proven');
    expect(state.healedAt).toEqual([500]);
  });

  it('does not believe that a fault has ended while its endpoints are silent, and tries until they answer', async () => {
    let looks = 0;
    const entry = entryWith({leaseMs: LEASE, before: {answering: ['app'], silent: []}});
    const outside = async () => (++looks < 4 ? seen({silent: ['app']}) : seen({answering: ['app']}));
    const {deps, state, lines} = world({entry, outside});
    expect(await reap(deps)).toBe('proven');
    expect(state.healedAt).toEqual([LEASE, LEASE + 250, LEASE + 750, LEASE + 1750]);
    expect(lines[0]).toBe('attempt 1: no fault is active on east, and app does not answer');
  });

  it.each<[string, (ended: Fault) => Partial<Fault>]>([
    ['fails', () => ({heal: async () => Promise.reject(new Error('connection refused'))})],
    ['does not know', () => ({active: async (): Promise<Cell<readonly string[]>> => unknown('x', 'no answer', 0)})],
  ])('keeps the record when its injector %s until it gives up', async (_, lie) => {
    const {deps, state, port, time} = world();
    expect(await reap({...deps, port: {...port, ...lie(port)}})).toBe('gave-up');
    expect(state.listed).toBe(true);
    expect(time.now).toBeGreaterThanOrEqual(LEASE + 3_600_000);
  });

  it('catches an injection that comes late, when its injector is gone already', async () => {
    const {deps, state, time} = world({entry: entryWith({leaseMs: LEASE, lateMs: 3000, injected: false})});
    Object.assign(state, {injected: false, active: []});
    state.onSleep = () => {
      if (time.now >= LEASE - 1000) state.runs = false;
      if (time.now >= LEASE + 1000 && state.healedAt.length < 4) state.active = ['freeze'];
    };
    expect(await reap(deps)).toBe('proven');
    expect([state.active, state.healedAt.at(-1)]).toEqual([[], expect.any(Number)]);
    expect(state.healedAt.at(-1)).toBeGreaterThanOrEqual(LEASE - 1000 + 3000);
  });

  it('goes on when its record cannot be read or removed', async () => {
    const {deps, state} = world();
    const broken = () => {
      throw new Error('input/output error');
    };
    expect(await reap({...deps, ledger: {read: broken, remove: broken}})).toBe('proven');
    expect(state.healedAt).toEqual([LEASE]);
  });
});
