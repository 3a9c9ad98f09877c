import {expect, it} from 'vitest';
import {healthDocument} from '../../src/lib/health/document.ts';
import {withoutMemory} from '../../src/lib/health/region-memory.ts';
import {statusDocument} from '../../src/lib/observe/status.ts';
import {observeFleet, takeSnapshot} from '../../src/lib/observe/take-snapshot.ts';
import {healthSchema, statusSchema} from '../../src/lib/output/schemas/health.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import {known} from '../../src/lib/snapshot/cell.ts';
import {realClock as clock} from '../health/real-clock.ts';
import {endpoint, fleet, region} from '../health/samples.ts';

const good = {check: async () => ({ok: true, latencyMs: 1, code: 'ok', detail: 'fine'})};
const dead = {check: async () => ({ok: false, latencyMs: null, code: 'refused', detail: 'refused'})};
const [us, eu] = [endpoint('app', 'us'), endpoint('app', 'eu', {timeoutMs: 30})];
const member = (name: string) => ({name, region: name, site: null, config: {}, host: null});
const orders = {
  name: 'orders',
  engine: 'postgres',
  dataClasses: [],
  quorum: 0,
  fenceHook: null,
  members: [member('us'), member('eu')],
  config: {},
  path: [],
};
const route = {name: 'front', router: {kind: 'lab', config: {}, path: []}, weights: {us: 100, eu: 0}, url: null, stages: null};
const sample = fleet([region('us', [us], 'US'), region('eu', [eu])], {stores: [orders], routes: [route]});
const position = {lineage: '7', epoch: 1, offset: '100'};
const primary = {
  region: 'us',
  role: 'primary',
  writable: true,
  durable: position,
  applied: position,
  upstream: null,
  heardUpstreamAgoMs: null,
} as const;
const store: Store = {
  engine: 'postgres',
  observe: async () => ({us: known(primary, 1, 'here')}),
  ackRule: async () => Promise.reject(new Error('no rule')),
  abilities: {},
  close: async () => {},
};
const base = {fleet: sample, clock, signal: new AbortController().signal, vantage: 'here', timeoutMs: 40, attempts: {fall: 1, pauseMs: 1}};

it('is a picture with a cell for everything, known or unknown with its reason', async () => {
  const router = {read: async () => ({us: 100, eu: 0}), write: async () => {}};
  const snapshot = await takeSnapshot({
    ...base,
    probes: [
      {endpoint: us, probe: good},
      {endpoint: eu, probe: dead},
    ],
    stores: {orders: store},
    routers: {front: router},
  });
  expect(snapshot).toMatchObject({
    version: 1,
    fleetDigest: 'sha256:0',
    vantage: 'here',
    regions: {
      us: {known: true, value: {verdict: 'healthy', agree: 1, asked: 1}},
      eu: {known: true, value: {verdict: 'unhealthy', code: 'refused'}},
    },
    stores: {
      orders: {
        engine: 'postgres',
        ack: {known: false, code: 'unreadable', reason: 'the acknowledgement rule of orders could not be read: no rule'},
        members: {us: {known: true, value: {role: 'primary'}}, eu: {known: false, code: 'not-reported'}},
      },
    },
    routers: {front: {known: true, value: {us: 100, eu: 0}}},
  });
  expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
});

it('a store and a router that hang are unknown after their deadline, and hide nothing', async () => {
  const hang = () => new Promise<never>(() => {});
  const started = performance.now();
  const snapshot = await takeSnapshot({
    ...base,
    probes: [{endpoint: us, probe: good}],
    stores: {orders: {...store, observe: hang}},
    routers: {front: {read: hang, write: hang}},
  });
  expect(performance.now() - started).toBeLessThan(1000);
  expect(snapshot.stores.orders?.members.eu).toMatchObject({
    known: false,
    code: 'timeout',
    reason: 'store orders did not answer within 40 ms',
  });
  expect(snapshot.routers.front).toMatchObject({known: false, code: 'timeout'});
  expect(snapshot.regions.us).toMatchObject({known: true});
  expect(snapshot.regions.eu).toMatchObject({known: false, code: 'no-endpoints'});
});

