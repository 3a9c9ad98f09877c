import {afterEach, describe, expect, it, vi} from 'vitest';
import {type LagMonitor, type LinkChange, watchLag} from '../../src/lib/operate/lag-watch.ts';
import type {LinkReading} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {breakerChanges, keptSamples, recallBreaker} from '../../src/lib/replication/link-record.ts';
import {recordState} from '../replication/record-state.ts';
import {memoryStore, openStores} from './open-stores.ts';

const LINK = {store: 'orders', from: 'us', to: 'eu'};
const link = (more: Partial<LinkReading> = {}): LinkReading => ({
  from: 'us',
  to: 'eu',
  senderState: 'streaming',
  receiverConnected: true,
  sendBytes: 0,
  writeBytes: 0,
  flushBytes: 0,
  replayBytes: 0,
  lastReplayAgeSeconds: 0.2,
  heardUpstreamAgoMs: 100,
  runwayBytes: null,
  sync: 'async',
  sampleAgeMs: 0,
  trouble: null,
  senderRead: true,
  replayOffset: '1000',
  ...more,
});

let monitor: LagMonitor | null = null;
afterEach(async () => {
  await monitor?.stop();
  monitor = null;
});

/** Two stores: of `orders` is read what `says` says, `carts` hangs for ever when it is told to. */
async function world(says: () => readonly LinkReading[], hangs = () => false) {
  const members = ['us', 'eu'];
  const orders = memoryStore(members, {abilities: {links: {links: async () => says()}}});
  const carts = memoryStore(members, {
    abilities: {
      links: {
        links: (signal) =>
          hangs() ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))) : Promise.resolve([link()]),
      },
    },
  });
  const {open, clock} = openStores({orders: {members, store: orders}, carts: {members, store: carts}});
  const state = recordState(clock);
  const kept: OpenFleet = {...open, state: async () => state as never};
  return {open: kept, clock, state, fleet: kept.fleet.name};
}

async function looks(of: LagMonitor, enough: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5000 && !enough(); turn += 1) await new Promise((resolve) => setImmediate(resolve));
  if (!enough()) throw new Error(`it did not come to that: ${JSON.stringify(of.view())}`);
}

