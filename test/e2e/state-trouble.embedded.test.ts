import {execFileSync} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {askLab} from '../../src/lab/control-client.ts';
import type {Ended} from './crash/crash-ground.ts';
import {CrashLab} from './crash/crash-lab.ts';
import {type EndState, endState, timelineOf} from './crash/end-state.ts';

const ALIVE = ['eu-west', 'ap'];
const lab = new CrashLab();
const mounted: string[] = [];
let before: EndState;
let base: number;

beforeAll(() => lab.up());
afterAll(async () => {
  for (const dir of mounted) execFileSync('umount', [dir]);
  await lab.remove();
});

/** The same fleet with its state somewhere else. */
function fleetWithState(dir: string): string {
  const file = join(lab.dir, `${dir.replaceAll('/', '_')}.yaml`);
  writeFileSync(file, readFileSync(lab.fleetFile, 'utf8').replace(/^state: .*$/m, `state: {kind: sqlite, dir: ${dir}}`));
  return file;
}

const freshDir = () => mkdtempSync(join(lab.parent, 'state-'));

/** A file system of 1 MiB; null where none can be mounted. */
function smallDisk(): string | null {
  const dir = freshDir();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], {stdio: 'ignore'});
  } catch {
    return null;
  }
  mounted.push(dir);
  return dir;
}

/** Fills a disk to its last byte. */
function fill(dir: string): void {
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) writeFileSync(join(dir, 'filler'), Buffer.alloc(size), {flag: 'a'});
    } catch {
      // This size does not fit any more.
    }
  }
}

/** A directory with a state that this user cannot write; null where that cannot be had. */
async function readOnlyState(): Promise<string | null> {
  if (process.getuid?.() !== 0) {
    const dir = join(freshDir(), 'state');
    mkdirSync(dir, {mode: 0o500});
    return dir;
  }
  const dir = smallDisk();
  if (dir === null) return null;
  await lab.expectGood('runs', 'list', '--fleet', fleetWithState(dir));
  execFileSync('mount', ['-o', 'remount,ro', dir]);
  return dir;
}

/** What the lab itself says is active. */
const faults = async (): Promise<readonly unknown[]> =>
  ((await askLab(lab.record, {method: 'GET', path: '/faults'})) as {faults: readonly unknown[]}).faults;

describe('a fault is ended although nothing can be written', () => {
  it('by the drill itself, whose disk filled up in the middle (73), and not only by its lease', async (test) => {
    const dir = smallDisk();
    if (dir === null) return test.skip('no small file system can be mounted here');
    const file = join(lab.parent, 'parted.yaml');
    writeFileSync(
      file,
      'name: parted\nfault: {kind: partition, region: ap, lease: 10m}\nwitness: {warmUp: 200ms}\nreaction: {none: {for: 60s}}\n',
    );
    const run = lab.start('drill', 'run', file, '--yes', '--fleet', fleetWithState(dir));
    while (!run.stderr().includes('✓ inject')) await Promise.race([new Promise((resolve) => setTimeout(resolve, 2)), run.ended]);
    expect(await faults()).toHaveLength(1);
    fill(dir);
    const {status, stderr} = await run.ended;
    expect([status, stderr.replaceAll(/\s+/g, ' ')]).toEqual([73, expect.stringContaining('healed all the same: no fault is left in ap')]);
    expect([await faults(), readdirSync(join(dir, 'faults'))]).toEqual([[], []]);
  });

  it.each(['full', 'read-only'])('by drill clean, whose disk is %s', async (how) => {
    const dir = smallDisk();
    if (dir === null) return;
    const fleet = fleetWithState(dir);
    await lab.expectGood('drill', 'clean', '--fleet', fleet);
    if (how === 'full') fill(dir);
    else execFileSync('mount', ['-o', 'remount,ro', dir]);
    await lab.fault('lose', 'ap');
    const {status, stdout} = await lab.cli('drill', 'clean', '--json', '--fleet', fleet);
    expect([status, JSON.parse(stdout)]).toMatchObject([
      0,
      {
        verdict: 'healed',
        found: [{fault: 'lose', region: 'ap', provenHealed: true}],
        troubles: [expect.stringContaining('nothing can be recorded')],
      },
    ]);
    expect(await faults()).toEqual([]);
  });
});

async function expectRefused(dir: string, code: string): Promise<void> {
  const fleet = fleetWithState(dir);
  const runs: Ended[] = [];
  for (const topic of ['failover', 'failback']) runs.push(await lab.cli(topic, 'run', '--yes', '--json', '--fleet', fleet));
  for (const {status, stdout} of runs) {
    expect([status, JSON.parse(stdout).error]).toEqual([
      73,
      expect.objectContaining({code, exit: 73, message: expect.stringContaining(dir)}),
    ]);
    expect(JSON.parse(stdout).error.suggestions.length).toBeGreaterThan(0);
  }
  expect(await endState(lab, ALIVE, base)).toEqual(before);
}

describe('a failover whose state cannot be kept is refused (73), and the fleet is as it was', () => {
  beforeAll(async () => {
    base = await timelineOf(lab, 'us-east');
    await lab.fault('kill', 'us-east');
    before = await endState(lab, ALIVE, base);
  });

  it('the file is damaged', async () => {
    const dir = freshDir();
    writeFileSync(join(dir, 'state.db'), 'not a database, but long enough to be looked at as one; '.repeat(100));
    await expectRefused(dir, 'state-corrupt');
  });

  it('the directory is a file', async () => {
    const dir = join(freshDir(), 'file');
    writeFileSync(dir, '');
    await expectRefused(dir, 'state-unwritable');
  });

  it('the directory is read-only', async (test) => {
    const dir = await readOnlyState();
    if (dir === null) return test.skip('no file system can be mounted here');
    await expectRefused(dir, 'state-unwritable');
    if (process.getuid?.() !== 0) chmodSync(dir, 0o700);
  });

  it('the disk is full', async (test) => {
    const dir = smallDisk();
    if (dir === null) return test.skip('no small file system can be mounted here');
    fill(dir);
    await expectRefused(dir, 'state-full');
  });
});

it('a disk that fills up in the middle ends the run on the spot (73); with room again it is resumed to its end', async (test) => {
  const dir = smallDisk();
  if (dir === null) return test.skip('no small file system can be mounted here');
  const fleet = fleetWithState(dir);
  const run = lab.start('failover', 'run', '--yes', '--fleet', fleet);
  while (!run.stderr().includes('✓ claim')) await Promise.race([new Promise((resolve) => setTimeout(resolve, 2)), run.ended]);
  fill(dir);
  const {status, stderr} = await run.ended;
  expect([status, stderr]).toEqual([73, expect.stringContaining('is full')]);
  expect(stderr).toMatch(/runs resume/);
  rmSync(join(dir, 'filler'));
  expect(await lab.cli('runs', 'resume', 'last', '--no-guard', '--json', '--fleet', fleet)).toMatchObject({status: 1});
  const after = await endState(lab, ALIVE, base);
  expect([after.firstWriteBy, after.members['eu-west']?.timeline, after.members.ap?.sender]).toEqual(['eu-west', 1, 'eu-west']);
});
