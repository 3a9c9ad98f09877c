import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {eventually, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal, testCtx} from './open-store.ts';

describe('acting on a PostgreSQL store', () => {
  let servers: Servers;
  let store: FullStore;
  let rival: FullStore;
  let [a, b, c] = [] as unknown as [Server, Server, Server];

  beforeEach(async () => {
    servers = await startServers(['us', 'eu', 'ap']);
    [a, b, c] = servers.all as [Server, Server, Server];
    store = await openStore(servers.all);
    rival = await openStore(servers.all);
    await a.sql('create table t (id int primary key, x text)');
    await eventually(async () => (await a.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 2);
  });
  afterEach(async () => {
    await store?.close();
    await rival?.close();
    await servers?.end();
  });

  it('points a standby back at an upstream that is away, although the slot there cannot be asked for', async () => {
    await b.sql(`alter system set primary_slot_name = 'eu'`);
    await b.sql('select pg_reload_conf()');
    await store.abilities.seal.seal(testCtx(), ['eu']);
    await a.stop();
    await store.abilities.follow.point(testCtx(), 'eu', 'us');
    const [row] = await b.sql<{conninfo: string}>(`select current_setting('primary_conninfo') as "conninfo"`);
    expect(row?.conninfo).toContain(`port=${a.port}`);
  });

  it('is claimed by one at a time, until it is released or evicted', async () => {
    for (let time = 1; time <= 2; time++) {
      expect((await store.abilities.claim.claim(testCtx('mine'))).toSorted()).toEqual(['ap', 'eu', 'us']);
    }
    await expect(rival.abilities.claim.claim(testCtx('theirs'))).rejects.toMatchObject({
      code: 'lease-held',
      exit: 75,
      message: expect.stringContaining('regionctl mine'),
    });
    expect(await store.abilities.claim.held(testCtx())).toBe(true);
    expect(await rival.abilities.claim.held(testCtx())).toBe(false);
    await store.abilities.claim.release(testCtx());
    expect(await rival.abilities.claim.claim(testCtx('theirs'))).toHaveLength(3);
    expect(await store.abilities.claim.evict(testCtx('mine'))).toHaveLength(3);
    expect(await rival.abilities.claim.held(testCtx())).toBe(false);
    await expect(
      rival.abilities.promote.promote(testCtx(), 'eu', {from: await durable('eu'), until: performance.now() + 1000}),
    ).rejects.toMatchObject({
      code: 'not-claimed',
    });
    // Nothing else either: it goes over the session that held the claim, and that one is gone.
    await expect(rival.abilities.seal.seal(testCtx(), ['eu'])).rejects.toMatchObject({code: 'seal-failed'});
    expect(await b.sql("select 1 from pg_stat_wal_receiver where status = 'streaming'")).toHaveLength(1);
  });

  it('is taken over from a process of the same run that ended without a word', async () => {
    await store.abilities.claim.claim(testCtx('same'));
    expect(await rival.abilities.claim.claim(testCtx('same'))).toHaveLength(3);
    expect(await rival.abilities.claim.held(testCtx('same'))).toBe(true);
    expect(await store.abilities.claim.held(testCtx('same'))).toBe(false);
  });

  it('is held while a claimed member is down, and claimed where it can be reached', async () => {
    await c.kill();
    expect((await store.abilities.claim.claim(testCtx('mine'))).toSorted()).toEqual(['eu', 'us']);
    await a.kill();
    expect(await store.abilities.claim.held(testCtx())).toBe(true);
    await a.start();
    expect(await store.abilities.claim.held(testCtx('mine'))).toBe(true);
    await expect(rival.abilities.claim.claim(testCtx('theirs'))).rejects.toMatchObject({code: 'lease-held'});
  });

  it('is taken late on a member that came back after the others were claimed, unless another has it', async () => {
    const {claim, seal, promote} = store.abilities;
    await claim.claim(testCtx('mine'), ['us', 'ap']);
    await rival.abilities.claim.claim(testCtx('theirs'), ['eu']);
    expect(await claim.holders(testCtx('mine'))).toEqual({us: null, eu: expect.stringContaining('regionctl theirs'), ap: null});
    // Under another's claim nothing is changed there.
    expect(Object.keys(await seal.seal(testCtx('mine'), ['eu', 'ap']))).toEqual(['ap']);
    const at = await durable('eu');
    await expect(promote.promote(testCtx('mine'), 'eu', {from: at, until: performance.now() + 1000})).rejects.toMatchObject({
      code: 'lease-held',
    });
    await rival.abilities.claim.release(testCtx('theirs'));
    expect(Object.keys(await seal.seal(testCtx('mine'), ['eu']))).toEqual(['eu']);
    const when = {from: await durable('eu'), until: performance.now() + 1000};
    expect(await promote.promote(testCtx('mine'), 'eu', when)).toMatchObject({epoch: 2});
    await claim.release(testCtx('mine'));
    expect(await rival.abilities.claim.claim(testCtx('theirs'))).toHaveLength(3);
  });

  it('is not taken before it shows what the one that was evicted had begun', async () => {
    await store.abilities.claim.claim(testCtx('mine'));
    await store.abilities.seal.seal(testCtx('mine'), ['eu']);
    // A standby that is slow to promote: its startup process hears nothing for a while, and until then it looks like any other.
    const [startup] = await b.sql<{pid: number}>("select pid from pg_stat_activity where backend_type = 'startup'");
    process.kill(startup?.pid ?? 0, 'SIGSTOP');
    const when = {from: await durable('eu'), until: performance.now() + 1000};
    const promoted = store.abilities.promote.promote(testCtx('mine'), 'eu', when).catch((error: unknown) => error);
    await eventually(async () => (await b.sql("select 1 from pg_stat_file('promote', true) where size is not null")).length === 1);
    let over = false;
    const taken = rival.abilities.claim.evict(testCtx('theirs')).finally(() => {
      over = true;
    });
    await eventually(async () => (await b.sql("select 1 from pg_locks where locktype = 'advisory'")).length === 1);
    for (let look = 0; look < 20; look++) await b.sql('select 1');
    expect(over).toBe(false);
    process.kill(startup?.pid ?? 0, 'SIGCONT');
    expect(await taken).toHaveLength(3);
    await promoted;
    expect((await rival.observe(signal())).eu).toMatchObject({value: {role: 'primary'}});
  });

  it('is taken over also while every standby has its hands full with its log', async () => {
    await store.abilities.claim.claim(testCtx('mine'));
    let over = false;
    const load = (async () => {
      for (let id = 1; !over; id += 500) await a.sql(`insert into t select i, repeat('x', 500) from generate_series(${id}, ${id + 499}) i`);
    })();
    expect(await rival.abilities.claim.evict(testCtx('theirs'))).toHaveLength(3);
    over = true;
    await load;
  });

  it('seals standbys: nothing written after it reaches them', async () => {
    await a.sql("insert into t values (1, 'before')");
    const positions = await store.abilities.seal.seal(testCtx(), ['eu', 'ap']);
    expect(Object.keys(positions)).toEqual(['eu', 'ap']);
    await a.sql("insert into t values (2, 'after')");
    expect(await store.abilities.seal.sealed(testCtx(), ['eu', 'ap'])).toMatchObject({eu: {value: true}, ap: {value: true}});
    expect(await durable('eu')).toEqual(positions.eu);
    expect((await durable('us')).offset).not.toBe(positions.eu?.offset);
    expect((await store.observe(signal())).eu).toMatchObject({value: {upstream: null, heardUpstreamAgoMs: null}});
    await expect(store.abilities.seal.seal(testCtx(), ['us'])).rejects.toMatchObject({code: 'seal-failed'});
    expect(await store.abilities.links.links(signal())).toMatchObject([
      {from: 'us', to: 'eu', senderState: null, receiverConnected: false},
      {to: 'ap', senderState: null, receiverConnected: false},
    ]);
    // A member that is down is missing in the answer.
    await c.kill();
    expect(Object.keys(await store.abilities.seal.seal(testCtx(), ['eu', 'ap']))).toEqual(['eu']);
    await store.abilities.follow.follow(testCtx(), 'eu', 'us');
    expect(await store.abilities.seal.sealed(testCtx(), ['eu'])).toMatchObject({eu: {value: false}});
    await eventually(async () => (await b.sql('select 1 from t')).length === 2);
  });

  it('promotes only if claimed, sealed, in time, on the right timeline and far enough', async () => {
    const {promote, seal, claim} = store.abilities;
    const here = await durable('eu');
    const refusal = (message: RegExp) => ({code: 'promote-refused', exit: 77, message: expect.stringMatching(message)});
    await expect(promote.promote(testCtx(), 'eu', {from: here, until: performance.now() + 1000})).rejects.toMatchObject(refusal(/claim/));
    await claim.claim(testCtx());
    await expect(promote.promote(testCtx(), 'eu', {from: here, until: performance.now() + 1000})).rejects.toMatchObject(
      refusal(/receives/),
    );
    await seal.seal(testCtx(), ['eu']);
    const from = await durable('eu');
    await expect(promote.promote(testCtx(), 'eu', {from, until: performance.now() - 1})).rejects.toMatchObject(refusal(/too old/));
    await expect(promote.promote(testCtx(), 'eu', {from: {...from, epoch: 2}, until: performance.now() + 1000})).rejects.toMatchObject(
      refusal(/timeline 1, expected 2/),
    );
    await expect(promote.promote(testCtx(), 'eu', {from: {...from, lineage: '1'}, until: performance.now() + 1000})).rejects.toMatchObject(
      refusal(/lineage/),
    );
    const further = {...from, offset: String(BigInt(from.offset) + 1n)};
    await expect(promote.promote(testCtx(), 'eu', {from: further, until: performance.now() + 1000})).rejects.toMatchObject(
      refusal(/at least/),
    );
    expect((await store.observe(signal())).eu).toMatchObject({value: {role: 'standby'}});

    const after = await promote.promote(testCtx(), 'eu', {from, until: performance.now() + 1000});
    expect(after).toMatchObject({lineage: from.lineage, epoch: 2});
    expect(BigInt(after.offset)).toBeGreaterThanOrEqual(BigInt(from.offset));
    await expect(promote.promote(testCtx(), 'eu', {from, until: performance.now() + 1000})).rejects.toMatchObject(
      refusal(/primary already/),
    );
    await b.sql("insert into t values (5, 'new')");
  });

  it('lets the other standby follow the new primary, and tells the timelines apart', async () => {
    const {promote, seal, claim, follow, durability} = store.abilities;
    await claim.claim(testCtx());
    const {eu} = await seal.seal(testCtx(), ['eu', 'ap']);
    if (eu === undefined) throw new Error('not sealed');
    await a.kill();
    await durability.set(testCtx(), 'eu', {need: 1, of: ['ap']});
    await promote.promote(testCtx(), 'eu', {from: eu, until: performance.now() + 1000});
    expect(await follow.following(testCtx(), 'ap')).toBeNull();
    await follow.follow(testCtx(), 'ap', 'eu');
    expect(await follow.following(testCtx(), 'ap')).toBe('eu');
    await b.sql("insert into t values (5, 'new')");
    expect(await c.sql('select id from t')).toEqual([{id: 5}]);
    const seen = await store.observe(signal());
    expect(seen).toMatchObject({
      us: {known: false},
      eu: {value: {role: 'primary', durable: {epoch: 2}}},
      ap: {value: {upstream: 'eu', durable: {epoch: 2}}},
    });
    await seal.seal(testCtx(), ['ap']);
    expect((await durable('ap')).epoch).toBe(2);
    await expect(follow.follow(testCtx(), 'eu', 'ap')).rejects.toMatchObject({code: 'not-a-standby'});
  });

  it('previews what a promotion would lose', async () => {
    expect(await store.abilities.loss.loss('eu', signal())).toMatchObject({certainty: 'estimate'});
    await store.abilities.seal.seal(testCtx(), ['eu']);
    for (let id = 1; id <= 5; id++) await a.sql('insert into t values ($1)', [id]);
    const loss = await store.abilities.loss.loss('eu', signal());
    expect(loss).toMatchObject({certainty: 'estimate', transactions: 5});
    expect(loss.bytes).toBeGreaterThan(100);
    expect(loss.seconds).toBeGreaterThan(0);
  });

  const durable = async (member: string) => {
    const cell = (await store.observe(signal(), [member]))[member];
    if (!cell?.known) throw new Error(`${member} is unknown`);
    return cell.value.durable;
  };
});
