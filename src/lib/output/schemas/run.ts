import {z} from 'zod';
import {bytes, code, ms, sentence, time} from './fields.ts';

const phase = z.enum(['detect', 'decide', 'preflight', 'inject', 'fence', 'promote', 'follow', 'reroute', 'verify', 'converge', 'heal']);

const outcome = z.enum(['running', 'paused', 'succeeded', 'failed', 'undone', 'aborted', 'interrupted']);

/** A step as documents of runs have it. */
export const step = z.looseObject({
  id: z.string(),
  phase,
  action: z.string(),
  title: sentence,
  status: z.enum(['pending', 'running', 'done', 'skipped', 'failed', 'undone']),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  detail: sentence.nullable(),
});

const phases = z.looseObject({
  detectMs: ms.nullable(),
  decideMs: ms.nullable(),
  fenceMs: ms.nullable(),
  promoteMs: ms.nullable(),
  rerouteMs: ms.nullable(),
  verifyMs: ms.nullable(),
  convergeMs: ms.nullable(),
});

const measured = z.looseObject({
  writeGapMs: ms.nullable(),
  lostWrites: z.int().min(0).nullable(),
  duplicatedWrites: z.int().min(0).nullable(),
});

const objective = z.looseObject({
  class: z.string(),
  kind: z.enum(['rto', 'rpo']),
  targetMs: ms,
  measuredMs: ms.nullable(),
  met: z.boolean().nullable(),
});

/** A run: what `failover run`, `failback run`, `runs resume` and `runs show` print with `--json`; also the fields of a plan. What was not measured is null. */
export const runSchema = z.looseObject({
  runId: z.string().nullable(),
  kind: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  outcome: outcome.nullable(),
  steps: z.array(step),
  phases,
  measured,
  objectives: z.array(objective),
  approvals: z.array(
    z.looseObject({
      step: z.string(),
      approvers: z.int().min(1),
      verdict: z.enum(['waiting', 'approved', 'rejected', 'expired']).nullable(),
    }),
  ),
  overrides: z.array(z.looseObject({gate: z.string(), reason: z.string(), by: z.string()})),
  staysDown: z.array(sentence),
  notes: z.array(sentence),
});

const gate = z.looseObject({
  id: z.string(),
  verdict: z.enum(['pass', 'refuse', 'unknown']),
  says: sentence,
  overridable: z.boolean(),
  overridden: z.boolean(),
});

const plannedStep = step.extend({undo: z.string().nullable(), verifiedBy: z.array(z.string()), pivot: z.boolean(), always: z.boolean()});

const expectedLoss = z.looseObject({
  store: z.string(),
  transactions: z.number().min(0).nullable(),
  bytes: z.number().min(0).nullable(),
  certainty: z.enum(['exact', 'bound', 'estimate', 'unknown']),
  basis: sentence,
});

/** `failover plan --json`, `switchover plan --json` and `failback plan --json`: the fields of a run with nothing done yet (`runId` and `outcome` null), its gates, and what is expected of it. */
export const planSchema = runSchema.extend({
  runId: z.null(),
  outcome: z.null(),
  planId: z.string(),
  steps: z.array(plannedStep),
  gates: z.array(gate),
  expected: z.looseObject({gapMs: z.tuple([ms, ms]).nullable(), loss: z.array(expectedLoss)}),
});

const readyPair = z.looseObject({
  from: z.string(),
  to: z.string(),
  ready: z.boolean(),
  reason: sentence.nullable(),
  gates: z.array(gate),
  checks: z.int().min(1),
  share: z.number().min(0).max(1).nullable(),
  since: time.nullable(),
});

/** `failover ready --json`: one row for each way, with the share of the checks of the last 30 days that found it open. */
export const readySchema = z.looseObject({
  fleet: z.string(),
  at: time,
  share: z.number().min(0).max(1).nullable(),
  pairs: z.array(readyPair),
});

/** `runs approve`, `runs reject` and `runs abort --json`. */
export const voteSchema = z.looseObject({runId: z.string(), step: z.string().nullable(), by: z.string(), says: sentence});

const runRow = z.looseObject({
  runId: z.string(),
  fleet: z.string(),
  kind: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  outcome,
  startedAt: time,
  reason: sentence.nullable(),
});

/** `runs list --json`, newest first. */
export const runsListSchema = z.looseObject({runs: z.array(runRow)});

const steady = z.looseObject({
  met: z.boolean(),
  checks: z.array(z.looseObject({check: z.string(), holds: z.boolean().nullable(), says: sentence})),
});