describe('a monitor of links', () => {
  it('looks at all stores at common ticks, however long each of them takes', async () => {
    const members = ['us', 'eu'];
    const began: number[] = [];
    const taking = (ms: number) =>
      memoryStore(members, {
        abilities: {
          links: {
            links: async () => {
              began.push(clock.now());
              await clock.sleep(ms);
              return [link()];
            },
          },
        },
      });
    const {open, clock} = openStores({orders: {members, store: taking(13)}, carts: {members, store: taking(31)}});
    await clock.sleep(7);
    monitor = await watchLag({...open, state: async () => recordState(clock) as never});
    await looks(monitor, () => began.length >= 8);
    expect(began.slice(0, 8)).toEqual([7, 7, 1000, 1000, 2000, 2000, 3000, 3000]);
  });

  it('looks again and again, and tells each change of a link once', async () => {
    const now = {reading: link()};
    const {open} = await world(() => [now.reading]);
    monitor = await watchLag(open, {store: 'orders'});
    const changes: LinkChange[] = [];
    const watched = monitor;
    watched.onChange((change) => changes.push(change));
    await looks(watched, () => (watched.view().links[0]?.history.length ?? 0) >= 3);
    now.reading = link({senderState: null, receiverConnected: false, trouble: 'eu is gone'});
    await looks(watched, () => watched.view().links[0]?.row.state === 'broken');
    now.reading = link();
    await looks(watched, () => watched.view().links[0]?.row.state === 'streaming');
    expect(changes.map(({was, state}) => `${was} ${state}`)).toEqual(['null streaming', 'streaming broken', 'broken streaming']);
    expect(watched.view()).toMatchObject({unread: [], waiting: [], notes: []});
    expect(watched.view().changes, 'and remembers them').toEqual(changes);
  });

  it('opens the breaker of a link that does not move, and keeps that for the next command', async () => {
    const now = {reading: link()};
    const {open, state, fleet} = await world(() => [now.reading]);
    monitor = await watchLag(open, {store: 'orders'});
    const watched = monitor;
    await looks(watched, () => watched.view().links.length === 1);
    now.reading = link({senderState: null, receiverConnected: false, trouble: 'eu is gone'});
    await looks(watched, () => watched.view().links[0]?.breaker.state === 'open');
    expect(watched.view().changes.filter(({was, state: became}) => was === became)).toMatchObject([
      {breakerWas: 'closed', breaker: 'warn', breakerReason: expect.stringMatching(/^warns from 30 s on: 3\d s behind/)},
      {breakerWas: 'warn', breaker: 'open', breakerReason: expect.stringMatching(/^open, at 60 s: 6\d s behind/)},
    ]);
    expect(watched.view().links[0]?.breaker.reason).toMatch(/^open, at 60 s: 6\d s behind/);
    expect(await watched.stop()).toBeNull();
    monitor = null;
    expect(recallBreaker(state, fleet, LINK)?.state).toBe('open');
    expect(breakerChanges(state, fleet, 0).map(({was, state: became}) => `${was} ${became}`)).toEqual(['closed warn', 'warn open']);
    expect(keptSamples(state, fleet, LINK, {since: 0}).sketch.max).toBeGreaterThanOrEqual(60_000);
  });

  it('knows the percentiles of what was kept before it and of what it sees', async () => {
    const now = {seconds: 2};
    const {open, state, fleet} = await world(() => {
      now.seconds += 0.001;
      return [link({replayBytes: 500_000, lastReplayAgeSeconds: now.seconds, replayOffset: String(Math.round(now.seconds * 1000))})];
    });
    const first = await watchLag(open, {store: 'orders'});
    await looks(first, () => (first.view().links[0]?.percentiles.samples ?? 0) >= 70);
    await first.stop();
    expect(keptSamples(state, fleet, LINK, {since: 0}).sketch.count).toBeGreaterThanOrEqual(70);
    now.seconds = 20;
    monitor = await watchLag(open, {store: 'orders'});
    const watched = monitor;
    await looks(watched, () => (watched.view().links[0]?.history.length ?? 0) >= 5);
    const {samples, p50Ms, maxMs} = watched.view().links[0]?.percentiles ?? {};
    expect(samples).toBeGreaterThanOrEqual(75);
    expect(p50Ms).toBeLessThan(2200);
    expect(maxMs).toBeGreaterThanOrEqual(20_000);
  });

  it('forgets what is older than its window, a minute at a time', async () => {
    const seen = {looks: 0};
    const {open} = await world(() => {
      seen.looks += 1;
      return [link()];
    });
    monitor = await watchLag(open, {store: 'orders', windowMs: 120_000});
    const watched = monitor;
    const most: number[] = [];
    for (const looked of [100, 200, 300, 400]) {
      await looks(watched, () => seen.looks >= looked);
      most.push(watched.view().links[0]?.percentiles.samples ?? 0);
    }
    expect(most[0]).toBeGreaterThan(95);
    for (const count of most.slice(1)) {
      expect(count).toBeGreaterThan(119);
      expect(count, 'the window, and what is left of two minutes').toBeLessThan(242);
    }
  });

  it('is not held up by a store that hangs, and says which could not be read', async () => {
    const broken = {now: false};
    const {open} = await world(
      () => {
        if (broken.now) throw new Error('us has no table');
        return [link()];
      },
      () => true,
    );
    monitor = await watchLag(open);
    const watched = monitor;
    await looks(watched, () => (watched.view().links[0]?.history.length ?? 0) >= 5);
    expect(watched.view().links.map(({row}) => row.store)).toEqual(['orders']);
    expect(watched.view().waiting).toEqual(['carts']);
    broken.now = true;
    await looks(watched, () => watched.view().unread.length === 1);
    expect(watched.view().unread).toEqual([{store: 'orders', reason: 'us has no table'}]);
    expect(watched.view().links, 'what was known ages').toHaveLength(1);
  });

  it.each([
    ['the log itself', 'physical', 100, 200],
    ['the log itself', 'physical', 1000, 1000],
    // A subscriber tells only now and then what it has.
    ['row changes', 'logical', 100, 900],
    ['row changes', 'logical', 400, 1200],
  ] as const)('finds that a link of %s (%s) stands still, by looks %i ms apart, after %i ms', async (_name, kind, intervalMs, afterMs) => {
    const behind = {replayBytes: 4096, endOffset: '5096', heldOffset: '5096', lastReplayAgeSeconds: 5} as const;
    const {open, clock} = await world(() => [link({kind, ...behind})]);
    const began = clock.now();
    monitor = await watchLag(open, {store: 'orders', intervalMs});
    const watched = monitor;
    const at: number[] = [];
    watched.onChange(({was, state}) => {
      if (was !== null && state === 'stalled') at.push(clock.now() - began);
    });
    await looks(watched, () => (watched.view().links[0]?.history.length ?? 0) >= 14);
    expect(at).toEqual([afterMs]);
    expect(watched.view().links[0]?.row).toMatchObject({state: 'stalled', reason: expect.stringContaining('nothing was replayed for')});
  });

  it('takes no link that moves for one that stands still, however near its looks are', async () => {
    const now = {look: 0};
    const {open} = await world(() => {
      now.look += 1;
      // It is replayed every third look.
      const replayOffset = String(1000 + Math.floor(now.look / 3));
      return [link({replayBytes: 4096, endOffset: String(5096 + now.look), lastReplayAgeSeconds: 5, replayOffset})];
    });
    monitor = await watchLag(open, {store: 'orders', intervalMs: 100});
    const watched = monitor;
    await looks(watched, () => (watched.view().links[0]?.history.length ?? 0) >= 20);
    expect(watched.view().changes.map(({state}) => state)).toEqual(['streaming']);
  });

  it('gives up a look and a heartbeat that hang, says so and looks again; and ends at once while one hangs', async () => {
    vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']});
    try {
      const hangs = () => new Promise<never>(() => undefined);
      const now: {links: () => Promise<readonly LinkReading[]>; beats: number} = {links: hangs, beats: 0};
      const members = ['us', 'eu'];
      const beat = () => {
        now.beats += 1;
        return hangs();
      };
      const carts = memoryStore(members, {abilities: {links: {links: () => now.links()}, heartbeat: {beat}}});
      const {open} = openStores({carts: {members, store: carts}});
      monitor = await watchLag(open);
      const watched = monitor;
      const later = async (enough: () => boolean) => {
        for (let seconds = 0; seconds < 30 && !enough(); seconds += 1) {
          await vi.advanceTimersByTimeAsync(1000);
          for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        }
        expect(enough(), JSON.stringify(watched.view())).toBe(true);
      };
      expect(watched.view().waiting).toEqual(['carts']);
      await later(() => watched.view().unread.length === 1);
      expect(watched.view()).toMatchObject({unread: [{store: 'carts', reason: 'timeout expired'}], waiting: []});
      now.links = async () => [link()];
      await later(() => watched.view().links.length === 1);
      expect(watched.view().unread).toEqual([]);
      expect(now.beats).toBeGreaterThanOrEqual(2);
      now.links = hangs;
      const before = now.beats;
      await later(() => now.beats > before);
      expect(await watched.stop()).toBeNull();
      monitor = null;
    } finally {
      vi.useRealTimers();
    }
  });
});
