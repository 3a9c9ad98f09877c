import {healthDocument} from '../../src/lib/health/document.ts';
import {healthHistory} from '../../src/lib/health/history.ts';
import {judgeFleet} from '../../src/lib/health/judge.ts';
import {matrixOf} from '../../src/lib/health/matrix.ts';
import {withMemory, withoutMemory} from '../../src/lib/health/region-memory.ts';
import {mapMemory} from '../health/memory.ts';
import {AT, endpoint, fleet, REFUSED, reading, region, UNKNOWN} from '../health/samples.ts';
import {whole} from './drill-samples.ts';
import {anomalies} from './sample-anomalies.ts';
import {auditPlanSample, auditSample, explainSample} from './sample-audits.ts';
import {collectSample} from './sample-capacity.ts';
import {costSample, surviveSample} from './sample-capacity-plans.ts';
import {drillClean, drillDue, drillList, drillValidation} from './sample-drills.ts';
import {backtestSample, forecastSample} from './sample-forecasts.ts';
import {repairSample} from './sample-repair.ts';
import {drained, slots, topology} from './sample-replication.ts';
import {status} from './sample-status.ts';

const at = '2026-11-21T10:00:00.000Z';
const regions = [region('us-east', [], 'US'), region('eu-west'), region('ap', [], 'SG')];
const ROLE = {
  ok: false,
  latencyMs: 3,
  code: 'wrong-role',
  detail: 'the database is a standby, expected a primary that accepts writes, and this sentence goes on',
};
const readings = [
  reading(endpoint('app', 'us-east')),
  reading(endpoint('postgres', 'us-east'), {latencyMs: 701.234}),
  reading(endpoint('app', 'eu-west'), REFUSED, 2),
  reading(endpoint('postgres', 'eu-west'), ROLE),
  reading(endpoint('front', 'eu-west', {critical: false}), UNKNOWN),
  reading(endpoint('app', 'ap'), UNKNOWN),
];
export const health = healthDocument({
  fleet: fleet(regions),
  now: withoutMemory(judgeFleet({regions}, readings), AT - 90_000),
  at: AT + 40,
});

const saw = (ok: boolean | null, code: string) => ({
  ...({vantage: 'sa', region: 'sa-east', sees: 'status', whole: true, attempts: 1} as const),
  result: {ok, latencyMs: ok === true ? 41.5 : null, code, detail: 'as the exporter says'},
});
const vantages = [{name: 'sa', region: 'sa-east', vantage: {kind: 'blackbox', config: {}, path: []}}];
const seen = [
  {...reading(endpoint('app', 'us-east')), others: [saw(true, 'ok')]},
  reading(endpoint('postgres', 'us-east')),
  {...reading(endpoint('app', 'eu-west'), REFUSED), others: [saw(true, 'ok')]},
  {...reading(endpoint('app', 'ap'), REFUSED), others: [saw(false, 'unreachable')]},
  {...reading(endpoint('front', 'ap', {critical: false})), others: [saw(null, 'vantage-silent')]},
];
const watched = fleet(regions, {vantages});
/** What each vantage point sees. */
export const matrix = matrixOf(
  healthDocument({fleet: watched, now: withoutMemory(judgeFleet({regions}, seen), AT - 90_000), at: AT + 40}),
  watched,
);

const memory = mapMemory();
const changes = [{}, REFUSED, UNKNOWN, {}, {}];
for (const [index, result] of changes.entries()) {
  const readings = regions.map(({name}) => reading(endpoint('app', name), name === 'eu-west' ? result : {}));
  withMemory(judgeFleet({regions}, readings), {fleet: 'lab', at: AT - 600_000 + index * 60_000, memory});
}
/** What checks have noted, a minute apart. */
export const history = healthHistory(
  watched,
  {...memory, notes: () => memory.noted.map(({data}, index) => ({at: AT - 600_000 + Math.max(0, index - 2) * 60_000, data}))},
  {at: AT, since: AT - 86_400_000},
);

const noMore = {
  ...{writeSeconds: null, flushSeconds: null, replaySeconds: null, sync: null, senderTimeline: null, receiverTimeline: null},
  ...{conflicts: null, heardUpstreamAgoMs: null, slot: null},
};
const noBytes = {
  ...noMore,
  kind: 'messages' as const,
  sendBytes: null,
  writeBytes: null,
  flushBytes: null,
  replayBytes: null,
  runwayBytes: null,
};
const counts = {
  unacknowledged: 0,
  ageBasis: null,
  consumers: 1,
  redelivered: 0,
  deadLettered: 0,
  publishedPerSecond: 2.5,
  movedPerSecond: 2.5,
};
const shovel = {carrier: 'the shovel orders-in on eu-west', queue: 'orders', flow: 'running' as const, depth: 0, oldestAgeSeconds: 0};

