import {z} from 'zod';
import {ms, sentence, time} from './fields.ts';

const verdict = z.enum(['survives', 'tight', 'breaks', 'unknown']);
const share = z.number().min(0);

const row = z.looseObject({
  series: z.string(),
  region: z.string(),
  unit: z.string(),
  limit: z.number().nullable(),
  takes: z.array(z.looseObject({from: z.string(), share, factor: z.number().min(0)})),
  verdict,
  p90: z.number().nullable(),
  mean: z.number().nullable(),
  peakAt: time.nullable(),
  breaksAt: time.nullable(),
  headroom: z.number().nullable(),
  reason: sentence,
});

const combination = z.looseObject({
  lose: z.array(z.string()),
  verdict,
  reason: sentence,
  first: row.nullable(),
  rows: z.array(row),
  stranded: z.array(z.looseObject({series: z.string(), region: z.string(), share, law: z.boolean(), reason: sentence})),
  notes: z.array(sentence),
});

const routeNow = z.looseObject({route: z.string(), weights: z.record(z.string(), z.number()).nullable(), reason: z.string()});
const regionNow = z.looseObject({region: z.string(), verdict: z.string().nullable(), at: time.nullable()});

/** `capacity survive --json`. Loads are in the unit of their series, `headroom` in percent of the limit; `first` is the row that decides; `assumed` says who takes nothing now, and what nobody knows. */
export const surviveSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  until: time,
  windowMs: ms,
  headroom: z.number(),
  verdict,
  combinations: z.array(combination),
  missing: z.array(z.looseObject({name: z.string(), region: z.string().nullable(), reason: sentence})),
  now: z.looseObject({routes: z.array(routeNow), regions: z.array(regionNow)}),
  assumed: z.array(sentence),
  notes: z.array(sentence),
});
