import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {AWAY, Ground, OTHERS, REGIONS} from './evacuation-ground.ts';

describe('a region of peers and runs that were killed, saved or overtaken, by the built program', () => {
  const ground = new Ground();
  beforeAll(() => ground.up());
  afterAll(() => ground.lab.remove());

  const run = async (...args: readonly string[]) => {
    const {code, stdout} = await ground.run(...args, '--json');
    return {status: code, ...(JSON.parse(stdout) as {outcome: string; reason: string; runId: string})};
  };
  const newest = async () => (await ground.lab.json<{runs: {runId: string}[]}>(0, ['runs', 'list'])).runs[0]?.runId ?? '';
  const DAMAGE = "set regionctl.repair = on; insert into likes values ('damage', '{\"ap\": [7, 0]}')";

  it('is audited again when its readmission was killed and is gone on with', async () => {
    expect(await run('failover', 'run', '--from', AWAY, '--yes')).toMatchObject({status: 0});
    await ground.killedAt('return-front-door', ['failback', 'run', '--to', AWAY]);
    const killed = await newest();
    await ground.lab.sql(AWAY, DAMAGE);
    expect(await run('runs', 'resume', killed)).toMatchObject({status: 77, outcome: 'undone', reason: expect.stringContaining('diverged')});
    expect(await ground.weights()).toMatchObject({[AWAY]: 0});
    await ground.lab.sql(AWAY, "set regionctl.repair = on; delete from likes where post = 'damage'");
    expect(await run('failback', 'run', '--to', AWAY, '--yes')).toMatchObject({status: 0});
  });

  it.each(['leave-front-door', 'await-sent'])(
    'gets no traffic by a run that was killed at %s, after another one has left it',
    async (step) => {
      const [other] = OTHERS;
      await ground.killedAt(step, ['failover', 'run', '--from', AWAY]);
      const killed = await newest();
      expect(await run('failover', 'run', '--from', other, '--yes')).toMatchObject({status: 0});
      const left = await ground.weights();
      expect(left).toMatchObject({[other]: 0});
      expect((await run('runs', 'resume', killed)).reason).toContain('another hand has moved it since: front-door sends');
      expect(await ground.weights()).toEqual(left);
      const {reason} = await run('runs', 'undo', killed);
      if (step === 'await-sent') expect(reason).toContain('leave-front-door was not undone: another hand has moved it since');
      expect(await ground.weights()).toEqual(left);
      for (const region of REGIONS.filter((name) => left[name] === 0))
        expect(await run('failback', 'run', '--to', region, '--yes')).toMatchObject({status: 0});
    },
  );

  it('is left by a plan that was saved, unless the routes have changed since', async () => {
    const file = join(ground.lab.parent, 'plan.json');
    const plan = () => ground.lab.json(0, ['failover', 'plan', '--from', AWAY, '-o', file]);
    await plan();
    expect(await run('failover', 'run', '--from', 'ap', '--yes')).toMatchObject({status: 0});
    const outdated = await ground.run('failover', 'run', '--plan', file, '--yes');
    expect([outdated.code, outdated.stderr]).toEqual([77, expect.stringContaining('the plan was made for front-door')]);
    expect(await run('failback', 'run', '--to', 'ap', '--yes')).toMatchObject({status: 0});
    await plan();
    expect(await run('failover', 'run', '--plan', file, '--yes')).toMatchObject({status: 0});
    expect(await ground.weights()).toMatchObject({[AWAY]: 0});
    expect(await run('failback', 'run', '--to', AWAY, '--yes')).toMatchObject({status: 0});
  });
});
