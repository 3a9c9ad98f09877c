import {readdirSync, readFileSync} from 'node:fs';
import {connect} from 'node:net';
import {join} from 'node:path';
import pg from 'pg';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {findFaketime} from '../../src/lab/clock-skew.ts';
import {whyNoWriteLimit} from '../../src/lab/write-limit.ts';
import {eventually, LabUnderTest} from './lab-under-test.ts';

const HOUR = 3_600_000;
const noFaketime = await findFaketime().then((found) => (typeof found === 'string' ? found : null));
const noLimit = await whyNoWriteLimit();
const skipped = (why: string | null) => (why === null ? '' : ` (skipped: ${why})`);
const STREAMING = "select 1 from pg_stat_replication where state = 'streaming'";

describe('the faults of a lab', () => {
  const lab = new LabUnderTest();
  beforeAll(() => lab.up().then(() => undefined));
  afterAll(() => lab.remove());
  // A test that failed midway must not fail the next ones.
  afterEach(async () => {
    for (const {region} of (await lab.status()).faults ?? []) await lab.heal(region);
    await eventually(async () => (await lab.sql('us-east', STREAMING)).length === 2);
  });

  const door = () => `http://127.0.0.1:${lab.record.frontDoor}`;
  const ingress = (region: string) => lab.record.regions.find(({name}) => name === region)?.ingress ?? {http: 0, postgres: 0, agent: 0};
  const health = (region: string, ms = 3000) => fetch(`http://127.0.0.1:${ingress(region).http}/healthz`, within(ms));
  const within = (ms: number) => ({signal: AbortSignal.timeout(ms), headers: {connection: 'close'}});
  const brokenBy = (asked: Promise<unknown>) =>
    asked.then(
      () => 'answered',
      (error: Error & {cause?: {code?: string}}) => error.cause?.code ?? error.name,
    );
  const agent = (region: string, verb: string) => {
    const headers = {authorization: `Bearer ${lab.secret('control')}`, connection: 'close'};
    return fetch(`http://127.0.0.1:${ingress(region).agent}/members/${region}/${verb}`, {method: 'POST', headers});
  };
  const active = async () => (await lab.status()).faults?.map(({region, kind}) => `${kind} ${region}`);

  /** One statement by the clients' way: through the region's ingress. */
  const ask = async <T extends pg.QueryResultRow>(region: string, text: string, ms = 3000) => {
    const login = {host: '127.0.0.1', port: ingress(region).postgres, user: 'regionctl', password: lab.secret('regionctl')};
    const client = new pg.Client({...login, database: 'orders', connectionTimeoutMillis: ms, query_timeout: ms});
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<T>(text)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  };
  const clockAhead = async (region: string) => {
    const [row] = await ask<{now: Date}>(region, 'select clock_timestamp() as now');
    return (row?.now.getTime() ?? 0) - Date.now();
  };
  const serviceAhead = async (region: string) => Date.parse((await health(region)).headers.get('date') ?? '') - Date.now();

  it('says which kinds there are, and which of them cannot be had here', async () => {
    const {kinds, unavailable} = (await lab.ask('GET', '/faults/kinds')) as Record<string, Record<string, string>>;
    expect(Object.keys(kinds ?? {})).toEqual(expect.arrayContaining(['lose', 'database', 'router', 'disk-full', 'skew']));
    expect(unavailable).toEqual({
      ...(noFaketime === null ? {} : {skew: noFaketime}),
      ...(noLimit === null ? {} : {'disk-full': noLimit}),
    });
  });

  it('kills only the database, and starts it again as the primary that it was when the lease runs out', async () => {
    const before = await lab.region('us-east');
    await lab.fault('us-east', 'database', {}, 1500);
    expect(await lab.region('us-east')).toMatchObject({state: 'partial', role: null});
    expect(await brokenBy(ask('us-east', 'select 1'))).not.toBe('answered');
    const refused = await lab.order('no-database');
    expect([refused.status, (await health('us-east')).status]).toEqual([503, 503]);
    await eventually(async () => (await lab.order('again')).status === 201);
    const after = await lab.region('us-east');
    expect(after).toMatchObject({state: 'running', role: 'primary'});
    expect([after.pids[0] === before.pids[0], after.pids.includes(before.pids.at(-1) ?? 0)]).toEqual([false, true]);
    expect(await lab.sql('us-east', "select 1 from orders where ref = 'no-database'")).toEqual([]);
    expect(await active()).toEqual([]);
  });

  it('kills only the service', async () => {
    const [postmaster] = (await lab.region('us-east')).pids;
    await lab.fault('us-east', 'service');
    expect(await brokenBy(health('us-east'))).toBe('ECONNRESET');
    expect(await ask('us-east', 'select 1')).toHaveLength(1);
    expect((await lab.order('no-service')).status).toBe(502);
    await lab.heal('us-east');
    expect((await lab.order('service')).status).toBe(201);
    expect((await lab.region('us-east')).pids[0]).toBe(postmaster);
  });

  it('starts what two faults have ended when neither is active any more', async () => {
    await lab.fault('ap', 'kill');
    await lab.fault('ap', 'database', {}, 300);
    await eventually(async () => (await active())?.join() === 'kill ap');
    await lab.fault('ap', 'service', {}, 300);
    await eventually(async () => (await active())?.join() === 'kill ap');
    expect(await lab.region('ap')).toMatchObject({state: 'stopped', pids: []});
    await lab.heal('ap');
    expect(await lab.region('ap')).toMatchObject({state: 'running', role: 'standby'});
  });

  it('leaves a database stopped that was stopped through its agent', async () => {
    await lab.fault('ap', 'database');
    expect((await agent('ap', 'stop')).status).toBe(200);
    await lab.heal('ap');
    expect(await lab.region('ap')).toMatchObject({state: 'partial', role: null});
    expect((await agent('ap', 'start')).status).toBe(200);
  });

  it('loses the front door: connections are reset, new ones refused, and its weights can be changed meanwhile', async () => {
    const client = connect(lab.record.frontDoor ?? 0, '127.0.0.1');
    const ended = new Promise((resolve) => client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code)));
    await new Promise((resolve) => client.once('connect', resolve));
    await lab.order('before-loss');
    await lab.fault('front-door', 'router');
    expect([await ended, await brokenBy(fetch(`${door()}/healthz`, within(3000)))]).toEqual(['ECONNRESET', 'ECONNREFUSED']);
    expect(await active()).toEqual(['router front-door']);
    await lab.weights({'eu-west': 100});
    await lab.heal('front-door');
    expect((await lab.http(`${door()}/healthz`)).region).toBe('eu-west');
    await lab.weights({'us-east': 100});
    expect((await lab.order('after-loss')).status).toBe(201);
  });

  it('makes the front door silent: requests are taken and never answered, also not after the lease', async () => {
    const kept = new AbortController();
    await lab.fault('front-door', 'router', {silent: true}, 1500);
    const waiting = brokenBy(
      fetch(`${door()}/orders`, {method: 'POST', body: '{"ref":"mute","item":"a","quantity":1}', signal: kept.signal}),
    );
    expect(await brokenBy(fetch(`${door()}/healthz`, within(300)))).toBe('TimeoutError');
    await eventually(async () => (await active())?.length === 0);
    expect(await waiting).toBe('ECONNRESET');
    expect((await lab.order('loud')).status).toBe(201);
    expect(await lab.sql('us-east', "select 1 from orders where ref = 'mute'")).toEqual([]);
  });

  it('answers a share of the requests with 500 and writes none of those orders, also after the service was started again', async () => {
    await lab.fault('us-east', 'errors', {share: 1});
    const answers = await Promise.all([lab.order('spoilt'), lab.http(`http://127.0.0.1:${ingress('us-east').http}/healthz`)]);
    expect(answers.map(({status}) => status)).toEqual([500, 500]);
    expect(answers[0]?.body).toMatchObject({error: expect.stringContaining('fault of the lab')});
    await lab.fault('us-east', 'service', {}, 200);
    await eventually(async () => (await active())?.join() === 'errors us-east' && (await lab.region('us-east')).state === 'running');
    expect((await lab.order('spoilt')).status).toBe(500);
    await lab.fault('us-east', 'errors', {share: 0.5});
    const many = await Promise.all(Array.from({length: 60}, () => health('us-east').then(({status}) => status)));
    expect(new Set(many)).toEqual(new Set([200, 500]));
    await lab.heal('us-east');
    expect((await lab.order('sound')).status).toBe(201);
    expect(await lab.sql('us-east', "select 1 from orders where ref = 'spoilt'")).toEqual([]);
  });

  it('cuts one way only: what a region sends is lost, what it is sent arrives', async () => {
    const client = new pg.Client({
      ...{host: '127.0.0.1', port: ingress('us-east').postgres, user: 'regionctl', database: 'orders', query_timeout: 400},
      password: lab.secret('regionctl'),
    });
    client.on('error', () => undefined);
    await client.connect();
    await lab.fault('us-east', 'partition', {direction: 'out'});
    const heard = "insert into orders (ref, item, quantity, region) values ('heard', 'x', 1, 'us-east')";
    await expect(client.query(`set synchronous_commit = local; ${heard}`)).rejects.toThrow('timeout');
    expect(await lab.sql('us-east', "select 1 from orders where ref = 'heard'")).toHaveLength(1);
    expect(await brokenBy(health('us-east', 300))).toBe('TimeoutError');
    expect((await fetch(`http://127.0.0.1:${ingress('ap').http}/healthz`, within(3000))).status).toBe(200);
    await lab.heal('us-east');
    await client.end().catch(() => undefined);
    await eventually(async () => (await lab.order('two-way')).status === 201);
  });

  it('cuts one way between two regions only: nothing arrives there, so commits wait for their quorum in vain', async () => {
    await lab.fault('us-east', 'partition', {direction: 'out', from: 'eu-west'});
    await lab.fault('us-east', 'partition', {direction: 'out', from: 'ap'});
    expect((await lab.order('unsure')).status).toBe(504);
    expect((await health('us-east')).status).toBe(200);
    for (const region of ['eu-west', 'ap']) expect(await lab.sql(region, "select 1 from orders where ref = 'unsure'")).toEqual([]);
    await lab.heal('us-east');
    await eventually(async () => (await lab.order('sure')).status === 201);
  });

  it.skipIf(noLimit !== null)(
    `fills the disk of a primary: it goes down, cannot start, and comes back with what was acknowledged${skipped(noLimit)}`,
    async () => {
      expect((await lab.order('fits')).status).toBe(201);
      await lab.fault('us-east', 'disk-full');
      expect((await lab.order('too-much')).status).not.toBe(201);
      await eventually(async () => (await lab.region('us-east')).role === null);
      const log = join(lab.dir, 'logs', 'us-east-postgres.log');
      expect(readFileSync(log, 'utf8')).toMatch(/PANIC: {2}could not write to .*: File too large/);
      const started = await agent('us-east', 'start');
      expect([started.status, await started.text()]).toEqual([500, expect.stringContaining('PostgreSQL did not start')]);
      await lab.heal('us-east');
      expect(await lab.region('us-east')).toMatchObject({state: 'running', role: 'primary'});
      for (const pid of (await lab.region('us-east')).pids)
        expect(readFileSync(`/proc/${pid}/limits`, 'utf8')).toMatch(/Max file size +unlimited/);
      await eventually(async () => (await lab.order('room')).status === 201);
      expect(await lab.sql('us-east', "select 1 from orders where ref = 'fits'")).toHaveLength(1);
    },
  );

  it.skipIf(noLimit !== null)(`gives a standby its room back when the lease of a full disk runs out${skipped(noLimit)}`, async () => {
    // The lease must last until the disk is full, which takes a busy machine some time.
    await lab.fault('ap', 'disk-full', {what: 'wal'}, 6000);
    await eventually(async () => {
      for (let index = 0; index < 10; index += 1) await lab.order('bulk');
      return (await lab.region('ap')).role === null;
    });
    await eventually(async () => (await lab.region('ap')).role === 'standby');
    expect(await active()).toEqual([]);
  });

  it.skipIf(noFaketime !== null)(
    `puts the clocks of a region wrong and right again, and leaves no memory${skipped(noFaketime)}`,
    async () => {
      await lab.fault('us-east', 'skew', {ms: -2 * HOUR});
      for (const ahead of [await clockAhead('us-east'), await serviceAhead('us-east')])
        expect(Math.abs(ahead + 2 * HOUR)).toBeLessThan(5000);
      expect(Math.abs(await clockAhead('eu-west'))).toBeLessThan(5000);
      await eventually(async () => (await lab.order('late')).status === 201);
      await expect(ask('us-east', 'set statement_timeout = 100; select pg_sleep(5)')).rejects.toThrow('statement timeout');
      const pids = lab.record.regions.flatMap(({postmaster, service}) => [postmaster?.pid, service?.pid]);
      expect(readdirSync('/dev/shm').filter((name) => pids.includes(Number(/faketime_s[eh]m_(\d+)$/.exec(name)?.[1])))).toEqual([]);
      await lab.fault('us-east', 'database', {}, 200);
      await eventually(async () => (await active())?.join() === 'skew us-east' && (await lab.region('us-east')).role === 'primary');
      expect(Math.abs((await clockAhead('us-east')) + 2 * HOUR)).toBeLessThan(5000);
      await lab.heal('us-east');
      for (const ahead of [await clockAhead('us-east'), await serviceAhead('us-east')]) expect(Math.abs(ahead)).toBeLessThan(5000);
      expect(await lab.region('us-east')).toMatchObject({state: 'running', role: 'primary'});
    },
  );

  it('refuses what is not possible where it was asked for', async () => {
    await expect(lab.fault('front-door', 'lose')).rejects.toMatchObject({exit: 64, message: expect.stringContaining('is a router')});
    await expect(lab.fault('ap', 'router')).rejects.toMatchObject({exit: 64, message: expect.stringContaining('at front-door only')});
    expect(await active()).toEqual([]);
  });
});
