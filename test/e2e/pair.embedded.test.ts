import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
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

it('is failed over only when its fleet file no longer promises that somebody else holds every write, and is a pair again after the failback', async () => {
  await lab.lab('fault', 'kill', 'eu-west');
  const refused = await lab.json<{error: {message: string}}>(77, ['failover', 'run', '--yes']);
  expect(refused.error.message).toMatch(/acknowledgers:orders refuses: nobody will follow us-east and hold its writes; 1 must/);
  const alone = fileOf('alone', (text) => text.replace('quorum: 1', 'quorum: 0').replace('rpo: 0s', 'rpo: 5m'));
  const over = await lab.json<RunDocument>(1, ['failover', 'run', '--yes', '--no-guard', '--fleet', alone, ...LOSS]);
  expect(over).toMatchObject({to: 'us-east', outcome: 'succeeded'});
  expect(await rule('us-east')).toBe('');

  await lab.lab('heal', 'eu-west');
  expect(await lab.json<RunDocument>(0, ['failback', 'run', '--yes', '--to', 'eu-west'])).toMatchObject({outcome: 'succeeded'});
  expect(await rule('eu-west')).toBe('ANY 1 ("us-east")');
});

const LOSS = ['--override', 'loss', '--reason', 'its host says that it does not run'];

function fileOf(name: string, change: (text: string) => string): string {
  const file = join(lab.dir, `${name}.yaml`);
  const text = readFileSync(lab.fleetFile, 'utf8');
  const changed = change(text);
  if (changed === text) throw new Error('the fleet file of the lab is not what it was');
  writeFileSync(file, changed);
  return file;
}