export const messageLag = {
  at,
  drains: [],
  links: [
    {
      ...{store: 'events', engine: 'rabbitmq', link: 'orders', from: 'us-east', to: 'eu-west', state: 'streaming' as const},
      ...{...noBytes, seconds: 0, ageMs: 8, withinRpo: true, code: 'ok'},
      reason: 'the shovel orders-in on eu-west has taken everything from orders.',
      messages: {...shovel, ...counts},
    },
    {
      ...{store: 'events', engine: 'rabbitmq', link: 'news', from: 'us-east', to: 'ap', state: 'broken' as const},
      ...{...noBytes, seconds: null, ageMs: 8, withinRpo: null, code: 'link-down'},
      reason:
        'the federation of news from us on ap does not run: it says error: econnrefused; 1200 messages wait in federation: news -> ap on us-east.',
      messages: {
        ...{carrier: 'the federation of news from us on ap', queue: 'federation: news -> ap', flow: 'down' as const, depth: 1200},
        ...{...counts, oldestAgeSeconds: null, consumers: 0, deadLettered: null, movedPerSecond: null},
      },
    },
  ],
  unread: [],
};

export const lag = {
  at,
  ...drained,
  links: [
    {
      store: 'orders',
      engine: 'postgres',
      from: 'us-east',
      to: 'eu-west',
      kind: 'physical',
      state: 'streaming',
      ...{writeSeconds: 0.04, flushSeconds: 0.042, replaySeconds: 0.05, sync: 'quorum', senderTimeline: 1, receiverTimeline: 1},
      ...{conflicts: 0, heardUpstreamAgoMs: 12},
      slot: {name: 'eu_west', active: true, status: 'reserved', invalidated: null, retainedBytes: 16_384, safeBytes: null},
      sendBytes: 0,
      writeBytes: 128,
      flushBytes: 128,
      replayBytes: 16_384,
      seconds: 0.12,
      ageMs: 14,
      runwayBytes: 1_073_741_824,
      withinRpo: true,
      code: 'ok',
      reason: 'streaming, 16 KiB behind',
    },
    {
      store: 'orders',
      engine: 'postgres',
      from: 'us-east',
      to: 'ap',
      kind: 'logical',
      state: 'broken',
      ...noMore,
      subscription: {
        ...{name: 'ap_us', enabled: true, tables: {ready: 3, copying: 0}, applyErrors: 4, syncErrors: 0},
        ...{skipping: null, conflicts: {insert_exists: 4}, origin: 'none'},
      },
      sendBytes: null,
      writeBytes: null,
      flushBytes: null,
      replayBytes: null,
      seconds: null,
      ageMs: 14,
      runwayBytes: null,
      withinRpo: null,
      code: 'not-connected',
      reason: 'ap has no connection to its upstream since 2026-11-21T09:58:00Z',
    },
  ],
  unread: [{store: 'carts', code: 'unreadable', reason: 'timeout expired'}],
} as const;

export const loss = {
  at,
  to: 'eu-west',
  stores: [
    {
      store: 'orders',
      bytes: 4096,
      transactions: 12,
      seconds: 0.4,
      certainty: 'estimate',
      basis: 'last sample 300 ms ago plus its rate',
      classes: ['user-content'],
      objectives: [{class: 'user-content', rpoMs: 0, withinRpo: false}],
      withinRpo: false,
    },
    {
      store: 'sessions',
      bytes: null,
      transactions: null,
      seconds: null,
      certainty: 'unknown',
      basis: 'no member of us-east could be read',
      classes: ['sessions', 'carts'],
      objectives: [
        {class: 'sessions', rpoMs: 60_000, withinRpo: null},
        {class: 'carts', rpoMs: 3_600_000, withinRpo: null},
      ],
      withinRpo: null,
    },
  ],
  blocking: true,
  blockedBy: ['orders'],
} as const;

const activeRun = {runId: 'fo-1', kind: 'failover', from: 'us-east', to: 'eu-west', outcome: 'running', startedAt: at};

const step = {
  id: 'promote-orders',
  phase: 'promote',
  action: 'store.promote',
  title: 'Promote eu-west',
  status: 'done',
  startedAt: at,
  endedAt: at,
  detail: null,
};
const run = {
  runId: 'fo-1',
  kind: 'failover',
  from: 'us-east',
  to: 'eu-west',
  outcome: 'succeeded',
  steps: [step],
  phases: {detectMs: 100, decideMs: null, fenceMs: 200, promoteMs: 300, rerouteMs: 50, verifyMs: 60, convergeMs: null},
  measured: {writeGapMs: 812, lostWrites: 0, duplicatedWrites: null},
  objectives: [{class: 'critical', kind: 'rto', targetMs: 900_000, measuredMs: 812, met: true}],
  approvals: [{step: 'drain-front-door', approvers: 2, verdict: 'approved', expiresAt: at, votes: []}],
  staysDown: ['people stays down: citizens may not be in ap (SG), and it has no secondary site where its data may be'],
  notes: ['on-call was not told: no answer within 5 s'],
  overrides: [],
};

