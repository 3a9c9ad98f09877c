import {join} from 'node:path';
import {expect, it} from 'vitest';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {secretsOf} from '../../src/lib/fleet/vault.ts';
import {standIns} from './kinds.ts';

const env = {DB_PASSWORD: 'hunter2-secret', CONTROL_TOKEN: 'token-secret'};
const load = (name: string) => loadFleet(join(import.meta.dirname, 'valid', name, 'fleet.yaml'), kindsOf(standIns), env);
const DAY = 86_400_000;

it('series with their defaults, and the limit of the series for regions that have none', async () => {
  const {capacity, metrics} = await load('capacity');
  expect(metrics?.map(({name, timeoutMs, metrics: part}) => [name, timeoutMs, part.kind, part.path])).toEqual([
    ['prom', 20_000, 'prometheus', ['metrics', 'prom']],
    ['sales', 20_000, 'csv', ['metrics', 'sales']],
    ['kept', 20_000, 'history', ['metrics', 'kept']],
  ]);
  expect(capacity).toMatchObject({
    mape: 8,
    keepMs: 30 * DAY,
    series: [
      {
        ...{name: 'requests', source: 'prom', collect: null, purpose: 'throughput', unit: 'req/s', counter: false, grain: 'hourly'},
        query: 'sum(rate(http_requests_total{region="$region"}[5m]))',
        ...{timeZone: 'Europe/Berlin', historyMs: 35 * DAY, dataClass: 'user-content', moves: true, limit: 500},
        regions: [
          {region: 'us-east', limit: 1200, query: null, size: 2},
          {region: 'eu-west', limit: 500, query: 'rate(eu[5m])', size: 1},
          {region: 'ap', limit: 500, query: null, size: 1},
        ],
      },
      {
        ...{name: 'orders', source: 'sales', collect: null, purpose: 'orders', unit: 'orders/day', query: null, counter: false},
        ...{grain: 'daily', timeZone: 'UTC', historyMs: 364 * DAY, dataClass: null, moves: false, limit: null, regions: []},
      },
      {
        ...{name: 'disk', source: 'kept', collect: 'prom', purpose: 'disk', unit: 'GiB', query: 'disk', counter: false},
        ...{grain: 'weekly', timeZone: 'UTC', historyMs: 1095 * DAY, dataClass: null, moves: false, limit: null},
        regions: [{region: 'us-east', limit: 0.5, query: null, size: 1}],
      },
    ],
  });
});

it('a file that says nothing forecasts nothing', async () => {
  const fleet = await load('whole');
  expect([fleet.capacity, fleet.metrics]).toEqual([undefined, undefined]);
});

it('the secrets of sources are among those that are checked', async () => {
  expect(secretsOf(await load('capacity')).map(String)).toContain(`\${env:CONTROL_TOKEN}`);
});
