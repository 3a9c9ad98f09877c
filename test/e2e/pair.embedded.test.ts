import {afterAll, beforeAll, expect, it} from 'vitest';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {LabSession} from './lab-session.ts';

// Two members under a quorum of one: each is the only one that can hold the other's writes.
const lab = new LabSession();
beforeAll(() => lab.up('--regions', '2'));
afterAll(() => lab.remove());

const order = ({steps}: RunDocument) => steps.map(({id}) => id);
const rule = async (region: string) =>
  (await lab.sql<{rule: string}>(region, `select current_setting('synchronous_standby_names') as rule`))[0]?.rule;

it('moves on purpose: the former primary is back before traffic is, as nobody else can hold a write', async () => {
  const run = await lab.json<RunDocument>(0, ['switchover', 'run', '--yes']);
  expect(run).toMatchObject({outcome: 'succeeded', to: 'eu-west'});
  expect(order(run).slice(order(run).indexOf('promote')).slice(0, 3)).toEqual(['promote', 'rejoin-us-east', 'reroute-front-door']);
  expect(await rule('eu-west')).toBe('ANY 1 ("us-east")');
  expect(run.measured).toMatchObject({lostWrites: 0});
});

it('is failed over only by who says that one may acknowledge alone, and is a pair again after the failback', async () => {
  await lab.lab('fault', 'kill', 'eu-west');
  const refused = await lab.json<{error: {message: string}}>(77, ['failover', 'run', '--yes']);
  expect(refused.error.message).toMatch(/acknowledgers:orders refuses: nobody will follow us-east and hold its writes; 1 must/);
  const passed = ['--override', 'acknowledgers', '--reason', 'better alone than not at all'];
  const over = await lab.json<RunDocument>(1, ['failover', 'run', '--yes', '--no-guard', ...passed]);
  expect(over).toMatchObject({to: 'us-east', overrides: [{gate: 'acknowledgers:orders'}]});
  expect(await rule('us-east')).toBe('');

  await lab.lab('heal', 'eu-west');
  expect(await lab.json<RunDocument>(0, ['failback', 'run', '--yes', '--to', 'eu-west'])).toMatchObject({outcome: 'succeeded'});
  expect(await rule('eu-west')).toBe('ANY 1 ("us-east")');
});
