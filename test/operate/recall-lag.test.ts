import {expect, it} from 'vitest';
import {readLag, recallLag} from '../../src/lib/operate/lag.ts';
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
  expect(recall()).toEqual({bytes: 0, bytesPerSecond: 0, ageMs: 1500});
  now += 500;
  end += 4000;
  await readLag(open, options);
  expect(recall()).toEqual({bytes: 0, bytesPerSecond: 2000, ageMs: 1500});
});