const labFault = {region: 'ap', kind: 'latency', args: {ms: 80}, injectedAt: at, leaseMs: 600_000, endsAt: at};

const plan = {
  ...run,
  runId: null,
  outcome: null,
  planId: 'fo-1',
  steps: [{...step, undo: null, verifiedBy: ['store.primary'], pivot: true, always: false}],
  gates: [{id: 'region-down', verdict: 'refuse', says: 'us-east is healthy', overridable: true, overridden: false}],
  expected: {
    gapMs: [300, 900],
    loss: [{store: 'orders', transactions: 0, bytes: 0, certainty: 'bound', basis: 'eu-west has let go'}],
  },
};

/** One document of each kind, as a command would print it. */
export const sampleDocuments = {
  'health-check': health,
  'health-matrix': matrix,
  'health-history': history,
  'capacity-anomalies': anomalies,
  'replication-lag': lag,
  'replication-loss': loss,
  'replication-topology': topology,
  'replication-slots': slots,
  'lab-status': {
    dir: '/lab',
    profile: 'fast',
    regions: [
      {
        region: 'us-east',
        role: 'primary',
        http: 'http://127.0.0.1:21001',
        postgres: '127.0.0.1:21002',
        direct: {http: '127.0.0.1:21101', postgres: '127.0.0.1:21102'},
        pids: [4711],
      },
    ],
    frontDoor: 'http://127.0.0.1:21020',
    fleetFile: '/lab/regionctl.yaml',
  },
  'lab-down': {dir: '/lab', outcome: 'stopped'},
  'lab-fault': {fault: labFault},
  'lab-heal': {faults: [labFault]},
  'lab-load': {sent: 10, acknowledged: 9, failed: 0, unknown: 1, elapsedMs: 200, latencyMs: {p50: 3, p95: 4, p99: null}},
  'failover-plan': plan,
  'capacity-collect': collectSample,
  'capacity-forecast': forecastSample,
  'capacity-backtest': backtestSample,
  'capacity-survive': surviveSample,
  'capacity-cost': costSample,
  'consistency-audit': auditSample,
  'consistency-audit-explain': auditPlanSample,
  'consistency-explain': explainSample,
  'consistency-repair-plan': {...plan, repair: repairSample},
  run,
  'failover-ready': {
    fleet: 'lab',
    at,
    share: 0.999,
    pairs: [
      {
        from: 'us-east',
        to: 'eu-west',
        ready: false,
        reason: 'clocks:orders: the clock of ap is 6.0 s behind',
        gates: [{id: 'clocks:orders', verdict: 'refuse', measured: null, says: 'apart', overridable: true, overridden: false}],
        checks: 1000,
        share: 0.999,
        since: at,
      },
    ],
  },
  'runs-vote': {
    runId: 'fo-1',
    step: 'drain-front-door',
    by: 'bo@ops (pid 7)',
    says: 'drain-front-door of fo-1 was approved by bo@ops (pid 7)',
  },
  'runs-list': {
    runs: [{...activeRun, fleet: 'lab', reason: null}],
  },
  'drill-validate': drillValidation,
  'drill-run': whole,
  'drill-clean': drillClean,
  'drill-list': drillList,
  'drill-due': drillDue,
  status,
  doctor: {checks: [{check: 'fleet-file', verdict: 'pass', says: 'regionctl.yaml is valid', fix: null}]},
  init: {file: 'regionctl.yaml'},
  version: {name: 'regionctl', version: '0.1.0', node: '24.21.0', platform: 'linux', arch: 'x64'},
  plugin: {
    name: 'regionctl-plugin-smtp',
    version: '1.0.0',
    type: 'user',
    root: '/data/node_modules/regionctl-plugin-smtp',
    commands: ['smtp banner'],
    tag: 'latest',
    url: 'file:/tmp/regionctl-plugin-smtp-1.0.0.tgz',
    dependencies: {nodemailer: {from: '^7.0.0', version: '7.0.1'}},
  },
  'plugins-manifest': {file: '/src/regionctl-plugin-smtp/oclif.manifest.json', commands: ['smtp banner']},
  error: {error: {code: 'no-fleet', message: 'no fleet file was found', suggestions: ['regionctl init'], exit: 66}},
};
