import {existsSync} from 'node:fs';
import {afterAll, describe, expect, it} from 'vitest';
import {eventually, LabUnderTest, NOTHING, segmentsLeft, segmentsOf, traces} from './lab-under-test.ts';

const DEBIAN = '/usr/lib/postgresql/15/bin';
const missing = !existsSync(`${DEBIAN}/postgres`);

describe("a lab with Debian's PostgreSQL 15", () => {
  const lab = new LabUnderTest();
  afterAll(() => lab.remove());

  it.skipIf(missing)(`comes up, replicates, survives a kill and is rebuilt${missing ? ` (skipped: no ${DEBIAN})` : ''}`, async () => {
    const status = await lab.up({postgresBin: DEBIAN});
    expect(status.postgres).toMatch(/^15\./);
    const memory = segmentsOf(lab);
    expect((await lab.order('fifteen')).status).toBe(201);
    await lab.fault('ap', 'kill');
    await lab.heal('ap');
    await eventually(async () => (await lab.sql('ap', "select 1 from orders where ref = 'fifteen'")).length === 1);
    const agent = lab.record.regions.find(({name}) => name === 'ap')?.ingress.agent;
    const rebuilt = await fetch(`http://127.0.0.1:${agent}/members/ap/rebuild`, {
      method: 'POST',
      headers: {authorization: `Bearer ${lab.secret('control')}`, connection: 'close'},
      body: JSON.stringify({upstream: 'us-east'}),
    });
    expect(rebuilt.status).toBe(200);
    await eventually(async () => (await lab.sql('us-east', "select 1 from pg_stat_replication where state = 'streaming'")).length === 2);
    const pids = (await lab.status()).regions.flatMap((region) => region.pids);
    await lab.down();
    expect(await traces(lab, pids)).toEqual(NOTHING);
    expect(await segmentsLeft(memory)).toEqual([]);
  });
});
