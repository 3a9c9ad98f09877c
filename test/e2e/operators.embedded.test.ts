import {readFileSync} from 'node:fs';
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import type {Going} from './crash/crash-ground.ts';
import {CrashLab} from './crash/crash-lab.ts';
import {type EndState, endState, timelineOf} from './crash/end-state.ts';

const ALL = ['us-east', 'eu-west', 'ap'];
/** Longer than any statement of regionctl may take. */
const STOPPED_MS = 2000;

const lab = new CrashLab();
let before: EndState;
let base: number;

beforeAll(() => lab.up());
afterAll(() => lab.remove());
beforeEach(async () => {
  base = await timelineOf(lab, 'us-east');
  before = await endState(lab, ALL, base);
});

/** Waits for a line of the run's progress. */
async function reached(run: Going, text: string): Promise<void> {
  while (!run.stderr().includes(text)) {
    const ended = await Promise.race([sleep(2), run.ended]);
    if (ended !== undefined && !run.stderr().includes(text)) throw new Error(`it ended before "${text}": ${ended.stdout}${ended.stderr}`);
  }
}

describe('two operators', () => {
  afterEach(async () => {
    await lab.heal('us-east');
    await lab.expectGood('failback', 'run', '--yes', '--json');
  });

  // At the first, nothing has happened yet; at the second, the fleet looks as if there were nothing to do.
  it.each(['✓ claim orders', '✓ promote eu-west'])(
    'while one is stopped (SIGSTOP) after "%s" the others are told who acts, and it ends well',
    async (at) => {
      await lab.fault('kill', 'us-east');
      const first = lab.start('failover', 'run', '--yes', '--no-guard');
      await reached(first, at);
      first.signal('SIGSTOP');
      const stoppedAt = performance.now();
      const others = await Promise.all([
        lab.cli('failover', 'run', '--yes', '--json'),
        lab.cli('failback', 'run', '--yes', '--json'),
        lab.cli('runs', 'resume', 'last', '--json'),
      ]);
      for (const {status, stdout} of others) {
        const {error} = JSON.parse(stdout);
        expect([status, error.code]).toEqual([75, 'lease-held']);
        expect(error.message).toMatch(new RegExp(`is held by .+ \\(pid ${first.pid}\\) for run failover-\\S+ since \\d{4}-\\d\\d-\\d\\dT`));
      }
      expect(JSON.parse((await lab.cli('runs', 'list', '--json')).stdout).runs[0].outcome).toBe('running');
      await sleep(Math.max(0, STOPPED_MS - (performance.now() - stoppedAt)));
      first.signal('SIGCONT');
      const {status, stdout} = await first.ended;
      expect([status, stdout]).toEqual([1, expect.stringContaining('succeeded')]);
      expect((await endState(lab, ['eu-west', 'ap'], base)).firstWriteBy).toBe('eu-west');
    },
  );
});

