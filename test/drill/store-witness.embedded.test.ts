import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {CLEAR, FaultyProxy} from '../../src/lab/faulty-proxy.ts';
import {PortPicker} from '../../src/lab/ports.ts';
import type {StoreWitnessRow} from '../../src/lib/drill/report.ts';
import {leftRecords, logOf} from '../../src/lib/drill/store-records.ts';
import {removeLeft, type StoreWitnesses, storeWitnesses} from '../../src/lib/drill/store-witnesses.ts';
import {storeRowsOf} from '../../src/lib/drill/witness-rows.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {readWitnessLog} from '../../src/lib/witness/witness-log.ts';
import {testCtx} from '../providers/postgres/open-store.ts';
import {independentWriter, makeRole, openWitnessed, type WitnessedStore, writeOne} from '../providers/postgres/witness-world.ts';
import {eventually, type Server, type Servers, startServers} from '../servers/embedded.ts';
import {FLEET} from './plans.ts';

const clock = systemClock();
const pause = (ms: number) => clock.sleep(ms);
const life = new AbortController();
const dir = mkdtempSync(join(tmpdir(), 'store-witness-'));
afterAll(() => rmSync(dir, {recursive: true, force: true}));

let servers: Servers;
let store: WitnessedStore;
let [us, eu]: readonly Server[] = [];
let n = 0;

async function begin(): Promise<void> {
  servers = await startServers(['us', 'eu']);
  [us, eu] = servers.all;
  await eventually(async () => (await us?.sql("select 1 from pg_stat_replication where state = 'streaming'"))?.length === 1);
  await makeRole(servers.all[0] as Server);
  await us?.sql('create table independent (ref text)');
  store = await openWitnessed(servers.all);
}

async function end(): Promise<void> {
  await store.close();
  await servers.end();
}

/** A run that writes; `stop` answers the row as the report has it. */
async function startRun(of: WitnessedStore = store, {named = '', process = life} = {}) {
  n += 1;
  const ctx = testCtx(named === '' ? `run-${n}` : named, 60_000);
  const streams: StoreWitnesses = storeWitnesses({fleet: FLEET, stores: {orders: of}, dir, life: process.signal, clock});
  await streams.prepare(ctx, ['orders']);
  await streams.start(ctx.runId, {stores: ['orders'], everyMs: 20, deadlineMs: 1000});
  const stop = async (): Promise<StoreWitnessRow> => {
    const [row] = storeRowsOf({stores: await streams.stop(ctx)});
    if (row === undefined) throw new Error('no row');
    return row;
  };
  return {ctx, streams, stop, run: ctx.runId};
}

/** How far two clients are apart in the longest gap, without what the witness says that its process stood still; ms. */
const apart = ({all}: StoreWitnessRow, gap: number): number =>
  Math.max(0, Math.abs((all.longestGapMs ?? Number.NaN) - gap) - (all.longestStallMs ?? 0));

const there = async (server: Server) =>
  (await server.sql<{there: string | null}>(`select to_regclass('public.regionctl_witness')::text as there`))[0]?.there;

/** What the log of the run says that was acknowledged. */
const acked = async (run: string) =>
  new Set((await readWitnessLog(logOf(dir, run, 'orders'))).writes.filter(({outcome}) => outcome === 'acknowledged').map(({ref}) => ref));
const rowsOn = async (server: Server, run: string) =>
  (await server.sql<{ref: string}>('select ref from public.regionctl_witness where run = $1', [run])).map(({ref}) => ref);

