import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {readRecord} from '../../src/lab/record.ts';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {LabSession} from './lab-session.ts';

// What goes on without a part that is dead: a router that somebody passed by name, and a follower that the quorum does not need.
const lab = new LabSession();
beforeAll(() => lab.up('--regions', '4'));
afterAll(() => lab.remove());

/** The same fleet, with a router that nobody answers for. */
function withDeadRouter(): string {
  const file = join(lab.dir, 'dead-router.yaml');
  const text = readFileSync(lab.fleetFile, 'utf8');
  const [, control] = /router: lab[\s\S]*?control: "?(http:\/\/[^"\s]+)/.exec(text) ?? [];
  if (control === undefined) throw new Error('the lab wrote a fleet file without the control of its router');
  const at = text.indexOf(control, text.indexOf('router: lab'));
  writeFileSync(file, `${text.slice(0, at)}http://127.0.0.1:9${text.slice(at + control.length)}`);
  return file;
}

it('promotes without a router that was passed by name, and without a follower beyond the quorum', async () => {
  const regions = (await lab.status()).regions.map(({region}) => region);
  const last = regions.at(-1) ?? '';
  const others = regions.filter((region) => region !== 'us-east' && region !== 'eu-west');
  expect(others).toHaveLength(2);
  // It streams on with the session that it has, and cannot log in anywhere else.
  const home = readRecord(lab.dir)?.regions.find(({name}) => name === last)?.home ?? '';
  writeFileSync(join(home, 'pgpass'), '*:*:*:*:wrong\n', {mode: 0o600});
  await lab.lab('fault', 'kill', 'us-east');
  const fleet = ['--fleet', withDeadRouter()];

  const refused = await lab.json<{error: {message: string}}>(77, ['failover', 'run', '--yes', ...fleet]);
  expect(refused.error.message).toMatch(/gate routers refuses: front-door does not answer/);

  const passed = ['--override', 'routers', '--reason', 'the router is dead, its clients were moved by hand'];
  const run = await lab.json<RunDocument>(2, ['failover', 'run', '--yes', ...passed, ...fleet]);
  // Nobody moved the clients: what was promoted is there, and the verification through the front door says that it is not reached.
  expect(run).toMatchObject({outcome: 'failed', to: 'eu-west', reason: expect.stringContaining('no write was accepted by eu-west')});
  expect(run.overrides).toMatchObject([{gate: 'routers', reason: expect.stringContaining('by hand')}]);
  const failed = run.steps.filter(({status}) => status === 'failed').map(({id}) => id);
  expect(failed).toEqual(['drain-front-door', `follow-${last}`, 'reroute-front-door', 'verify-write']);
  const [primary] = await lab.sql<{recovering: boolean; standbys: string[]}>(
    'eu-west',
    `select pg_is_in_recovery() as recovering, array(select application_name::text from pg_stat_replication order by 1) as standbys`,
  );
  expect(primary).toEqual({recovering: false, standbys: others.filter((region) => region !== last)});
});
