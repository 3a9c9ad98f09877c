import {describe, expect, it} from 'vitest';
import {readLag} from '../../src/lib/operate/lag.ts';
import {recallLag, rememberLag, streamMember} from '../../src/lib/operate/remember-lag.ts';
import type {State} from '../../src/lib/ports/state.ts';
import type {LinkReading, Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {previewLoss} from '../../src/lib/replication/loss.ts';
import {known, unknown} from '../../src/lib/snapshot/cell.ts';
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
  expect(look('1000', 3000), 'nothing was written').toBeNull();
  expect(look('1500', 3000), 'two looks at once').toBeNull();
  expect(look('2500', 4000)).toBe(1500);
  expect(look('500', 5000), 'another log').toBeNull();
  expect(look('700', 4500), 'the clock was set back').toBeNull();
});

it('a sample that an earlier version kept can still be read', () => {
  const state = recordState({wall: () => 0});
  const place = {fleet: 'test', store: 'orders', member: 'eu'};
  const kept = {bytes: 10, end: 1000, at: 1000, bytesPerSecond: 0};
  const nothing = {seconds: null, transactions: null, transactionsPerSecond: null};
  state.remember('lag/test/orders/eu', kept);
  expect(recallLag(state, {...place, now: 1500})).toEqual({bytes: 10, bytesPerSecond: null, ...nothing, ageMs: 500});
  state.remember('lag/test/orders/eu', {...kept, bytesPerSecond: 2000});
  expect(recallLag(state, {...place, now: 1500})).toMatchObject({bytesPerSecond: 2000});
  for (const bytesPerSecond of ['0', {}]) {
    state.remember('lag/test/orders/eu', {...kept, bytesPerSecond});
    expect(recallLag(state, {...place, now: 1500})).toBeUndefined();
  }
});

describe('what a loss is estimated by once the primary is gone', () => {
  const place = {fleet: 'test', store: 'orders'};
  const standby = {region: 'eu', role: 'standby', writable: false, upstream: null, heardUpstreamAgoMs: null} as const;
  const durable = {lineage: '7', epoch: 1, offset: '1000'};
  const snapshot = {
    engine: 'postgres',
    ack: unknown('refused', 'us refuses connections.', 0),
    members: {us: unknown('refused', 'us refuses connections.', 0), eu: known({...standby, durable, applied: durable}, 0, 'sql')},
  };
  const classes = [{name: 'orders', rpoMs: 300_000, allowed: null}];
  const world = () => {
    const state = recordState({wall: () => 0});
    return {
      look: (at: number, offset: number, xid: number) =>
        rememberLag(
          state,
          place,
          [
            {
              ...{from: 'us', to: 'eu', senderState: 'streaming', receiverConnected: true, senderRead: true, sync: 'async', trouble: null},
              ...{sendBytes: 0, writeBytes: 0, flushBytes: 0, replayBytes: 0, replayOffset: String(offset), runwayBytes: null},
              ...{lastReplayAgeSeconds: 0, heardUpstreamAgoMs: 0, sampleAgeMs: 0, outstandingTransactions: 0, endTransaction: String(xid)},
            },
          ],
          at,
        ),
      loss: (now: number) => {
        const history = recallLag(state, {...place, member: 'eu', now});
        const store = {store: 'orders', member: 'eu', snapshot, quorum: 0, classes, reading: null};
        const {stores, blocking} = previewLoss('', 'eu', [{...store, ...(history === undefined ? {} : {history})}]);
        return {...stores[0], blocking};
      },
    };
  };

  it('is not that nothing was written while it was looked at', () => {
    const {look, loss} = world();
    look(0, 1000, 100);
    look(10_000, 1000, 100);
    expect(loss(33_000)).toMatchObject({
      ...{bytes: null, transactions: null, seconds: 23, certainty: 'estimate', withinRpo: true, blocking: false},
      basis: expect.stringContaining('no two looks have seen it being written. At most 23 s of writes are missing.'),
    });
  });

  it('is the highest rate that was seen, for a minute: then only the time is known', () => {
    const {look, loss} = world();
    look(0, 1000, 100);
    look(10_000, 1_001_000, 1100);
    look(20_000, 1_001_000, 1100);
    const estimate = loss(43_000);
    expect(estimate).toMatchObject({seconds: 23, certainty: 'estimate', withinRpo: true, blocking: false});
    expect(estimate.transactions).toBeGreaterThanOrEqual(2299);
    expect(estimate.bytes).toBeGreaterThanOrEqual(2_299_000);
    expect(estimate.basis).not.toMatch(/at most|nothing/);
    expect(loss(80_000)).toMatchObject({certainty: 'estimate'});
    expect(loss(80_001)).toMatchObject({
      ...{bytes: null, transactions: null, seconds: 60.001, certainty: 'estimate'},
      basis: expect.stringContaining('too old to tell what was written since'),
    });
  });

  it('is not known by a sample from a time that has not come yet', () => {
    const {look, loss} = world();
    look(0, 1000, 100);
    look(10_000, 1_001_000, 1100);
    expect(loss(9999)).toMatchObject({bytes: null, seconds: null, certainty: 'unknown'});
  });
});

it('the lag of each stream between peers is remembered by its own name, and not as that of a member', () => {
  const state = recordState({wall: () => 0});
  const place = {fleet: 'test', store: 'orders'};
  const stream = (from: string, bytes: number): LinkReading => ({
    ...{from, to: 'ap', link: `${from}_to_ap`, kind: 'logical', senderState: 'streaming', receiverConnected: true, senderRead: true},
    ...{sendBytes: bytes, writeBytes: bytes, flushBytes: bytes, replayBytes: bytes, replayOffset: '1000', runwayBytes: null},
    ...{lastReplayAgeSeconds: null, heardUpstreamAgoMs: 0, sampleAgeMs: 0, sync: null, trouble: null},
  });
  rememberLag(state, place, [stream('us', 70), stream('eu', 0)], 1000);
  expect(recallLag(state, {...place, member: streamMember('us_to_ap'), now: 1000})).toMatchObject({bytes: 70});
  expect(recallLag(state, {...place, member: streamMember('eu_to_ap'), now: 1000})).toMatchObject({bytes: 0, seconds: 0});
  expect(recallLag(state, {...place, member: 'ap', now: 1000})).toBe(undefined);
});
