import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {countActions} from '../../src/lib/failover/count-actions.ts';
import {FakeStore, fakeWorld} from '../failover/fake-store.ts';
import {type FullStore, openStore, testCtx} from '../providers/postgres/open-store.ts';
import {eventually, type Server, type Servers, startServers} from '../servers/embedded.ts';

type Counted = {
  readonly says: string;
  readonly tables: readonly {readonly table: string; readonly verdict: string; readonly rows: Readonly<Record<string, string>>}[];
};

describe('counting the rows of real servers', () => {
  let servers: Servers;
  let store: FullStore;
  let [a, b] = [] as unknown as [Server, Server];
  beforeAll(async () => {
    servers = await startServers(['us', 'eu', 'ap']);
    [a, b] = servers.all as [Server, Server];
    store = await openStore(servers.all);
    await a.sql('create table orders (id bigserial primary key, x text)');
    await a.sql('create table "Odd ""name" (x int)');
    await a.sql('create table parts (x int) partition by range (x)');
    await a.sql('create table parts_1 partition of parts for values from (0) to (1000)');
    await a.sql('insert into orders (x) select n::text from generate_series(1, 300) n');
    await a.sql('insert into "Odd ""name" select generate_series(1, 7)');
    await a.sql('insert into parts select generate_series(1, 50)');
    await eventually(async () => (await a.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 2);
  });
  afterAll(async () => {
    await store?.close();
    await servers?.end();
  });
  const count = (members: readonly string[] = ['us', 'eu', 'ap']) => {
    const [action] = countActions({...fakeWorld(new FakeStore()), stores: {orders: store}, independent: async () => store});
    return action?.apply(testCtx('run-1', 30_000), {store: 'orders'}, {members: [...members], primary: 'us'}) as Promise<Counted>;
  };

  it('each table once, also those without a key, with odd names, and the parts of one', async () => {
    const rows = (n: number) => ({us: `${n}`, eu: `${n}`, ap: `${n}`});
    expect(await count()).toEqual({
      says: '3 of 3 tables of orders have the same number of rows on us, eu, ap',
      tables: [
        {table: 'public."Odd ""name"', verdict: 'equal', rows: rows(7), why: null},
        {table: 'public.orders', verdict: 'equal', rows: rows(300), why: null},
        {table: 'public.parts_1', verdict: 'equal', rows: rows(50), why: null},
      ],
    });
  });

  it('writes that go on are no difference', async () => {
    const client = await a.connect({database: 'orders'});
    let writing = true;
    const writer = (async () => {
      while (writing) await client.query("insert into orders (x) values ('more')");
    })();
    const counted = await count().finally(() => {
      writing = false;
    });
    await writer;
    await client.end();
    const [before] = await a.sql<{n: number}>('select count(*)::int as n from orders');
    expect(before?.n).toBeGreaterThan(300);
    expect(counted.tables.map(({verdict}) => verdict)).toEqual(['equal', 'equal', 'equal']);
  });

  it('a standby that does not replay is left out, with the reason', async () => {
    await b.sql('select pg_wal_replay_pause()');
    await a.sql("insert into orders (x) values ('not replayed')");
    const counted = await count();
    await b.sql('select pg_wal_replay_resume()');
    expect(counted.says).toMatch(/on us, ap; left out: eu \(it did not replay what us held within its deadline\)$/);
  });

  it('nothing was written to anybody', async () => {
    const next = async () => (await a.sql<{xid: string}>('select pg_snapshot_xmax(pg_current_snapshot())::text as xid'))[0]?.xid;
    const before = await next();
    await count();
    expect(await next()).toBe(before);
  });
});
