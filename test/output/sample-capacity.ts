import type {CollectDocument} from '../../src/lib/operate/collect.ts';

/** Two values were kept, one source did not answer. */
export const collectSample: CollectDocument = {
  fleet: 'shop',
  at: '2026-03-02T12:00:00.000Z',
  kept: 2,
  missing: 1,
  keepMs: 400 * 86_400_000,
  heldBack: null,
  series: [
    {
      ...{series: 'requests', region: 'us-east', source: 'prom', unit: 'req/s', at: '2026-03-02T12:00:00.000Z', value: 812.3456789},
      ...{code: 'ok', reason: ''},
    },
    {
      ...{series: 'requests', region: 'eu-west', source: 'prom-eu', unit: 'req/s', at: null, value: null},
      ...{code: 'metrics-timeout', reason: 'prom-eu: no answer within 20000 ms'},
    },
    {
      ...{series: 'orders', region: null, source: 'prom', unit: 'orders', at: '2026-03-02T11:59:00.000Z', value: 4},
      ...{code: 'ok', reason: ''},
    },
  ],
};