describe('two operators who share no state', () => {
  /** Who has been stopped by a signal, as the kernel tells. */
  const isStopped = (pid: number): boolean => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

  // The sleeper has proven everything, and its next statement would promote.
  it('one is stopped right before it promotes eu-west, the other takes over and promotes ap: the sleeper promotes nothing when it wakes', async () => {
    const to = 'ap';
    const other = lab.otherFleet();
    await lab.fault('kill', 'us-east');
    const sleeper = lab.sleeper('failover', 'intent:promote');
    await expect.poll(() => isStopped(sleeper.pid), {timeout: 20_000, interval: 5}).toBe(true);

    // Without being told to, nobody acts under another's hands, and nothing is touched.
    const told = await lab.cli('failover', 'run', '--yes', '--json', '--to', to, '-f', other);
    const {error} = JSON.parse(told.stdout);
    expect([told.status, error.code]).toEqual([75, 'lease-held']);
    expect(error.message).toMatch(/orders is claimed on \S+ by regionctl failover-\S+, process \d+, since \d{4}-/);
    expect(error.suggestions.join(' ')).toContain('--override unclaimed:orders');

    const over = ['--override', 'unclaimed', '--reason', 'the other machine sleeps'];
    const taken = await lab.cli('failover', 'run', '--yes', '--no-guard', '--json', '--to', to, '-f', other, ...over);
    expect([taken.status, JSON.parse(taken.stdout).outcome]).toEqual([1, 'succeeded']);
    const {stdout: shown} = await lab.cli('runs', 'show', 'last', '-f', other);
    expect(shown).toMatch(/overridden +unclaimed:orders .*\n +passed by .+: the other machine sleeps/);

    sleeper.signal('SIGCONT');
    await sleeper.ended;
    const slept = JSON.parse((await lab.cli('runs', 'show', 'last', '--json')).stdout);
    expect(slept.outcome).toBe('failed');
    expect(slept.steps.find(({id}: {id: string}) => id === 'promote').status).toBe('failed');
    expect(await endState(lab, ['eu-west', 'ap'], base)).toMatchObject({firstWriteBy: to});
    expect(await timelineOf(lab, to)).toBe(base + 1);
    expect((await lab.sql<{on: boolean}>('eu-west', 'select pg_is_in_recovery() as "on"'))[0]?.on).toBe(true);
    // Nor can it be gone on with, or taken back: the fleet has moved.
    for (const how of ['resume', 'undo']) expect((await lab.cli('runs', how, 'last', '--json')).status).not.toBe(0);
    expect(await endState(lab, ['eu-west', 'ap'], base)).toMatchObject({firstWriteBy: to});

    await lab.heal('us-east');
    await lab.expectGood('failback', 'run', '--yes', '--json', '-f', other);
  });
});

describe('Ctrl+C', () => {
  // The old primary answers nothing, so what was begun must be taken back without it. A closed terminal (SIGHUP) is an interrupt too; Ctrl+C
  // itself is pressed in test/cli/live-view.cli.test.ts.
  it('once before the pivot undoes everything, also when it is a terminal that was closed', async () => {
    await lab.fault('lose', 'us-east');
    const run = lab.start('failover', 'run', '--yes', '--no-guard');
    await reached(run, '✓ make eu-west and ap let go');
    run.signal('SIGHUP');
    const {status, stdout} = await run.ended;
    // The next step, which has nothing to take back here, may or may not have begun by then.
    expect([status, stdout]).toEqual([130, expect.stringMatching(/interrupted; undone: (fence-us-east, )?seal, drain-front-door, claim/)]);
    await lab.heal('us-east');
    await expect
      .poll(
        () =>
          lab.expectGood('status').then(
            () => true,
            () => false,
          ),
        {timeout: 10_000},
      )
      .toBe(true);
    expect(await endState(lab, ALL, base)).toEqual(before);
    expect(await lab.cli('runs', 'resume', 'last', '--json')).toMatchObject({status: 77, stdout: expect.stringContaining('was undone')});
  });

  it('twice leaves at once, says how to resume, and resuming ends well', async () => {
    await lab.fault('lose', 'us-east');
    const run = lab.start('failover', 'run', '--yes', '--no-guard');
    await reached(run, '✓ make eu-west and ap let go');
    run.signal('SIGINT');
    await reached(run, '! interrupted');
    run.signal('SIGINT');
    const {status, stdout, stderr} = await run.ended;
    expect([status, `${stdout}${stderr}`]).toEqual([130, expect.stringMatching(/runs resume\s+failover-\S+/)]);
    expect(await lab.cli('runs', 'resume', 'last', '--no-guard', '--json')).toMatchObject({status: 1});
    expect((await endState(lab, ['eu-west', 'ap'], base)).firstWriteBy).toBe('eu-west');
    await lab.heal('us-east');
    await lab.expectGood('failback', 'run', '--yes', '--json');
  });
});
