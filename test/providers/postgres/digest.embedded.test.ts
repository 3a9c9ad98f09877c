import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {compareMembers} from '../../../src/lib/consistency/compare.ts';
import type {Position} from '../../../src/lib/snapshot/position.ts';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal, testCtx} from './open-store.ts';

const members = [
  {member: 'us', region: 'us-east'},
  {member: 'eu', region: 'eu-west'},
];

describe('comparing members row by row', () => {
  let servers: Servers;
  let store: FullStore;
  let [a, b] = [] as unknown as [Server, Server];

  beforeAll(async () => {
    servers = await startServers(['us', 'eu']);
    [a, b] = servers.all as [Server, Server];
    store = await openStore(servers.all);
    await a.sql('create table orders (id bigint generated always as identity primary key, ref text, t text, at timestamptz default now())');
    await a.sql('create table "odd ""name" (k text, "Ä b" int, x text, primary key (k, "Ä b"))');
    await a.sql('create table no_key (x int)');
    await a.sql("insert into orders (ref, t) select 'r' || g, nullif('', case when g % 2 = 0 then '' end) from generate_series(1, 4500) g");
    await a.sql(`insert into "odd ""name" values ('a', 1, 'x'), ('\u{1F600}', 2, null), ('\uFFFD', 3, '')`);
  });
  afterAll(async () => {
    await store?.close();
    await servers?.end();
  });

  const here = async (): Promise<Position> => {
    const {us} = await store.observe(signal());
    if (!us?.known) throw new Error('us is unknown');
    return us.value.durable;
  };

  it('says equal with positions and coverage', async () => {
    const at = await here();
    const result = await compareMembers(store.abilities.digest, members, at, signal());
    expect(result).toMatchObject({verdict: 'equal', asOf: {'us-east': at, 'eu-west': at}});
    expect(result.coverage).toEqual({
      members: ['us', 'eu'],
      tables: ['public."odd ""name"', 'public.orders'],
      rows: 4503,
      skipped: [{table: 'public.no_key', reason: 'it has no primary key'}],
    });
    expect(result.reason).toContain('public.no_key');
  });

  it('does not say equal of a member that has not reached the position', async () => {
    await store.abilities.seal.seal(testCtx(), ['eu']);
    await a.sql("insert into orders (ref) values ('late')");
    const result = await compareMembers(store.abilities.digest, members, await here(), signal());
    expect(result).toMatchObject({verdict: 'unknown', reason: expect.stringContaining('has replayed')});
    await store.abilities.follow.follow(testCtx(), 'eu', 'us');
  });

  it('finds what was planted on one side', async () => {
    const at = await here();
    await eventually(async () => (await b.sql("select 1 from orders where ref = 'late'")).length === 1);
    const {claim, seal, promote} = store.abilities;
    await claim.claim(testCtx());
    const {eu} = await seal.seal(testCtx(), ['eu']);
    if (eu === undefined) throw new Error('not sealed');
    await promote.promote(testCtx(), 'eu', {from: eu, until: performance.now() + 1000});
    await b.sql("update orders set ref = 'other' where id = 7");
    await b.sql('delete from orders where id = 4000');
    await b.sql(`insert into "odd ""name" values ('b', 1, 'extra')`);
    const result = await compareMembers(store.abilities.digest, members, at, signal());
    expect(result.verdict).toBe('diverged');
    expect(result.tables).toMatchObject([
      {table: 'public."odd ""name"', divergent: [{key: '["b", "1"]', class: 'missing', regions: ['us-east']}]},
      {
        table: 'public.orders',
        divergent: [
          {key: '4000', class: 'missing', regions: ['eu-west']},
          {key: '7', class: 'stale', regions: ['eu-west']},
        ],
      },
    ]);
    const cut = await compareMembers(store.abilities.digest, members, at, signal(), {listed: 1});
    expect(cut.tables[1]).toMatchObject({truncated: true});
  });
});
