import {z} from 'zod';
import {sentence, time} from './fields.ts';

const tier = z.enum(['hot', 'warm', 'cold']);
const money = z.number().min(0);
const count = z.int().min(0);
const need = z.looseObject({at: time, load: z.number(), replicas: count});

const row = z.looseObject({
  series: z.string(),
  region: z.string(),
  tier,
  replicas: z.looseObject({min: count, max: count, hours: z.number().min(0)}),
  instances: count,
  reserved: count,
  breakEven: z.number().nullable(),
  shares: z.looseObject({reserved: z.number(), onDemand: z.number(), spot: z.number()}),
  perMonth: money,
  onDemandPerMonth: money,
  fixedPerMonth: money,
  saved: z.number(),
  tiers: z.looseObject({hot: money, warm: money, cold: money}),
  needs: z.array(need),
  runs: z.array(z.looseObject({from: time, to: time, replicas: count})),
  short: z.array(need),
});

const transfer = z.looseObject({
  rows: z.array(z.looseObject({name: z.string(), from: z.string(), to: z.string(), gb: z.number(), cost: money.nullable()})),
  perMonth: money.nullable(),
});

/** `capacity cost --json`. Money in `currency` for a month of 730 hours, shares and `saved` in percent; null = could not be priced or measured. */
export const costSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  until: time,
  verdict: z.enum(['met', 'missed', 'unknown']),
  currency: z.string(),
  spotShare: z.number(),
  rows: z.array(row),
  transfer,
  planned: transfer.nullable(),
  perMonth: money.nullable(),
  fixedPerMonth: money,
  saved: z.number().nullable(),
  unitCost: z.looseObject({series: z.string(), per: z.number(), cost: money}).nullable(),
  objectives: z.array(
    z.looseObject({
      kind: z.enum(['per-month', 'savings', 'unit-cost']),
      target: z.number(),
      measured: z.number().nullable(),
      met: z.boolean().nullable(),
    }),
  ),
  missing: z.array(z.looseObject({name: z.string(), region: z.string().nullable(), reason: sentence})),
  growth: z.looseObject({text: z.string(), factor: z.number(), at: time}).nullable(),
  warnings: z.array(sentence),
  notes: z.array(sentence),
});
