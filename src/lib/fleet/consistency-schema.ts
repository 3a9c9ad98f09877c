import {z} from 'zod';

const column = z.string().min(1);
const table = z.string().min(1);

/** How the values of a column are merged; see docs/consistency.md for the JSON of each. */
export const CRDT_KINDS = ['g-counter', 'pn-counter', 'or-set', 'mv-register'] as const;

/** What decides between versions that neither a merge nor a clock has put in order. */
export const POLICIES = ['siblings', 'newest', 'source', 'handler'] as const;

const ruleSchema = z
  .strictObject({
    merge: z
      .record(column, z.enum(CRDT_KINDS))
      .default({})
      .describe('Columns whose values are merged by their type: g-counter, pn-counter, or-set or mv-register.'),
    vectorClock: column.nullable().default(null).describe('Column (json, jsonb) with the vector clock of the row: {region: count}.'),
    hlc: column
      .nullable()
      .default(null)
      .describe('Column (bigint) with the hybrid logical clock of the row: ms since 1970 times 65536, plus a counter.'),
    region: column.nullable().default(null).describe('Column (text) with the region that wrote the row last.'),
    tombstone: column.nullable().default(null).describe('Column (boolean) that is true in rows that were deleted.'),
    policy: z
      .enum(POLICIES)
      .default('siblings')
      .describe('What decides between concurrent versions: siblings (a person), newest, source or handler. Default siblings.'),
    source: z.string().nullable().default(null).describe('Region whose version is taken, with the policy source.'),
    handler: z.string().nullable().default(null).describe('Hook, or handler of a plugin, that is asked, with the policy handler.'),
  })
  .describe('How versions of a row of this table are told apart, and which one is kept.');

/** What consistency audits go by: its keys, with their defaults. */
export const consistencySchema = z
  .strictObject({
    only: z
      .array(table)
      .min(1)
      .nullable()
      .default(null)
      .describe('Tables that are audited, as schema.table. Default: all that have a primary key.'),
    ignore: z.array(table).default([]).describe('Tables that are not audited, as schema.table.'),
    tables: z.record(table, ruleSchema).default({}).describe('How rows that differ are judged, per table.'),
  })
  .prefault({})
  .describe('What is audited, and how rows that differ are judged.');
