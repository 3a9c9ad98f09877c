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

/** The slot in which the sender keeps log for the receiver. */
const slot = z.looseObject({
  name: z.string(),
  active: z.boolean(),
  status: z.string().nullable(),
  invalidated: z.string().nullable(),
  retainedBytes: bytes.nullable(),
  safeBytes: bytes.nullable(),
});

/** The receiving end of a link of row changes. */
const subscription = z.looseObject({
  name: z.string(),
  enabled: z.boolean(),
  tables: z.looseObject({ready: z.int().min(0), copying: z.int().min(0)}),
  applyErrors: count,
  syncErrors: count,
  skipping: z.string().nullable(),
  conflicts: z.record(z.string(), z.int().min(0)).nullable(),
  origin: z.string(),
});

/** Whether a link is relied on. */
const breaker = z.looseObject({state: z.enum(['closed', 'warn', 'open']), since: time, reason: sentence});

/** How a link was over a time; `unseen` counts looks at which its sender could not be asked. */
const percentiles = z.looseObject({
  since: time,
  samples: z.int().min(0),
  unseen: z.int().min(0),
  p50Ms: ms.nullable(),
  p95Ms: ms.nullable(),
  p99Ms: ms.nullable(),
  maxMs: ms.nullable(),
});

const link = z.looseObject({
  store: z.string(),
  engine: z.string(),
  from: z.string(),
  to: z.string(),
  kind: z.enum(['physical', 'logical', 'replica', 'messages']),
  state: z.enum(['streaming', 'catching-up', 'idle', 'stalled', 'broken', 'unknown']),
  sendBytes: bytes.nullable(),
  writeBytes: bytes.nullable(),
  flushBytes: bytes.nullable(),
  replayBytes: bytes.nullable(),
  writeSeconds: rate,
  flushSeconds: rate,
  replaySeconds: rate,
  seconds: z.number().min(0).nullable(),
  ageMs: ms.nullable(),
  runwayBytes: bytes.nullable(),
  sync: z.string().nullable(),
  senderTimeline: count,
  receiverTimeline: count,
  conflicts: count,
  heardUpstreamAgoMs: ms.nullable(),
  slot: slot.nullable(),
  withinRpo: z.boolean().nullable(),
  code,
  reason: sentence,
  link: z.string().optional(),
  breaker: breaker.optional(),
  percentiles: percentiles.optional(),
  subscription: subscription.optional(),
  messages: messages.optional(),
});

/** `replication lag --json`. `unread`: stores whose links, or how they move, could not be read. */
export const lagSchema = z.looseObject({
  at: time,
  links: z.array(link),
  unread: z.array(z.looseObject({store: z.string(), code, reason: sentence})),
  drains: z.array(
    z.looseObject({route: z.string(), region: z.string(), weight: z.number(), since: time, run: z.string(), reason: sentence}),
  ),
  drained: z
    .array(
      z.looseObject({
        at: time,
        route: z.string(),
        region: z.string().nullable(),
        what: z.enum(['held', 'returned', 'stays', 'moved', 'waits', 'failed']),
        weight: z.number().nullable(),
        run: z.string().nullable(),
        reason: sentence,
      }),
    )
    .optional(),
});

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
  objectives: z.array(z.looseObject({class: z.string(), rpoMs: ms, withinRpo: z.boolean().nullable()})),
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
