import {z} from 'zod';
import {code, ms, time} from './fields.ts';

const row = z.looseObject({
  series: z.string(),
  region: z.string().nullable(),
  source: z.string(),
  unit: z.string(),
  at: time.nullable(),
  value: z.number().nullable(),
  code,
  reason: z.string(),
});

/** `capacity collect --json`, and each line of `--every --format ndjson`. A series that could not be read has `value` null, and a reason. `heldBack`: older values that stay, since time may have jumped. */
export const collectSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  kept: z.int().min(0),
  missing: z.int().min(0),
  keepMs: ms,
  heldBack: z.looseObject({count: z.int().min(1), from: time, to: time}).nullable(),
  series: z.array(row),
});
