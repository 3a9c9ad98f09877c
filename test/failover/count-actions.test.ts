import {beforeEach, describe, expect, it} from 'vitest';
import {countActions} from '../../src/lib/failover/count-actions.ts';
import {countsStep} from '../../src/lib/failover/verify-steps.ts';
import type {Json} from '../../src/lib/plan/json.ts';
import {context, FakeStore, fakeWorld, standby} from '../failover/fake-store.ts';

const position = {lineage: 'L', epoch: 2, offset: '500'};
const primary = standby('eu-west', 500, {role: 'primary', writable: true, upstream: null, durable: position, applied: position});
const follower = (region: string, offset = 500) => {
  const at = {...position, offset: String(offset)};
  return standby(region, offset, {upstream: 'eu-west', durable: at, applied: at});
};
const target = {store: 'orders'};
const args = {members: ['us-east', 'eu-west', 'ap'], primary: 'eu-west'};

let store: FakeStore;
let rows: Record<string, Record<string, Json>>;
let queries: string[];
beforeEach(() => {
  store = new FakeStore();
  store.members = {'us-east': null, 'eu-west': primary, ap: follower('ap')};
  rows = {'eu-west': {'public.orders': 7, 'public."Log"': '12'}, ap: {'public.orders': '7', 'public."Log"': 12}};
  queries = [];
  store.port.abilities.digest = {
    tables: async () => ['public.orders'],
    skipped: async () => ['public."Log"'],
    rows: () => {
      throw new Error('rows are not read');
    },
  };
  store.port.abilities.scalar = {
    scalar: async (member, query) => {
      queries.push(`${member}: ${query}`);
      const [, table = ''] = /^select count\(\*\) from only (.+)$/.exec(query) ?? [];
      const value = rows[member]?.[table];
      if (value === undefined) throw new Error(`${member} has no ${table}`);
      return value;
    },
  };
});
const count = (forMs = 20_000) => {
  const [action] = countActions(fakeWorld(store));
  return action?.apply(context(forMs), target, args) as Promise<{
    says: string;
    tables: readonly {table: string; verdict: string; why: string}[];
  }>;
};

describe('counting the rows of a store that moved', () => {
  it('reads every table, keyed or not, of the primary and of each standby that answers', async () => {
    expect(await count()).toEqual({
      says: '2 of 2 tables of orders have the same number of rows on eu-west, ap; left out: us-east (no answer)',
      tables: [
        {table: 'public."Log"', verdict: 'equal', rows: {'eu-west': '12', ap: '12'}, why: null},
        {table: 'public.orders', verdict: 'equal', rows: {'eu-west': '7', ap: '7'}, why: null},
      ],
    });
    expect(queries).toContain('ap: select count(*) from only public."Log"');
  });

  it('fails when a standby has another number of rows', async () => {
    rows.ap = {'public.orders': 6, 'public."Log"': 12};
    await expect(count()).rejects.toMatchObject({
      code: 'counts-differ',
      exit: 77,
      message: expect.stringContaining('public.orders has 7 on eu-west, 6 on ap'),
    });
  });

  it('waits until a standby has replayed what the primary held, and leaves one out that does not answer any more', async () => {
    store.members.ap = follower('ap', 400);
    let looks = 0;
    store.onObserve = () => {
      looks += 1;
      if (looks === 6) store.members.ap = follower('ap', 500);
    };
    expect((await count()).says).toContain('2 of 2 tables');
    expect(looks).toBeGreaterThan(6);
    store.onObserve = () => {};
    store.members.ap = follower('us-east', 400);
    expect((await count(300)).says).toMatch(
      /^there is no standby of orders to count; left out: .*ap \(it did not replay what eu-west held/,
    );
  });

  it('says what could not be counted, and that proves nothing', async () => {
    rows.ap = {'public.orders': 7};
    expect((await count()).says).toMatch(/^1 of 2 tables .*; public\."Log" could not be counted: ap has no public\."Log"/);
    store.port.abilities.digest = {...store.port.abilities.digest, tables: async () => ['public.orders; drop table x']} as never;
    const {tables} = await count();
    expect(tables.map(({verdict}) => verdict)).toEqual(['unknown', 'unknown']);
    expect(queries.some((query) => query.includes('drop'))).toBe(false);
  });

  it('begins no count that might not end in time', async () => {
    expect((await count(3000)).says).toContain('could not be counted: the time for it was over');
    expect(queries).toEqual([]);
  });

  it('is left out, and says so, where the engine cannot count', async () => {
    delete (store.port.abilities as {scalar?: unknown}).scalar;
    expect(await count()).toEqual({says: 'orders (fake) cannot count rows, so nothing was compared', tables: []});
  });

  it('needs a primary to count from', async () => {
    store.members['eu-west'] = follower('eu-west');
    await expect(count()).rejects.toMatchObject({code: 'no-primary', exit: 69, message: expect.stringContaining('it is a standby')});
  });
});

it('the step names its members, and a failure of it stops the run without going back', () => {
  const step = countsStep({store: 'orders', suffix: ':orders'}, args.members, args.primary);
  expect(step).toMatchObject({
    id: 'verify-counts:orders',
    phase: 'verify',
    title: 'count the rows of orders on eu-west, us-east, ap',
    do: {action: 'verify.counts', v: 1, target: {store: 'orders'}, args},
    onFailure: 'stop',
    undo: null,
  });
});
