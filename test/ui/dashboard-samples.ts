import type {Fleet} from '../../src/lib/fleet/fleet.ts';
import {judgeEndpoint} from '../../src/lib/health/judge-endpoint.ts';
import type {EndpointNow, MonitorView} from '../../src/lib/health/monitor.ts';
import {dashboardView} from '../../src/lib/operate/dashboard-parts.ts';
import type {DashboardEvent, DashboardParts, DashboardView} from '../../src/lib/operate/dashboard-view.ts';
import type {LossRow} from '../../src/lib/replication/loss.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Sampled} from '../../src/lib/snapshot/sampled.ts';
import type {Member, StoreSnapshot} from '../../src/lib/snapshot/snapshot.ts';
import {endpoint, REFUSED, reading} from '../health/samples.ts';
import {AT, BROKEN, LATE, lagView, linkNow} from './lag-samples.ts';

const REGIONS = ['us-east', 'eu-west', 'ap'] as const;

const sampled = <T>(value: T, ago = 400): Sampled<T> => ({value, at: AT - ago, failing: null});

function endpointNow(region: string, name: string, ms: number | null): EndpointNow {
  const seen = reading(endpoint(name, region), ms === null ? REFUSED : {latencyMs: ms});
  return {
    region,
    name,
    probe: 'http',
    critical: true,
    lane: 'live',
    everyMs: 1000,
    judged: judgeEndpoint({...seen, at: AT}),
    history: [ms, ms, ms],
  };
}

function member(region: string, role: Member['role'], upstream: string | null = null): Member {
  const position = {lineage: '7', epoch: 3, offset: '1000'};
  return {region, role, writable: role === 'primary', durable: position, applied: position, upstream, heardUpstreamAgoMs: 100};
}

const loss = (bytes: number | null, more: Partial<LossRow> = {}): LossRow => ({
  store: 'orders',
  certainty: 'estimate',
  bytes,
  transactions: 12,
  seconds: 0.4,
  basis: 'The last sample, and the rate times its age.',
  classes: ['orders'],
  objectives: [{class: 'orders', rpoMs: 5000, withinRpo: true}],
  withinRpo: true,
  ...more,
});

/** A fleet of three regions with one store and one route. */
export const FLEET = {
  name: 'shop',
  regions: REGIONS.map((name) => ({name, jurisdiction: name === 'eu-west' ? 'EU' : 'US'})),
  stores: [{name: 'orders', engine: 'postgres', members: REGIONS.map((region) => ({name: region, region}))}],
  routes: [{name: 'web', weights: {'us-east': 60, 'eu-west': 40, ap: 0}}],
} as unknown as Fleet;

/** Its primary in us-east, a standby in eu-west, and one that does not answer. */
export const STORE: StoreSnapshot = {
  engine: 'postgres',
  ack: unknown('none', 'not asked', AT),
  members: {
    'us-east': known(member('us-east', 'primary'), AT - 400, 'here'),
    'eu-west': known(member('eu-west', 'standby', 'us-east'), AT - 400, 'here'),
    ap: unknown('timeout', 'ap did not answer within 5000 ms', AT - 400),
  },
};

function health(endpoints: readonly EndpointNow[]): MonitorView {
  const regions = REGIONS.map((region): MonitorView['regions'][number] => {
    const isDown = endpoints.some((each) => each.region === region && each.judged?.verdict === 'unhealthy');
    const says = isDown
      ? ({verdict: 'unhealthy', code: 'refused', reason: 'app: it refused the connection'} as const)
      : ({verdict: 'healthy', code: 'ok', reason: '2 endpoints healthy'} as const);
    return {region, ...says, agree: 1, asked: 1, endpoints: [], since: AT - 190_000, flappingSince: null};
  });
  return {fleet: 'shop', at: AT, regions, endpoints, changes: [], notes: [], askedPerSecond: 12, loopLagMs: 3};
}

const WELL_ENDPOINTS = REGIONS.flatMap((region) => [endpointNow(region, 'app', 12), endpointNow(region, 'db', 3)]);

/** Everything is well, but for the member of `ap` that does not answer. */
export function parts(more: Partial<DashboardParts> = {}): DashboardParts {
  return {
    fleet: FLEET,
    at: AT,
    health: health(WELL_ENDPOINTS),
    lag: lagView([linkNow('us-east', 'eu-west'), LATE]),
    stores: {orders: sampled(STORE)},
    routers: {web: sampled({'us-east': 60, 'eu-west': 40})},
    loss: {
      'us-east': sampled({at: '', to: 'us-east', stores: [], blocking: false, blockedBy: []}),
      'eu-west': sampled({at: '', to: 'eu-west', stores: [loss(4096)], blocking: false, blockedBy: []}),
      ap: sampled({at: '', to: 'ap', stores: [loss(null, {certainty: 'unknown'})], blocking: true, blockedBy: ['orders']}),
    },
    ready: sampled({
      fleet: 'shop',
      at: '',
      share: 1,
      pairs: [
        {from: 'us-east', to: 'eu-west', ready: true, reason: null, gates: [], checks: 3, share: 1, since: null},
        {from: 'us-east', to: 'ap', ready: false, reason: 'loss-within-rpo: not known', gates: [], checks: 3, share: 0.5, since: null},
      ],
    }),
    headroom: null,
    runs: sampled({list: [], active: null}),
    ...more,
  };
}

const EVENT: DashboardEvent = {
  seq: 1,
  at: AT - 30_000,
  kind: 'region',
  text: 'ap: healthy → unhealthy: app: it refused the connection',
  bad: true,
};

export const WELL: DashboardView = dashboardView(parts(), [EVENT]);

/** A region is lost, its link broken, and the router does not answer. */
export const LOST: DashboardView = dashboardView(
  parts({
    health: health(WELL_ENDPOINTS.map((each) => (each.region === 'eu-west' ? endpointNow('eu-west', each.name, null) : each))),
    lag: lagView([BROKEN, LATE]),
    routers: {
      web: {
        value: {'us-east': 60, 'eu-west': 40},
        at: AT - 45_000,
        failing: {code: 'timeout', reason: 'route web did not answer', since: AT - 44_000},
      },
    },
  }),
  [EVENT],
);
