import type pg from 'pg';
import {afterAll, afterEach, beforeAll, describe, expect, it} from 'vitest';
import {REGIONS, sessionOf, stateOf, troubles, writeAtRandom} from './active-active-writers.ts';
import {eventually, LabUnderTest} from './lab-under-test.ts';

const CLIENTS = 3;
const WRITES = 10_000;

describe('a lab in which every region takes writes', () => {
  const lab = new LabUnderTest();
  /** Of the superuser, one in each region; a killed region ends them. */
  let admins: Readonly<Record<string, pg.Client>> = {};
  const admin = (region: string): pg.Client => admins[region] ?? expect.fail(`no session in ${region}`);
  const connect = async () => {
    await Promise.all(Object.values(admins).map((client) => client.end()));
    admins = Object.fromEntries(
      await Promise.all(REGIONS.map(async (region) => [region, await sessionOf(lab, region, 'regionctl')] as const)),
    );
  };
  beforeAll(async () => {
    await lab.up({mode: 'active-active'});
    await connect();
  });
  afterAll(async () => {
    await Promise.all(Object.values(admins).map((client) => client.end()));
    await lab.remove();
  });
  afterEach(async () => {
    for (const {region} of (await lab.status()).faults ?? []) await lab.heal(region);
  });

  const inAll = async (text: string) => (await Promise.all(REGIONS.map((region) => admin(region).query(text)))).map(({rows}) => rows);
  const states = () => Promise.all(REGIONS.map((region) => stateOf(admin(region))));
  /** How long until all are the same to the byte, in ms. */
  const converged = async (deadlineMs = 60_000): Promise<number> => {
    const began = performance.now();
    await eventually(async () => new Set(await states()).size === 1, deadlineMs);
    return Math.round(performance.now() - began);
  };
  const write = async (regions: readonly string[], writes: number, seed: number) => {
    const clients = await Promise.all(regions.flatMap((region) => Array.from({length: CLIENTS}, () => sessionOf(lab, region))));
    try {
      return await Promise.all(
        clients.map((client, index) => writeAtRandom(client, {writes: Math.ceil(writes / clients.length), keys: 8, seed: seed + index})),
      );
    } finally {
      await Promise.all(clients.map((client) => client.end()));
    }
  };

  it('says what there is', async () => {
    const {regions, mode, faults} = await lab.status();
    expect([mode, faults, regions.map(({role, state}) => `${role} ${state}`)]).toEqual([
      'active-active',
      [],
      Array(3).fill('peer running'),
    ]);
    for (const region of REGIONS)
      expect(await lab.http(`${(await lab.region(region)).http}/readyz`)).toMatchObject({
        status: 200,
        body: {role: 'peer', writable: true},
      });
  });

  it('takes orders in every region under ids of its own, and has them in all', async () => {
    const {http} = await lab.region('ap');
    const answers = await Promise.all(Array.from({length: 40}, (_, index) => lab.order(`door-${index}`)));
    expect(new Set(answers.map(({status}) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({region}) => region))).toEqual(new Set(REGIONS));
    for (const {body, region} of answers) expect(Number(Object(body).id) % 3).toBe((REGIONS.indexOf(region as 'ap') + 1) % 3);
    await converged();
    await admin('us-east').query("delete from orders where ref = 'door-7'");
    await converged();
    const list = await lab.http(`${http}/orders?prefix=door-&limit=100`);
    expect(Object(list.body).orders).toHaveLength(39);
  });

  it('has all rows equal after 10,000 conflicting writes, without an error or a repair', async () => {
    const began = performance.now();
    const refused = await write(REGIONS, WRITES, 1);
    const wrote = Math.round(performance.now() - began);
    expect(refused).toEqual(refused.map(() => ({})));
    const ms = await converged();
    process.stdout.write(`10,000 writes in ${wrote} ms; equal everywhere ${ms} ms after the last\n`);
    const rows = await inAll('select (select count(*) from orders where deleted) as gone, (select count(*) from lab.changes) as left');
    expect(rows[0]).toEqual([{gone: expect.stringMatching(/^[1-9]/), left: '0'}]);
    for (const region of REGIONS) expect(await troubles(admin(region))).toEqual({errors: 0, conflicts: 0});
  });

  it('applies a change whose row has not arrived yet', async () => {
    await lab.fault('ap', 'partition', {from: 'us-east'});
    await admin('us-east').query(
      "insert into orders (id, ref, item, quantity, region) overriding system value values (800001, 'late', 'tea', 1, '')",
    );
    const there = (region: string, item: string) => async () =>
      (await admin(region).query('select from orders where id = 800001 and item = $1', [item])).rowCount === 1;
    await eventually(there('eu-west', 'tea'));
    await admin('eu-west').query("update orders set item = 'coffee' where id = 800001");
    await eventually(there('ap', 'coffee'));
    await lab.heal('ap');
    await converged();
    expect(await inAll('select item, region from orders where id = 800001')).toEqual(Array(3).fill([{item: 'coffee', region: 'eu-west'}]));
  });

  const streamsThatWait = (count: number) =>
    eventually(async () => {
      const waiting = "select from pg_stat_activity where backend_type = 'logical replication apply worker' and wait_event_type = 'Lock'";
      return (await admin('ap').query(waiting)).rowCount === count;
    });
  const likeAll = (keys: string) => `begin; ${[...keys].map((key) => `select like_post('${key}')`).join('; ')}; commit`;

  it('lets the client give way, not the stream, where each waits for a row of the other', async () => {
    const client = await sessionOf(lab, 'ap', 'regionctl');
    await client.query("set deadlock_timeout = '3s'; begin; select like_post('x')");
    await admin('us-east').query(likeAll('yx'));
    await streamsThatWait(1);
    await expect(client.query("select like_post('y')")).rejects.toMatchObject({code: '40P01'});
    await client.end();
    await converged();
    expect((await troubles(admin('ap'))).errors).toBe(0);
  });

  it('lets no two streams wait for each other', async () => {
    await lab.fault('us-east', 'partition', {from: 'eu-west'});
    const client = await sessionOf(lab, 'ap');
    await client.query("begin; select like_post('c')");
    await admin('us-east').query(likeAll('abcdef'));
    await admin('eu-west').query(likeAll('fedcba'));
    await streamsThatWait(2);
    await client.query('commit');
    await client.end();
    await lab.heal('us-east');
    await converged();
    expect((await troubles(admin('ap'))).errors).toBe(0);
  });

  it('goes on in every region while one is cut off, and is equal after the heal', async () => {
    await lab.fault('ap', 'partition');
    await write(REGIONS, 600, 100);
    await eventually(async () => (await stateOf(admin('us-east'))) === (await stateOf(admin('eu-west'))));
    expect(await stateOf(admin('ap'))).not.toBe(await stateOf(admin('eu-west')));
    await lab.heal('ap');
    await converged();
  });

  it('is equal again after a region stood still', async () => {
    await lab.fault('eu-west', 'freeze');
    await write(['us-east', 'ap'], 200, 150);
    await lab.heal('eu-west');
    await converged();
  });

  it('goes on without a region that is killed while it writes, and has it back with all that it had acknowledged', async () => {
    const acknowledged: number[] = [];
    const client = await sessionOf(lab, 'us-east');
    const writing = (async () => {
      for (;;) {
        const {rows} = await client.query(
          "insert into orders (ref, item, quantity, region) values ('before-kill', 'tea', 1, '') returning id",
        );
        acknowledged.push(Number(rows[0]?.id));
      }
    })().catch(() => undefined);
    await eventually(async () => acknowledged.length > 20);
    await lab.fault('us-east', 'lose');
    await writing;
    const refused = await write(['eu-west', 'ap'], 300, 200);
    expect(refused).toEqual(refused.map(() => ({})));
    await lab.heal('us-east');
    await connect();
    await converged();
    const [rows] = await inAll("select id::int from orders where ref = 'before-kill'");
    const ids = new Set(rows?.map(({id}) => id));
    expect(acknowledged.filter((id) => !ids.has(id))).toEqual([]);
    await lab.http(`${(await lab.region('us-east')).http}/readyz`).then(({status}) => expect(status).toBe(200));
  });

  it('carries what is rare: times of all kinds from a server of another time zone, and long rows', async () => {
    const app = await sessionOf(lab, 'ap');
    await app.query("set timezone = 'Asia/Kathmandu'; set datestyle = 'German'; set intervalstyle = 'sql_standard'");
    for (const time of [
      'infinity',
      '-infinity',
      '4714-11-25 BC',
      '0044-03-15 12:00:00 BC',
      '294276-12-31 23:59:59.999999',
      '2026-03-29 02:30:00.000001',
    ])
      await app.query("insert into orders (ref, item, quantity, region, created_at) values ('rare', 'time', 1, '', $1)", [time]);
    // As text six times as long.
    await app.query("insert into orders (ref, item, quantity, region) values ('rare', repeat(E'\\x01', 8000000), 1, '')");
    await expect(
      app.query("insert into orders (ref, item, quantity, region) values ('rare', repeat('\"', 100000000), 1, '')"),
    ).rejects.toMatchObject({code: '54000', message: expect.stringContaining('too long to be sent')});
    await app.end();
    await converged();
    expect((await troubles(admin('us-east'))).errors).toBe(0);
  });

  it('keeps a repair to itself, as it was written', async () => {
    const repair = await sessionOf(lab, 'eu-west', 'regionctl');
    await repair.query(
      "set regionctl.repair = on; insert into orders overriding system value values (800002, 'r', 'tea', 1, 'ap', now(), 5, false)",
    );
    await repair.query("update likes set counts = '{}'; delete from members; delete from likes where post = 'x'");
    await repair.end();
    // What comes after it on the same streams has arrived everywhere.
    await admin('eu-west').query("select write_profile('marker', '1')");
    await eventually(async () => (await inAll("select from profiles where id = 'marker'")).every((rows) => rows.length === 1));
    const damage = await inAll('select (select hlc from orders where id = 800002) as hlc, (select count(*)::int from members) as members');
    expect(damage).toEqual(
      [
        {hlc: null, members: 8},
        {hlc: '5', members: 0},
        {hlc: null, members: 8},
      ].map((row) => [row]),
    );
  });

  it('refuses what could not be merged elsewhere, where the client is told', async () => {
    const app = await sessionOf(lab, 'us-east');
    for (const text of [
      `insert into likes values ('poison', '{"us-east": ["a", 0]}')`,
      `insert into likes values ('poison', '{"us-east": [99999999999999999999, 0]}')`,
      `insert into profiles values ('poison', '{"v": {"clock": {"us-east": "a"}}}')`,
      `insert into profiles values ('poison', '{"v": {"clock": [1]}}')`,
      `insert into members values ('poison', '{"adds": {"us-east:1": "a"}}')`,
      `insert into members values ('poison', '[]')`,
      "insert into lab.changes values ('orders', '{}')",
      'delete from lab.changes',
    ])
      await expect(app.query(text), text).rejects.toMatchObject({code: expect.stringMatching(/^(22|23514|42501)/)});
    await app.end();
  });

  it('refuses what would make regions differ for good', async () => {
    const refusals = ['delete from likes', 'truncate orders', "update profiles set id = 'other'"];
    for (const text of refusals) await expect(admin('ap').query(text)).rejects.toMatchObject({code: '0A000'});
    const agent = lab.record.regions.find(({name}) => name === 'ap')?.direct.agent;
    const answer = await fetch(`http://127.0.0.1:${agent}/members/ap/rebuild`, {
      method: 'POST',
      headers: {authorization: `Bearer ${lab.secret('control')}`, 'content-type': 'application/json'},
      body: JSON.stringify({upstream: 'us-east'}),
    });
    expect(await answer.json()).toMatchObject({error: {code: 'no-standby'}});
  });
});
