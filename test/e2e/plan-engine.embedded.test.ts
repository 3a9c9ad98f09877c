import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {RunDocument} from '../../src/lib/run/document.ts';
import {expectEqualRegions} from './expect-regions.ts';
import {LabSession, type Ran} from './lab-session.ts';

type Refusal = {readonly error: {readonly code: string; readonly message: string; readonly suggestions: readonly string[]}};

const lab = new LabSession();
beforeAll(() => lab.up());
afterAll(() => lab.remove());

/** The same fleet with a part more. */
function variant(name: string, part: string): string {
  const file = join(lab.dir, `${name}.yaml`);
  writeFileSync(file, `${readFileSync(lab.fleetFile, 'utf8')}\n${part}\n`);
  return file;
}

/** A person at a terminal of their own. */
const as = (user: string, fleet: string) => ({env: {SUDO_USER: user, REGIONCTL_FLEET: fleet}});
const lastRun = (fleet: string) => lab.json<RunDocument>(0, ['runs', 'show', 'last', '--fleet', fleet]);

async function waitsForApproval(fleet: string, after: string | null): Promise<RunDocument> {
  let seen: RunDocument | null = null;
  await expect
    .poll(
      async () => {
        const ran = await lab.run(['runs', 'show', 'last', '--json', '--fleet', fleet]);
        seen = ran.code === 0 ? (JSON.parse(ran.stdout) as RunDocument) : null;
        return seen !== null && seen.runId !== after && seen.outcome === 'paused';
      },
      {timeout: 15_000, interval: 100},
    )
    .toBe(true);
  return seen as unknown as RunDocument;
}

const root = process.getuid?.() === 0;

// Who approves is who became root, so these need root; elsewhere one account has only one person behind it.
describe.skipIf(!root)('approval by two people (needs root, behind which sudo says who it is)', () => {
  it('who runs it does not count, the second of two others lets it go on, and all of it is on the record', async () => {
    const fleet = variant('two', 'approval: {approvers: 2, before: [fence], expires: 1m}');
    const running = lab.run(['switchover', 'run', '--yes', '--json'], as('ana', fleet));
    const {runId} = await waitsForApproval(fleet, null);
    const own = await lab.run(['runs', 'approve', 'last', '--json'], as('ana', fleet));
    expect([own.code, JSON.parse(own.stdout).error.code]).toEqual([77, 'own-run']);
    await lab.json(0, ['runs', 'approve', 'last', '--reason', 'drill of the quarter'], as('bo', fleet));
    await sleep(600);
    expect((await lastRun(fleet)).outcome).toBe('paused');
    await lab.json(0, ['runs', 'approve', runId], as('cy', fleet));
    const ended = JSON.parse((await running).stdout) as RunDocument;
    expect(ended).toMatchObject({outcome: 'succeeded', measured: {lostWrites: 0}});
    expect(ended.approvals).toMatchObject([
      {
        step: 'drain-front-door',
        approvers: 2,
        verdict: 'approved',
        votes: [{by: expect.stringMatching(/^bo@/), reason: 'drill of the quarter'}, {by: expect.stringMatching(/^cy@/)}],
      },
    ]);
  });

  it('goes back when it expires, when it is rejected and when it is aborted; nothing has moved', async () => {
    const short = variant('short', 'approval: {approvers: 1, before: [fence], expires: 1s}');
    const expired = await lab.run(['switchover', 'run', '--to', 'us-east', '--yes', '--json'], as('ana', short));
    expect([expired.code, JSON.parse(expired.stdout)]).toEqual([2, expect.objectContaining({outcome: 'undone', code: 'approval-expired'})]);
    const fleet = variant('one', 'approval: {approvers: 1, before: [fence], expires: 1m}');
    const ends: Ran[] = [];
    let before = (await lastRun(fleet)).runId;
    for (const command of [
      ['runs', 'reject', 'last', '--reason', 'not today'],
      ['runs', 'abort', 'last', '--reason', 'wrong region'],
    ]) {
      const running = lab.run(['switchover', 'run', '--to', 'us-east', '--yes', '--json'], as('ana', fleet));
      before = (await waitsForApproval(fleet, before)).runId;
      await lab.json(0, command, as('bo', fleet));
      ends.push(await running);
    }
    expect(ends.map(({stdout}) => JSON.parse(stdout) as RunDocument)).toMatchObject([
      {outcome: 'undone', code: 'approval-rejected', reason: expect.stringMatching(/bo@.* rejected it: not today/)},
      {outcome: 'undone', code: 'aborted', reason: expect.stringMatching(/bo@.* told it to stop: wrong region/)},
    ]);
    expect(await lab.sql('eu-west', 'select pg_is_in_recovery() as recovering')).toEqual([{recovering: false}]);
    await lab.json(0, ['switchover', 'run', '--to', 'us-east', '--yes']);
    await expectEqualRegions(lab);
  });
});