describe('on a pair that lives', () => {
  beforeAll(begin);
  afterAll(end);

  it('every write is acknowledged by the primary alone, and nothing is left behind', async () => {
    const {stop} = await startRun();
    await pause(600);
    const row = await stop();
    expect(row).toMatchObject({
      store: 'orders',
      all: {failed: 0, unknown: 0, lost: [], duplicated: [], lostWrites: 0},
      twoWriters: null,
      trouble: null,
    });
    expect(row.all.acknowledged).toBeGreaterThan(20);
    expect(row.all.cost?.writesPerSecond).toBeGreaterThan(30);
    expect(row.members).toMatchObject([
      {member: 'us', acknowledged: row.all.acknowledged},
      {member: 'eu', acknowledged: 0, firstAckAt: null},
    ]);
    expect(await there(us as Server)).toBeNull();
    // One connection each has done: to be refused takes no longer than to be heard.
    expect(readFileSync(`${eu?.dir}.log`, 'utf8').match(/cannot execute INSERT/g)).toHaveLength(1);
  });

  it('commits that wait for a standby are unknown, never acknowledged, and leave no session behind', async () => {
    await us?.sql("alter system set synchronous_standby_names = 'nobody'");
    const {stop, run} = await startRun();
    await pause(200);
    await us?.sql('select pg_reload_conf()');
    const sessions = "select count(*)::int as n from pg_stat_activity where application_name like 'regionctl witness run-%'";
    await pause(1800);
    const most = (await us?.sql<{n: number}>(sessions))?.[0]?.n ?? 0;
    const before = (await acked(run)).size;
    const row = await stop();
    expect(most).toBeGreaterThan(20);
    // 25 that the witness has, and those that are about to end.
    expect(most).toBeLessThanOrEqual(28);
    expect(row.all.acknowledged).toBe(before);
    expect(row.all.unknown).toBeGreaterThan(30);
    expect(row.trouble).toMatch(/^\d+ writes to us were not sent: every connection/);
    expect(row.all.lost).toEqual([]);
    expect((await us?.sql<{n: number}>(sessions))?.[0]?.n).toBe(0);
    // Also of what was committed when its wait was cut short.
    expect(await there(us as Server)).toBeNull();
    await us?.sql("alter system set synchronous_standby_names = ''");
    await us?.sql('select pg_reload_conf()');
  });

  it('a line that was cut and mended is met as soon as by another client', async () => {
    const proxy = new FaultyProxy(us?.port ?? 0);
    const port = await proxy.listen(new PortPicker());
    const cut = await openWitnessed(servers.all, {us: port});
    try {
      const {stop} = await startRun(cut);
      const other = independentWriter([{...(us as Server), port}], 'cut');
      await pause(300);
      proxy.reshape({...CLEAR, blackHole: true});
      await pause(1500);
      proxy.reshape(CLEAR);
      await pause(400);
      const gap = other.stop();
      const row = await stop();
      expect(gap).toBeGreaterThan(1400);
      expect(apart(row, gap)).toBeLessThan(50);
      expect(row.all).toMatchObject({lost: [], duplicated: []});
    } finally {
      await cut.close();
      await proxy.close();
    }
  });

  it('a session that is ended costs no more than its write', async () => {
    const {stop} = await startRun();
    const end = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'regionctl witness run-%'";
    for (let times = 0; times < 5; times += 1) {
      await pause(80);
      await us?.sql(end);
    }
    await pause(100);
    const row = await stop();
    expect(row.all).toMatchObject({lost: [], duplicated: []});
    expect(row.all.longestGapMs).toBeLessThan(100);
  });

  it('a run that goes on in another process goes on with new numbers, and knows the hole', async () => {
    const died = new AbortController();
    const {run, ctx} = await startRun(store, {process: died});
    await pause(200);
    died.abort();
    await pause(200);
    const file = logOf(dir, run, 'orders');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^.*"close".*$/m, ''));
    const first = (await readWitnessLog(file)).writes.length;
    const again = await startRun(store, {named: run});
    await pause(300);
    const row = await again.stop();
    const {writes} = await readWitnessLog(file);
    expect(new Set(writes.map(({ref}) => ref)).size).toBe(writes.length);
    expect(writes.length).toBeGreaterThan(first + 10);
    expect(row.all).toMatchObject({lost: [], duplicated: [], failed: 0, writeGapReason: expect.stringContaining('was not running')});
    // Measured and cleaned: what is asked again is what was told, not what is there now.
    expect(await again.streams.done(run)).toBe(true);
    expect(storeRowsOf({stores: await again.streams.stop(ctx)})[0]).toEqual(row);
  });

  it('what a run left behind is cleaned by the next one, and a run that comes back hears of it', async () => {
    const died = new AbortController();
    const left = await startRun(store, {process: died});
    await pause(150);
    died.abort();
    await pause(50);
    const next = await startRun();
    expect(await rowsOn(us as Server, left.run)).toEqual([]);
    await pause(100);
    await next.stop();
    expect(await there(us as Server)).toBeNull();
    const back = await left.stop();
    expect(back.all).toMatchObject({lost: null, lostWrites: null});
    expect(back.trouble).toContain('a part of them was removed before');
  });

  it('what is left is found by its record, also where only the table was made, and is gone when it is removed', async () => {
    const died = new AbortController();
    const ctx = testCtx('run-unbegun', 60_000);
    const streams = storeWitnesses({fleet: FLEET, stores: {orders: store}, dir, life: died.signal, clock});
    await streams.prepare(ctx, ['orders']);
    const left = await startRun(store, {process: died, named: 'run-killed'});
    await pause(150);
    died.abort();
    await pause(50);
    // Nothing was written by the first, so the second has cleaned it; made anew it is the only one without a row.
    await streams.prepare(ctx, ['orders']);
    const found = (await leftRecords(dir)).left;
    expect(found.map(({run, kept}) => [run, kept.members.length])).toEqual([['run-unbegun', 0]]);
    expect([await there(us as Server), (await rowsOn(us as Server, left.run)).length]).toEqual(['regionctl_witness', 0]);
    for (const each of found) await removeLeft({stores: {orders: store}, dir}, each, life.signal);
    expect([await there(us as Server), (await leftRecords(dir)).left]).toEqual([null, []]);
    // A run that comes back makes its table again, and has lost nothing.
    await streams.prepare(ctx, ['orders']);
    expect(await there(us as Server)).toBe('regionctl_witness');
    expect([await streams.stop(ctx), await streams.done('run-unbegun')]).toEqual([[], true]);
    expect([await there(us as Server), (await leftRecords(dir)).left]).toEqual([null, []]);
    await left.stop();
  });

  it('a right that is missing is named as the GRANT that gives it', async () => {
    await us?.sql("create role stranger login password 'only-for-tests'");
    const closed = await openWitnessed(servers.all, {}, 'stranger');
    try {
      const prepare = () => closed.abilities.witness.prepare(life.signal);
      await expect(prepare()).rejects.toMatchObject({
        code: 'witness-privilege',
        exit: 77,
        message: expect.stringMatching(/permission denied for schema public\): it lacks GRANT CREATE ON SCHEMA "public" TO "stranger"$/),
        suggestions: ['On the primary, in the database "orders": GRANT CREATE ON SCHEMA "public" TO "stranger";'],
      });
      await us?.sql(
        'create table public.regionctl_witness (id bigint generated always as identity, run text, ref text, written_at timestamptz)',
      );
      await expect(prepare()).rejects.toMatchObject({
        suggestions: [expect.stringContaining('GRANT SELECT, INSERT, DELETE ON "public"."regionctl_witness"')],
      });
      await us?.sql('grant select, insert, delete on public.regionctl_witness to stranger');
      await prepare();
      const writer = closed.abilities.witness.writer('us', 'hand');
      expect(await writeOne(writer, 'a')).toBe('acknowledged');
      expect(await writeOne(writer, 'a')).toBe('acknowledged');
      writer.close();
      expect([...(await closed.abilities.witness.readBack('us', 'hand', life.signal))]).toEqual([['a', 2]]);
      // It is another's table: emptied, and left where it is.
      await closed.abilities.witness.clean('hand', life.signal);
      expect(await there(us as Server)).toBe('regionctl_witness');
      expect(await rowsOn(us as Server, 'hand')).toEqual([]);
      await us?.sql('drop table public.regionctl_witness');
    } finally {
      await closed.close();
    }
  });

  it('a fence holds the witness as it holds any client, and an opened one lets it in at once', async () => {
    const {stop, ctx, run} = await startRun();
    const {claim, fence} = store.abilities;
    await pause(200);
    await claim?.claim(ctx);
    const proof = await fence?.fence(ctx, 'us', {keepRunning: true});
    const closed = performance.timeOrigin + performance.now();
    await pause(200);
    const opening = performance.timeOrigin + performance.now();
    await fence?.lift(ctx, 'us', 'undo');
    await pause(300);
    await claim?.release(ctx);
    const row = await stop();
    const acks = (await readWitnessLog(logOf(dir, run, 'orders'))).writes.filter(({outcome}) => outcome === 'acknowledged');
    expect(proof?.kind).toBe('closed');
    expect(acks.filter(({endedAt}) => endedAt > closed && endedAt < opening)).toEqual([]);
    expect(acks.some(({endedAt}) => endedAt > opening)).toBe(true);
    expect(row.all).toMatchObject({lost: [], duplicated: []});
  });

  it('a primary that thaws beside its successor is a second writer, with its time and its writes', async () => {
    const {stop} = await startRun();
    const other = independentWriter(servers.all, 'thaw');
    await pause(300);
    us?.freeze();
    await pause(500);
    await eu?.sql('select pg_promote(false)');
    await eventually(() => other.acks.some(({ref}) => ref.includes('-eu-')));
    await pause(300);
    const thawed = performance.timeOrigin + performance.now();
    us?.thaw();
    await pause(400);
    const gap = other.stop();
    const row = await stop();
    expect(row.twoWriters?.members.toSorted()).toEqual(['eu', 'us']);
    expect(Math.abs(Date.parse(row.twoWriters?.from ?? '') - thawed)).toBeLessThan(100);
    expect(row.twoWriters?.writes).toBeGreaterThan(15);
    expect(apart(row, gap)).toBeLessThan(50);
    // What the frozen one took after its thaw is not on the primary.
    expect(row.all.lostWrites).toBeGreaterThan(5);
  });
});

