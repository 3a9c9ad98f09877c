import {z} from 'zod';
import {bytes, code, ms, sentence, time} from './fields.ts';

const link = z.looseObject({
  store: z.string(),
  engine: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.enum(['streaming', 'catching-up', 'idle', 'stalled', 'broken', 'unknown']),
  sendBytes: bytes.nullable(),
  writeBytes: bytes.nullable(),
  flushBytes: bytes.nullable(),
  replayBytes: bytes.nullable(),
  seconds: z.number().min(0).nullable(),
  ageMs: ms.nullable(),
  runwayBytes: bytes.nullable(),
  withinRpo: z.boolean().nullable(),
  code,
  reason: sentence,
});

/** `replication lag --json`. */
export const lagSchema = z.looseObject({at: time, links: z.array(link)});

/** How sure a figure of a loss is. An estimate never passes an RPO of 0. */
const certainty = z.enum(['exact', 'bound', 'estimate', 'unknown']);

const storeLoss = z.looseObject({
  store: z.string(),
  bytes: bytes.nullable(),
  transactions: z.int().min(0).nullable(),
  seconds: z.number().min(0).nullable(),
  certainty,
  basis: sentence,
  classes: z.array(z.string()),
  withinRpo: z.boolean().nullable(),
});

/** `replication loss --to R --json`. `blocking`: whether this loss stops a failover. */
export const lossSchema = z.looseObject({
  at: time,
  to: z.string(),
  stores: z.array(storeLoss),
  blocking: z.boolean(),
  blockedBy: z.array(z.string()),
});
