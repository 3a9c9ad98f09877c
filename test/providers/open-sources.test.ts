import {expect, it} from 'vitest';
import {z} from 'zod';
import type {MetricsSpec} from '../../src/lib/fleet/fleet.ts';
import {defineMetrics} from '../../src/lib/providers/define.ts';
import {openFleet} from '../../src/lib/providers/open-fleet.ts';
import {fleet} from '../health/samples.ts';
import {fakeClock} from '../run/fake-clock.ts';

const spec = (name: string, kind: string): MetricsSpec => ({name, timeoutMs: 1000, metrics: {kind, config: {}, path: ['metrics', name]}});

it('a source of series is opened when it is first asked for, once, and closed with the fleet', async () => {
  const events: string[] = [];
  let failures = 1;
  const kind = (name: string, create: () => void) =>
    defineMetrics({
      kind: name,
      schema: z.strictObject({}),
      create: async (_config, source) => {
        create();
        events.push(`opened ${source}`);
        return {series: async () => ({sets: [], remarks: []}), close: async () => void events.push(`closed ${source}`)};
      },
    });
  const providers = [
    kind('ledger', () => undefined),
    kind('moody', () => {
      if (failures-- > 0) throw new Error('not now');
    }),
  ];
  const known = fleet([], {metrics: [spec('a', 'ledger'), spec('b', 'ledger'), spec('c', 'moody')]});
  const open = await openFleet({fleet: known, providers, clock: fakeClock(), defaultStateDir: '/nowhere'});
  expect(events).toEqual([]);
  const [first, again] = await Promise.all([open.metrics?.('a'), open.metrics?.('a')]);
  expect(first).toBe(again);
  expect(await open.metrics?.('none')).toBeNull();
  await expect(open.metrics?.('c')).rejects.toThrow('not now');
  expect(await open.metrics?.('c')).not.toBeNull();
  await open.close();
  expect(events).toEqual(['opened a', 'opened c', 'closed a', 'closed c']);
});
