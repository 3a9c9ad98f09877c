import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {faultContract} from '../../../src/kit/testing.ts';
import {unavailable, usageError} from '../../../src/lib/errors.ts';
import type {Fault} from '../../../src/lib/ports/fault.ts';
import {known, unknown} from '../../../src/lib/snapshot/cell.ts';
import {failuresOf} from './failures.ts';
import {ctx} from './memory-ctx.ts';

beforeEach(() => void vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']}));
afterEach(() => void vi.useRealTimers());

/** One region; the time until which it is hurt, on the monotonic clock. */
type Region = {until: number};

/** An injector that keeps its promises, in memory. */
function honest(hurt: Region): Fault {
  return {
    kinds: ['lose', 'slow'],
    inject: async (_, {kind, region, leaseMs}) => {
      if (!['lose', 'slow'].includes(kind) || region !== 'ap' || leaseMs < 1) throw usageError(`${kind} of ${region} for ${leaseMs} ms`);
      hurt.until = performance.now() + leaseMs;
      return {kind, leaseMs};
    },
    heal: async () => {
      hurt.until = 0;
    },
    unavailable: async () => ({}),
    active: async (_, signal) =>
      signal.aborted ? unknown('unreachable', 'cancelled', 1) : known(hurt.until > performance.now() ? ['lose'] : [], 1, 'memory'),
  };
}

const later = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms));
const gone = () => Promise.reject(unavailable('lab-unreachable', 'nobody there'));
const silent: Fault = {
  ...{kinds: ['lose'], inject: gone, heal: gone, active: async () => unknown('unreachable', 'nobody there', 1)},
  unavailable: gone,
};

async function said(
  lie: (hurt: Region, fault: Fault) => Partial<Fault>,
  unreachable: Partial<Fault> = {},
  again: (hurt: Region) => Partial<Fault> = () => ({}),
): Promise<string[]> {
  let done = false;
  const running = failuresOf((runner) =>
    faultContract(runner, async () => {
      const hurt = {until: 0};
      const fault = honest(hurt);
      return {
        fault: {...fault, ...lie(hurt, fault)},
        ...{region: 'ap', kind: 'lose', args: null, ctx, unreachable: {...silent, ...unreachable}},
        again: () => ({...honest(hurt), ...again(hurt)}),
        isActiveFromOutside: async () => hurt.until > performance.now(),
      };
    }),
  ).finally(() => {
    done = true;
  });
  while (!done) await vi.advanceTimersByTimeAsync(50);
  return running;
}

it('finds nothing against an honest injector', async () => {
  expect(await said(() => ({}))).toEqual([]);
});

it('asks nothing of the lease of an injector that needs a reaper', async () => {
  const endless = (_: Region, {inject}: Fault): Partial<Fault> => ({
    needsReaper: true,
    inject: (on, fault) => inject(on, fault.leaseMs < 1 ? fault : {...fault, leaseMs: 1e9}),
  });
  expect(await said(endless)).toEqual([]);
});

it.each<[string, Parameters<typeof said>, string]>([
  ['injects nothing', [() => ({inject: async () => null})], 'is active once injected'],
  [
    'only says that it injects',
    [(hurt, fault) => ({inject: async (...call) => fault.inject(...call).finally(() => void Object.assign(hurt, {until: 0}))})],
    'is active once injected',
  ],
  ['has no lease', [(_, {inject}) => ({inject: (on, fault) => inject(on, {...fault, leaseMs: 1e9})})], 'ends by itself'],
  ['ends too early', [(_, {inject}) => ({inject: (on, fault) => inject(on, {...fault, leaseMs: fault.leaseMs / 2})})], 'ends by itself'],
  ['forgets its faults with its process', [() => ({}), {}, () => ({active: async () => known([], 1, 'memory')})], 'did not begin it'],
  ['never heals', [() => ({heal: async () => undefined})], 'ends every fault'],
  [
    'cannot heal twice',
    [(hurt, fault) => ({heal: async (...call) => (hurt.until === 0 ? Promise.reject(new Error('no fault')) : fault.heal(...call))})],
    'ends every fault',
  ],
  [
    'heals for longer than it says',
    [(_, {heal}) => ({healMs: 400, heal: async (...call) => heal(...call).then(() => later(500))})],
    'takes no longer',
  ],
  ['says of no time how long it may take', [() => ({injectMs: Number.NaN})], 'takes no longer'],
  ['takes any kind', [(_, {inject}) => ({inject: (on, fault) => inject(on, {...fault, kind: 'lose'})})], 'refuses what it does not know'],
  ['injects what it calls unavailable', [() => ({unavailable: async () => ({slow: 'no tool'})})], 'cannot be had here'],
  ['calls a strange kind unavailable', [() => ({unavailable: async () => ({fast: 'no tool'})})], 'cannot be had here'],
  ['has all kinds when it cannot tell', [() => ({}), {unavailable: async () => ({})}], 'cannot be had here'],
  ['says none when it cannot tell', [() => ({}), {active: async () => known([], 1, 'guess')}], 'never "none"'],
])('finds an injector that %s', async (_, lie, failing) => {
  expect((await said(...lie)).join('\n')).toContain(failing);
});