describe('a reviewed plan', () => {
  it('runs as it was reviewed, once; not when the fleet file, the primary or a guard changed', async () => {
    const file = join(lab.parent, 'plan.json');
    await lab.json(0, ['switchover', 'plan', '--to', 'eu-west', '--output', file]);
    const changed = await lab.json<Refusal>(77, [
      'switchover',
      'run',
      '--plan',
      file,
      '--yes',
      '--fleet',
      variant('labelled', 'notify: {}\nchecks: {}'),
    ]);
    expect(changed.error.code).toBe('fleet-changed');
    const edited = JSON.parse(readFileSync(file, 'utf8'));
    edited.plan.steps = edited.plan.steps.map((step: {id: string; requires: unknown[]}) =>
      step.id === 'promote' ? {...step, requires: []} : step,
    );
    writeFileSync(`${file}.edited`, JSON.stringify(edited));
    expect((await lab.json<Refusal>(77, ['switchover', 'run', '--plan', `${file}.edited`, '--yes'])).error.code).toBe('plan-unsafe');
    // As if it had been made while another rule was in force.
    const other = readFileSync(file, 'utf8').replaceAll('"need": 2', '"need": 1');
    writeFileSync(`${file}.other`, other);
    const another = await lab.json<Refusal>(77, ['switchover', 'run', '--plan', `${file}.other`, '--yes']);
    expect(another.error).toMatchObject({code: 'plan-outdated', message: expect.stringContaining('with another fence-us-east')});
    const run = await lab.json<RunDocument>(0, ['switchover', 'run', '--plan', file, '--yes']);
    expect(run).toMatchObject({outcome: 'succeeded', from: 'us-east', to: 'eu-west'});
    expect((await lab.json<Refusal>(77, ['switchover', 'run', '--plan', file, '--yes'])).error.code).toBe('plan-used');
    const late = join(lab.parent, 'late.json');
    await lab.json(0, ['switchover', 'plan', '--to', 'us-east', '--output', late]);
    await lab.json(0, ['switchover', 'run', '--to', 'us-east', '--yes']);
    const moved = await lab.json<Refusal>(77, ['switchover', 'run', '--plan', late, '--yes']);
    expect(moved.error.message).toMatch(/eu-west|holds no primary/);
  });
});

describe('runs undo', () => {
  it('takes a killed run back before its pivot, and names failback after it', async () => {
    await lab.lab('fault', 'kill', 'us-east');
    let killed: NodeJS.Signals | null = null;
    const ran = await lab.run(['failover', 'run', '--yes', '--no-guard'], {
      onStart: (child) =>
        child.stderr?.on('data', (text: Buffer) => {
          if (killed !== null || !text.toString().includes('✓ make eu-west and ap let go')) return;
          killed = 'SIGKILL';
          child.kill('SIGKILL');
        }),
    });
    expect([ran.code, killed]).toEqual([null, 'SIGKILL']);
    expect(await lab.json<RunDocument>(0, ['runs', 'undo', 'last'])).toMatchObject({outcome: 'undone', code: 'undone'});
    await lab.lab('heal', 'us-east');
    await expect.poll(async () => (await lab.run(['status'])).code, {timeout: 15_000}).toBe(0);
    await lab.lab('fault', 'kill', 'us-east');
    await lab.json(1, ['failover', 'run', '--yes', '--no-guard']);
    const past = await lab.json<Refusal>(77, ['runs', 'undo', 'last']);
    expect(past.error.code).toBe('run-ended');
    await lab.lab('heal', 'us-east');
    await lab.json(0, ['failback', 'run', '--yes']);
    await expectEqualRegions(lab);
  });
});

describe('the guard', () => {
  it('closes an old primary that comes back, and ends the run well', async () => {
    await lab.lab('fault', 'kill', 'us-east');
    const running = lab.run(['failover', 'run', '--yes', '--json']);
    await expect
      .poll(async () => (await lastRun(lab.fleetFile)).steps.find(({id}) => id === 'guard-us-east')?.status, {
        timeout: 20_000,
        interval: 100,
      })
      .toBe('running');
    await lab.lab('heal', 'us-east');
    const ended = await running;
    const document = JSON.parse(ended.stdout) as RunDocument;
    expect([ended.code, document.outcome], ended.stdout).toEqual([0, 'succeeded']);
    expect(document.steps.find(({id}) => id === 'guard-us-east')?.detail).toMatch(/us-east (came back and was|is) (stopped|closed)/);
    await lab.json(0, ['failback', 'run', '--yes']);
    await expectEqualRegions(lab);
  });

  it('can be left with Ctrl+C: the run has succeeded, with a warning', async () => {
    await lab.lab('fault', 'kill', 'us-east');
    const ran = await lab.run(['failover', 'run', '--yes'], {
      onStart: (child) =>
        child.stderr?.on('data', (text: Buffer) => {
          if (text.toString().includes('▶ guard us-east')) child.kill('SIGINT');
        }),
    });
    expect([ran.code, ran.stdout], ran.stderr).toEqual([1, expect.stringContaining('succeeded')]);
    await lab.lab('heal', 'us-east');
    await lab.json(0, ['failback', 'run', '--yes']);
  });
});
