import type {Fleet, Region} from '../../src/lib/fleet/fleet.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {Member, RegionVerdict, Snapshot, StoreSnapshot} from '../../src/lib/snapshot/snapshot.ts';
import {HEALTH} from '../health/defaults.ts';

/** Regions of the sample fleet, home first. */
export const REGIONS = ['us-east', 'eu-west', 'ap'] as const;
const JURISDICTION: Readonly<Record<string, string>> = {'us-east': 'US', 'eu-west': 'EU', ap: 'SG'};
const AT = Date.parse('2026-11-21T03:00:00Z');

export type FleetOptions = {
  readonly quorum?: number;
  readonly allowed?: readonly string[] | null;
  readonly rpoMs?: number;
  readonly cold?: string;
  /** Default true: the host of each member can be controlled. */
  readonly hosts?: boolean;
};

/** A fleet of three regions with one store, one route and one service: pure data, nothing behind it. */
export function sampleFleet({quorum = 1, allowed = null, rpoMs = 0, cold, hosts = true}: FleetOptions = {}): Fleet {
  return {
    version: 1,
    name: 'sample',
    file: '/fleet/regionctl.yaml',
    digest: 'd1',
    regions: REGIONS.map((name) => region(name, cold === name)),
    stores: [
      {
        name: 'orders',
        engine: 'postgres',
        dataClasses: ['user-content'],
        quorum,
        fenceHook: null,
        members: REGIONS.map((name) => ({
          name,
          region: name,
          site: null,
          config: {},
          host: hosts ? {kind: 'exec', config: {}, path: []} : null,
        })),
        config: {},
        path: ['stores', 'orders'],
      },
    ],
    routes: [
      {
        name: 'front-door',
        router: {kind: 'lab', config: {}, path: []},
        weights: {'us-east': 100, 'eu-west': 0, ap: 0},
        url: null,
        stages: null,
      },
    ],
    services: [{name: 'checkout', class: 'critical', rtoMs: 900_000, stores: ['orders'], routes: ['front-door']}],
    dataClasses: [{name: 'user-content', rpoMs, allowed}],
    health: HEALTH,
    vantages: [],
    uplinks: [],
    fault: null,
    witness: {url: 'http://127.0.0.1:1/orders', everyMs: 20, deadlineMs: 2000, stores: []},
    hooks: {},
    approval: null,
    notifiers: [],
    checks: [],
    state: {kind: 'sqlite', dir: null},
    secrets: {reveal: async () => '', scrub: (text) => text},
    labels: {},
  };
}

function region(name: string, cold: boolean): Region {
  return {
    name,
    jurisdiction: JURISDICTION[name] ?? '',
    tier: cold ? 'cold' : 'hot',
    sites: {},
    failoverOrder: REGIONS.filter((other) => other !== name),
    endpoints: [],
    scaleUp: null,
  };
}

export type MemberSample = Partial<Omit<Member, 'durable'>> & {readonly epoch?: number; readonly offset?: string};

export type SnapshotOptions = {
  readonly verdicts?: Readonly<Record<string, RegionVerdict | null>>;
  /** null = the member does not answer. */
  readonly members?: Readonly<Record<string, MemberSample | null>>;
  readonly router?: boolean;
  /** The breakers of the links to these members. */
  readonly breakers?: StoreSnapshot['breakers'];
};

/** A snapshot of the sample fleet: by default us-east is the dead primary, and both standbys followed it. */
export function sampleSnapshot({
  verdicts = {'us-east': 'unhealthy'},
  members = {'us-east': null},
  router = true,
  breakers,
}: SnapshotOptions = {}): Snapshot {
  return {
    version: 1,
    takenAt: new Date(AT).toISOString(),
    fleetDigest: 'd1',
    vantage: 'here',
    regions: Object.fromEntries(
      REGIONS.map((name) => {
        const verdict = verdicts[name] === undefined ? 'healthy' : verdicts[name];
        if (verdict === null) return [name, unknown('cut-off', 'nothing answers', AT)];
        return [name, known({verdict, agree: 1, asked: 1, code: verdict, reason: `${name} is ${verdict}`}, AT, 'here')];
      }),
    ),
    stores: {
      orders: {
        engine: 'postgres',
        ack: unknown('no-primary', 'no primary answers', AT),
        ...(breakers === undefined ? {} : {breakers}),
        members: Object.fromEntries(
          REGIONS.map((name) => {
            const sample = members[name];
            return [name, sample === null ? unknown('timeout', 'no answer', AT) : known(member(name, sample ?? {}), AT, 'here')];
          }),
        ),
      },
    },
    routers: {
      'front-door': router ? known({'us-east': 100, 'eu-west': 0, ap: 0}, AT, 'here') : unknown('refused', 'connection refused', AT),
    },
  };
}

function member(region: string, {epoch = 1, offset = '1000', ...more}: MemberSample): Member {
  const position = {lineage: 'L', epoch, offset};
  return {
    region,
    role: 'standby',
    writable: false,
    durable: position,
    applied: position,
    upstream: 'us-east',
    heardUpstreamAgoMs: null,
    ...more,
  };
}
