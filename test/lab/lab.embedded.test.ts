import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {runLoad} from '../../src/lab/load.ts';
import {eventually, kill, LabUnderTest, NOTHING, segmentsLeft, segmentsOf, traces} from './lab-under-test.ts';

type Sync = {name: string; sync: string};
const STREAMING = "select application_name as name, sync_state as sync from pg_stat_replication where state = 'streaming' order by 1";
const count = async (lab: LabUnderTest, region: string, ref: string) =>
  Number((await lab.sql<{n: string}>(region, `select count(*) as n from orders where ref = '${ref}'`))[0]?.n);

describe('a lab of three regions', () => {
  const lab = new LabUnderTest();
  beforeAll(async () => {
    await lab.up();
  });
  afterAll(() => lab.remove());
  // A test that failed midway must not fail the next ones.
  afterEach(async () => {
    for (const {region} of (await lab.status()).faults ?? []) await lab.heal(region);
  });

  const streaming = () => lab.sql<Sync>('us-east', STREAMING);
  const whole = async () => (await lab.status()).regions.every(({state}) => state === 'running') && (await streaming()).length === 2;

  it('says what there is', async () => {
    const status = await lab.status();
    expect(status.regions.map(({region, role, state}) => [region, role, state])).toEqual([
      ['us-east', 'primary', 'running'],
      ['eu-west', 'standby', 'running'],
      ['ap', 'standby', 'running'],
    ]);
    expect(status).toMatchObject({profile: 'fast', mode: 'quorum', faults: [], supervisor: {running: true}});
    expect(readFileSync(status.fleetFile, 'utf8')).toContain('fleet: lab');
  });

  it('has its quorum in force', async () => {
    expect(await streaming()).toEqual([
      {name: 'ap', sync: 'quorum'},
      {name: 'eu-west', sync: 'quorum'},
    ]);
    const settings = await lab.sql<{name: string; setting: string}>(
      'ap',
      "select name, setting from pg_settings where name in ('synchronous_standby_names', 'fsync') order by 1",
    );
    expect(settings.map(({setting}) => setting)).toEqual(['off', 'ANY 1 ("us-east", "eu-west")']);
  });

  it('takes orders through the front door and has them in every region', async () => {
    const {status, body, region} = await lab.order('first');
    expect([status, region]).toEqual([201, 'us-east']);
    expect(body).toMatchObject({ref: 'first', region: 'us-east'});
    for (const each of ['us-east', 'eu-west', 'ap']) await eventually(async () => (await count(lab, each, 'first')) === 1);
    const list = await lab.http(`${(await lab.region('ap')).http}/orders?prefix=fir&limit=10`);
    expect(list.body).toMatchObject({orders: [{ref: 'first'}], region: 'ap', next: null});
  });

  it('answers health as it is', async () => {
    const [east, west] = [await lab.region('us-east'), await lab.region('eu-west')];
    expect(await lab.http(`${east.http}/healthz`)).toMatchObject({status: 200, body: {role: 'primary', writable: true}});
    expect(await lab.http(`${west.http}/healthz`)).toMatchObject({status: 200, body: {role: 'standby', writable: false}});
    expect((await lab.http(`${west.http}/readyz`)).status).toBe(503);
  });

  it('refuses an order in a standby region as certainly not written', async () => {
    await lab.weights({'eu-west': 100});
    const {status, body, region} = await lab.order('refused');
    await lab.weights({'us-east': 100});
    expect([status, region]).toEqual([503, 'eu-west']);
    expect(body).toMatchObject({error: expect.stringContaining('read-only')});
    expect(await count(lab, 'us-east', 'refused')).toBe(0);
  });

  it('has no password in any command line or environment, and no door without one', async () => {
    const secrets = ['regionctl', 'replicator', 'app', 'control'].map(lab.secret);
    const pids = [lab.record.supervisor.pid, ...(await lab.status()).regions.flatMap((region) => region.pids)];
    for (const pid of pids) {
      const text = ofProcess(pid, 'cmdline') + ofProcess(pid, 'environ');
      for (const secret of secrets) expect(text.includes(secret)).toBe(false);
    }
    expect(JSON.stringify(await lab.status())).not.toContain(lab.secret('control'));
    const hba = await lab.sql<{method: string}>('us-east', 'select distinct auth_method as method from pg_hba_file_rules');
    expect(hba).toEqual([{method: 'scram-sha-256'}]);
    const wrong = await fetch(`http://127.0.0.1:${lab.record.control}/status`, {headers: {authorization: 'Bearer wrong'}});
    expect(wrong.status).toBe(401);
  });

  it('keeps no memory that would outlive a killed server', async () => {
    for (const pid of (await lab.region('us-east')).pids)
      expect(readFileSync(`/proc/${pid}/maps`, 'utf8')).not.toContain('/dev/shm/PostgreSQL.');
  });

  it('does not acknowledge what no other region has, and says that the outcome is unknown', async () => {
    await lab.fault('us-east', 'partition', {from: 'eu-west'});
    await lab.fault('us-east', 'partition', {from: 'ap'});
    expect((await lab.order('unsure')).status).toBe(504);
    await lab.heal('us-east');
    await eventually(whole);
    await eventually(async () => (await lab.order('sure')).status === 201);
  });

  it('counts a wait that was cut short as unknown, not as acknowledged', async () => {
    await lab.fault('us-east', 'partition', {from: 'eu-west'});
    await lab.fault('us-east', 'partition', {from: 'ap'});
    const order = lab.order('cut-short');
    const cancel = "select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep' and usename = 'app'";
    await eventually(async () => (await lab.sql('us-east', cancel)).length > 0);
    const {status, body} = await order;
    await lab.heal('us-east');
    expect(status).toBe(504);
    expect(body).toMatchObject({error: expect.stringContaining('canceling wait for synchronous replication')});
    await eventually(whole);
  });

  it('delays a region and throttles what it sends', async () => {
    await lab.fault('us-east', 'latency', {ms: 50, jitterMs: 5});
    const began = performance.now();
    expect((await lab.order('slow')).status).toBe(201);
    expect(performance.now() - began).toBeGreaterThanOrEqual(200); // In and out of the region, and to a standby and back.
    await lab.heal('us-east');
    await lab.fault('us-east', 'bandwidth', {bytesPerSecond: 200_000});
    await lab.sql(
      'us-east',
      "set synchronous_commit = local; create table ballast as select repeat('x', 1000) from generate_series(1, 300)",
    );
    const behind = 'select max(pg_wal_lsn_diff(pg_current_wal_lsn(), flush_lsn)) > 0 as behind from pg_stat_replication';
    expect((await lab.sql<{behind: boolean}>('us-east', behind))[0]?.behind).toBe(true);
    await lab.heal('us-east');
    await eventually(async () => (await lab.sql<{behind: boolean}>('us-east', behind))[0]?.behind === false);
  });

  it('cuts a partitioned region off from everybody, without ending its processes', async () => {
    const {http, direct} = await lab.region('ap');
    await lab.fault('ap', 'partition');
    await expect(lab.http(`${http}/healthz`, {ms: 500})).rejects.toThrow();
    expect((await lab.http(`${direct.http}/healthz`)).status).toBe(200);
    expect((await lab.order('without-ap')).status).toBe(201);
    await lab.heal('ap');
    expect((await lab.http(`${http}/healthz`)).status).toBe(200);
    await eventually(async () => (await count(lab, 'ap', 'without-ap')) === 1);
  });

  it('kills a region, refuses at once, and brings it back', async () => {
    const before = await lab.region('ap');
    await lab.fault('ap', 'kill');
    expect(await lab.region('ap')).toMatchObject({state: 'stopped', role: null, pids: []});
    await expect(lab.http(`${before.http}/healthz`, {ms: 2000})).rejects.toThrow('fetch failed');
    await lab.heal('ap');
    expect(await lab.region('ap')).toMatchObject({state: 'running', role: 'standby'});
    await eventually(whole);
  });

  it('loses a region to silence and brings it back, also when the lease runs out', async () => {
    const before = await lab.region('ap');
    await lab.fault('ap', 'lose', {}, 1000);
    expect(await lab.region('ap')).toMatchObject({state: 'stopped', pids: []});
    await expect(lab.http(`${before.http}/healthz`, {ms: 300})).rejects.toThrow('timeout');
    expect((await lab.status()).faults).toMatchObject([{region: 'ap', kind: 'lose', leaseMs: 1000}]);
    await eventually(whole);
    expect((await lab.status()).faults).toEqual([]);
  });

  it('freezes a region, answers 504 for it, and lets it go on', async () => {
    const pids = (await lab.region('us-east')).pids;
    await lab.fault('us-east', 'freeze');
    expect((await lab.region('us-east')).state).toBe('frozen');
    expect((await lab.order('frozen')).status).toBe(504);
    await lab.heal('us-east');
    const after = await lab.region('us-east');
    expect(after.state).toBe('running');
    // The postmaster and the service live on; a session's process may end meanwhile.
    expect([pids[0], pids.at(-1)].every((pid) => pid !== undefined && after.pids.includes(pid))).toBe(true);
    await eventually(async () => (await lab.order('thawed')).status === 201);
    await eventually(whole);
  });

  it('shows what was killed from outside and starts it again on heal', async () => {
    const {postmaster, service} = lab.record.regions.find(({name}) => name === 'eu-west') ?? {};
    kill(postmaster?.pid ?? 0);
    await eventually(async () => (await lab.region('eu-west')).state === 'partial');
    kill(service?.pid ?? 0);
    await eventually(async () => (await lab.region('eu-west')).state === 'stopped');
    expect(await lab.region('eu-west')).toMatchObject({role: null});
    await lab.heal('eu-west');
    await eventually(whole);
  });

  it('cuts what is under way to a region', async () => {
    await lab.fault('us-east', 'partition', {from: 'eu-west'});
    await lab.fault('us-east', 'partition', {from: 'ap'});
    const order = lab.order('cut');
    const waiting = "select 1 from pg_stat_activity where wait_event = 'SyncRep'";
    await eventually(async () => (await lab.sql('us-east', waiting)).length > 0);
    expect(await lab.ask('POST', '/routes/front-door/cut', {region: 'us-east'})).toEqual({cut: 1});
    expect((await order).status).toBe(502);
    await lab.heal('us-east');
    await eventually(whole);
  });

  it('carries a load', async () => {
    const url = `http://127.0.0.1:${lab.record.frontDoor}`;
    const result = await runLoad({url, ratePerSecond: 50, durationMs: 1000, signal: new AbortController().signal});
    expect(result).toMatchObject({sent: 50, acknowledged: 50, failed: 0, unknown: 0});
    expect(result.latencyMs.p95).toBeGreaterThan(0);
  });

  it('refuses a second lab in the same folder', async () => {
    await expect(lab.up()).rejects.toMatchObject({code: 'lab-exists', exit: 77});
  });
});

