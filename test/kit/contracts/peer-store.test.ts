import {expect, it} from 'vitest';
import {peerStoreContract} from '../../../src/kit/testing.ts';
import type {LinkReading, MessageReading, Store} from '../../../src/lib/ports/store.ts';
import {known, unknown} from '../../../src/lib/snapshot/cell.ts';
import type {Member} from '../../../src/lib/snapshot/snapshot.ts';
import {failuresOf} from './failures.ts';

const NAMES = ['us', 'eu'];
const nowhere = {lineage: 'l', epoch: 0, offset: '0'};
const peer = (region: string): Member => ({
  ...{region, role: 'peer', writable: true, durable: nowhere, applied: nowhere, upstream: null, heardUpstreamAgoMs: null},
});

/** A store that keeps its promises, in memory. Its link leads from us to eu. */
function honest(dead: ReadonlySet<string>): Store {
  return {
    engine: 'memory',
    peers: true,
    observe: async (_, members = NAMES) =>
      Object.fromEntries(
        members.map((name) => [name, dead.has(name) ? unknown('refused', `${name} is dead`, 0) : known(peer(name), 0, 'memory')]),
      ),
    ackRule: async () => known({kind: 'async', need: 0, of: [], lowerable: false}, 0, 'memory'),
    abilities: {links: {links: async () => [reading(dead)]}},
    close: async () => {},
  };
}

function reading(dead: ReadonlySet<string>, messages: Partial<MessageReading> = {}): LinkReading {
  const isSent = !dead.has('us');
  const runs = !dead.has('eu') && isSent;
  const counts = isSent ? 0 : null;
  return {
    ...{from: 'us', to: 'eu', link: 'orders', senderState: null, receiverConnected: runs, senderRead: isSent},
    ...{sendBytes: null, writeBytes: null, flushBytes: null, replayBytes: null, lastReplayAgeSeconds: null, heardUpstreamAgoMs: null},
    ...{runwayBytes: null, sync: null, sampleAgeMs: 0, trouble: null, replayOffset: null},
    messages: {
      ...{carrier: 'a cart', queue: 'q', flow: runs ? 'running' : 'down', depth: counts, unacknowledged: counts, oldestAgeSeconds: counts},
      ...{ageBasis: null, consumers: counts, redelivered: null, deadLettered: null, publishedPerSecond: null, movedPerSecond: null},
      ...messages,
    },
  };
}

const said = (lie: (dead: ReadonlySet<string>, store: Store) => Partial<Store>): Promise<string[]> =>
  failuresOf((runner) =>
    peerStoreContract(runner, async () => {
      const dead = new Set<string>();
      const store = honest(dead);
      const kill = async (member: string) => {
        dead.add(member);
      };
      return {store: {...store, ...lie(dead, store)}, members: NAMES, links: ['us>eu orders'], kill, close: async () => {}};
    }),
  );

const links = (read: () => readonly LinkReading[]): Partial<Store> => ({abilities: {links: {links: async () => read()}}});

it('finds nothing against an honest store', async () => {
  expect(await said(() => ({}))).toEqual([]);
});

it('finds nothing against one whose links are logs', async () => {
  expect(await said((dead) => links(() => [byLog(dead)]))).toEqual([]);
});

it('does not ask for links where there are none', async () => {
  expect(await said(() => ({abilities: {}}))).toEqual([]);
});

it.each<[string, Parameters<typeof said>[0], string]>([
  ['can promote', () => ({abilities: {promote: {promote: async () => nowhere}}}), 'cannot do what belongs to one'],
  [
    'has a primary',
    (_, {observe}) => ({observe: async (signal, names) => withPrimary(await observe(signal, names))}),
    'every member as a peer',
  ],
  ['observes all, whoever is asked for', (_, {observe}) => ({observe: (signal) => observe(signal)}), 'or those that are asked for'],
  [
    'throws for a dead member',
    (dead, {observe}) => ({observe: (...asked) => (dead.size > 0 ? Promise.reject(new Error('dead')) : observe(...asked))}),
    'never throws',
  ],
  ['leaves a link out', () => links(() => []), 'reads every link'],
  ['has neither messages nor bytes', (dead) => links(() => [byLog(dead, {sendBytes: null})]), 'reads every link'],
  ['has less than no bytes', (dead) => links(() => [byLog(dead, {writeBytes: -1})]), 'reads every link'],
  ['takes a log that is unknown for nothing', (dead) => links(() => [byLog(dead, {sendBytes: 0})]), 'never calls the links'],
  ['has bytes', (dead) => links(() => [{...reading(dead), replayBytes: 0}]), 'reads every link'],
  ['counts below zero', (dead) => links(() => [reading(dead, {consumers: -1})]), 'reads every link'],
  [
    'takes what is unknown for nothing',
    (dead) => links(() => [{...reading(dead), ...(dead.size > 0 ? {messages: {...readingOf(dead), depth: 0}} : {})}]),
    'never calls the links',
  ],
])('finds one that %s', async (_what, lie, test) => {
  expect((await said(lie)).join('\n')).toContain(test);
});

/** The same link where it is a log that is sent. */
function byLog(dead: ReadonlySet<string>, more: Partial<LinkReading> = {}): LinkReading {
  const {messages: _, ...link} = reading(dead);
  const [sent, bytes] = dead.has('us') ? ([null, null] as const) : (['streaming', 0] as const);
  return {...link, senderState: sent, sendBytes: bytes, writeBytes: bytes, flushBytes: bytes, replayBytes: bytes, ...more};
}

function readingOf(dead: ReadonlySet<string>): MessageReading {
  const {messages} = reading(dead);
  if (messages === undefined) throw new Error('no messages');
  return messages;
}

function withPrimary(cells: Awaited<ReturnType<Store['observe']>>): Awaited<ReturnType<Store['observe']>> {
  return {...cells, us: known({...peer('us'), role: 'primary'}, 0, 'memory')};
}
