import {z} from 'zod';
import {bytes, code, ms, sentence, time, verdict} from './fields.ts';

const member = z.looseObject({
  member: z.string(),
  region: z.string(),
  site: z.string().nullable(),
  jurisdiction: z.string(),
  role: z.enum(['primary', 'standby', 'peer', 'unknown']),
  code,
  reason: sentence,
  ageMs: ms,
  upstreams: z.array(z.string()),
  depth: z.int().min(0).nullable(),
  links: z.int().min(0),
  liveLinks: z.int().min(0),
  copy: z.boolean().nullable(),
});

const link = z.looseObject({
  from: z.string(),
  to: z.string(),
  link: z.string().nullable(),
  kind: z.enum(['physical', 'logical', 'replica', 'messages']),
  state: z.enum(['streaming', 'catching-up', 'idle', 'stalled', 'broken', 'unknown']),
  live: z.boolean(),
  crosses: z.array(z.string()).length(2).nullable(),
  replayBytes: bytes.nullable(),
  seconds: z.number().min(0).nullable(),
  ageMs: ms,
  code,
  reason: sentence,
});

const finding = z.looseObject({
  code,
  severity: z.enum(['note', 'warning', 'error', 'unknown']),
  reason: sentence,
  fix: sentence.nullable(),
});

const store = z.looseObject({
  store: z.string(),
  engine: z.string(),
  shape: z.enum(['single', 'pair', 'star', 'chain', 'tree', 'ring', 'mesh', 'partial-mesh', 'disconnected', 'unknown']),
  verdict,
  reason: sentence,
  members: z.array(member),
  links: z.array(link),
  findings: z.array(finding),
});

/** `replication topology --json`. */
export const topologySchema = z.looseObject({at: time, verdict, reason: sentence, stores: z.array(store)});
