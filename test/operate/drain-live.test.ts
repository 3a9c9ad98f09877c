import fc from 'fast-check';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {refuseWhileHeld} from '../../src/lib/operate/conduct.ts';
import {type DrainEvent, drainReads, refuseUndrainable} from '../../src/lib/operate/drain-reads.ts';
import {watchAndDrain} from '../../src/lib/operate/drain-watch.ts';
import {lagAndDrains} from '../../src/lib/operate/lag-drains.ts';
import {watchExit} from '../../src/lib/operate/lag-verdict.ts';
import type {LagMonitor} from '../../src/lib/operate/lag-watch.ts';
import {listRuns} from '../../src/lib/operate/runs.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {decideDrain, lagOfRegions} from '../../src/lib/traffic/read-drain.ts';
import {region} from '../health/samples.ts';
import {drainingStore, drainLink, route} from '../traffic/drain-samples.ts';
import {type DrainWorld, drainWorld, NORMAL, REGIONS} from './drain-world.ts';

let world: DrainWorld;
let monitor: LagMonitor | null = null;
beforeEach(async () => {
  world = await drainWorld();
});
afterEach(async () => {
  await monitor?.stop();
  monitor = null;
  world.end();
});

const never = new AbortController().signal;
const drain = (open: OpenFleet, late: readonly string[] = []): Promise<readonly DrainEvent[]> =>
  drainReads(
    open,
    ['eu', 'ap'].map((to) => drainLink('us', to, late.includes(to) ? 'open' : 'closed')),
    {signal: new AbortController().signal, leave: never},
  );

async function begin(open = world.open()) {
  const {monitor: watched, onDrain} = await watchAndDrain(open, {staleMs: 5000, leave: never});
  monitor = watched;
  const events: DrainEvent[] = [];
  onDrain((event) => events.push(event));
  return {watched, events};
}

async function until(enough: () => boolean): Promise<void> {
  for (let turn = 0; turn < 100_000 && !enough(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (!enough()) throw new Error(`it did not come to that: ${JSON.stringify(monitor?.view().drains)}`);
}

const OFF = {weight: 30, since: '', run: '', says: '', fineSince: null, seenAt: ''};
const ALWAYS = {isReady: () => true, fitness: () => 'so'};
const counted = (events: readonly DrainEvent[]) => events.map(({what, region: name}) => `${what} ${name}`);

describe('the lease', () => {
  it('a router that hangs does not keep the fleet from being failed over for most of the time', async () => {
    let writes = 0;
    world.routers.reads = {
      ...world.router,
      write: async (ctx) => {
        writes += 1;
        await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(new Error('aborted')), {once: true}));
      },
    };
    world.now.late.add('ap');
    await begin();
    const human = world.open();
    await until(() => writes > 0);
    await expect(refuseWhileHeld(human), 'a failover waits for it').resolves.toBeUndefined();
    const began = world.clock.wall();
    await until(() => world.clock.wall() - began > 120_000);
    const state = await human.state();
    const journals = (await listRuns(human)).map(({runId}) => state.events(runId));
    const heldMs = journals.reduce((sum, events) => sum + ((events.at(-1)?.at ?? 0) - (events[0]?.at ?? 0)), 0);
    expect(heldMs / (world.clock.wall() - began)).toBeLessThan(0.15);
  });

  it('an attempt that fails is made again later each time', async () => {
    world.now.late.add('ap');
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    const {watched} = await begin();
    await until(() => watched.view().drains?.trouble != null);
    const began = world.clock.wall();
    await until(() => world.clock.wall() - began > 1_200_000);
    expect((await listRuns(world.open())).length).toBeLessThan(10);
  });

  it('a notifier that hangs does not hold the lease after the shift is done', async () => {
    const open = world.open();
    Object.assign(open.fleet, {notifiers: [{name: 'pager', on: ['start', 'result'], timeoutMs: 10_000}]});
    let go = (): void => undefined;
    const wait = new Promise<void>((resolve) => (go = resolve));
    Object.assign(open, {notifiers: {pager: {deliver: () => wait}}});
    const done = drain(open, ['ap']);
    await until(() => world.now.writes === 1);
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    const held = await refuseWhileHeld(world.open()).then(
      () => 'free',
      (error: unknown) => String(error),
    );
    go();
    await done;
    expect(held).toBe('free');
  });
});

