/** An audit that found one key. */
export const auditSample = {
  audit: '20261128-130000-abcdef',
  store: 'orders',
  engine: 'postgres',
  verdict: 'diverged' as const,
  reason: '1 of 1000 rows are not the same in us, eu: public.orders.',
  mode: 'quick' as const,
  full: '2026-11-28T12:00:00.000Z',
  startedAt: '2026-11-28T13:00:00.000Z',
  endedAt: '2026-11-28T13:00:02.000Z',
  resumed: false,
  coverage: {
    share: 0.5,
    rows: 1000,
    regions: ['us', 'eu'],
    lost: [{region: 'eu', code: 'timeout', reason: 'eu did not answer in time.'}],
    skipped: [{table: 'public.log', reason: 'it has no primary key'}],
  },
  accuracy: 0.999,
  asOf: {us: '287668856', eu: '287689376'},
  tables: [
    {
      ...{
        table: 'public.orders',
        verdict: 'diverged' as const,
        rows: 1000,
        covered: 0.5,
        accuracy: 0.999,
        late: 3,
        unsettled: 0,
        unexamined: 0,
      },
      ...{
        bytesMoved: 12_345,
        elapsedMs: 81.5,
        snapshots: {us: 1, eu: 2},
        hashed: {chunks: 1, of: 4},
        code: 'timeout',
        reason: 'eu did not answer in time.',
      },
      divergent: [
        {
          ...{key: '42', class: 'stale' as const, regions: ['eu'], why: 'eu has an older version than us, by commit time.'},
          ...{differs: ['amount'], suspects: ['clock-skew']},
        },
      ],
    },
  ],
  counts: {missing: 0, extra: 0, stale: 1, concurrent: 0, conflicting: 0, late: 3, unsettled: 0},
};

/** What an audit would read. */
export const auditPlanSample = {
  store: 'orders',
  regions: ['us', 'eu'],
  lost: [{region: 'eu', code: 'timeout', reason: 'eu did not answer in time.'}],
  tables: [{table: 'public.orders', rows: 1000, bytes: 200_000, says: 'in the order of its key', code: null}],
  skipped: [{table: 'public.log', reason: 'it has no primary key'}],
};

/** One row that one region lacks. */
export const explainSample = {
  at: '2026-11-28T13:00:00.000Z',
  store: 'orders',
  table: 'public.orders',
  key: '42',
  verdict: 'diverged' as const,
  class: 'missing' as const,
  regions: ['eu'],
  why: 'eu has no such row; us and ap have it.',
  differs: ['id'],
  suspects: ['lost-delete' as const],
  rule: {hlc: 'hlc'},
  versions: [
    {region: 'us', row: {id: '42', note: null}, committedAt: '2026-11-28T12:00:00.000001Z', origin: 'ap', clockOffMs: 1.5},
    {region: 'eu', row: null, committedAt: null, origin: null, clockOffMs: null},
  ],
  lost: [{region: 'sa', code: 'timeout', reason: 'sa did not answer in time.'}],
};
