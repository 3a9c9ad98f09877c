import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {STANDBY_DURABLE, standbyTimeline} from '../../../src/lib/providers/postgres/facts.ts';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal, testCtx} from './open-store.ts';

describe('observing a PostgreSQL store', () => {
  let servers: Servers;
  let store: FullStore;
  let [a, b, c] = [] as unknown as [Server, Server, Server];

  beforeAll(async () => {
    servers = await startServers(['us', 'eu', 'ap']);
    [a, b, c] = servers.all as [Server, Server, Server];
    store = await openStore(servers.all);
    await a.sql('create table t (id int primary key, x text)');
    await eventually(async () => (await a.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 2);
  });
  afterAll(async () => {
    await store?.close();
    await servers?.end();
  });

  it('reads role, position and upstream of every member', async () => {
    const seen = await eventually(async () => {
      const cells = await store.observe(signal());
      const {us, eu} = cells;
      return us?.known && eu?.known && us.value.durable.offset === eu.value.durable.offset ? cells : null;
    });
    const {us, eu, ap} = seen;
    if (!us?.known || !eu?.known || !ap?.known) throw new Error(JSON.stringify(seen));
    expect(us.value).toMatchObject({region: 'region-us', role: 'primary', writable: true, upstream: null, heardUpstreamAgoMs: null});
    expect(eu.value).toMatchObject({role: 'standby', writable: false, upstream: 'us'});
    expect(us.value.durable.lineage).toBe(ap.value.durable.lineage);
    expect([us, eu, ap].map(({value}) => value.durable.epoch)).toEqual([1, 1, 1]);
    expect(BigInt(eu.value.durable.offset)).toBeGreaterThan(0n);
    expect(eu.value.heardUpstreamAgoMs).toBeGreaterThanOrEqual(0);
  });

  it('lists no files of a standby whose receiver wrote its log itself', async () => {
    const plan = async (durable: string): Promise<string> => {
      const rows = await b.sql(`explain (analyze, costs off, timing off) select ${standbyTimeline(durable)}`);
      return rows.map((row) => Object.values(row)[0]).join(' ');
    };
    expect(await plan(STANDBY_DURABLE)).toMatch(/pg_ls_waldir \S+ \(never executed\)/);
    expect(await plan(`(${STANDBY_DURABLE} + 1)`), 'where something else did').toMatch(/pg_ls_waldir \S+ \(actual/);
  });

  it('reads only the members that were asked for', async () => {
    expect(Object.keys(await store.observe(signal(), ['eu']))).toEqual(['eu']);
  });

  it('sees who answered while this process slept', async () => {
    await store.observe(signal());
    const looking = store.observe(signal());
    // From here on timers come before what was answered.
    await new Promise((resolve) => setImmediate(resolve));
    // As SIGSTOP would: every limit is over when this process goes on.
    const until = performance.now() + 2000;
    while (performance.now() < until);
    expect(Object.values(await looking).map(({known}) => known)).toEqual([true, true, true]);
  });

  it('says who must acknowledge', async () => {
    expect(await store.ackRule(signal())).toMatchObject({known: true, value: {kind: 'async', need: 0, of: []}});
    await store.abilities.durability.set(testCtx(), 'us', {need: 1, of: ['eu', 'ap']});
    expect(await store.abilities.durability.read(testCtx(), 'us')).toEqual({need: 1, of: ['eu', 'ap']});
    expect(await store.ackRule(signal())).toMatchObject({known: true, value: {kind: 'quorum', need: 1, of: ['eu', 'ap'], lowerable: true}});
    const [row] = await a.sql<{setting: string}>('select current_setting($1) as setting', ['synchronous_standby_names']);
    expect(row?.setting).toBe('ANY 1 ("eu", "ap")');
    const seen = async () => {
      const {us} = await store.observe(signal(), ['us']);
      return us?.known === true ? {acknowledges: us.value.acknowledges, lowered: us.value.lowered} : us;
    };
    expect(await seen()).toEqual({acknowledges: {need: 1, of: ['eu', 'ap']}, lowered: undefined});
    await a.sql("alter system set synchronous_commit = 'local'");
    await a.sql('select pg_reload_conf()');
    await eventually(async () => JSON.stringify(await seen()).includes('"lowered":true'));
    await a.sql('alter system reset synchronous_commit');
    await a.sql('select pg_reload_conf()');
    await eventually(async () => !JSON.stringify(await seen()).includes('lowered'));
    await store.abilities.durability.set(testCtx(), 'us', {need: 0, of: []});
    expect(await store.abilities.durability.read(testCtx(), 'us')).toEqual({need: 0, of: []});
  });

  it('reads links from both ends', async () => {
    const links = await store.abilities.links.links(signal());
    expect(links.map(({from, to}) => `${from}>${to}`)).toEqual(['us>eu', 'us>ap']);
    for (const link of links) {
      expect(link).toMatchObject({senderState: 'streaming', receiverConnected: true, trouble: null});
      for (const bytes of [link.sendBytes, link.writeBytes, link.flushBytes, link.replayBytes, link.runwayBytes])
        expect(bytes).toBeGreaterThanOrEqual(0);
    }
  });

  it('is not held up by a frozen member, which is unknown with a reason', async () => {
    b.freeze();
    const began = performance.now();
    const fresh = await openStore(servers.all);
    const [warm, cold] = await Promise.all([store.observe(signal()), fresh.observe(signal())]);
    const tookMs = performance.now() - began;
    b.thaw();
    for (const cells of [warm, cold]) {
      expect(cells.eu).toMatchObject({known: false, code: 'timeout'});
      expect(cells.us?.known && cells.ap?.known).toBe(true);
    }
    expect(tookMs).toBeLessThan(2500);
    await fresh.close();
    await eventually(async () => (await store.observe(signal())).eu?.known);
  });

  it('says refused for a dead member, and that nobody can say who acknowledges without a primary', async () => {
    await c.kill();
    expect((await store.observe(signal())).ap).toMatchObject({known: false, code: 'refused'});
    expect((await store.abilities.links.links(signal())).find(({to}) => to === 'ap')).toMatchObject({
      senderState: null,
      receiverConnected: null,
    });
    await a.kill();
    const cells = await store.observe(signal());
    expect(cells.us).toMatchObject({known: false, code: 'refused'});
    expect(JSON.stringify(cells)).not.toContain('only-for-tests');
    expect(await store.ackRule(signal())).toMatchObject({known: false, code: 'no-primary'});
    expect(await store.abilities.loss.loss('eu', signal())).toMatchObject({certainty: 'unknown', bytes: null, transactions: null});
  });
});