describe('what is said', () => {
  it('another failure is told, not only the first', async () => {
    world.now.late.add('ap');
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    const {watched, events} = await begin();
    await until(() => watched.view().drains?.trouble != null);
    world.routers.reads = {...world.router, read: () => Promise.reject(new Error('it refused the connection'))};
    await until(() => watched.view().drains?.trouble?.includes('refused the connection') === true);
    expect(events.some(({reason}) => reason.includes('refused the connection'))).toBe(true);
  });

  it('a state that cannot be written any more is told, as what failed is', async () => {
    world.now.late.add('ap');
    const open = world.open();
    const state = await open.state();
    const full = {
      ...state,
      createRun: () => {
        throw new Error('the disk is full');
      },
    };
    const {watched, events} = await begin({...open, state: async () => full} as OpenFleet);
    await until(() => watched.view().drains?.trouble != null);
    expect(counted(events)).toEqual(['failed null']);
  });

  it('a watch that could not give back does not end with 0', async () => {
    world.now.late.add('ap');
    const {watched} = await begin();
    await until(() => watched.view().drains?.held.length === 1);
    world.routers.reads = {...world.router, write: () => Promise.reject(new Error('it is read-only'))};
    world.now.late.clear();
    await until(() => watched.view().drains?.trouble != null);
    const last = watched.view();
    expect(watchExit(last, 5000)).toBe(1);
  });

  it('quitting tells of no failure that is none', async () => {
    world.now.late.add('ap');
    let asked = (): void => undefined;
    const reading = new Promise<void>((resolve) => (asked = resolve));
    world.routers.reads = {
      ...world.router,
      read: async (signal) => {
        asked();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')), {once: true}));
        return {};
      },
    };
    const {watched, events} = await begin();
    await reading;
    await watched.stop();
    expect(events).toEqual([]);
  });

  it('regions that nobody judges (no endpoints) are refused or told as the reason', async () => {
    const bare = await drainWorld({regions: REGIONS.map((name) => region(name, []))});
    try {
      const open = bare.open();
      Object.assign(open, {probes: []});
      let isRefused = false;
      try {
        refuseUndrainable(open);
      } catch {
        isRefused = true;
      }
      const events = await drain(open, ['ap']);
      expect(isRefused || events.some(({reason}) => /endpoint|judged|not known whether/.test(reason))).toBe(true);
    } finally {
      bare.end();
    }
  });
});

describe('a region that another hand has moved', () => {
  it('is held off again by the same watch, once its links have closed and opened again', async () => {
    world.now.late.add('ap');
    const {watched, events} = await begin();
    await until(() => watched.view().drains?.held.length === 1);
    world.now.weights = {...NORMAL};
    await until(() => events.some(({what}) => what === 'moved'));
    world.now.late.clear();
    const breaker = () => watched.view().links.find(({row}) => row.to === 'ap')?.breaker.state;
    await until(() => breaker() === 'closed');
    const at = world.clock.wall();
    await until(() => world.clock.wall() - at > 60_000);
    world.now.late.add('ap');
    await until(() => breaker() === 'open');
    const openedAt = world.clock.wall();
    await until(() => world.clock.wall() - openedAt > 60_000);
    expect(counted(events)).toEqual(['held ap', 'moved ap', 'stays ap', 'held ap']);
  });
});

