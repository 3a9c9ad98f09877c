import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {unavailable} from '../../src/lib/errors.ts';
import {type AuditOptions, audit} from '../../src/lib/operate/audit.ts';
import {explainAudit} from '../../src/lib/operate/audit-explain.ts';
import type {Store} from '../../src/lib/ports/store.ts';
import type {OpenFleet} from '../../src/lib/providers/open-fleet.ts';
import {FakeWorld} from '../consistency/audit/fake-world.ts';
import {memoryStore, openStores} from './open-stores.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regionctl-audit-'));
});
afterEach(() => rmSync(dir, {recursive: true, force: true}));

const leases = new Set<string>();
/** A fleet with one store of peers that is the fake world, and whatever else is given. */
function fleetOf(world: FakeWorld, more: Readonly<Record<string, {members: readonly string[]; store: Store | null}>> = {}): OpenFleet {
  const store = memoryStore(world.names, {peers: true, abilities: {audit: world.audit, links: {links: world.links}}});
  const {open} = openStores({orders: {members: world.names, store}, ...more});
  const state = async () => ({
    lease: (name: string) => {
      leases.add(name);
      return {token: name, check: () => undefined, release: () => leases.delete(name)};
    },
  });
  return {...open, clock: world.clock, stateDir: dir, state} as unknown as OpenFleet;
}

const run = (open: OpenFleet, more: Partial<AuditOptions> = {}) =>
  audit(open, {
    ...{store: undefined, regions: [], tables: [], quick: false, resume: undefined, sliceMs: 500, settleMs: 1000, limit: 10},
    limits: {maxLagMs: null, maxLoad: null, waitMs: null},
    onBegin: () => undefined,
    onProgress: () => undefined,
    signal: new AbortController().signal,
    ...more,
  });

describe('an audit of a fleet', () => {
  it('says what it compared, as of which places, and ends with 0 for equal', async () => {
    const {document, exit} = await run(fleetOf(new FakeWorld({members: 3, keys: 64})));
    expect([exit, document.verdict, document.reason]).toEqual([0, 'equal', 'All 64 rows of 1 table are the same in m0, m1, m2.']);
    expect(document).toMatchObject({
      store: 'orders',
      mode: 'full',
      coverage: {share: 1, rows: 64, lost: [], skipped: []},
      accuracy: 1,
      asOf: {m0: '0', m1: '0', m2: '0'},
    });
    expect(leases.size).toBe(0);
  });

  it.each([
    [1, 'diverged', 1],
    [40, 'truncated', 2],
  ])('%i rows that differ of at most ten listed: %s, exit code %i', async (rows, verdict, exit) => {
    const world = new FakeWorld({members: 2, keys: 64});
    for (let key = 0; key < rows; key++) world.damage(1, key, 'other');
    const told = await run(fleetOf(world));
    expect([told.document.verdict, told.exit]).toEqual([verdict, exit]);
  });

  it('a region that cannot be read makes it unknown, exit code 3, and a resume reads what is left when it is back', async () => {
    const world = new FakeWorld({
      members: 3,
      keys: 64,
      meanwhile: (now) => void (now.calls.filter((call) => call === 'digest m2').length === 2 && now.dead.add('m2')),
    });
    const told = await run(fleetOf(world));
    expect([told.exit, told.document.verdict, told.document.coverage.share]).toEqual([3, 'unknown', 0.5]);
    expect(told.document.coverage.lost).toMatchObject([{region: 'm2', code: 'refused'}]);
    const back = new FakeWorld({members: 3, keys: 64});
    const resumed = await run(fleetOf(back), {resume: 'last'});
    expect(resumed.document).toMatchObject({verdict: 'equal', resumed: true, audit: told.document.audit, coverage: {share: 1}});
    expect(back.calls.filter((call) => call === 'digest m2')).toHaveLength(2);
  });

  it('a region that could not read one table, and is there otherwise, leaves an audit that can be gone on with', async () => {
    const world = new FakeWorld({members: 3, keys: 64});
    const {audit: own} = world;
    // As by somebody's lock.
    let refusals = 1;
    const locked = {
      ...own,
      open: async (...asked: Parameters<typeof own.open>) => {
        const table = await own.open(...asked);
        return {
          ...table,
          digest: async (...given: Parameters<typeof table.digest>) => {
            if (given[0] === 'm2' && world.calls.filter((call) => call === 'digest m2').length === 2 && refusals-- > 0)
              throw unavailable('locked', 'm2: somebody holds a lock on it.');
            return table.digest(...given);
          },
        };
      },
    };
    const store = memoryStore(world.names, {peers: true, abilities: {audit: locked, links: {links: world.links}}});
    const open = {...fleetOf(world), stores: {orders: store}} as OpenFleet;
    const told = await run(open);
    expect([told.document.verdict, told.document.coverage.lost, told.document.coverage.share]).toEqual(['unknown', [], 0.5]);
    expect((await run(open, {resume: 'last'})).document).toMatchObject({verdict: 'equal', resumed: true, coverage: {share: 1}});
  });

  it('ends after --wait-timeout with what it had, and can be gone on with', async () => {
    const pass = (world: FakeWorld): void => {
      world.now += 100;
    };
    const world = new FakeWorld({members: 2, keys: 64, meanwhile: pass});
    const told = await run(fleetOf(world), {limits: {maxLagMs: null, maxLoad: null, waitMs: 700}});
    expect([told.exit, told.document.tables[0]?.code]).toEqual([3, 'wait-timeout']);
    expect(told.document.coverage.share).toBeLessThan(1);
    expect((await run(fleetOf(world), {resume: told.document.audit})).document).toMatchObject({verdict: 'equal', coverage: {share: 1}});
  });

  it('holds still while members are busy', async () => {
    const world = new FakeWorld({members: 2, keys: 64});
    const said: (string | null)[] = [];
    let looks = 0;
    const busy = {...world.audit, load: async () => ({active: ++looks < 8 ? 9 : 1})};
    const store = memoryStore(world.names, {peers: true, abilities: {audit: busy, links: {links: world.links}}});
    const open = {...fleetOf(world), stores: {orders: store}} as OpenFleet;
    const told = await run(open, {limits: {maxLagMs: null, maxLoad: 5, waitMs: null}, onProgress: (_, pausedBy) => said.push(pausedBy)});
    expect(told.document.verdict).toBe('equal');
    expect(world.now).toBeGreaterThanOrEqual(3000);
  });

  it('--quick needs an audit that came to its end, and says which full one it goes back to', async () => {
    const world = new FakeWorld({members: 2, keys: 64});
    await expect(run(fleetOf(world), {quick: true})).rejects.toMatchObject({code: 'no-baseline', exit: 77});
    const {document: full} = await run(fleetOf(world));
    world.now += 60_000;
    const {document: first} = await run(fleetOf(world), {quick: true});
    world.now += 60_000;
    world.damage(1, 3, 'other');
    const {document: second, exit} = await run(fleetOf(world), {quick: true});
    expect([first.mode, first.full, first.verdict]).toEqual(['quick', full.startedAt, 'equal']);
    expect([second.full, second.verdict, exit, second.tables[0]?.hashed]).toEqual([full.startedAt, 'diverged', 1, {chunks: 1, of: 16}]);
  });
});

