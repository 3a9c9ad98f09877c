import {z} from 'zod';
import {sentence, time} from './fields.ts';

/** `drill clean --json`: what was left of the fleet's faults, and what came of it. */
export const cleanSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  found: z.array(
    z.looseObject({
      fault: z.string().nullable(),
      region: z.string(),
      since: time.nullable(),
      leaseEndsAt: time.nullable(),
      runId: z.string().nullable(),
      healed: z.boolean(),
      provenHealed: z.boolean().nullable(),
      says: sentence,
    }),
  ),
  removed: z.int().min(0),
  reapers: z.int().min(0),
  witness: z.array(z.looseObject({store: z.string(), runId: z.string(), removed: z.boolean(), says: sentence})),
  logs: z.int().min(0),
  troubles: z.array(sentence),
  verdict: z.enum(['none', 'left', 'healed', 'not-proven', 'unknown']),
});