describe('a fleet file that is changed while a region is held off', () => {
  it('a route that is taken out of drain gets back what is held off it, or it is said', async () => {
    const two = await drainWorld({
      stores: [
        {
          ...drainingStore(REGIONS),
          breaker: {warnMs: 30_000, openMs: 60_000, readmitMs: 30_000, drain: {routes: ['reads', 'search'], keep: 1}},
        },
      ],
      routes: [route(NORMAL), route(NORMAL, 'search')],
    });
    try {
      const other = {weights: {...NORMAL} as Record<string, number>};
      const write = async (_: unknown, weights: Readonly<Record<string, number>>) => {
        other.weights = {...weights};
      };
      two.routers.search = {read: async () => ({...other.weights}), write};
      await drain(two.open(), ['ap']);
      expect(other.weights.ap).toBe(0);
      const changed = two.open();
      Object.assign(changed.fleet, {stores: [drainingStore(REGIONS)]});
      const events = await drain(changed);
      expect(other.weights.ap === 30 || events.some(({route: name}) => name === 'search')).toBe(true);
    } finally {
      two.end();
    }
  });

  it('a region that was renamed is told to be held off still, and not for ever', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    const changed = world.open();
    const {ap: _, ...others} = NORMAL;
    Object.assign(changed.fleet, {stores: [drainingStore(['us', 'eu'])], routes: [route(others)]});
    const events = await drainReads(changed, [drainLink('us', 'eu')], {signal: never, leave: never});
    expect(events.length).toBeGreaterThan(0);
  });
});

describe('stores of which not everything is known', () => {
  it('a second store without links into a region (shovels that go one way) does not hold it off for ever', () => {
    const both = {stores: [drainingStore(['us', 'ap']), drainingStore(['us', 'ap'], 1, 'jobs')]};
    const isPrimary = (store: string, member: string) => store === 'orders' && member === 'us';
    const decide = (late: boolean, weights: Record<string, number>, held: Parameters<typeof decideDrain>[0]['held']) =>
      decideDrain({
        ...{weights, held, left: [], isFit: () => true, ...ALWAYS, keep: 1},
        lag: lagOfRegions(
          both,
          route({us: 50, ap: 50}),
          [drainLink('us', 'ap', late ? 'open' : 'closed'), drainLink('ap', 'us', 'closed', {store: 'jobs'})],
          isPrimary,
        ),
      });
    const off = decide(true, {us: 50, ap: 50}, {});
    expect(off.next).toEqual({us: 50, ap: 0});
    const back = decide(false, {us: 50, ap: 0}, {ap: {...OFF, weight: 50}});
    expect(back.next.ap === 50 || off.hold.length === 0).toBe(true);
  });

  it('a member that follows another one now is not well by that: its new link was never looked at before', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    const anew = drainLink('eu', 'ap', 'closed', {state: 'catching-up', seconds: 3600});
    await drainReads(open, [drainLink('us', 'eu'), anew], {signal: never, leave: never});
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
  });

  it('nor in a command that reads its links: an hour behind its new upstream, it stays held off', async () => {
    const open = world.open();
    await drain(open, ['ap']);
    const parts = {senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null} as const;
    const none = {sendBytes: 0, writeBytes: 0, runwayBytes: null, heardUpstreamAgoMs: 100, sampleAgeMs: 0};
    const well = {
      from: 'us',
      to: 'eu',
      ...parts,
      ...none,
      flushBytes: 0,
      replayBytes: 0,
      replayOffset: '9000000',
      lastReplayAgeSeconds: 0.1,
    };
    const late = () => ({
      from: 'eu',
      to: 'ap',
      ...parts,
      ...none,
      flushBytes: 8_000_000,
      replayBytes: 8_000_000,
      endOffset: '9000000',
      replayOffset: '1000000',
      lastReplayAgeSeconds: 3600,
    });
    const {orders} = open.stores;
    Object.assign(open, {stores: {orders: {...orders, abilities: {links: {links: async () => [well, late()]}}}}});
    await lagAndDrains(open, {signal: AbortSignal.timeout(20_000), drain: {leave: never}});
    expect(world.now.weights).toEqual({...NORMAL, ap: 0});
  });

  it('what is given back is below warn, as the documentation says', () => {
    const lag = lagOfRegions({stores: [drainingStore(REGIONS)]}, route(NORMAL), [drainLink('us', 'ap', 'warn')], () => null);
    const held = {ap: {...OFF, weight: 30}};
    const {giveBack} = decideDrain({weights: {...NORMAL, ap: 0}, held, left: [], lag, isFit: () => true, ...ALWAYS, keep: 1});
    expect(giveBack).toEqual([]);
  });

  it('a link that is broken right now is no proof that its region can be relied on', () => {
    const broken = drainLink('us', 'ap', 'closed', {state: 'broken', seconds: null});
    const lag = lagOfRegions({stores: [drainingStore(REGIONS)]}, route(NORMAL), [broken], () => null);
    const held = {ap: {...OFF, weight: 30}};
    const {giveBack} = decideDrain({weights: {...NORMAL, ap: 0}, held, left: [], lag, isFit: () => true, ...ALWAYS, keep: 1});
    expect(giveBack).toEqual([]);
  });
});

