import {beforeEach, describe, expect, it} from 'vitest';
import {unavailable} from '../../src/lib/errors.ts';
import {savingOf} from '../../src/lib/failover/save-actions.ts';
import type {StoreWorld} from '../../src/lib/failover/store-world.ts';
import type {Abilities, Saved} from '../../src/lib/ports/store.ts';
import {context, FakeStore, fakeWorld, standby} from './fake-store.ts';

const target = {store: 'orders', member: 'us-east', region: 'us-east'};
const SAVED: Saved = {rows: 2, tables: ['public.orders'], walBytes: 55_000, files: ['/kept/r/us-east/rows.ndjson']};

let store: FakeStore;
let world: StoreWorld;
let kept: Set<string>;
let save: Abilities['rejoin']['save'];
let ways: Awaited<ReturnType<Abilities['rejoin']['options']>>;
beforeEach(() => {
  store = new FakeStore();
  store.members = {'us-east': standby('us-east', 10)};
  kept = new Set();
  save = async (_ctx, _member, _upstream, dir) => {
    kept.add(dir);
    return SAVED;
  };
  ways = [];
  store.port.abilities.rejoin = {
    options: async () => ways,
    rejoin: async () => ({bytes: null}),
    get save() {
      return save;
    },
  } as Abilities['rejoin'];
  world = {...fakeWorld(store), keeping: {dirOf: (run, member) => `/kept/${run}/${member}`, isWhole: async (dir) => kept.has(dir)}};
});
const apply = (saving = savingOf(world)) => saving.actions[0]?.apply(context(), target, {upstream: 'eu-west'});
const ask = async (name: string, saving = savingOf(world)) =>
  saving.checks.find((check) => check.name === name)?.ask(context(), target, true, 'any');

describe('keeping what a member holds alone', () => {
  it('says what was kept and where, and another process finds it there', async () => {
    expect((await ask('store.kept'))?.holds).toBe(false);
    expect(await apply()).toMatchObject({
      says: 'kept 2 rows of public.orders and 53.7 KiB of its log in /kept/r/us-east',
      kept: {dir: '/kept/r/us-east', rows: 2, missing: []},
    });
    expect(await ask('store.kept')).toMatchObject({holds: true, says: 'what us-east held alone is in /kept/r/us-east'});
  });

  it('of nothing there is nothing to find: it is remembered in the process, and asked again by another', async () => {
    save = async () => null;
    const saving = savingOf(world);
    expect(await apply(saving)).toEqual({says: 'us-east holds nothing that eu-west does not', kept: null});
    expect(await ask('store.kept', saving)).toMatchObject({holds: true, says: 'us-east holds nothing that eu-west does not'});
    expect((await ask('store.kept'))?.holds).toBe(false);
  });

  it('names what could not be kept', async () => {
    save = async () => ({...SAVED, rows: 1, tables: [], missing: ['public.log has no primary key']});
    expect(await apply()).toMatchObject({says: 'kept 1 row and 53.7 KiB of its log in /kept/r/us-east; public.log has no primary key'});
  });

  it('refuses where it fails, and says how to give it up', async () => {
    save = () => Promise.reject(unavailable('not-replayed', 'us-east was started to be read: it does not answer.'));
    await expect(apply()).rejects.toMatchObject({
      code: 'not-replayed',
      exit: 77,
      message:
        'us-east was started to be read: it does not answer. What us-east holds alone is not kept, so it was not overwritten. If it may be lost, leave it out: regionctl failback run --override keep:orders --reason "…".',
    });
    save = undefined;
    await expect(apply()).rejects.toMatchObject({code: 'no-ability', exit: 77});
  });
});

describe('whether it can be kept', () => {
  it('from a member that answers, and from one that its host can start', async () => {
    expect(await ask('store.can-save')).toMatchObject({holds: true, measured: 'answers'});
    store.members = {'us-east': null};
    ways = [{how: 'rebuild', bytes: 1}];
    expect(await ask('store.can-save')).toMatchObject({holds: true, measured: 'stopped'});
  });

  it('not from one that nobody reaches, nor in a store that cannot', async () => {
    store.members = {'us-east': null};
    expect(await ask('store.can-save')).toMatchObject({
      holds: false,
      says: 'us-east does not answer (no answer), so what it holds alone cannot be kept',
    });
    save = undefined;
    expect(await ask('store.can-save')).toMatchObject({holds: false, says: 'orders cannot keep what us-east holds alone'});
  });
});
