import {expect, it} from 'vitest';
import {explainKey} from '../../src/lib/operate/explain-key.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {FakeWorld, type WorldOptions} from '../consistency/audit/fake-world.ts';
import {memoryStore, openStores} from './open-stores.ts';

/** Explains a key of the fake world's table `public.t`, which is called `t` there. */
async function explain(key: string, change: (world: FakeWorld) => void, options: Partial<WorldOptions> = {}) {
  const world = new FakeWorld({members: 3, keys: 16, ...options});
  change(world);
  const named = {
    ...world.audit,
    tables: async (...args: Parameters<typeof world.audit.tables>) => {
      const cells = await world.audit.tables(...args);
      return Object.fromEntries(
        Object.entries(cells).map(([name, cell]) => [
          name,
          cell.known ? {...cell, value: cell.value.map((table) => ({...table, name: 'public.t'}))} : cell,
        ]),
      );
    },
  };
  const store = memoryStore(world.names, {peers: true, abilities: {audit: named, links: {links: world.links}}});
  const {open} = openStores({orders: {members: world.names, store}});
  const fleet = {...open, clock: world.clock} as OpenFleet;
  return explainKey(fleet, {store: undefined, table: 't', key, settleMs: 500, signal: new AbortController().signal});
}

it('a row that is the same everywhere', async () => {
  const {document, exit} = await explain('3', () => undefined);
  expect([document.verdict, exit, document.class, document.versions.map(({region, row}) => [region, row?.v])]).toEqual([
    'equal',
    0,
    null,
    [
      ['m0', 'v'],
      ['m1', 'v'],
      ['m2', 'v'],
    ],
  ]);
});

it('a row that differs and stands still', async () => {
  const {document, exit} = await explain('3', (world) => world.damage(1, 3, 'other'));
  expect([document.verdict, exit, document.class, document.differs]).toEqual(['diverged', 1, 'conflicting', ['v']]);
});

it('a row that is only late', async () => {
  const {document, exit} = await explain('3', (world) => world.write(0, 3, 'new'), {
    meanwhile: (world) => void (world.calls.some((call) => call.startsWith('position')) && world.deliverAll()),
  });
  expect([document.verdict, exit, document.class]).toEqual(['late', 0, null]);
});

it('a row whose change never arrives is not known', async () => {
  const {document, exit} = await explain('3', (world) => world.write(0, 3, 'new'));
  expect([document.verdict, exit]).toEqual(['unknown', 3]);
  expect(document.why).toMatch(/That may change: m\d did not catch up with m0/u);
});

it('a row that is nowhere is the same everywhere', async () => {
  const {document, exit} = await explain('99', () => undefined);
  expect([document.verdict, exit, document.versions.map(({row}) => row)]).toEqual(['equal', 0, [null, null, null]]);
});

it('a region that cannot be read leaves it unknown, unless the others differ already', async () => {
  const gone = await explain('3', (world) => void world.dead.add('m2'));
  expect([gone.document.verdict, gone.exit, gone.document.lost.map(({region}) => region)]).toEqual(['unknown', 3, ['m2']]);
});

it('a table that nobody has is refused with what there is', async () => {
  await expect(explain('3', () => undefined).then(() => undefined)).resolves.toBeUndefined();
  const world = new FakeWorld({members: 2, keys: 4});
  const store = memoryStore(world.names, {peers: true, abilities: {audit: world.audit, links: {links: world.links}}});
  const {open} = openStores({orders: {members: world.names, store}});
  const asked = explainKey(open, {store: undefined, table: 'none', key: '1', settleMs: 500, signal: new AbortController().signal});
  await expect(asked).rejects.toMatchObject({exit: 64, message: 'no region has a table "public.none"'});
});
