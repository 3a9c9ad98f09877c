import {afterAll, beforeAll, expect, it} from 'vitest';
import {LabSession} from './lab-session.ts';

// A fleet file that promises a quorum does not make one: what the server did when it was last asked decides what sealing proves.
const lab = new LabSession();
beforeAll(() => lab.up());
afterAll(() => lab.remove());

it('refuses to fail over from a primary that acknowledges alone, cut off and alive, whatever the fleet file says', async () => {
  const server = await lab.connect('us-east');
  try {
    await server.query(`alter system set synchronous_standby_names = ''`);
    await server.query('select pg_reload_conf()');
    await expect
      .poll(async () => (await server.query('show synchronous_standby_names')).rows[0], {timeout: 5000})
      .toEqual({synchronous_standby_names: ''});
    await lab.json(1, ['status']); // an RPO of 0 is missed, and it says so
    await lab.lab('fault', 'partition', 'us-east');
    const answer = await lab.json<{error: {code: string; message: string; suggestions: string[]}}>(77, ['failover', 'run', '--yes']);
    expect(answer.error.code).toBe('gate-refused');
    expect(JSON.stringify(answer.error)).toContain('acknowledges alone, although the fleet file says quorum: 1');
    const written = await server.query(
      `insert into orders (ref, item, quantity, region) values ('still-primary', 'x', 1, 'us-east') returning id`,
    );
    expect(written.rows).toHaveLength(1);
  } finally {
    await server.end();
  }
});
