import {existsSync} from 'node:fs';
import {afterAll, describe, expect, it} from 'vitest';
import {eventually, LabUnderTest, NOTHING, traces} from './lab-under-test.ts';

describe('the profile stock', () => {
  const lab = new LabUnderTest();
  afterAll(() => lab.remove());

  it("keeps its data on disk with PostgreSQL's defaults, and replicates", async () => {
    const status = await lab.up({profile: 'stock'});
    expect(existsSync(lab.memory)).toBe(false);
    const settings = await lab.sql<{name: string; setting: string}>(
      'us-east',
      "select name, setting from pg_settings where name in ('fsync', 'wal_retrieve_retry_interval', 'max_connections') order by 1",
    );
    expect(settings.map(({setting}) => setting)).toEqual(['on', '100', '5000']);
    expect((await lab.order('stock')).status).toBe(201);
    await eventually(async () => (await lab.sql('ap', "select 1 from orders where ref = 'stock'")).length === 1);
    const pids = status.regions.flatMap((region) => region.pids);
    await lab.down();
    expect(await traces(lab, pids)).toEqual(NOTHING);
  });
});
