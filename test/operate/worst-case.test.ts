import {beforeEach, describe, expect, it} from 'vitest';
import type {Fleet, Region} from '../../src/lib/fleet/fleet.ts';
import {longestAskMs} from '../../src/lib/health/ask.ts';
import {probeAll} from '../../src/lib/health/sweep.ts';
import {type WorstCaseWorld, worstCaseFindings} from '../../src/lib/operate/worst-case.ts';
import type {Delay} from '../../src/lib/ports/store.ts';
import {FakeStore, standby} from '../failover/fake-store.ts';
import {sampleFleet} from '../failover/three-regions.ts';
import {fakeClock} from '../run/fake-clock.ts';

const STALL: Delay = {
  stage: 'cut-over',
  what: 'a promotion of orders that stalls',
  ms: 5000,
  why: 'wal_retrieve_retry_interval of ap is 5 s',
  fix: 'set it to 100ms',
};
const SILENT: Delay = {stage: 'detect', what: 'a silent member of orders', ms: 1500, why: 'it is waited for 1.5 s', fix: null};
const endpoint = (region: string, timeoutMs: number) => ({
  name: 'app',
  region,
  critical: true,
  timeoutMs,
  slowMs: null,
  probe: {kind: 'http', config: {}, path: []},
});
const never = () => new Promise<never>(() => {});

let store: FakeStore;
let world: WorstCaseWorld & {fleet: Fleet};
beforeEach(() => {
  store = new FakeStore();
  const position = {lineage: 'L', epoch: 1, offset: '100'};
  const primary = standby('us-east', 100, {role: 'primary', writable: true, upstream: null, durable: position, applied: position});
  store.members = {'us-east': primary, 'eu-west': standby('eu-west', 100), ap: standby('ap', 100)};
  store.port.abilities.delays = {delays: async () => [SILENT, STALL]};
  world = {fleet: sampleFleet(), stores: {orders: store.port}, ttl: async () => 300};
});
const fleet = (more: Partial<Fleet>) => {
  world = {...world, fleet: {...world.fleet, ...more}};
};
const regions = (of: (region: Region) => Partial<Region>) => fleet({regions: world.fleet.regions.map((each) => ({...each, ...of(each)}))});
const hook = (timeoutMs: number) => ({run: ['true'], verify: null, timeoutMs});
const ask = async () => (await worstCaseFindings(world, new AbortController().signal))[0];
const says = async () => (await ask())?.says;

