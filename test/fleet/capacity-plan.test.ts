import {expect, it} from 'vitest';
import {sevenRegions} from '../failover/seven-regions.ts';

it('what is planned for is read with its defaults', async () => {
  const {capacity, file} = await sevenRegions();
  expect(capacity?.failover).toEqual({windowMs: 4 * 3_600_000, headroom: 10, routes: {}});
  expect(capacity?.scaling).toEqual([
    {
      series: 'ingest',
      rule: {perReplica: 20, margin: 2, burst: 2, burstMs: 600_000, leadMs: 180_000, stabilisationMs: 300_000, least: 10, most: 1000},
      perInstance: 4,
      target: {deployment: 'ingest', namespace: 'metrics', metric: 'samples_per_second_thousands'},
    },
  ]);
  expect(capacity?.cost).toMatchObject({
    prices: file.replace('seven-regions.yaml', 'prices.yaml'),
    rules: {
      spotShare: 40,
      tiers: {hot: 3, warm: 2, cold: 0.1},
      transfer: [{name: 'replication', route: 'america', gbPerMonth: 40_000, way: {to: ['us-virginia', 'eu-frankfurt']}}],
      objectives: {perMonth: null, savings: 20, unit: {series: 'ingest', per: 1, most: 0.01}},
    },
  });
});
