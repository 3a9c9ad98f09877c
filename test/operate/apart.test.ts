import {afterEach, beforeEach, describe, expect, it, vi} from 'vitest';
import {largestLag, readLag} from '../../src/lib/operate/lag.ts';
import {readLoss} from '../../src/lib/operate/loss.ts';
import {readStatus} from '../../src/lib/operate/status.ts';
import {readTopology} from '../../src/lib/operate/topology.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import {reading} from '../ui/lag-samples.ts';
import {memoryStore, openStores} from './open-stores.ts';

const {signal} = new AbortController();
const members = ['us', 'eu'];
const hangs = () => new Promise<never>(() => undefined);
const throws = () => {
  throw new Error('the vault is locked');
};
const wellRead = async () => [reading('us', 'eu')];

/** Two stores, of which `carts` is a plugin's. */
function world(carts: Store['abilities'], more: Partial<Store> = {}) {
  const orders = memoryStore(members, {abilities: {links: {links: wellRead}}});
  const {open} = openStores({
    carts: {members, store: memoryStore(members, {abilities: carts, ...more})},
    orders: {members, store: orders},
  });
  return {...open, probes: [], uplinks: [], routers: {}};
}

/** What is answered once every deadline has passed: nothing here takes any time of its own. */
async function inTheEnd<T>(answer: Promise<T>): Promise<T> {
  let settled = false;
  const done = answer.finally(() => {
    settled = true;
  });
  done.catch(() => undefined);
  for (let seconds = 0; !settled && seconds < 60; seconds += 1) {
    await vi.advanceTimersByTimeAsync(1000);
    // The clock of the fleet goes on by immediates.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  }
  if (!settled) throw new Error('it waits for ever');
  return done;
}

beforeEach(() => {
  vi.useFakeTimers({toFake: ['setTimeout', 'clearTimeout', 'performance']});
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['throws', throws, 'the vault is locked'],
  ['rejects', async () => throws(), 'the vault is locked'],
  ['hangs', hangs, 'timeout expired'],
  ['answers with something else', async () => null as never, expect.any(String)],
])('a store whose links() %s', (_name, links, reason) => {
  it('is named by replication lag, which tells of the other one', async () => {
    const {document, exit} = await inTheEnd(readLag(world({links: {links}}), {signal}));
    expect(document.links).toMatchObject([{store: 'orders', from: 'us', to: 'eu', state: 'streaming', breaker: {state: 'closed'}}]);
    expect(document.unread).toEqual([{store: 'carts', code: 'unreadable', reason}]);
    expect(exit).toBe(3);
  });

  it('makes the status unknown, which names it', async () => {
    const {document, exit} = await inTheEnd(readStatus(world({links: {links}}), signal));
    expect(document.regions.find(({region}) => region === 'eu')?.lagWorst).toMatchObject({store: 'orders'});
    expect(document.notes).toContainEqual(expect.stringMatching(/^carts: its links could not be read: ./));
    expect([document.verdict, exit]).toEqual(['unknown', 3]);
  });

  it('is unknown in the topology, and no steady state has a lag', async () => {
    const open = world({links: {links}});
    const {document} = await inTheEnd(readTopology(open, {signal}));
    expect(document.stores).toMatchObject([
      {store: 'carts', shape: 'unknown', findings: expect.arrayContaining([expect.objectContaining({code: 'links-unread'})])},
      {store: 'orders', shape: 'pair'},
    ]);
    expect(await inTheEnd(largestLag(open, [], signal))).toMatchObject({
      known: false,
      reason: expect.stringMatching(/^carts could not be read/),
    });
    expect(await inTheEnd(largestLag(open, members, signal)), 'which nobody asked for').toMatchObject({known: true, value: 0});
  });
});

describe('a store that can be looked at once only', () => {
  it('is told by that look, as old as it is, and is unknown all the same', async () => {
    const behind = [reading('us', 'eu', {replayBytes: 4096, lastReplayAgeSeconds: 3})];
    let looks = 0;
    const links = () => {
      looks += 1;
      return looks === 1 ? Promise.resolve(behind) : hangs();
    };
    const {document, exit} = await inTheEnd(readLag(world({links: {links}}), {signal}));
    expect(document.links).toMatchObject([
      {store: 'carts', replayBytes: 4096},
      {store: 'orders', ageMs: expect.any(Number)},
    ]);
    // Of the fleet's clock only the pause before the second look has passed.
    expect(document.links[0]?.ageMs).toBe(4 + 250);
    expect(document.unread).toMatchObject([{store: 'carts', reason: 'timeout expired'}]);
    expect(exit).toBe(3);
  });
});

describe('a heartbeat that cannot be written', () => {
  it.each([
    ['throws', throws],
    ['hangs', hangs],
  ])('when it %s costs neither the links of its store nor those of another', async (_name, beat) => {
    const {document, exit} = await inTheEnd(readLag(world({links: {links: wellRead}, heartbeat: {beat}}), {signal}));
    expect(document.links.map(({store}) => store)).toEqual(['carts', 'orders']);
    expect([document.unread, exit]).toEqual([[], 0]);
  });
});

describe('replication loss', () => {
  const ofOrders = {store: 'orders', bytes: 0, certainty: 'estimate'};
  it.each([
    ['throws', throws, 'the vault is locked'],
    ['hangs', hangs, 'timeout expired'],
  ])('tells of the other store when one %s', async (_name, observe, basis) => {
    const {document, exit} = await inTheEnd(readLoss(world({}, {observe}), 'eu', signal));
    expect(document.stores).toMatchObject([{store: 'carts', certainty: 'unknown', basis}, ofOrders]);
    expect([document.blockedBy, exit]).toEqual([['carts'], 3]);
  });

  it.each([
    ['its own comparison hangs', {abilities: {loss: {loss: hangs}}}],
    ['its own comparison throws', {abilities: {loss: {loss: throws}}}],
    ['its rule of acknowledgement hangs', {ackRule: hangs}],
    ['its rule of acknowledgement throws', {ackRule: throws}],
  ] as const)('goes by the members of a store when %s', async (_name, more) => {
    const {document} = await inTheEnd(readLoss(world({}, more), 'eu', signal));
    expect(document.stores).toMatchObject([{store: 'carts', bytes: 0, certainty: 'estimate'}, ofOrders]);
  });
});

it('an interruption ends all of it at once, also where a store does not heed it', async () => {
  const stop = new AbortController();
  const asked = readLag(world({links: {links: hangs}}), {signal: stop.signal});
  stop.abort(new Error('interrupted'));
  await expect(asked).rejects.toThrow('interrupted');
});
