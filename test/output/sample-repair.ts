/** What a repair plan does to which keys. */
export const repairSample = {
  store: 'orders',
  audit: {id: '20261128-130000-abcdef', startedAt: '2026-11-28T13:00:00.000Z'},
  regions: ['us', 'eu'],
  rows: {file: 'repair.json.rows.ndjson', sha256: 'f00d', bytes: 1234, writes: 3},
  tables: [
    {
      table: 'public.items',
      keys: 2,
      layers: {merge: 0, dominance: 0, policy: 1, handler: 0, hand: 1},
      writes: {us: 2, eu: 1},
      same: 1,
      left: {newer: 1, person: 1, standby: 0, 'not-taken': 0, 'not-named': 0},
      first: [
        {
          key: '1',
          layer: 'policy' as const,
          why: 'The policy of the table takes the version of eu.',
          writes: [{region: 'us', change: 'update' as const, columns: ['name', 'size']}],
        },
        {
          key: '2',
          layer: 'hand' as const,
          why: 'The version of eu was taken by hand.',
          writes: [
            {region: 'us', change: 'delete' as const, columns: []},
            {region: 'eu', change: 'insert' as const, columns: []},
          ],
        },
      ],
      firstLeft: [
        {key: '3', left: 'newer' as const, why: 'It was written since the audit in us: name it with --key.'},
        {key: '4', left: 'person' as const, why: 'The policy of the table leaves versions of which none has seen all others to a person.'},
      ],
    },
  ],
  truncated: ['public.items'],
  unread: [{table: 'public.notes', code: 'timeout', reason: 'eu did not answer in time.'}],
};
