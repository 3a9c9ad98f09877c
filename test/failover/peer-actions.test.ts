import {createServer, type Server} from 'node:http';
import type {AddressInfo} from 'node:net';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {unavailable} from '../../src/lib/errors.ts';
import {type Audited, type PeerWorld, peerActions, peerChecks} from '../../src/lib/failover/peer-actions.ts';
import {unsentActions} from '../../src/lib/failover/unsent-actions.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import type {Audit} from '../../src/lib/ports/audit.ts';
import type {LinkReading, Unsent} from '../../src/lib/ports/store.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
import type {RegionVerdict} from '../../src/lib/snapshot/snapshot.ts';
import {context, FakeStore, fakeWorld} from './fake-store.ts';

const EQUAL: Audited = {audit: 'a-1', verdict: 'equal', reason: 'All 7 rows are the same.', rows: 7, unsettled: 0, skipped: []};
const link = (from: string, to: string, replayOffset: string, more: Partial<LinkReading> = {}): LinkReading => ({
  ...{
    from,
    to,
    link: `${from}_to_${to}`,
    kind: 'logical',
    senderRead: true,
    senderState: 'streaming',
    receiverConnected: true,
    replayOffset,
  },
  ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, lastReplayAgeSeconds: null, heardUpstreamAgoMs: 1, runwayBytes: null},
  ...{sync: null, sampleAgeMs: 0, trouble: null, ...more},
});

let weights: Record<string, number>;
let cuts: string[];
let health: Record<string, RegionVerdict | null>;
let audits: Audited[];
let links: LinkReading[];
let positions: Record<string, string>;
let unsent: Record<string, Unsent> | null;
let late: Record<string, number>;
let world: PeerWorld;
beforeEach(() => {
  const store = new FakeStore();
  [weights, cuts, audits, links, unsent] = [{'us-east': 100, ap: 100}, [], [EQUAL], [], {}];
  [health, positions, late] = [{'us-east': 'healthy', 'eu-west': 'healthy', ap: 'healthy'}, {}, {}];
  store.port.abilities.links = {links: async () => links};
  store.port.abilities.audit = {position: async (member) => positions[member] ?? '0'} as Partial<Audit> as Audit;
  store.port.abilities.outbound = {
    unsent: async () => {
      if (unsent === null) throw unavailable('timeout', 'us-east did not answer in time.');
      return unsent;
    },
    mark: async (at) => ({snapshot: `mark of ${at}`}),
    since: async (at) => late[at] ?? Promise.reject(unavailable('too-many', `too many began on ${at}`)),
  };
  world = {
    ...fakeWorld(store),
    routers: {
      'front-door': {
        read: async () => weights,
        write: async (_ctx, given) => void Object.assign(weights, given),
        cut: async (_ctx, region) => cuts.push(region),
      },
    },
    sampleHealth: async (region) => {
      const verdict = health[region] ?? null;
      if (verdict === null) return unknown('cut-off', 'nothing answers', 0);
      return known({verdict, agree: 1, asked: 1, code: verdict, reason: `it is ${verdict}`}, 0, 'here');
    },
    audit: async () => (audits.length > 1 ? audits.shift() : audits[0]) ?? EQUAL,
    audited: new Map(),
  };
});

const TARGET = {store: 'orders', region: 'us-east', router: 'front-door'};
const apply = (name: string, args: Json): Promise<Json> => {
  const action = [...peerActions(world), ...unsentActions(world)].find((each) => each.name === name) ?? expect.fail(`no action ${name}`);
  return action.apply(context(), TARGET, action.parse(args));
};
const ask = (name: string, want: Json) =>
  (peerChecks(world).find((each) => each.name === name) ?? expect.fail(`no check ${name}`)).ask(context(), TARGET, want, 'any');

describe('a route that a region leaves', () => {
  it('ends the sessions of that region, and of no other', async () => {
    expect(await apply('route.leave', {weights: {'us-east': 0, ap: 100}, graceMs: 0})).toEqual({cut: 1});
    expect([weights, cuts]).toEqual([{'us-east': 0, ap: 100}, ['us-east']]);
  });

  it('gets the region back if that is well, and else stays as it is', async () => {
    weights = {'us-east': 0, ap: 100};
    health['us-east'] = 'unhealthy';
    await expect(apply('route.give-back', {weights: {'us-east': 100, ap: 100}})).rejects.toMatchObject({code: 'not-well'});
    health['us-east'] = null;
    await expect(apply('route.give-back', {weights: {'us-east': 100, ap: 100}})).rejects.toMatchObject({code: 'not-well'});
    expect(weights['us-east']).toBe(0);
    health['us-east'] = 'degraded';
    await apply('route.give-back', {weights: {'us-east': 100, ap: 100}});
    expect(weights['us-east']).toBe(100);
  });

  it('needs somebody who is left: one is enough, and who is not known is none', async () => {
    health = {'eu-west': 'unhealthy', ap: 'recovering'};
    expect(await ask('regions.any-well', {of: ['eu-west', 'ap']})).toMatchObject({holds: true, measured: ['ap']});
    health = {'eu-west': 'unhealthy', ap: null};
    expect(await ask('regions.any-well', {of: ['eu-west', 'ap']})).toMatchObject({
      holds: false,
      says: 'no other region is well: eu-west (it is unhealthy); ap (nothing answers)',
    });
  });
});