it('never rejects: nothing opened, everything cancelled, providers that throw at once', async () => {
  const thrower = () => {
    throw new Error('broken');
  };
  const probes = [
    {endpoint: us, probe: good},
    {endpoint: eu, probe: good},
  ];
  const none = await takeSnapshot({...base, probes: [], stores: {}, routers: {}});
  expect(none.stores.orders?.ack).toMatchObject({known: false, code: 'not-opened'});
  const stopped = await takeSnapshot({...base, signal: AbortSignal.abort(), probes, stores: {}, routers: {}});
  expect(stopped.regions.us).toMatchObject({known: false, code: 'interrupted'});
  const broken = await takeSnapshot({...base, probes, stores: {orders: {...store, observe: thrower}}, routers: {}});
  expect(broken.stores.orders?.members.us).toMatchObject({known: false, reason: 'store orders could not be read: broken'});
});

const links = [
  {
    store: 'orders',
    from: 'us',
    to: 'eu',
    state: 'streaming' as const,
    code: 'ok',
    replayBytes: 2048,
    seconds: 0.2,
    ageMs: 5,
    withinRpo: false,
    reason: '2.0 KiB behind, RPO 0',
  },
];
const runs = [{runId: 'r1', kind: 'failover', from: 'us', to: 'eu', outcome: 'interrupted', startedAt: '2026-11-21T09:00:00.000Z'}];

it('status works with a region unreachable, and says what needs an eye', async () => {
  const {snapshot, judgement} = await observeFleet({
    ...base,
    probes: [
      {endpoint: us, probe: good},
      {endpoint: eu, probe: dead},
    ],
    stores: {orders: store},
    routers: {front: {read: async () => ({us: 90, eu: 10}), write: async () => {}}},
  });
  const at = clock.wall();
  const health = healthDocument({fleet: sample, now: withoutMemory(judgement, at), at});
  const status = statusDocument({fleet: sample, snapshot, health, links, unread: [], runs});
  expect(healthSchema.parse(health)).toEqual(health);
  expect(statusSchema.parse(status)).toEqual(status);
  expect(status).toMatchObject({
    fleet: 'lab',
    verdict: 'unhealthy',
    regions: [
      {
        region: 'us',
        jurisdiction: 'US',
        verdict: 'healthy',
        roles: [{store: 'orders', member: 'us', role: 'primary', writable: true}],
        weightByRoute: {front: 90},
        lagWorst: null,
      },
      {
        region: 'eu',
        jurisdiction: 'EU',
        verdict: 'unhealthy',
        roles: [{member: 'eu', role: 'unknown', writable: null}],
        weightByRoute: {front: 10},
        lagWorst: {replayBytes: 2048},
      },
    ],
    activeRun: {runId: 'r1'},
  });
  expect(status.notes).toEqual([
    "orders: could not read eu (the store's provider said nothing of member eu)",
    'orders us → eu misses its RPO: 2.0 KiB behind, RPO 0',
    'front: us gets 90, normally 100; eu gets 10, normally 0',
    'failover r1 was interrupted: regionctl runs show r1 says how to go on',
  ]);
});

it('two writable primaries are the worst there is; no primary is unknown while a member could not be read', async () => {
  const read = async (members: Awaited<ReturnType<Store['observe']>>) => {
    const {snapshot, judgement} = await observeFleet({
      ...base,
      probes: [
        {endpoint: us, probe: good},
        {endpoint: eu, probe: good},
      ],
      stores: {orders: {...store, observe: async () => members}},
      routers: {},
    });
    const health = healthDocument({fleet: sample, now: withoutMemory(judgement, 1), at: 1});
    return statusDocument({fleet: sample, snapshot, health, links: [], unread: [], runs: []});
  };
  const two = await read({us: known(primary, 1, 'here'), eu: known({...primary, region: 'eu'}, 1, 'here')});
  expect(two).toMatchObject({
    verdict: 'unhealthy',
    notes: [
      'orders: split brain: us and eu both run as primaries: us takes writes (timeline 1), and eu takes writes (timeline 1); stop the one whose writes may be lost',
      'front: route front was not opened',
    ],
  });
  const standby = {...primary, role: 'standby', writable: false} as const;
  expect((await read({us: known(standby, 1, 'here')})).verdict).toBe('unknown');
  expect((await read({us: known(standby, 1, 'here'), eu: known(standby, 1, 'here')})).verdict).toBe('unhealthy');
});
