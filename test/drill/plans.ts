import type {DrillDeps} from '../../src/lib/drill/actions.ts';
import {composeDrill, type DrillInput} from '../../src/lib/drill/compose-drill.ts';
import {type Drill, parseDrill} from '../../src/lib/drill/drill-file.ts';
import {call, step} from '../../src/lib/failover/steps.ts';
import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Plan} from '../../src/lib/plan/plan.ts';
import type {JournalEvent} from '../../src/lib/ports/state.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import type {Snapshot} from '../../src/lib/snapshot/snapshot.ts';
import {HEALTH} from '../health/defaults.ts';

const health = (verdict: 'healthy' | 'unhealthy') =>
  known({verdict, agree: 1, asked: 1, code: 'ok', reason: 'every endpoint answers'}, 0, 'here');

export const snapshot: Snapshot = {
  version: 1,
  takenAt: '2026-01-01T00:00:00.000Z',
  fleetDigest: 'd',
  vantage: 'here',
  regions: {'us-east': health('healthy'), 'eu-west': health('healthy'), ap: health('healthy')},
  stores: {},
  routers: {},
};

const region = (name: string) => ({
  name,
  jurisdiction: 'US',
  tier: 'hot' as const,
  sites: {},
  failoverOrder: [],
  scaleUp: null,
  endpoints: [],
});
const part = {kind: 'lab', config: {}, path: ['faults']};

export const fleet: Fleet = {
  version: 1,
  name: 'lab',
  file: '/fleet/regionctl.yaml',
  digest: 'd',
  regions: ['us-east', 'eu-west', 'ap'].map(region),
  stores: [],
  routes: [],
  services: [],
  dataClasses: [],
  health: HEALTH,
  vantages: [],
  uplinks: [],
  fault: part,
  witness: {url: 'http://127.0.0.1:21020/orders', everyMs: 20, deadlineMs: 2000, stores: []},
  hooks: {},
  approval: null,
  notifiers: [],
  checks: [],
  state: {kind: 'sqlite', dir: null},
  secrets: {reveal: async () => '', scrub: (text) => text},
  labels: {},
};

/** The same with the lab's route: all traffic goes to us-east. */
export const routedFleet: Fleet = {
  ...fleet,
  routes: [
    {
      name: 'front-door',
      router: {kind: 'lab', config: {}, path: ['routes']},
      weights: {'us-east': 100, 'eu-west': 0, ap: 0},
      url: 'http://127.0.0.1:1',
      stages: null,
    },
  ],
};

const gate = (id: string, asks: Plan['gates'][number]['asks'] = []): Plan['gates'][number] => ({
  id,
  asks,
  verdict: 'pass',
  measured: null,
  says: id,
  overridable: true,
});

/** A failover as the planner gives it, cut down to what the composer looks at. */
export const failoverPlan: Plan = {
  version: 1,
  id: 'f',
  kind: 'failover',
  from: 'us-east',
  to: 'eu-west',
  snapshot,
  expects: [],
  gates: [
    gate('region-down'),
    gate('primary-silent:orders', [
      {
        check: 'store.silent',
        target: {store: 'orders', member: 'us-east'},
        want: {standbys: ['eu-west', 'ap']},
        via: 'any',
        maxAgeMs: 1000,
      },
    ]),
    gate('target-healthy'),
  ],
  overrides: [],
  steps: [
    step({id: 'witness', phase: 'preflight', title: 'write numbered orders', do: call('witness.start', {})}),
    step({id: 'claim', phase: 'preflight', title: 'claim orders', do: call('store.claim', {store: 'orders'}), after: ['witness']}),
    step({
      id: 'fence',
      phase: 'fence',
      title: 'fence us-east',
      do: call('store.fence', {store: 'orders', member: 'us-east'}),
      after: ['claim'],
    }),
    step({
      id: 'promote',
      phase: 'promote',
      title: 'promote eu-west',
      do: call('store.promote', {store: 'orders', member: 'eu-west'}),
      after: ['fence'],
      pivot: true,
    }),
    step({
      id: 'reroute',
      phase: 'reroute',
      title: 'send traffic to eu-west',
      do: call('route.weights', {router: 'front-door'}),
      after: ['promote'],
    }),
    step({id: 'witness-end', phase: 'verify', title: 'stop', do: call('witness.stop', {}), after: ['reroute']}),
  ],
  abortIf: [],
  always: [step({id: 'release', phase: 'heal', title: 'release the claim on orders', do: call('store.release', {store: 'orders'})})],
  files: [],
  objectives: [
    {class: 'critical', kind: 'rto', targetMs: 900_000},
    {class: 'user-content', kind: 'rpo', targetMs: 0},
  ],
  expected: {gapMs: null, loss: []},
  drill: null,
};

export const drillText = 'name: region-lost\nscenario: region-lost\nfault: {kind: lose}\n';

/** What a drill on this fleet is composed from: the primary is in us-east. */
export function inputOf(drill: Drill, more: Partial<DrillInput> = {}): DrillInput {
  const {objectives} = failoverPlan;
  return {
    drill,
    fleet,
    snapshot,
    reactionPlan: failoverPlan,
    primary: 'us-east',
    primaries: {orders: 'us-east'},
    objectives,
    runId: 'run-1',
    ...more,
  };
}

/** Senses that find everything well. */
export function wellSenses(more: Partial<DrillDeps['senses']> = {}): DrillDeps['senses'] {
  return {
    regions: ['us-east', 'eu-west', 'ap'],
    sampleHealth: async () => health('healthy'),
    writable: async () => ({holds: true, measured: null, says: 'a write was accepted'}),
    lagMs: async () => known(12, 0, 'here'),
    links: async () => known([{store: 'orders', to: 'eu-west', state: 'streaming', reason: 'it streams', breaker: 'closed'}], 0, 'here'),
    clocks: async () => [
      {store: 'orders', member: 'us-east', region: 'us-east', offsetMs: 3},
      {store: 'orders', member: 'eu-west', region: 'eu-west', offsetMs: -40},
    ],
    primaries: async () => ({orders: known('us-east', 0, 'here')}),
    exec: async () => ({code: 0, says: 'it ended well'}),
    ...more,
  };
}

/** What reactions of other processes need, where none is expected. */
export const nobody = {refusals: async () => [], operator: null};

/** The fleet whose run it is, where every run is its own. */
export const FLEET = {name: 'lab', hasRun: async () => true};

export function drillPlan(text = drillText): Plan {
  const drill = parseDrill(text, {file: '/drills/d.yaml', cwd: '/'});
  return composeDrill(inputOf(drill));
}

/** One line of a journal: ms, type, step, data. */
export type JournalLine = readonly [number, string, string | null, Json?];

export function journal(...lines: readonly JournalLine[]): JournalEvent[] {
  return lines.map(([at, type, step, data = {}], i) => ({seq: i + 1, at, type, step, data}));
}
