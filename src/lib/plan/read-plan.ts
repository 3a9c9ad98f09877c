import {z} from 'zod';
import {usageError} from '../errors.ts';
import type {Plan} from './plan.ts';

const json = z.json();
const target = z.strictObject({
  region: z.string().optional(),
  store: z.string().optional(),
  member: z.string().optional(),
  router: z.string().optional(),
  fault: z.string().optional(),
});
const expectation = z.strictObject({
  check: z.string(),
  target,
  want: json,
  via: z.enum(['any', 'independent']),
  maxAgeMs: z.number().min(0),
});
const call = z.strictObject({action: z.string(), v: z.int().min(1), target, args: json});
const step = z.strictObject({
  id: z.string().min(1),
  phase: z.enum(['detect', 'decide', 'preflight', 'inject', 'fence', 'promote', 'follow', 'reroute', 'verify', 'converge', 'heal']),
  title: z.string(),
  after: z.array(z.string()),
  do: call,
  requires: z.array(expectation),
  ensures: z.array(expectation),
  undo: call.nullable(),
  pivot: z.boolean(),
  leaseMs: z.number().positive().nullable(),
  hold: z
    .strictObject({
      forMs: z.number().min(0),
      everyMs: z.number().positive(),
      minSamples: z.int().min(1),
      watch: z.array(expectation),
    })
    .nullable(),
  approval: z.strictObject({approvers: z.int().min(1), expiresMs: z.number().positive()}).nullable(),
  deadlineMs: z.number().positive(),
  onFailure: z.enum(['stop', 'undo', 'continue']),
  mayLeave: z.literal(true).optional(),
  until: z.string().optional(),
});
const gate = z.looseObject({
  id: z.string(),
  asks: z.array(expectation),
  verdict: z.enum(['pass', 'refuse', 'unknown']),
  measured: json,
  says: z.string(),
  overridable: z.boolean(),
});
const drillSpec = z.looseObject({
  name: z.string(),
  description: z.string(),
  scenario: z.string().nullable(),
  expected: z.string().nullable(),
  loadObjectives: z.array(
    z.looseObject({kind: z.enum(['errorRate', 'p95']), phase: z.enum(['before', 'during', 'after']), target: z.number()}),
  ),
  region: z.string().nullable(),
});
const planSchema = z.strictObject({
  version: z.literal(1),
  id: z.string().regex(/^[a-z]+-[0-9A-Za-z-]+$/),
  kind: z.enum(['failover', 'switchover', 'failback', 'evacuation', 'readmission', 'shift', 'degrade', 'repair', 'restore', 'drill']),
  from: z.string().nullable(),
  to: z.string().nullable(),
  snapshot: z.looseObject({version: z.literal(1), takenAt: z.string(), fleetDigest: z.string(), vantage: z.string()}),
  expects: z.array(expectation),
  standsOn: z.array(expectation).optional(),
  gates: z.array(gate),
  overrides: z.array(z.strictObject({gate: z.string(), reason: z.string(), by: z.string()})),
  steps: z.array(step).min(1),
  abortIf: z.array(expectation),
  always: z.array(step),
  files: z.array(z.strictObject({name: z.string(), sha256: z.string()})),
  objectives: z.array(z.strictObject({class: z.string(), kind: z.enum(['rto', 'rpo']), targetMs: z.number().min(0)})),
  expected: z.looseObject({}),
  staysDown: z.array(z.string()).optional(),
  remarks: z.array(z.string()).optional(),
  drill: z.string().nullable(),
  drillSpec: drillSpec.optional(),
});

/**
 * Reads a saved plan: what `-o` wrote, or the document that `--json` printed. Throws a usage error (64) that names the file, the line for what is
 * no JSON, and the field for what is no plan.
 */
export function readPlan(text: string, file: string): Plan {
  const document = parse(text, file);
  const inner = typeof document === 'object' && document !== null && 'plan' in document ? document.plan : document;
  const read = planSchema.safeParse(inner);
  if (read.success) return read.data as unknown as Plan;
  const [issue] = read.error.issues;
  const path = [...(inner === document ? [] : ['plan']), ...(issue?.path ?? [])].map(String).join('.');
  throw usageError(
    `${file}: this is no plan that can be run: ${path === '' ? '' : `${path}: `}${issue?.message ?? 'it has another shape'}`,
    {
      suggestions: ['Make it anew with -o FILE: regionctl failover plan -o plan.json'],
    },
  );
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const [, at] = /position (\d+)/.exec(message) ?? [];
    const line = at === undefined ? null : text.slice(0, Number(at)).split('\n').length;
    throw usageError(`${file}${line === null ? '' : `:${line}`}: this is no JSON: ${message}`, {
      suggestions: ['Give the file that -o wrote, unchanged'],
    });
  }
}