const fault = z.looseObject({
  fault: z.string(),
  region: z.string(),
  injectedAt: time,
  healedAt: time.nullable(),
  provenHealed: z.boolean(),
  leaseMs: ms.nullable().optional(),
  endBasis: z.enum(['seen', 'recorded', 'estimated']).nullable().optional(),
  endFrom: time.nullable().optional(),
  endTo: time.nullable().optional(),
  endedBy: z.enum(['lease', 'heal']).nullable().optional(),
  endSays: sentence.nullable().optional(),
  says: sentence.nullable().optional(),
  proof: sentence.nullable().optional(),
});

const count = z.int().min(0);

const witness = z.looseObject({
  acknowledged: count.nullable(),
  failed: count.nullable(),
  unknown: count.nullable(),
  lost: z.array(z.string()).nullable(),
  duplicated: z.array(z.string()).nullable(),
  longestGapMs: ms.nullable(),
  gapAtLeastMs: ms.nullable(),
  gapFrom: time.nullable(),
  gapTo: time.nullable(),
  lossWindowMs: ms.nullable(),
  writeGapReason: sentence.nullable(),
  lostWrites: count.nullable().optional(),
  duplicatedWrites: count.nullable().optional(),
  unknownButPresent: count.nullable().optional(),
  stalledMs: ms.nullable().optional(),
  longestStallMs: ms.nullable().optional(),
  stalls: count.nullable().optional(),
  cost: z
    .looseObject({cpuPercent: z.number().min(0), writesPerSecond: z.number().min(0)})
    .nullable()
    .optional(),
});

const storeWitness = z.looseObject({
  store: z.string(),
  all: witness,
  members: z.array(z.looseObject({member: z.string(), acknowledged: count, firstAckAt: time.nullable(), lastAckAt: time.nullable()})),
  twoWriters: z.looseObject({members: z.array(z.string()), from: time, ms, writes: count}).nullable(),
  trouble: sentence.nullable(),
});

const loadPart = z.looseObject({
  requests: count,
  errors: count,
  errorRate: z.number().min(0).max(1).nullable(),
  p50Ms: ms.nullable(),
  p95Ms: ms.nullable(),
  maxMs: ms.nullable(),
  whole: z.boolean().optional(),
});

const load = z.looseObject({
  kind: z.enum(['built-in', 'exec']),
  says: sentence,
  before: loadPart,
  during: loadPart,
  after: loadPart,
});

const loadObjective = z.looseObject({
  kind: z.enum(['errorRate', 'p95']),
  phase: z.enum(['before', 'during', 'after']),
  target: z.number().min(0),
  measured: z.number().min(0).nullable(),
  met: z.boolean().nullable(),
});

const timelineRow = z.looseObject({
  ms,
  endMs: ms.nullable(),
  lane: z.enum(['fault', 'phase', 'gap', 'load', 'event']),
  title: sentence,
  tone: z.enum(['good', 'bad', 'neutral']),
});

const beside = z.looseObject({
  when: z.enum(['before', 'after']),
  kind: z.string(),
  runId: z.string().nullable(),
  outcome: z.string(),
  says: sentence,
  startedAt: time.nullable(),
  endedAt: time.nullable(),
});

const earlierDrill = z.looseObject({
  runId: z.string(),
  at: time,
  verdict: z.string(),
  verdictCode: code,
  writeGapMs: ms.nullable(),
  lostWrites: count.nullable(),
  phases,
});

/** `drill run`, `drill show` and `drill report --format json`: a run with what was injected, what the witness saw, and what it comes to. */
export const drillSchema = runSchema.extend({
  fleet: z.string().nullable(),
  drill: z.string().nullable(),
  description: z.string(),
  scenario: z.string().nullable(),
  expected: sentence.nullable(),
  steadyState: z.looseObject({before: steady.nullable(), after: steady.nullable()}),
  faults: z.array(fault),
  witness: witness.nullable(),
  stores: z.array(storeWitness),
  load: load.nullable(),
  loadObjectives: z.array(loadObjective),
  timeline: z.array(timelineRow),
  surprises: z.array(sentence),
  beside: z.array(beside),
  evidence: z.array(z.looseObject({name: z.string(), file: z.string(), bytes, sha256: z.string()})),
  earlier: z.array(earlierDrill),
  verdict: z.enum(['passed', 'failed', 'unknown']),
  verdictCode: code,
  verdictReason: sentence,
});

/** What any command prints with `--json` when it fails, and nothing else. */
export const errorSchema = z.looseObject({
  error: z.looseObject({code, message: sentence, suggestions: z.array(sentence), exit: z.int().min(1).max(255)}),
});
