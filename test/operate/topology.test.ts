import {describe, expect, it} from 'vitest';
import {readTopology} from '../../src/lib/operate/topology.ts';
import type {LinkReading} from '../../src/lib/ports/store.ts';
import {memoryStore, openStores} from './open-stores.ts';

const {signal} = new AbortController();
const reading = (from: string, to: string, more: Partial<LinkReading> = {}): LinkReading => ({
  from,
  to,
  senderState: 'streaming',
  receiverConnected: true,
  sendBytes: 0,
  writeBytes: 0,
  flushBytes: 0,
  replayBytes: 0,
  lastReplayAgeSeconds: 1,
  heardUpstreamAgoMs: 10,
  runwayBytes: null,
  sync: 'async',
  sampleAgeMs: 5,
  trouble: null,
  senderRead: true,
  replayOffset: '100',
  ...more,
});
const names = ['us', 'eu', 'ap'];
const links = (...readings: readonly LinkReading[]) => ({links: {links: async () => readings}});
const star = memoryStore(names, {abilities: links(reading('us', 'eu'), reading('us', 'ap'))});

describe('reading the topology', () => {
  it('takes places from the fleet file, roles and links from the members', async () => {
    const {open} = openStores({orders: {members: names, store: star}});
    const {document, exit} = await readTopology(open, {signal});
    expect(exit).toBe(0);
    expect(document).toMatchObject({verdict: 'healthy', stores: [{store: 'orders', engine: 'memory', shape: 'star', verdict: 'healthy'}]});
    expect(document.stores[0]?.members).toMatchObject([
      {member: 'us', region: 'us', jurisdiction: 'EU', role: 'primary', depth: 0},
      {member: 'eu', role: 'standby', upstreams: ['us'], depth: 1},
      {member: 'ap', role: 'standby', copy: true},
    ]);
    expect(document.stores[0]?.links).toMatchObject([{from: 'us', to: 'eu', state: 'streaming', live: true, kind: 'physical'}, {to: 'ap'}]);
  });

  it('one broken link is 2, a pair is 1', async () => {
    const cut = memoryStore(names, {
      abilities: links(reading('us', 'eu'), reading('us', 'ap', {senderState: null, receiverConnected: false})),
    });
    expect((await readTopology(openStores({orders: {members: names, store: cut}}).open, {signal})).exit).toBe(2);
    const pair = memoryStore(['us', 'eu'], {abilities: links(reading('us', 'eu'))});
    expect((await readTopology(openStores({orders: {members: ['us', 'eu'], store: pair}}).open, {signal})).exit).toBe(1);
  });

  it('stores that throw, that were not opened or that tell of no links are there as unknown, and hide nobody', async () => {
    const failing = {
      observe: () => {
        throw new Error('the vault is locked');
      },
      abilities: {links: {links: async () => Promise.reject(new Error('the vault is locked'))}},
    };
    const {open} = openStores({
      orders: {members: names, store: star},
      locked: {members: names, store: memoryStore(names, failing)},
      closed: {members: names, store: null},
      mute: {members: names, store: memoryStore(names)},
    });
    const {document, exit} = await readTopology(open, {signal});
    expect(exit).toBe(3);
    expect(document.stores.map(({store, verdict, shape}) => [store, verdict, shape])).toEqual([
      ['orders', 'healthy', 'star'],
      ['locked', 'unknown', 'unknown'],
      ['closed', 'unknown', 'unknown'],
      ['mute', 'unknown', 'unknown'],
    ]);
    const [, locked, closed, mute] = document.stores;
    expect(locked?.members).toMatchObject([{member: 'us', role: 'unknown', reason: 'the vault is locked'}, {}, {}]);
    expect(locked?.findings[0]).toMatchObject({code: 'links-unread', reason: 'How locked replicates is not known: the vault is locked.'});
    expect(closed?.members[0]?.reason).toBe('the store closed was not opened');
    expect(mute?.findings[0]?.reason).toContain('the engine memory does not tell of its links');
  });

  it('looks at one store where one is asked for, and stops when it is interrupted', async () => {
    const {open} = openStores({orders: {members: names, store: star}, other: {members: names, store: null}});
    expect((await readTopology(open, {signal, store: 'orders'})).document.stores.map(({store}) => store)).toEqual(['orders']);
    const stop = AbortSignal.abort(new Error('interrupted'));
    const heeding = memoryStore(names, {observe: async (own) => own.throwIfAborted() as never});
    await expect(readTopology(openStores({orders: {members: names, store: heeding}}).open, {signal: stop})).rejects.toThrow('interrupted');
  });
});