describe('what held', () => {
  it('decisions come to rest as long as nothing changes, and never leave fewer that serve than must', () => {
    const names = ['us', 'eu', 'ap', 'sa'];
    const each = <T>(one: fc.Arbitrary<T>) =>
      fc.tuple(one, one, one, one).map((all) => Object.fromEntries(names.map((name, at) => [name, all[at] as T])));
    const lagState = fc.constantFrom('open' as const, 'well' as const, 'unknown' as const);
    fc.assert(
      fc.property(
        each(fc.constantFrom(0, 10, 50)),
        each(fc.record({state: lagState, lagMs: fc.option(fc.nat(99_999)), says: fc.constant('so'), isFine: fc.boolean()})),
        each(fc.constantFrom(true, false, null)),
        fc.subarray(names),
        fc.subarray(names),
        fc.integer({min: 1, max: 3}),
        (weights, lag, fit, off, left, keep) => {
          const was = {...OFF, weight: 20};
          const before = {...weights, ...Object.fromEntries(off.map((name) => [name, 0]))};
          const held = Object.fromEntries(off.map((name) => [name, was]));
          const isFit = (name: string) => fit[name] ?? null;
          const serving = (all: Record<string, number>) => names.filter((name) => (all[name] ?? 0) > 0 && isFit(name) === true).length;
          let now: {weights: Record<string, number>; held: Record<string, typeof was>} = {weights: before, held};
          let changes = 0;
          for (let look = 0; look < 8; look += 1) {
            const {next, hold, giveBack} = decideDrain({...now, ...ALWAYS, left, lag, isFit, keep});
            expect(serving(next)).toBeGreaterThanOrEqual(Math.min(serving(now.weights), keep));
            changes = hold.length + giveBack.length;
            const back = giveBack.map(({region: name}) => name);
            const stay = Object.entries(now.held).filter(([name]) => !back.includes(name));
            now = {
              weights: {...next},
              held: Object.fromEntries([...stay, ...hold.map(({region: name, weight}): [string, typeof was] => [name, {...was, weight}])]),
            };
          }
          expect(changes).toBe(0);
        },
      ),
      {numRuns: 5000},
    );
  });

  it('a health that flaps at each look is no reason for a run at each look', async () => {
    const open = world.open();
    world.now.weights = {us: 100, eu: 0, ap: 30};
    for (let look = 0; look < 20; look += 1) {
      world.now.down = new Set(look % 2 === 0 ? [] : ['us']);
      world.clock.advance(10_000);
      await drain(open, ['ap']);
    }
    const {length} = await listRuns(open);
    expect(length).toBeLessThan(6);
  });
});
