import {z} from 'zod';
import {missingSchema} from './capacity.ts';
import {ms, sentence, time} from './fields.ts';

const state = z.enum(['none', 'anomalies', 'short']);

const alert = z.looseObject({
  at: time,
  until: time,
  score: z.number().min(0).max(1),
  seen: z.number(),
  expected: z.number(),
  statistic: z.enum(['level', 'short-shift', 'long-shift', 'time-of-day']),
  reason: sentence,
});

const remark = z.looseObject({
  kind: z.enum([
    'gap',
    'reset',
    'duplicate',
    'out-of-order',
    'clock-jump',
    'irregular',
    'dst',
    'not-a-number',
    'negative',
    'short',
    'source',
  ]),
  count: z.int().min(0),
  from: time,
  to: time,
  says: sentence,
});

/** `capacity anomalies --json`. */
export const anomaliesSchema = z.looseObject({
  state,
  lastMs: ms.nullable(),
  series: z.array(
    z.looseObject({
      name: z.string(),
      region: z.string().nullable(),
      state,
      readings: z.int().min(0),
      from: time.nullable(),
      to: time.nullable(),
      alerts: z.array(alert),
      earlier: z.int().min(0),
      remarks: z.array(remark),
    }),
  ),
  missing: z.array(missingSchema),
});
