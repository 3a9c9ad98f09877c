import {z} from 'zod';
import {code, ms, sentence, time, verdict} from './fields.ts';
import {step} from './run.ts';

const vantage = z.looseObject({vantage: z.string(), ok: z.boolean().nullable(), latencyMs: ms.nullable(), code, detail: sentence});

const endpoint = z.looseObject({
  endpoint: z.string(),
  probe: z.string(),
  verdict,
  latencyMs: ms.nullable(),
  ageMs: ms,
  detail: sentence,
  facts: z.unknown(),
  vantages: z.array(vantage).min(1),
});

const region = z.looseObject({
  region: z.string(),
  verdict,
  code,
  reason: sentence,
  since: time,
  flappingSince: time.nullable(),
  agree: z.int().min(0),
  asked: z.int().min(1),
  endpoints: z.array(endpoint),
});

/** `health check --json`. */
export const healthSchema = z.looseObject({fleet: z.string(), at: time, verdict, regions: z.array(region)});

/** `health matrix --json`. */
export const matrixSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  verdict,
  vantages: z.array(z.looseObject({vantage: z.string(), region: z.string().nullable()})).min(1),
  endpoints: z.array(z.looseObject({region: z.string(), endpoint: z.string(), probe: z.string(), verdict, code, views: z.array(vantage)})),
  notes: z.array(sentence),
});

const historyRegion = z.looseObject({
  region: z.string(),
  verdict: verdict.nullable(),
  since: time.nullable(),
  flappingSince: time.nullable(),
  lookedAt: time.nullable(),
  changes: z.int().min(0),
});

const historyEntry = z.looseObject({
  at: time,
  region: z.string(),
  from: verdict.nullable(),
  to: verdict,
  code,
  reason: sentence,
  action: z.enum(['alarm', 'warn', 'tell', 'clear']),
  lastedMs: ms,
});

/** `health history --json`: oldest first. */
export const historySchema = z.looseObject({
  fleet: z.string(),
  at: time,
  since: time,
  regions: z.array(historyRegion),
  entries: z.array(historyEntry),
});

const role = z.looseObject({
  store: z.string(),
  member: z.string(),
  role: z.enum(['primary', 'standby', 'peer', 'unknown']),
  writable: z.boolean().nullable(),
  ageMs: ms.nullable(),
});

const lagWorst = z.looseObject({
  store: z.string(),
  from: z.string(),
  to: z.string(),
  state: z.string(),
  replayBytes: z.number().nullable(),
  seconds: z.number().nullable(),
  ageMs: ms.nullable(),
});

const statusLoss = z.looseObject({
  store: z.string(),
  bytes: z.number().min(0).nullable(),
  transactions: z.number().min(0).nullable(),
  seconds: z.number().min(0).nullable(),
  certainty: z.enum(['exact', 'bound', 'estimate', 'unknown']),
  withinRpo: z.boolean().nullable(),
  basis: sentence,
  ageMs: ms.nullable(),
});

const way = z.looseObject({from: z.string(), ready: z.boolean().nullable(), reason: sentence.nullable(), ageMs: ms.nullable()});

const headroom = z.looseObject({
  series: z.string().nullable(),
  left: z.number().nullable(),
  limit: z.number().nullable(),
  value: z.number().nullable(),
  unit: z.string().nullable(),
  ageMs: ms.nullable(),
  reason: sentence.nullable(),
  unread: z.array(z.looseObject({series: z.string(), reason: sentence})).optional(),
});

const statusRegion = z.looseObject({
  region: z.string(),
  jurisdiction: z.string(),
  verdict,
  since: time,
  reason: sentence,
  ageMs: ms.nullable(),
  roles: z.array(role),
  weightByRoute: z.record(z.string(), z.number().min(0).max(100).nullable()),
  ageMsByRoute: z.record(z.string(), ms.nullable()),
  lagWorst: lagWorst.nullable(),
  loss: z.array(statusLoss).nullable(),
  ready: z.array(way),
  headroom: headroom.nullable(),
});

const activeRun = z.looseObject({
  runId: z.string(),
  kind: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  outcome: z.string(),
  startedAt: time,
  steps: z.array(step),
});

/** `status --json`. */
export const statusSchema = z.looseObject({
  fleet: z.string(),
  at: time,
  verdict,
  regions: z.array(statusRegion),
  activeRun: activeRun.nullable(),
  notes: z.array(sentence),
  cached: z.literal(true).optional(),
});

/** `doctor --json`. */
export const doctorSchema = z.looseObject({
  checks: z.array(z.looseObject({check: z.string(), verdict: z.string(), says: sentence, fix: sentence.nullable()})),
});
