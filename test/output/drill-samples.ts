import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {DrillDocument, LoadPart, WitnessRow} from '../../src/lib/drill/report.ts';

const recorded = (name: string): DrillDocument =>
  JSON.parse(readFileSync(join(import.meta.dirname, `../golden/drill-report/${name}.json`), 'utf8')) as DrillDocument;

/** As `drill run --json` printed it on the lab: recorded, so that everything in it is real. */
export const passed = recorded('passed');
/** Standbys behind a narrow line: writes were lost. */
export const missed = recorded('missed');
/** A fault that nobody noticed. */
export const failed = recorded('failed');
/** Its process was killed in the gap. */
export const interrupted = recorded('interrupted');

const part = (requests: number, errors: number, p95Ms: number | null): LoadPart => ({
  requests,
  errors,
  errorRate: requests === 0 ? null : errors / requests,
  p50Ms: p95Ms === null ? null : p95Ms / 3,
  p95Ms,
  maxMs: p95Ms === null ? null : p95Ms * 2.5,
});

const ofStore: WitnessRow = {
  acknowledged: 611,
  failed: 12,
  unknown: 3,
  lost: ['w-17', 'w-18'],
  duplicated: [],
  longestGapMs: 790,
  gapAtLeastMs: 780,
  gapFrom: missed.witness?.gapFrom ?? null,
  gapTo: missed.witness?.gapTo ?? null,
  lossWindowMs: 40,
  writeGapReason: null,
  lostWrites: 2,
  duplicatedWrites: 0,
};

const from = missed.witness?.gapFrom ?? '';
/** Every part of a report at once. */
export const whole: DrillDocument = {
  ...missed,
  description: 'The primary’s region is killed while its standbys are behind a narrow line, as on the day of the cable cut.',
  scenario: 'region-lost',
  expected: 'A failover to eu-west within 15 minutes that loses at most 100 ms of writes.',
  stores: [
    {
      store: 'orders',
      all: ofStore,
      members: [
        {member: 'us-east', acknowledged: 300, firstAckAt: missed.startedAt, lastAckAt: from},
        {member: 'eu-west', acknowledged: 311, firstAckAt: missed.witness?.gapTo ?? null, lastAckAt: missed.endedAt},
        {member: 'ap', acknowledged: 0, firstAckAt: null, lastAckAt: null},
      ],
      twoWriters: {members: ['us-east', 'eu-west'], from, ms: 120, writes: 9},
      trouble: 'ap was not written to for 2 s: connect ECONNREFUSED',
    },
  ],
  load: {
    kind: 'built-in',
    says: '100 requests per second through the front door',
    before: part(600, 0, 14),
    during: part(240, 81, 2000),
    after: part(300, 1, 31),
  },
  loadObjectives: [
    {kind: 'errorRate', phase: 'during', target: 0.5, measured: 81 / 240, met: true},
    {kind: 'p95', phase: 'after', target: 25, measured: 31, met: false},
    {kind: 'p95', phase: 'before', target: 25, measured: null, met: null},
  ],
  witness:
    missed.witness === null
      ? null
      : {...missed.witness, cost: {cpuPercent: 2.4, writesPerSecond: 50}, stalls: 3, stalledMs: 310, longestStallMs: 190},
  surprises: [
    'two members of orders acknowledged writes at the same time, for 120 ms: us-east and eu-west, 9 writes',
    '"let ap follow eu-west" was tried 2 times',
    'the gate lag was passed by ana@ops: the drill is about exactly this',
  ],
  overrides: [{gate: 'lag', reason: 'the drill is about exactly this', by: 'ana@ops'}],
  gates: [
    ...missed.gates,
    {id: 'lag', verdict: 'refuse', measured: 31_000, says: 'ap is 31 s behind', overridable: true, overridden: true},
  ],
  approvals: [
    {
      step: missed.steps.find(({phase}) => phase === 'promote')?.id ?? '',
      approvers: 2,
      verdict: 'approved',
      expiresAt: missed.endedAt,
      votes: [
        {verdict: 'approved', by: 'bo@ops', reason: null, at: from},
        {verdict: 'approved', by: 'chris@ops', reason: 'seen the gates', at: from},
      ],
    },
  ],
  beside: [
    {
      when: 'after',
      kind: 'failback',
      runId: 'failback-20261128-033800-aa11',
      outcome: 'succeeded',
      says: 'us-east is the primary again',
      startedAt: missed.endedAt,
      endedAt: new Date(Date.parse(missed.endedAt ?? '') + 41_000).toISOString(),
    },
  ],
  evidence: [
    {name: 'journal', file: 'evidence/drill-1/journal.ndjson', bytes: 48_211, sha256: 'a3'.repeat(32)},
    {name: 'log of the witness', file: 'evidence/drill-1/witness.ndjson', bytes: 301_442, sha256: '0f'.repeat(32)},
  ],
  earlier: [1, 2, 3, 4, 5].map((weeks) => ({
    runId: `drill-2026112${8 - weeks}-033647-000${weeks}`,
    at: new Date(Date.parse(missed.startedAt ?? '') - weeks * 7 * 86_400_000).toISOString(),
    verdict: weeks === 3 ? 'failed' : weeks === 4 ? 'unknown' : 'passed',
    verdictCode: weeks === 3 ? ('objective-missed' as const) : weeks === 4 ? ('not-measured' as const) : ('passed' as const),
    writeGapMs: weeks === 4 ? null : 700 + weeks * 90,
    lostWrites: weeks === 3 ? 41 : weeks === 4 ? null : 0,
    phases: missed.phases,
  })),
};

/** The witness was not there to see it. */
export const unmeasured: DrillDocument = {
  ...passed,
  verdict: 'unknown',
  verdictCode: 'not-measured',
  verdictReason: 'not measured: rto of critical',
  measured: {...passed.measured, writeGapMs: null},
  objectives: passed.objectives.map((one) => (one.kind === 'rto' ? {...one, measuredMs: null, met: null} : one)),
  witness:
    passed.witness === null
      ? null
      : {
          ...passed.witness,
          gapFrom: null,
          gapTo: null,
          longestGapMs: null,
          writeGapReason: 'the witness was not running for a part of a gap of 6210 ms',
        },
};

const EVIL =
  '</style><script>window.hacked=1</script><img src=x onerror="window.hacked=2"> | `a` ``` **b** [c](javascript:alert(1)) @everyone #12 \u001b[31mred\u001b[0m\u0007\u202egnp.exe\u2066 ]]> &amp; \ud800 $& $1 \r\n# no heading\n- no item';
const LONG = 'x'.repeat(300);
const hostile = <T>(value: T): T => {
  if (typeof value === 'string') return (/^\d{4}-\d\d-\d\dT/u.test(value) ? value : `${EVIL} ${value} ${LONG}`) as T;
  if (Array.isArray(value)) return value.map(hostile) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, WORDS.has(key) ? each : hostile(each)])) as T;
};
/** Words of ours, which no file can change. */
const WORDS = new Set(['verdict', 'verdictCode', 'outcome', 'status', 'phase', 'kind', 'lane', 'tone', 'when']);

/** Every text of a report is an attack, and too long. */
export const evil: DrillDocument = hostile(whole);

export const drillSamples: Readonly<Record<string, DrillDocument>> = {passed, missed, failed, interrupted, unmeasured, whole};
