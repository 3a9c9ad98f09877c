import {z} from 'zod';
import {code, ms, sentence, time} from './fields.ts';
import {planSchema} from './run.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1);
const verdict = z.enum(['equal', 'diverged', 'truncated', 'unknown']);

/** A key that is not the same everywhere. A key of several columns is a JSON array of their texts. */
const divergent = z.looseObject({
  key: z.string(),
  class: z.enum(['missing', 'extra', 'stale', 'concurrent', 'conflicting']),
  regions: z.array(z.string()),
  why: sentence,
  differs: z.array(z.string()),
  suspects: z.array(z.string()),
});

const auditedTable = z.looseObject({
  table: z.string(),
  verdict,
  rows: count,
  covered: share,
  accuracy: share.nullable(),
  divergent: z.array(divergent),
  late: count,
  unsettled: count,
  unexamined: count,
  bytesMoved: count,
  elapsedMs: ms,
  snapshots: z.record(z.string(), count),
  hashed: z.looseObject({chunks: count, of: count}).nullable(),
  code: code.nullable(),
  reason: sentence.nullable(),
});

/** The `consistency audit` document. */
export const auditSchema = z.looseObject({
  audit: z.string(),
  store: z.string(),
  engine: z.string(),
  verdict,
  reason: sentence,
  mode: z.enum(['full', 'quick']),
  full: time,
  startedAt: time,
  endedAt: time,
  resumed: z.boolean(),
  coverage: z.looseObject({
    share,
    rows: count,
    regions: z.array(z.string()),
    lost: z.array(z.looseObject({region: z.string(), code, reason: sentence})),
    skipped: z.array(z.looseObject({table: z.string(), reason: sentence})),
  }),
  accuracy: share.nullable(),
  asOf: z.record(z.string(), z.string()),
  tables: z.array(auditedTable),
  counts: z.looseObject({
    ...{missing: count, extra: count, stale: count, concurrent: count, conflicting: count},
    ...{late: count, unsettled: count},
  }),
});

/** The `consistency explain` document. A row has its columns as the engine prints them; null = no such row. */
export const explainSchema = z.looseObject({
  at: time,
  store: z.string(),
  table: z.string(),
  key: z.string(),
  verdict: z.enum(['equal', 'late', 'diverged', 'unknown']),
  class: z.enum(['missing', 'extra', 'stale', 'concurrent', 'conflicting']).nullable(),
  regions: z.array(z.string()),
  why: sentence,
  differs: z.array(z.string()),
  suspects: z.array(z.string()),
  rule: z.record(z.string(), z.string()),
  versions: z.array(
    z.looseObject({
      region: z.string(),
      row: z.record(z.string(), z.string().nullable()).nullable(),
      committedAt: z.string().nullable(),
      origin: z.string().nullable(),
      clockOffMs: z.number().nullable(),
    }),
  ),
  lost: z.array(z.looseObject({region: z.string(), code, reason: sentence})),
});

/** The document of `consistency audit --explain`. */
export const auditPlanSchema = z.looseObject({
  store: z.string(),
  regions: z.array(z.string()),
  lost: z.array(z.looseObject({region: z.string(), code, reason: sentence})),
  tables: z.array(z.looseObject({table: z.string(), rows: count, bytes: count, says: sentence, code: code.nullable()})),
  skipped: z.array(z.looseObject({table: z.string(), reason: sentence})),
});

const layer = z.enum(['merge', 'dominance', 'policy', 'handler', 'hand']);
const leftKind = z.enum(['newer', 'person', 'standby', 'not-taken', 'not-named']);

const repairedKey = z.looseObject({
  key: z.string(),
  layer,
  why: sentence,
  writes: z.array(z.looseObject({region: z.string(), change: z.enum(['insert', 'update', 'delete']), columns: z.array(z.string())})),
});

const repairedTable = z.looseObject({
  table: z.string(),
  keys: count,
  layers: z.record(layer, count),
  writes: z.record(z.string(), count),
  same: count,
  left: z.record(leftKind, count),
  first: z.array(repairedKey),
  firstLeft: z.array(z.looseObject({key: z.string(), left: leftKind, why: sentence})),
});

/** The `consistency repair plan` document: that of any plan, and what it does to which keys. The first keys of each table are listed; all are in the rows file. */
export const repairPlanSchema = planSchema.extend({
  repair: z.looseObject({
    store: z.string(),
    audit: z.looseObject({id: z.string(), startedAt: time}),
    regions: z.array(z.string()),
    rows: z.looseObject({file: z.string(), sha256: z.string(), bytes: count, writes: count}).nullable(),
    tables: z.array(repairedTable),
    truncated: z.array(z.string()),
    unread: z.array(z.looseObject({table: z.string(), code, reason: sentence})),
  }),
});
