import type {DueDocument, DueEntry, DueTry} from '../../src/lib/operate/drill-due.ts';
import type {DrillListDocument, ListedDrill} from '../../src/lib/operate/drill-list.ts';

const DAY = 24 * 3_600_000;
export const AT = Date.parse('2026-03-20T12:00:00Z');
const ago = (days: number) => new Date(AT - days * DAY).toISOString();

const passed: DueTry = {
  runId: 'dr-20260310-1',
  at: ago(10),
  verdict: 'passed',
  code: 'passed',
  counts: true,
  says: 'every objective was met',
};
const failed: DueTry = {
  runId: 'dr-20260318-1',
  at: ago(2),
  verdict: 'failed',
  code: 'objective-missed',
  counts: false,
  says: 'the rto of critical was missed: 61000 ms instead of 30000 ms',
};
const entry = (name: string, state: DueEntry['state'], more: Partial<DueEntry> = {}): DueEntry => ({
  kind: 'drill',
  name,
  every: 'month',
  graceMs: 3 * DAY,
  state,
  lastPassed: passed,
  lastTried: passed,
  nextDue: '2026-05-01T00:00:00.000Z',
  overdueMs: null,
  says: 'every objective was met',
  file: `/fleet/drills/${name}.yaml`,
  problem: null,
  ...more,
});

/** A calendar with an entry in every state. */
export const drillDue: DueDocument = {
  fleet: 'shop',
  at: new Date(AT).toISOString(),
  verdict: 'owed',
  calendar: [
    entry('region-lost', 'ok'),
    entry('region-frozen', 'due-soon', {every: '30d', nextDue: ago(-3)}),
    entry('partition', 'due', {
      every: 'week',
      lastPassed: {...passed, at: ago(15)},
      lastTried: {...passed, at: ago(15)},
      nextDue: ago(1.5),
      overdueMs: 1.5 * DAY,
    }),
    entry('replication-lag-past-the-breaker', 'overdue', {
      lastPassed: {...passed, at: ago(60)},
      lastTried: failed,
      nextDue: ago(19.5),
      overdueMs: 19.5 * DAY,
      says: `the last try does not count: ${failed.says}`,
    }),
    entry('router-lost', 'never', {
      lastPassed: null,
      lastTried: null,
      nextDue: null,
      says: 'it never ran on this fleet',
      file: null,
      problem: 'there is no drill "router-lost": did you mean "region-lost"?',
    }),
    entry('disk-full', 'unknown', {
      lastPassed: null,
      lastTried: null,
      nextDue: null,
      says: 'the run dr-20260101-1 cannot be read: Unexpected end of JSON input',
    }),
    entry('readiness', 'ok', {
      kind: 'readiness',
      every: '7d',
      graceMs: DAY,
      lastPassed: {...passed, runId: null, at: ago(2)},
      lastTried: {...passed, runId: null, at: ago(0.1), counts: false, says: 'not ready: us-east to ap'},
      nextDue: ago(-5),
      file: null,
    }),
  ],
  notes: [],
};

const listed = (name: string, more: Partial<ListedDrill> = {}): ListedDrill => ({
  name,
  scenario: name,
  description: 'The region with the primary is cut off and its servers are killed. Clients must be able to write again within the RTO.',
  file: `/regionctl/examples/drills/${name}.yaml`,
  place: 'shipped',
  shown: 'shipped',
  chosen: true,
  every: null,
  problem: null,
  note: null,
  last: null,
  ...more,
});
const last = {
  runId: 'dr-1',
  at: ago(10),
  verdict: 'passed',
  verdictCode: 'passed',
  verdictReason: 'every objective was met',
  writeGapMs: 1890,
  lostWrites: 0,
} as const;

/** A list with a drill of every kind. */
export const drillList: DrillListDocument = {
  fleet: 'shop',
  drills: [
    listed('region-lost', {place: 'fleet', shown: 'drills/region-lost.yaml', file: '/fleet/drills/region-lost.yaml', every: 'month', last}),
    listed('checkout-without-its-database', {
      scenario: 'region-lost',
      place: 'dir',
      shown: '/srv/runbooks/drills/checkout-without-its-database.yaml',
      description: '',
      last: {...last, verdict: 'failed', verdictCode: 'run-failed', writeGapMs: null, lostWrites: 12},
    }),
    listed('broken', {
      scenario: null,
      description: '',
      place: 'fleet',
      shown: 'drills/broken.yaml',
      chosen: false,
      problem: 'drills/broken.yaml:3:1 nope: unknown key "nope"',
    }),
    listed('region-lost', {chosen: false, note: 'drills/region-lost.yaml has the same name and is nearer: give a path for this one', last}),
    listed('region-frozen', {last: {...last, verdict: 'unknown', verdictCode: 'not-measured', lostWrites: null}}),
  ],
  notes: ['only the newest 200 runs of drills were looked at'],
};

export const drillValidation = {
  fleet: 'lab',
  valid: false,
  drills: [
    {
      file: 'drills/region-lost.yaml',
      name: null,
      valid: false,
      problems: [
        {
          line: 3,
          column: 15,
          field: 'fault.kind',
          message: 'the fault injector of lab knows no fault "loose"',
          suggestion: 'Did you mean "lose"?',
        },
      ],
      more: 0,
      unsure: [],
    },
  ],
};

export const drillClean = {
  fleet: 'lab',
  at: '2026-11-21T10:00:00.000Z',
  found: [
    {
      fault: 'freeze',
      region: 'us-east',
      since: '2026-11-21T10:00:00.000Z',
      leaseEndsAt: '2026-11-21T10:05:00.000Z',
      runId: 'drill-1',
      healed: true,
      provenHealed: true,
      says: 'no fault is active on us-east, and app answers',
    },
  ],
  removed: 0,
  reapers: 0,
  witness: [{store: 'orders', runId: 'drill-1', removed: true, says: 'what the witness of drill-1 wrote to orders was removed'}],
  logs: 1,
  troubles: [],
  verdict: 'healed',
};
