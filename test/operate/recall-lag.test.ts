import {expect, it} from 'vitest';
import {readLag} from '../../src/lib/operate/lag.ts';
import {recallLag, rememberLag} from '../../src/lib/operate/remember-lag.ts';
import type {State} from '../../src/lib/ports/state.ts';
import type {LinkReading, Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {openFleet} from '../replication/lag-world.ts';
import {recordState} from '../replication/record-state.ts';

it('a remembered sample is as old as its question, however long a frozen member was waited for', async () => {
  let now = 10_000;
  let end = 1000;
  const clock = {wall: () => now, now: () => now, sleep: async () => undefined};
  const state = recordState(clock);
  const link = (): LinkReading => ({
    ...{from: 'us', to: 'eu', senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
    ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, replayOffset: String(end), runwayBytes: null},
    ...{lastReplayAgeSeconds: 0, heardUpstreamAgoMs: 0, sampleAgeMs: 0},
  });
  const links = async () => {
    const seen = [link()];
    now += 1500;
    return seen;
  };
  const store = {abilities: {links: {links}}} as unknown as Store;
  const open: OpenFleet = {...openFleet(store, ['us', 'eu']), clock, state: async () => state as unknown as State};
  const recall = () => recallLag(state as unknown as State, {fleet: 'test', store: 'orders', member: 'eu', now});
  const options = {signal: new AbortController().signal};
  await readLag(open, options);
  expect(recall(), 'one look tells no rate').toMatchObject({bytes: 0, bytesPerSecond: null, ageMs: 1500});
  now += 500;
  end += 4000;
  await readLag(open, options);
  expect(recall()).toMatchObject({bytes: 0, bytesPerSecond: 2000, ageMs: 1500});
});

it('a remembered sample knows what was missing in time and in transactions, by the tighter of two bounds', () => {
  const state = recordState({wall: () => 0});
  const place = {fleet: 'test', store: 'orders'};
  const link = (more: Partial<LinkReading>): LinkReading => ({
    ...{from: 'us', to: 'eu', senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
    ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, replayOffset: '1000', runwayBytes: null},
    ...{lastReplayAgeSeconds: 600, heardUpstreamAgoMs: 0, sampleAgeMs: 0},
    ...more,
  });
  const recall = (now: number) => recallLag(state, {...place, member: 'eu', now});
  rememberLag(state, place, [link({flushBytes: 50, replayBytes: 50})], 1000);
  expect(recall(1000), 'nobody saw it hold everything').toMatchObject({seconds: 600, transactions: null});
  rememberLag(state, place, [link({outstandingTransactions: 0, endTransaction: '100'})], 2000);
  expect(recall(2000)).toMatchObject({seconds: 0, transactions: 0, transactionsPerSecond: null});
  rememberLag(state, place, [link({flushBytes: 9, replayBytes: 9, outstandingTransactions: 7, endTransaction: '160'})], 5000);
  expect(recall(6000)).toMatchObject({seconds: 3, transactions: 7, transactionsPerSecond: 20, ageMs: 1000});
  rememberLag(state, place, [link({kind: 'logical', flushBytes: 0, replayBytes: 0})], 9000);
  expect(recall(9000), 'a subscription is no copy').toMatchObject({seconds: 3});
});

it('what a cascade hands on is remembered as behind the first of it', () => {
  const state = recordState({wall: () => 0});
  const place = {fleet: 'test', store: 'orders'};
  const link = (from: string, to: string, held: number, end: number): LinkReading => ({
    ...{from, to, senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
    ...{sendBytes: 0, writeBytes: 0, flushBytes: end - held, replayBytes: end - held, runwayBytes: null},
    ...{replayOffset: String(held), heldOffset: String(held), endOffset: String(end), senderTimeline: 1},
    ...{outstandingTransactions: (end - held) / 100, endTransaction: String(end / 100)},
    ...{lastReplayAgeSeconds: 600, heardUpstreamAgoMs: 0, sampleAgeMs: 0},
  });
  rememberLag(state, place, [link('us', 'eu', 1000, 5000), link('eu', 'ap', 1000, 1000)], 1000);
  expect(recallLag(state, {...place, member: 'ap', now: 1000})).toMatchObject({bytes: 4000, transactions: 40, seconds: 600});
  const unread = {...link('us', 'eu', 1000, 5000), endOffset: null};
  rememberLag(state, {...place, store: 'carts'}, [unread, link('eu', 'ap', 1000, 1000)], 1000);
  expect(recallLag(state, {...place, store: 'carts', member: 'ap', now: 1000})).toBeUndefined();
});

it('the rate of a remembered sample is what two looks tell: not known is not nothing', () => {
  const state = recordState({wall: () => 0});
  const place = {fleet: 'test', store: 'orders'};
  const look = (replayOffset: string, at: number): number | null | undefined => {
    const link: LinkReading = {
      ...{from: 'us', to: 'eu', senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
      ...{sendBytes: 0, writeBytes: 0, flushBytes: 10, replayBytes: 0, replayOffset, runwayBytes: null},
      ...{lastReplayAgeSeconds: 0, heardUpstreamAgoMs: 0, sampleAgeMs: 0},
    };
    rememberLag(state, place, [link], at);
    return recallLag(state, {...place, member: 'eu', now: at})?.bytesPerSecond;
  };
  expect(look('1000', 1000)).toBeNull();
  expect(look('1000', 3000), 'nothing was written').toBe(0);
  expect(look('1500', 3000), 'two looks at once').toBeNull();
  expect(look('2500', 4000)).toBe(1000);
  expect(look('500', 5000), 'another log').toBeNull();
  expect(look('700', 4500), 'the clock was set back').toBeNull();
});

it('a sample that an earlier version kept can still be read', () => {
  const state = recordState({wall: () => 0});
  const place = {fleet: 'test', store: 'orders', member: 'eu'};
  const kept = {bytes: 10, end: 1000, at: 1000, bytesPerSecond: 0};
  const nothing = {seconds: null, transactions: null, transactionsPerSecond: null};
  state.remember('lag/test/orders/eu', kept);
  expect(recallLag(state, {...place, now: 1500})).toEqual({bytes: 10, bytesPerSecond: 0, ...nothing, ageMs: 500});
  for (const bytesPerSecond of ['0', {}]) {
    state.remember('lag/test/orders/eu', {...kept, bytesPerSecond});
    expect(recallLag(state, {...place, now: 1500})).toBeUndefined();
  }
});
