import {expect, it} from 'vitest';
import {routerContract} from '../../../src/kit/testing.ts';
import {refused, unavailable, usageError} from '../../../src/lib/errors.ts';
import type {Router} from '../../../src/lib/ports/router.ts';
import {failuresOf} from './failures.ts';
import {ctx} from './memory-ctx.ts';

const REGIONS = ['us', 'eu'];

/** A router that keeps its promises, in memory. */
function honest(weights: Record<string, number>): Router {
  return {
    read: async () => ({...weights}),
    write: async ({signal}, wanted) => {
      signal.throwIfAborted();
      for (const [region, weight] of Object.entries(wanted)) {
        if (!REGIONS.includes(region)) throw usageError(`unknown region ${region}`);
        if (!(weight >= 0 && weight <= 100)) throw usageError(`weight ${weight}`);
      }
      Object.assign(weights, wanted);
    },
    cut: async (_, region) => {
      if (!REGIONS.includes(region)) throw refused('unknown-region', region);
      return 0;
    },
  };
}

const gone = () => Promise.reject(unavailable('router-unreachable', 'nobody there'));

function said(lie: (weights: Record<string, number>) => Partial<Router>, silent: Partial<Router> = {}): Promise<string[]> {
  return failuresOf((runner) =>
    routerContract(runner, async () => {
      const weights = {us: 100, eu: 0};
      return {router: {...honest(weights), ...lie(weights)}, regions: REGIONS, ctx, unreachable: {read: gone, write: gone, ...silent}};
    }),
  );
}

it('finds nothing against an honest router', async () => {
  expect(await said(() => ({}))).toEqual([]);
});

it.each<[string, Parameters<typeof said>, string]>([
  ['forgets a region', [({us}) => ({read: async () => ({us: us ?? 0})})], 'one weight from 0 to 100 for each'],
  ['writes nothing', [() => ({write: async () => undefined})], 'reads back what was written'],
  [
    'adds to what was there',
    [
      (weights) => ({
        write: async (_, wanted) => {
          for (const [region, weight] of Object.entries(wanted)) weights[region] = (weights[region] ?? 0) + weight;
        },
      }),
    ],
    'as absolute',
  ],
  [
    'takes anything',
    [
      (weights) => ({
        write: async (_, wanted) => {
          for (const region of REGIONS) weights[region] = wanted[region] ?? 0;
        },
      }),
    ],
    'refuses a region that it does not know',
  ],
  ['refuses without a code', [() => ({write: () => Promise.reject(new Error('no'))})], 'refuses a region'],
  ['cannot count', [() => ({cut: async () => Number.NaN})], 'counts the sessions'],
  ['answers in the name of nobody', [() => ({}), {read: async () => ({})}], 'does not answer'],
])('finds a router that %s', async (_, lie, failing) => {
  expect((await said(...lie)).join('\n')).toContain(failing);
});
