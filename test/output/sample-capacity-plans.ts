/** A combination that breaks, with a load that may not move. */
export const surviveSample = {
  fleet: 'observability',
  at: '2026-11-28T12:00:00.000Z',
  until: '2026-11-28T16:00:00.000Z',
  windowMs: 14_400_000,
  headroom: 10,
  verdict: 'breaks' as const,
  combinations: [
    {
      lose: ['jp-tokyo'],
      verdict: 'breaks' as const,
      reason: 'ingest of ap-singapore with 100 % of jp-tokyo goes above its limit of 1,600 k/s at 2026-11-28 14:00Z: 1,870 k/s (p90)',
      first: {
        ...{series: 'ingest', region: 'ap-singapore', unit: 'k/s', limit: 1600, takes: [{from: 'jp-tokyo', share: 1, factor: 1}]},
        ...{verdict: 'breaks' as const, p90: 1870, mean: 1700, peakAt: '2026-11-28T14:00:00.000Z', breaksAt: '2026-11-28T14:00:00.000Z'},
        ...{headroom: -16.875, reason: 'it goes above its limit'},
      },
      rows: [
        {
          ...{series: 'ingest', region: 'ap-singapore', unit: 'k/s', limit: 1600, takes: [{from: 'jp-tokyo', share: 1, factor: 1}]},
          ...{verdict: 'breaks' as const, p90: 1870, mean: 1700, peakAt: '2026-11-28T14:00:00.000Z', breaksAt: '2026-11-28T14:00:00.000Z'},
          ...{headroom: -16.875, reason: 'it goes above its limit'},
        },
        {
          ...{series: 'cpu', region: 'ap-singapore', unit: '%', limit: 80, takes: [{from: 'jp-tokyo', share: 1, factor: 2}]},
          ...{verdict: 'unknown' as const, p90: null, mean: null, peakAt: null, breaksAt: null, headroom: null},
          reason: 'cpu of ap-singapore is not known: federation: no answer within 5 s',
        },
      ],
      stranded: [{series: 'ingest-japan', region: 'jp-tokyo', share: 1, law: true, reason: 'japan may be in no other region'}],
      notes: ['ingest of jp-tokyo is split evenly over web, api: name its route in capacity.failover.routes'],
    },
  ],
  missing: [{name: 'cpu', region: null, reason: 'federation: no answer within 5 s'}],
  now: {
    routes: [{route: 'api', weights: {'jp-tokyo': 50, 'eu-frankfurt': 0}, reason: ''}],
    regions: [{region: 'jp-tokyo', verdict: 'healthy', at: '2026-11-28T11:59:00.000Z'}],
  },
  assumed: ['eu-frankfurt takes nothing: api sends it nothing now, and 50 by the fleet file'],
  notes: ['cpu is in %: what moves is converted by the sizes of the regions (jp-tokyo 32, ap-singapore 16)'],
};

/** One load that misses its budget, with a planned split. */
export const costSample = {
  fleet: 'observability',
  at: '2026-11-28T12:00:00.000Z',
  until: '2026-11-28T14:00:00.000Z',
  verdict: 'missed' as const,
  currency: 'USD',
  spotShare: 40,
  rows: [
    {
      ...{series: 'ingest', region: 'jp-tokyo', tier: 'hot' as const, replicas: {min: 48, max: 249, hours: 12_000.5}},
      ...{instances: 32, reserved: 14, breakEven: 62.5, shares: {reserved: 63.01, onDemand: 5.99, spot: 31}},
      ...{perMonth: 1872.1, onDemandPerMonth: 2936, fixedPerMonth: 4672, saved: 59.93},
      tiers: {hot: 5616.3, warm: 3744.2, cold: 187.21},
      needs: [{at: '2026-11-28T12:00:00.000Z', load: 1000.5, replicas: 101}],
      runs: [
        {from: '2026-11-28T12:00:00.000Z', to: '2026-11-28T12:57:00.000Z', replicas: 101},
        {from: '2026-11-28T12:57:00.000Z', to: '2026-11-28T14:00:00.000Z', replicas: 120},
      ],
      short: [{at: '2026-11-28T13:00:00.000Z', load: 2500, replicas: 250}],
    },
  ],
  transfer: {rows: [{name: 'replication', from: 'us-virginia', to: 'eu-frankfurt', gb: 32_000, cost: 640}], perMonth: 640},
  planned: {rows: [{name: 'replication', from: 'us-virginia', to: 'mars', gb: 20_000, cost: null}], perMonth: null},
  perMonth: 2512.1,
  fixedPerMonth: 4672,
  saved: 59.93,
  unitCost: {series: 'ingest', per: 1000, cost: 0.0012},
  objectives: [
    {kind: 'per-month' as const, target: 2000, measured: 2512.1, met: false},
    {kind: 'unit-cost' as const, target: 0.01, measured: 0.0012, met: true},
    {kind: 'savings' as const, target: 20, measured: null, met: null},
  ],
  missing: [{name: 'connections', region: 'jp-tokyo', reason: 'its history is too short: 12 hourly values are known, 48 are needed'}],
  growth: {text: '2x over 6mo', factor: 2, at: '2027-05-28T12:00:00.000Z'},
  warnings: ['the price of onDemand in * is 331 days old (2026-01-01, https://prices.example.com)'],
  notes: ['the price file has no transfer from us-virginia to mars'],
};