describe('an audit that cannot be', () => {
  const world = new FakeWorld({members: 2, keys: 16});
  const watched = {members: ['m0', 'm1'], store: memoryStore(['m0', 'm1'])};

  it.each([
    ['of a store that has no digests', {events: watched}, {store: 'events'}, 77, /the data of events cannot be compared/u],
    ['of a store that is none', {}, {store: 'ordrs'}, 64, /ordrs/u],
    ['of one region', {}, {regions: ['m0']}, 64, /two members are needed/u],
    ['of a table that nobody has', {}, {tables: ['public.none']}, 64, /no region has a table "public.none"/u],
    ['gone on with where none was begun', {}, {resume: 'last'}, 64, /no audit to resume of orders/u],
    ['gone on with by an id that is none', {}, {resume: '../../etc'}, 64, /no audit \.\.\/\.\.\/etc of orders/u],
  ] as const)('%s', async (_, stores, more, exit, message) => {
    await expect(run(fleetOf(world, stores), more as Partial<AuditOptions>)).rejects.toMatchObject({
      exit,
      message: expect.stringMatching(message),
    });
    expect(leases.size).toBe(0);
  });

  it('two stores that could be meant are named', async () => {
    const other = {members: ['m0', 'm1'], store: memoryStore(['m0', 'm1'], {abilities: {audit: world.audit}})};
    await expect(run(fleetOf(world, {more: other}))).rejects.toMatchObject({exit: 64, suggestions: ['--store orders', '--store more']});
  });

  it('one whose tables were all read before says again where each region was', async () => {
    const two = new FakeWorld({members: 2, keys: 16});
    two.write(0, 3, 'new');
    two.deliverAll();
    const {audit: id} = (await run(fleetOf(two))).document;
    // Killed after its last table, and before its end.
    const file = join(dir, 'audits', fleetOf(two).fleet.name, 'orders', `${id}.ndjson`);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\{"type":"end".*\n/u, ''));
    const {document} = await run(fleetOf(two), {resume: id});
    expect([document.resumed, document.verdict, document.asOf]).toEqual([true, 'equal', {m0: '1', m1: '0'}]);
  });

  it('one that came to its end is not gone on with', async () => {
    await run(fleetOf(world));
    await expect(run(fleetOf(world), {resume: 'last'})).rejects.toMatchObject({code: 'audit-ended', exit: 77});
  });
});

it('tables without rows are said to have none', async () => {
  const {document} = await run(fleetOf(new FakeWorld({members: 2, keys: 0})));
  expect([document.verdict, document.reason]).toEqual(['equal', 'The table has no rows in m0, m1.']);
});

it('what an audit would read is told without reading a row', async () => {
  const world = new FakeWorld({members: 2, keys: 64});
  const document = await explainAudit(fleetOf(world), {
    store: undefined,
    regions: [],
    tables: [],
    sliceMs: 500,
    signal: new AbortController().signal,
  });
  expect(document).toMatchObject({
    store: 'orders',
    regions: ['m0', 'm1'],
    lost: [],
    tables: [{table: 't', rows: 64, says: 'in memory', code: null}],
  });
  expect(world.calls.every((call) => call.startsWith('open'))).toBe(true);
});
