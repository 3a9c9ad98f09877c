import {z} from 'zod';
import {bytes, code, ms, sentence, time} from './fields.ts';

const count = z.int().min(0).nullable();
const rate = z.number().min(0).nullable();

/** What waits in the queue that a link of messages drains. */
const messages = z.looseObject({
  carrier: z.string(),
  queue: z.string(),
  flow: z.enum(['running', 'starting', 'down']).nullable(),
  depth: count,
  unacknowledged: count,
  oldestAgeSeconds: rate,
  ageBasis: z.enum(['timestamp', 'estimate']).nullable(),
  consumers: count,
  redelivered: count,
  deadLettered: count,
  publishedPerSecond: rate,
  movedPerSecond: rate,
});

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
  link: z.string().optional(),
  messages: messages.optional(),
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
  watched: z.literal(true).optional(),
});

/** `replication loss --to R --json`. `blocking`: whether this loss stops a failover. */
export const lossSchema = z.looseObject({
  at: time,
  to: z.string(),
  stores: z.array(storeLoss),
  blocking: z.boolean(),
  blockedBy: z.array(z.string()),
});