describe('the worst case from live settings', () => {
  it('adds what is waited for one after the other, and takes the longest of what goes on at once', async () => {
    regions(({name}) => ({endpoints: [endpoint(name, name === 'ap' ? 1000 : 300)]}));
    expect(await ask()).toEqual({
      check: 'worst case critical',
      verdict: 'pass',
      says: 'checkout (critical, RTO 15 min): worst case 7.1 s: 2.1 s to notice (ap/app 2.1 s), 5 s to cut over (a promotion of orders that stalls 5 s)',
      fix: null,
    });
    regions(({name}) => ({endpoints: [endpoint(name, 300)]}));
    expect(await says()).toContain('1.5 s to notice (a silent member of orders 1.5 s)');
  });

  it('is an error that names the longest part and its fix when the objective cannot be met', async () => {
    fleet({services: world.fleet.services.map((service) => ({...service, rtoMs: 6000}))});
    expect(await ask()).toMatchObject({
      verdict: 'error',
      says: expect.stringContaining('cannot be met: worst case 6.5 s'),
      fix: 'set it to 100ms',
    });
  });

  it('a slow endpoint is mended by its timeout', async () => {
    regions(({name}) => ({endpoints: [endpoint(name, name === 'eu-west' ? 600_000 : 100)]}));
    expect(await ask()).toMatchObject({
      verdict: 'error',
      says: expect.stringContaining('the endpoint eu-west/app has a timeout of 10 min and is asked 2 times, 100 ms apart'),
      fix: 'lower the timeout of the endpoint eu-west/app',
    });
  });

  it('a manager moves on by itself while we look, and only its own store is concerned', async () => {
    store.port.abilities.timings = {timings: async () => ({detectMs: 42_000, why: 'Patroni of orders: ttl 30 s + loop_wait 10 s'})};
    const other = new FakeStore();
    other.members = {'us-east': standby('us-east', 100), 'eu-west': standby('eu-west', 100), ap: standby('ap', 100, {role: 'primary'})};
    other.port.abilities.delays = {delays: async () => [STALL]};
    world = {...world, stores: {orders: {...store.port, manager: 'patroni'}, stock: other.port}};
    regions(({name}) => ({endpoints: [endpoint(name, 1000)]}));
    fleet({
      hooks: {fence: hook(10_000)},
      // The hook is that of a store that does not move with `stock`.
      stores: world.fleet.stores.flatMap((spec) => [
        {...spec, quorum: 0, fenceHook: 'fence'},
        {...spec, name: 'stock'},
      ]),
      services: [...world.fleet.services, {name: 'shelf', class: 'core', rtoMs: 60_000, stores: ['stock'], routes: []}],
    });
    const findings = await worstCaseFindings(world, new AbortController().signal);
    expect(findings.map((finding) => finding.says)).toEqual([
      expect.stringContaining('worst case 52 s: 42 s to notice (patroni of orders 42 s), 10 s to cut over (the hook fence 10 s)'),
      expect.stringContaining(
        'worst case 7.1 s: 2.1 s to notice (us-east/app 2.1 s), 5 s to cut over (a promotion of orders that stalls 5 s)',
      ),
    ]);
  });

  it('a name of the route counts by its TTL; an address does not', async () => {
    fleet({routes: world.fleet.routes.map((route) => ({...route, url: 'http://10.0.0.1/'}))});
    expect(await says()).toContain('5 s to cut over (a promotion');
    fleet({routes: world.fleet.routes.map((route) => ({...route, url: 'https://shop.example.com/'}))});
    expect(await says()).toContain('5 min 5 s to cut over (the name shop.example.com 5 min, a promotion');
    world = {...world, ttl: async () => Promise.reject(new Error('its DNS TTL could not be looked up: ENOTFOUND'))};
    expect(await ask()).toMatchObject({
      verdict: 'unknown',
      says: expect.stringContaining('not known: the name shop.example.com: its DNS TTL could not be looked up: ENOTFOUND'),
    });
  });

  it('a warm region has to be made ready, a hook may have to fence, people are told and not counted', async () => {
    fleet({
      hooks: {scale: hook(60_000), more: hook(300_000), fence: hook(20_000)},
      approval: {before: ['fence', 'reroute'], approvers: 1, expiresMs: 600_000},
      stores: world.fleet.stores.map((spec) => ({...spec, fenceHook: 'fence'})),
    });
    regions(({name}) => (name === 'eu-west' ? {tier: 'warm', scaleUp: 'scale'} : {scaleUp: 'more'}));
    expect(await says()).toMatch(
      /1 min 5 s to cut over \(warming eu-west up 1 min, a promotion .*\); people may take 20 min more to approve, which is not counted$/,
    );
    fleet({stores: world.fleet.stores.map((spec) => ({...spec, quorum: 0}))});
    expect(await says()).toContain(
      '1 min 25 s to cut over (warming eu-west up 1 min, the hook fence 20 s, a promotion of orders that stalls 5 s)',
    );
  });
});

describe('what cannot be told', () => {
  it('is unknown: a store that was not opened, that has no ability for it, that fails', async () => {
    delete (store.port.abilities as {delays?: unknown}).delays;
    expect(await ask()).toMatchObject({
      verdict: 'unknown',
      says: expect.stringContaining('not known: the settings of orders: its engine (fake) does not tell what a failover waits for'),
    });
    store.port.abilities.delays = {delays: async () => Promise.reject(new Error('nobody answers.'))};
    expect(await says()).toMatch(/not known: the settings of orders: nobody answers$/);
    world = {...world, stores: {}};
    expect(await says()).toMatch(/the settings of orders: it was not opened$/);
  });

  it('a store that hangs is not waited for longer than its own deadline', async () => {
    store.port.abilities.delays = {delays: never};
    world = {...world, storeMs: 50, stores: {orders: {...store.port, observe: never}}};
    expect(await says()).toMatch(/the settings of orders: it did not tell in time$/);
  });

  it('ends at once when it is cancelled', async () => {
    store.port.abilities.delays = {delays: never};
    const stop = new AbortController();
    const asked = worstCaseFindings(world, stop.signal);
    stop.abort(new Error('interrupted'));
    await expect(asked).rejects.toThrow('interrupted');
  });

  it('nothing is said of a fleet without services', async () => {
    fleet({services: []});
    expect(await ask()).toBeUndefined();
  });
});

it('a sweep takes no longer than it says, and the worst endpoint takes that long', async () => {
  const clock = fakeClock();
  let asked = 0;
  const probe = {
    check: async () => {
      asked += 1;
      if (asked === 2) return never();
      await clock.sleep(1000);
      return {ok: false, latencyMs: null, code: 'refused', detail: 'refused'};
    },
  };
  const [reading] = await probeAll({
    endpoints: [{endpoint: endpoint('us-east', 1000), probe}],
    clock,
    signal: new AbortController().signal,
  });
  expect(reading?.result.code).toBe('timeout');
  expect(clock.now()).toBe(longestAskMs(1000));
});