describe('a primary that is killed while its standby has not got its last writes', () => {
  beforeAll(begin);
  afterAll(end);

  it('the gap and every lost write are those of SQL and of another client', async () => {
    const {stop, run} = await startRun();
    const other = independentWriter(servers.all, 'kill');
    await pause(300);
    await eu?.sql("alter system set primary_conninfo = ''");
    await eu?.sql('select pg_reload_conf()');
    await eventually(async () => (await eu?.sql('select 1 from pg_stat_wal_receiver'))?.length === 0);
    await pause(300);
    await us?.kill();
    await pause(150);
    await eu?.sql('select pg_promote(false)');
    await eventually(() => other.acks.some(({ref}) => ref.includes('-eu-')));
    await pause(300);
    const gap = other.stop();
    const kept = new Set(await rowsOn(eu as Server, run));
    const sure = await acked(run);
    const row = await stop();
    // The old primary has them still, and shows them when it is started by itself.
    await us?.start();
    const left = await eventually(() => rowsOn(us as Server, run).catch(() => null));
    const gone = left.filter((ref) => !kept.has(ref) && sure.has(ref));
    expect(gone.length).toBeGreaterThan(5);
    expect(row.all.lost?.toSorted()).toEqual(gone.toSorted());
    expect(apart(row, gap)).toBeLessThan(50);
    expect(row.all.lossWindowMs).toBeGreaterThan(200);
    expect(row).toMatchObject({twoWriters: null, trouble: null, all: {duplicated: []}});
  });
});