describe('ending a lab', () => {
  const ended: LabUnderTest[] = [];
  const make = () => {
    const lab = new LabUnderTest();
    ended.push(lab);
    return lab;
  };
  afterAll(async () => {
    for (const lab of ended) await lab.remove();
  });
  const pidsOf = async (lab: LabUnderTest) => [lab.record.supervisor.pid, ...(await lab.status()).regions.flatMap((region) => region.pids)];

  it('leaves nothing, with another lab beside it that goes on', async () => {
    const [one, two] = [make(), make()];
    await Promise.all([one.up({regions: 2}), two.up({regions: 2, mode: 'async'})]);
    const memory = [...segmentsOf(one), ...segmentsOf(two)];
    expect(await segmentsLeft(memory)).toHaveLength(4);
    expect((await one.order('one')).status).toBe(201);
    const pids = await pidsOf(one);
    expect(await one.down()).toMatchObject({outcome: 'stopped'});
    expect(await traces(one, pids)).toEqual(NOTHING);
    expect((await two.order('two')).status).toBe(201);
    expect(readFileSync(join(two.dir, 'regionctl.yaml'), 'utf8')).toMatch(/quorum: 0[\s\S]*rpo: 5m/);
    await two.down();
    expect(await segmentsLeft(memory)).toEqual([]);
    expect(await one.down()).toMatchObject({outcome: 'nothing'});
  });

  it('leaves nothing after its supervisor was killed while a region was frozen', async () => {
    const lab = make();
    await lab.up({regions: 2});
    const memory = segmentsOf(lab);
    await lab.fault('us-east', 'freeze');
    const pids = await pidsOf(lab);
    kill(lab.record.supervisor.pid);
    await eventually(async () => !(await lab.status()).supervisor.running);
    expect(await lab.status()).toMatchObject({faults: null, regions: [{state: 'frozen'}, {state: 'running'}]});
    expect(await lab.down()).toMatchObject({outcome: 'forced'});
    expect(await traces(lab, pids)).toEqual(NOTHING);
    expect(await segmentsLeft(memory)).toEqual([]);
  });

  it('leaves nothing after its supervisor was stopped, and after a postmaster was killed that left frozen children', async () => {
    const lab = make();
    await lab.up({regions: 2});
    const memory = segmentsOf(lab);
    const pids = await pidsOf(lab);
    await lab.fault('eu-west', 'freeze');
    const postmaster = lab.record.regions[1]?.postmaster?.pid ?? 0;
    kill(postmaster);
    process.kill(lab.record.supervisor.pid, 'SIGSTOP');
    expect(await lab.down()).toMatchObject({outcome: 'forced'});
    expect(await traces(lab, pids)).toEqual(NOTHING);
    expect(await segmentsLeft(memory)).toEqual([]);
  });

  it('finds its lab also when somebody removed the folder', async () => {
    const lab = make();
    await lab.up({regions: 2});
    const memory = segmentsOf(lab);
    const pids = await pidsOf(lab);
    const {rmSync} = await import('node:fs');
    rmSync(lab.dir, {recursive: true});
    await lab.down();
    expect(await segmentsLeft(memory)).toEqual([]);
    expect(await traces(lab, pids)).toEqual(NOTHING);
  });

  it('leaves nothing when the start fails, and says why', async () => {
    const lab = make();
    await expect(lab.up({postgresBin: '/nonexistent'})).rejects.toMatchObject({
      code: 'lab-failed',
      exit: 69,
      message: expect.stringContaining('--postgres-bin'),
    });
    expect(await traces(lab, [])).toEqual(NOTHING);
  });

  it('leaves nothing when the start is interrupted', async () => {
    const lab = make();
    const interrupt = new AbortController();
    const up = lab.up({signal: interrupt.signal});
    const refused = expect(up).rejects.toThrow();
    await eventually(async () => existsSync(join(lab.dir, 'secrets')));
    // In the middle of it: a whole start takes more than half a second, and must not be over.
    await sleep(100);
    interrupt.abort(new Error('interrupted'));
    await refused;
    expect(await traces(lab, [])).toEqual(NOTHING);
  });

  it('does not make a lab in a folder with other things in it', async () => {
    const lab = make();
    mkdirSync(lab.dir);
    writeFileSync(join(lab.dir, 'mine'), '');
    await expect(lab.up()).rejects.toMatchObject({code: 'lab-dir', exit: 77});
    expect(existsSync(join(lab.dir, 'mine'))).toBe(true);
  });
});

/** Nothing of a process that has just ended. */
function ofProcess(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'ENOENT')) return '';
    throw error;
  }
}
