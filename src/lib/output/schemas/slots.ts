import {z} from 'zod';
import {bytes, code, ms, sentence, time, verdict} from './fields.ts';

const seconds = z.number().min(0).nullable();

const slot = z.looseObject({
  store: z.string(),
  member: z.string(),
  slot: z.string().nullable(),
  kind: z.enum(['physical', 'logical']).nullable(),
  keptFor: z.string().nullable(),
  copyOf: z.string().nullable(),
  active: z.boolean().nullable(),
  retainedBytes: bytes.nullable(),
  safeBytes: bytes.nullable(),
  status: z.string().nullable(),
  bytesPerSecond: z.number().min(0).nullable(),
  runwaySeconds: seconds,
  inactiveSeconds: seconds,
  state: z.enum(['ok', 'copy', 'inactive', 'at-risk', 'lost', 'orphan', 'unknown']),
  verdict,
  code,
  reason: sentence,
  ageMs: ms,
});

/** `replication slots --json`. A member whose slots could not be read is a row with `slot` null. */
export const slotsSchema = z.looseObject({
  at: time,
  verdict,
  reason: sentence,
  only: z.string().nullable(),
  stores: z.array(z.string()),
  slots: z.array(slot),
});
