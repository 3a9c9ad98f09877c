import {expect, it} from 'vitest';
import {lossFrom, readLoss} from '../../src/lib/operate/loss.ts';
import type {Abilities} from '../../src/lib/ports/store.ts';
import {unknown} from '../../src/lib/snapshot/cell.ts';
import {memoryStore, openStores} from './open-stores.ts';

it('the loss of a store is asked for once its members were read: over a connection that is there by then', async () => {
  const asked: string[] = [];
  const plain = memoryStore(['us', 'eu']);
  const loss: Abilities['loss']['loss'] = async () => {
    asked.push('loss');
    return {store: 'orders', transactions: 3, bytes: 50, seconds: 1, certainty: 'estimate', basis: 'us was read right after eu.'};
  };
  const store = memoryStore(['us', 'eu'], {
    observe: async (signal) => {
      asked.push('observe');
      await new Promise((done) => setImmediate(done));
      asked.push('observed');
      return plain.observe(signal);
    },
    abilities: {loss: {loss}},
  });
  const {open} = openStores({orders: {members: ['us', 'eu'], store}});
  const {document} = await readLoss(open, 'eu', new AbortController().signal);
  expect(asked).toEqual(['observe', 'observed', 'loss']);
  expect(document.stores).toMatchObject([{bytes: 50, transactions: 3, certainty: 'estimate'}]);
});

it('from a look that was taken, only what could be promoted is told of', async () => {
  const {open} = openStores({orders: {members: ['us', 'eu'], store: memoryStore(['us', 'eu'])}});
  const {signal} = new AbortController();
  const members = await memoryStore(['us', 'eu']).observe(signal);
  const stores = {orders: {engine: 'memory', ack: unknown('none', 'it has none', 0), members}};
  const look = {stores, state: null, signal, forMs: 100};
  expect((await lossFrom(open, 'us', look)).stores).toEqual([]);
  expect((await lossFrom(open, 'eu', look)).stores).toMatchObject([{store: 'orders', certainty: 'estimate'}]);
});
