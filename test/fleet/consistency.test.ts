import {join} from 'node:path';
import {expect, it} from 'vitest';
import {kindsOf} from '../../src/lib/fleet/kinds.ts';
import {loadFleet} from '../../src/lib/fleet/load.ts';
import {standIns} from './kinds.ts';

const env = {DB_PASSWORD: 'hunter2-secret', CONTROL_TOKEN: 'token-secret'};
const load = (name: string) => loadFleet(join(import.meta.dirname, 'valid', name, 'fleet.yaml'), kindsOf(standIns), env);
const nothing = {merge: {}, vectorClock: null, hlc: null, region: null, tombstone: null, policy: {kind: 'siblings'}};

it('what is audited, and the rule of each table, with tables as the catalog names them', async () => {
  const [store] = (await load('consistency')).stores;
  expect(store?.consistency).toEqual({
    only: ['public.orders', 'public.profiles', 'public.likes', 'public.members', 'shop.carts', 'shop.prices'],
    ignore: ['public.audit_log'],
    tables: {
      'public.orders': {...nothing, hlc: 'hlc', region: 'region', tombstone: 'deleted', policy: {kind: 'newest'}},
      'public.profiles': {...nothing, merge: {versions: 'mv-register'}},
      'public.likes': {...nothing, merge: {counts: 'pn-counter', views: 'g-counter'}},
      'public.members': {...nothing, merge: {members: 'or-set'}},
      'shop.carts': {...nothing, vectorClock: 'clock', tombstone: 'deleted', policy: {kind: 'handler', hook: 'choose-cart'}},
      'shop.prices': {...nothing, policy: {kind: 'source', region: 'us-east'}},
    },
  });
});

it('a file that says nothing audits every table, by no rule', async () => {
  const [store] = (await load('whole')).stores;
  expect(store?.consistency).toEqual({only: null, ignore: [], tables: {}});
});

it('a handler is known by its name, with its own part of the file and its deadline', async () => {
  const {handlers, stores} = await load('handlers');
  expect(handlers).toMatchObject([{name: 'choose-cart', timeoutMs: 2000, handler: {kind: 'ledger', path: ['handlers', 'choose-cart']}}]);
  expect(stores[0]?.consistency?.tables['public.carts']?.policy).toEqual({kind: 'handler', hook: 'choose-cart'});
  expect((await load('consistency')).handlers).toBeUndefined();
});
