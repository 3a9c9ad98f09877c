import type {Client} from 'pg';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {eventually, PASSWORD, type Server, type Servers, startServers} from '../../servers/embedded.ts';
import {type FullStore, openStore, signal, testCtx} from './open-store.ts';

const AS_US = {user: 'app', password: PASSWORD, database: 'orders'};

describe('what the old primary has that the new one lacks', () => {
  let servers: Servers;
  let store: FullStore;
  let [us, eu] = [] as unknown as [Server, Server];
  const clients: Client[] = [];

  beforeEach(async () => {
    servers = await startServers(['us', 'eu']);
    [us, eu] = servers.all as [Server, Server];
    store = await openStore(servers.all, {}, 0);
    await us.sql('create table t (id int primary key)');
    await us.sql('grant all on t to public');
    await eventually(async () => (await us.sql("select 1 from pg_stat_replication where state = 'streaming'")).length === 1);
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.end().catch(() => undefined)));
    await store?.close();
    await servers?.end();
  });

  const count = async (mark: Parameters<FullStore['abilities']['loss']['since'] & object>[1]): Promise<number | undefined> =>
    (await store.abilities.loss.since?.('us', mark, signal()))?.transactions;

  it('is counted exactly: also what was open at the promotion and is committed later, and nothing that is committed on both', async () => {
    const open = await Promise.all([1, 2, 3, 4].map((id) => begin(id)));
    await us.sql('insert into t values (10)');
    await us.sql("begin; insert into t values (11); prepare transaction 'later'");
    await replayed();
    await store.abilities.seal.seal(testCtx(), ['eu']);
    const mark = (await store.abilities.loss.mark?.('eu', signal())) ?? null;
    await store.abilities.claim.claim(testCtx());
    const at = await durable();
    await store.abilities.promote.promote(testCtx(), 'eu', {from: at, until: performance.now() + 1000});
    // The new primary gives out the same ids for writes of its own.
    for (let id = 100; id < 110; id++) await eu.sql('insert into t values ($1)', [id]);
    expect(await count(mark)).toBe(0);
    for (const client of open.slice(0, 3)) await client.query('commit');
    await open[3]?.query('rollback');
    await us.sql("commit prepared 'later'");
    await us.sql('insert into t values (12)');
    await us.sql('insert into t values (13)');
    expect(await count(mark)).toBe(6);
    await store.abilities.claim.release(testCtx());
  });

  it('leaves out what waited for standbys when its session was ended, unless the new primary has it', async () => {
    await us.sql("alter system set synchronous_standby_names = 'nobody'");
    await us.sql('select pg_reload_conf()');
    const wait = (text: string) =>
      us.connect(AS_US).then(
        (client) =>
          void client
            .on('error', () => undefined)
            .query(text)
            .catch(() => undefined),
      );
    const waits = async () => (await us.sql("select 1 from pg_stat_activity where wait_event = 'SyncRep'")).length;
    const app = await us.connect(AS_US);
    clients.push(app);
    app.on('error', () => undefined);
    await app.query("set synchronous_commit = local; begin; insert into t values (20); prepare transaction 'second-half'");
    // Only the checkpointer tells the others that there is anything to wait for, a moment after the setting is there.
    for (let id = 1000; (await waits()) === 0; id++) {
      await wait(`insert into t values (${id})`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(await waits()).toBe(1);
    await replayed();
    await store.abilities.seal.seal(testCtx(), ['eu']);
    // First, so that what waits has later ids than anything that is over: a snapshot ends before them.
    await us.sql('set synchronous_commit = local; insert into t values (4)');
    await wait('insert into t values (2)');
    await wait('insert into t values (5)');
    await wait("commit prepared 'second-half'");
    await wait("begin; insert into t values (3); prepare transaction 'first-half'");
    await eventually(async () => (await waits()) === 5);
    const {transactions} = await store.abilities.loss.loss('eu', signal());
    expect(transactions, 'what waits is in the log, and above where a snapshot of the primary ends').toBeGreaterThanOrEqual(4);
    const mark = (await store.abilities.loss.mark?.('eu', signal())) ?? null;
    await store.abilities.claim.claim(testCtx());
    await store.abilities.promote.promote(testCtx(), 'eu', {from: await durable(), until: performance.now() + 1000});
    const {kind, untold} = await store.abilities.fence.fence(testCtx(), 'us', {untold: true, keepRunning: true});
    expect([kind, untold?.length]).toEqual(['closed', 4]);
    expect(await count(mark)).toBe(4);
    expect((await store.abilities.loss.since?.('us', mark, signal(), untold))?.transactions).toBe(1);
    await store.abilities.claim.release(testCtx());
  });

  it('is previewed by transaction ids, never too few, and counted in the log where pg_walinspect is installed', async () => {
    const preview = async () => {
      const {transactions, bytes, certainty, basis} = await store.abilities.loss.loss('eu', signal());
      expect([certainty, (bytes ?? 0) > 0]).toEqual(['estimate', true]);
      return {transactions: transactions ?? 0, basis};
    };
    const outstanding = async () => (await store.abilities.links.links(signal()))[0]?.outstandingTransactions;
    await us.sql('create extension pg_walinspect');
    await us.sql('alter extension pg_walinspect set schema public');
    const long = await Promise.all([21, 22, 23, 24, 25, 26].map((id) => begin(id)));
    for (let id = 100; id < 200; id++) await us.sql('insert into t values ($1)', [id]);
    const idle = await eventually(async () => {
      await replayed();
      const loss = await store.abilities.loss.loss('eu', signal());
      return loss.bytes === 0 ? loss : null;
    });
    expect(idle, 'no bytes, no transaction, whatever is open').toMatchObject({transactions: 0, bytes: 0, seconds: 0});
    expect(await outstanding()).toBe(0);
    await store.abilities.seal.seal(testCtx(), ['eu']);
    for (let id = 1; id <= 7; id++) await us.sql('insert into t values ($1)', [id]);
    const [undone] = await begin(8).then(async (client) => [await client.query('rollback')]);
    expect(undone?.command).toBe('ROLLBACK');
    const sub = await us.connect(AS_US);
    clients.push(sub);
    await sub.query('begin; savepoint a; insert into t values (9); savepoint b; insert into t values (10); commit');
    for (const client of long) await client.query('commit');
    expect(await preview()).toEqual({
      transactions: 14,
      basis: 'us was read right after eu. Commits are counted in the log of us.',
    });
    await us.sql('drop extension pg_walinspect');
    const bound = await preview();
    expect(bound.basis).toMatch(/Transactions are counted by their ids, aborted ones too: at most so many\.$/);
    // Their ids are older than anything that eu lacks otherwise; and of a hundred that began after them, it is known that they are over.
    for (const most of [bound.transactions, await outstanding()]) {
      expect(most).toBeGreaterThanOrEqual(15);
      expect(most).toBeLessThan(30);
    }
  });

  it('cannot be counted from something else than a mark', async () => {
    await expect(store.abilities.loss.since?.('us', 'yesterday', signal())).rejects.toMatchObject({code: 'bad-mark'});
  });

  it('is the beginning of a record at most, when the primary died in the middle of it: the standby says that it has applied the rest', async () => {
    let cut = false;
    for (let tries = 0; tries < 8 && !cut; tries++) {
      const client = await us.connect(AS_US);
      const from = await written();
      const loading = client.query('insert into t select generate_series($1::int, $2::int)', [
        tries * 1_000_000,
        (tries + 1) * 1_000_000 - 1,
      ]);
      loading.catch(() => undefined);
      client.on('error', () => undefined);
      await eventually(async () => (await written()) - from > 10_000_000);
      await us.kill();
      await store.abilities.seal.seal(testCtx(), ['eu']);
      // One look: that it waits for more is only seen between two of its own looks.
      cut = await eventually(async () => {
        const {applied, durable: held, drained} = await seen();
        if (applied.offset === held.offset) return {cut: false};
        return drained === true ? {cut: true} : null;
      }).then((found) => found.cut);
      if (cut) break;
      await us.start();
      await store.abilities.follow.follow(testCtx(), 'eu', 'us');
    }
    expect(cut, 'no record was cut in the middle').toBe(true);
    const at = await durable();
    await store.abilities.claim.claim(testCtx());
    const made = await store.abilities.promote.promote(testCtx(), 'eu', {from: at, until: performance.now() + 1000});
    expect(made.epoch).toBe(2);
    await store.abilities.claim.release(testCtx());
  });

  async function begin(id: number): Promise<Client> {
    const client = await us.connect(AS_US);
    clients.push(client);
    await client.query('begin');
    await client.query('insert into t values ($1)', [id]);
    return client;
  }

  async function replayed(): Promise<void> {
    const [row] = await us.sql<{at: string}>('select pg_current_wal_flush_lsn()::text as at');
    await eventually(async () => (await eu.sql('select 1 where pg_last_wal_replay_lsn() >= $1::pg_lsn', [row?.at])).length === 1);
  }

  /** How much the primary has written to its log, in bytes. */
  async function written(): Promise<number> {
    const [row] = await us.sql<{bytes: number}>("select (pg_current_wal_lsn() - '0/0')::float8 as bytes");
    return row?.bytes ?? 0;
  }

  async function seen() {
    const cell = (await store.observe(signal(), ['eu'])).eu;
    if (cell?.known !== true) throw new Error('eu was not seen');
    return cell.value;
  }

  const durable = async () => (await seen()).durable;
});