describe('writes through the front door', () => {
  let server: Server;
  let answers: string[];
  beforeEach(async () => {
    answers = [];
    server = createServer((request, response) => {
      request.resume();
      response.writeHead(201, {'x-region': answers.shift() ?? 'ap'}).end();
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
  });
  afterEach(() => void server.close());
  const write = (regions: readonly string[], without: string | null) =>
    apply('verify.writes', {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`, deadlineMs: 5000, regions, without});

  it('end when each region has answered, and the one that left has not for a while', async () => {
    answers = ['ap', 'ap', 'eu-west'];
    expect(await write(['eu-west', 'ap'], 'us-east')).toEqual({says: 'eu-west and ap accepted writes; us-east was sent none'});
  });

  it('fail when the one that left answers, also after all others have', async () => {
    answers = ['ap', 'eu-west', 'ap', 'us-east'];
    await expect(write(['eu-west', 'ap'], 'us-east')).rejects.toMatchObject({code: 'still-served'});
  });

  it('fail when one of them never answers', async () => {
    await expect(write(['eu-west'], null)).rejects.toMatchObject({code: 'write-refused', message: expect.stringContaining('ap answered')});
  });
});

describe('streams and positions', () => {
  const ALL = ['us-east', 'ap'];

  it('are asked for in both directions, and a stream that is not there is named', async () => {
    links = [link('us-east', 'ap', '5')];
    expect(await ask('peers.linked', {members: ALL, touching: ['us-east']})).toMatchObject({
      holds: false,
      says: 'there is no stream ap → us-east',
    });
    links = [...links, link('ap', 'us-east', '5')];
    expect(await ask('peers.linked', {members: ALL, touching: ['us-east']})).toMatchObject({holds: true});
    links = [link('us-east', 'ap', '5', {senderState: null}), link('ap', 'us-east', '5')];
    expect(await ask('peers.linked', {members: ALL, touching: ['us-east']})).toMatchObject({holds: false});
  });

  it('wait for what the region had, and not for what others had', async () => {
    positions = {'us-east': '5', ap: '900'};
    links = [link('us-east', 'ap', '5'), link('ap', 'us-east', '0')];
    expect(await apply('peers.await-sent', {members: ['us-east'], others: ['ap']})).toEqual({
      says: 'ap has applied everything that us-east wrote',
    });
    expect(await ask('peers.caught-up', {members: ALL})).toMatchObject({holds: false, says: expect.stringContaining('900 bytes')});
  });

  it('are never reached where one of several has no stream', async () => {
    const three = [...ALL, 'eu-west'];
    links = three.flatMap((from) => three.flatMap((to) => (from === to ? [] : [link(from, to, '5')])));
    expect(await ask('peers.caught-up', {members: three})).toMatchObject({holds: true});
    expect(await apply('peers.await-sent', {members: ['us-east'], others: ['ap', 'eu-west']})).toMatchObject({});
    links = links.filter(({from, to}) => from !== 'us-east' || to !== 'eu-west');
    expect(await ask('peers.caught-up', {members: three})).toMatchObject({holds: false, says: 'there is no stream us-east → eu-west'});
    await expect(apply('peers.await-sent', {members: ['us-east'], others: ['ap', 'eu-west']})).rejects.toMatchObject({code: 'not-sent'});
  });

  it('are never reached without a stream', async () => {
    await expect(apply('peers.await-caught-up', {members: ALL})).rejects.toMatchObject({code: 'behind'});
  });
});

describe('the audit before a readmission', () => {
  const args = (accept = false) => ({regions: ['us-east', 'ap'], accept});
  const DIVERGED = {...EQUAL, verdict: 'diverged', reason: '1 of 7 rows differs.'};
  const UNSETTLED = {...EQUAL, verdict: 'unknown', reason: '1 row changed at every look.', unsettled: 1};

  it('lets the region in when all is equal', async () => {
    expect(await apply('verify.audit', args())).toMatchObject({verdict: 'equal', rows: 7, audit: 'a-1'});
  });

  it('is on record for this process alone, with the regions that were compared', async () => {
    const audited = (regions: readonly string[]) => ask('peers.audited', {regions});
    expect(await audited(['us-east', 'ap'])).toMatchObject({holds: false});
    audits = [DIVERGED];
    await expect(apply('verify.audit', args())).rejects.toMatchObject({code: 'audit-not-equal'});
    expect(await audited(['us-east', 'ap'])).toMatchObject({holds: false});
    audits = [{...EQUAL, skipped: ['public.notes']}];
    expect(await apply('verify.audit', args())).toMatchObject({says: expect.stringMatching(/the same; not compared: public.notes$/)});
    expect(await audited(['us-east', 'ap'])).toMatchObject({holds: true});
    expect(await audited(['us-east', 'ap', 'eu-west'])).toMatchObject({holds: false});
  });

  it('refuses what differs, and says what to do; who passed it by name is not refused', async () => {
    audits = [DIVERGED];
    await expect(apply('verify.audit', args())).rejects.toMatchObject({
      code: 'audit-not-equal',
      message: expect.stringMatching(/a-1 says diverged: 1 of 7 rows differs; see why with "regionctl consistency explain/),
    });
    expect(await apply('verify.audit', args(true))).toMatchObject({verdict: 'diverged', says: expect.stringContaining('passed by name')});
  });

  it('is tried again for rows that never stood still, and only for these', async () => {
    audits = [UNSETTLED, EQUAL];
    expect(await apply('verify.audit', args())).toMatchObject({verdict: 'equal'});
    audits = [UNSETTLED, UNSETTLED, UNSETTLED, EQUAL];
    await expect(apply('verify.audit', args())).rejects.toMatchObject({message: expect.stringContaining('written to less')});
    audits = [{...UNSETTLED, unsettled: 0}, EQUAL];
    await expect(apply('verify.audit', args())).rejects.toMatchObject({message: expect.stringContaining('nothing is proven')});
  });
});

describe('what a region has not sent', () => {
  const some = (transactions: number | null, exact = true): Unsent => ({
    transactions,
    exact,
    bytes: 100,
    why: transactions === null ? 'too much' : null,
  });
  const count = () => apply('peers.count-unsent', {members: ['us-east'], others: ['eu-west', 'ap']});
  const marks = {'eu-west': {snapshot: 'mark of eu-west'}, ap: {snapshot: 'mark of ap'}};

  it.each<[string, Record<string, Unsent>, object]>([
    [
      'nobody else has what the best informed lacks',
      {'eu-west': some(3), ap: some(8)},
      {lostWrites: 3, transactions: 8, certainty: 'exact'},
    ],
    [
      'one that cannot say what it has applied makes it a bound',
      {'eu-west': some(3), ap: some(8, false)},
      {lostWrites: 3, certainty: 'bound'},
    ],
    [
      'one that is not known makes it unknown',
      {'eu-west': some(3), ap: some(null)},
      {lostWrites: null, transactions: null, certainty: 'unknown'},
    ],
    ['but for one that lacks nothing', {'eu-west': some(0), ap: some(null)}, {lostWrites: 0, transactions: null, certainty: 'unknown'}],
    ['to whom no stream leads is not known', {'eu-west': some(2)}, {lostWrites: null, certainty: 'unknown'}],
  ])('%s', async (_name, told, wanted) => {
    unsent = told;
    expect(await count()).toMatchObject({...wanted, marks});
  });

  it('is not known where one of two members of the region has no stream to another', async () => {
    const store = new FakeStore();
    const told: Record<string, Record<string, Unsent>> = {one: {'eu-west': some(3), ap: some(8)}, two: {ap: some(1)}};
    const ability = world.stores.orders?.abilities.outbound ?? expect.fail();
    store.port.abilities.outbound = {...ability, unsent: async (member) => told[member] ?? {}};
    world = {...world, ...fakeWorld(store)};
    expect(await apply('peers.count-unsent', {members: ['one', 'two'], others: ['eu-west', 'ap']})).toMatchObject({
      ...{lostWrites: null, transactions: null, certainty: 'unknown'},
      by: {'eu-west': {transactions: null}, ap: {transactions: 9}},
    });
  });

  it('is null, never 0, when the region cannot be asked; where the others are is noted all the same', async () => {
    unsent = null;
    expect(await count()).toMatchObject({
      lostWrites: null,
      certainty: 'unknown',
      marks,
      says: expect.stringContaining('did not answer in time'),
    });
  });

  it('is what came since, of the one to whom least came; one that cannot tell makes that unknown', async () => {
    late = {'eu-west': 4, ap: 6};
    expect(await apply('peers.count-late', {members: ['us-east'], marks})).toMatchObject({alone: 4, transactions: 6, by: late});
    late = {'eu-west': 4};
    expect(await apply('peers.count-late', {members: ['us-east'], marks})).toMatchObject({
      alone: null,
      transactions: null,
      by: {'eu-west': 4, ap: null},
    });
  });

  it('tells clients that go past the routes', async () => {
    const watch = () => apply('peers.watch-direct', {members: ['us-east'], others: ['ap'], forMs: 1});
    late = {ap: 2};
    expect(await watch()).toMatchObject({written: 2, says: expect.stringContaining('write to us-east directly')});
    late = {ap: 0};
    expect(await watch()).toMatchObject({written: 0, says: expect.not.stringContaining('directly')});
    late = {};
    expect(await watch()).toMatchObject({written: null});
  });
});
