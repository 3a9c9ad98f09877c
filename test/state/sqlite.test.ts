import {execFile, spawn} from 'node:child_process';
import {once} from 'node:events';
import {existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {DatabaseSync} from 'node:sqlite';
import {promisify} from 'node:util';
import {describe, expect, it, onTestFinished} from 'vitest';
import type {State} from '../../src/lib/ports/state.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {fakeClock} from '../run/fake-clock.ts';
import {planOf, step} from '../run/world.ts';
import {tempDir} from './temp-dir.ts';

const clock = fakeClock({auto: false});
const open = async (dir: string): Promise<State> => {
  const state = await openState({dir, clock});
  onTestFinished(() => state.close());
  return state;
};
const plan = planOf([step('a')]);

describe('a lock of another process', () => {
  it('is waited for as long as it was said, and then as long as by whoever acts', async () => {
    const dir = tempDir();
    const state = await openState({dir, clock, busyMs: 20});
    onTestFinished(() => state.close());
    const child = spawn(process.execPath, [join(import.meta.dirname, 'children/hold-lock.ts'), join(dir, 'state.db')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const began = performance.now();
    expect(() => state.remember('eu', 'healthy')).toThrow('is locked by another process');
    expect(performance.now() - began).toBeLessThan(4000);
    await new Promise((resolve) => child.stdin.write('go\n', resolve));
    state.bePatient?.();
    state.remember('eu', 'healthy');
    expect(state.recall('eu')).toBe('healthy');
  });

  it('is waited for as ever by who goes on after something has ended', async () => {
    const dir = tempDir();
    const own = fakeClock({auto: false});
    const state = await openState({dir, clock: own});
    onTestFinished(() => state.close());
    state.bePatient?.();
    own.advance(60_000);
    const child = spawn(process.execPath, [join(import.meta.dirname, 'children/hold-lock.ts'), join(dir, 'state.db')], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    await new Promise((resolve) => child.stdin.write('go\n', resolve));
    state.remember('eu', 'healthy');
    expect(state.recall('eu')).toBe('healthy');
  });
});

describe('runs and their journals', () => {
  it('are there again after reopening', async () => {
    const dir = join(tempDir(), 'deep', 'state');
    const state = await open(dir);
    state.createRun('r1', 'lab', plan);
    state.append('r1', {type: 'run-started', step: null, data: {v: 1}});
    state.append('r1', {type: 'intent', step: 'a', data: {nested: [1, null, 'ü']}});
    state.close();
    const again = await open(dir);
    expect(again.plan('r1')).toEqual(plan);
    expect(again.events('r1')).toEqual([
      {seq: 1, at: clock.wall(), type: 'run-started', step: null, data: {v: 1}},
      {seq: 2, at: clock.wall(), type: 'intent', step: 'a', data: {nested: [1, null, 'ü']}},
    ]);
    expect(again.plan('none')).toBeNull();
    expect(again.events('none')).toEqual([]);
  });

  it('are listed newest first, of one fleet or of all', async () => {
    const state = await open(tempDir());
    state.createRun('r1', 'lab', plan);
    clock.advance(1000);
    state.createRun('r2', 'prod', plan);
    expect(state.runs().map((run) => run.runId)).toEqual(['r2', 'r1']);
    expect(state.runs('lab')).toEqual([
      {runId: 'r1', fleet: 'lab', kind: 'failover', from: 'us-east', to: 'eu-west', startedAt: clock.wall() - 1000},
    ]);
  });

  it('refuse a second run of the same id, and lines for a run that is not there', async () => {
    const state = await open(tempDir());
    state.createRun('r1', 'lab', plan);
    expect(() => state.createRun('r1', 'lab', plan)).toThrow('Run r1 exists already');
    expect(() => state.append('r2', {type: 'gate', step: null, data: null})).toThrow('There is no run r2');
    state.append('r1', {type: 'gate', step: null, data: null});
    expect(state.events('r1')).toHaveLength(1);
  });

  it('are append-only for every connection: no change, no deletion, no replacement, no gap', async () => {
    const dir = tempDir();
    const state = await open(dir);
    state.createRun('r1', 'lab', plan);
    state.append('r1', {type: 'gate', step: null, data: null});
    const other = new DatabaseSync(join(dir, 'state.db'));
    onTestFinished(() => other.close());
    for (const sql of [
      "UPDATE events SET data = '1'",
      'DELETE FROM events',
      "INSERT OR REPLACE INTO events (run_id, seq, at, type, data) VALUES ('r1', 1, 0, 'x', '1')",
      "INSERT INTO events (run_id, seq, at, type, data) VALUES ('r1', 3, 0, 'x', '1')",
      "UPDATE runs SET plan = '{}'",
      'DELETE FROM runs',
    ]) {
      expect(() => other.exec(sql), sql).toThrow('append-only');
    }
  });

  it('take the lines of several processes at once, dense and complete', async () => {
    const dir = tempDir();
    const state = await open(dir);
    state.createRun('r1', 'lab', plan);
    await Promise.all([1, 2, 3].map(() => child(['open.ts', dir, 'r1', '40'])));
    expect(state.events('r1').map((event) => event.seq)).toEqual(Array.from({length: 120}, (_, i) => i + 1));
  });

  it('several processes may make the same new state at once', async () => {
    const dir = join(tempDir(), 'new');
    const answers = await Promise.all([1, 2, 3, 4].map(() => child(['open.ts', dir, '', '0'])));
    expect(answers).toEqual([1, 2, 3, 4].map(() => ({ok: true})));
  });
});

describe('memory', () => {
  it('keeps the last value of a key', async () => {
    const state = await open(tempDir());
    expect(state.recall('k')).toBeUndefined();
    state.remember('k', {verdict: 'healthy'});
    state.remember('k', null);
    expect(state.recall('k')).toBeNull();
  });
});

describe('files', () => {
  it('are for their user only', async () => {
    const dir = join(tempDir(), 'state');
    const state = await open(dir);
    state.remember('k', 1);
    state.lease('lab', null);
    const mode = (name: string) => statSync(join(dir, name)).mode & 0o777;
    expect(statSync(dir).mode & 0o777).toBe(0o700);
    for (const name of ['state.db', 'state.db-wal', 'state.db-shm', 'lease-lab.db']) expect(mode(name), name).toBe(0o600);
  });
});

describe('what is wrong is said with the file and what to do', () => {
  it('a directory that cannot be made or written', async () => {
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    await expect(openState({dir: join(file, 'state'), clock})).rejects.toMatchObject({code: 'state-unwritable', exit: 73});
  });

  it.skipIf(process.getuid?.() !== 0 || !nobodyCanRead())('a directory that is read-only for this user', async () => {
    const dir = tempDir();
    expect(await child(['open.ts', dir, '', '0'], {uid: 65534})).toMatchObject({
      code: 'state-unwritable',
      exit: 73,
      message: expect.stringContaining(join(dir, 'state.db')),
    });
  });

  it.each([
    ['no database at all', 'this is a text file that somebody put here, long enough to be read as a header of a database file...'],
    ['a database that was cut off', null],
  ])('a damaged file: %s', async (_, text) => {
    const dir = tempDir();
    const file = join(dir, 'state.db');
    if (text === null) {
      const state = await openState({dir, clock});
      state.createRun('r1', 'lab', plan);
      state.close();
      const bytes = readFileSync(file);
      writeFileSync(file, Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xa5)]));
    } else writeFileSync(file, text);
    const error = await failure(async () => {
      const state = await openState({dir, clock});
      try {
        state.createRun('r2', 'lab', plan);
      } finally {
        state.close();
      }
    });
    expect(error).toMatchObject({code: 'state-corrupt', exit: 73, message: expect.stringContaining(file)});
    expect((error as {suggestions: string[]}).suggestions[0]).toContain('Move it aside');
  });

  it('a file of a later version, and one of another program, are left as they are', async () => {
    const dir = tempDir();
    (await openState({dir, clock})).close();
    const db = new DatabaseSync(join(dir, 'state.db'));
    db.exec('PRAGMA user_version = 99');
    db.close();
    await expect(openState({dir, clock})).rejects.toMatchObject({
      code: 'state-newer',
      exit: 73,
      message: expect.stringContaining('version 99'),
    });
    const other = tempDir();
    const foreign = new DatabaseSync(join(other, 'state.db'));
    foreign.exec('CREATE TABLE theirs (x)');
    foreign.close();
    await expect(openState({dir: other, clock})).rejects.toMatchObject({code: 'state-foreign', exit: 73});
  });

  it.each(['removed', 'replaced'])('a directory that is %s while it is in use: an error, not a silent loss', async (how) => {
    const dir = join(tempDir(), 'state');
    const state = await open(dir);
    state.createRun('r1', 'lab', plan);
    const lease = state.lease('lab', 'r1');
    if (how === 'removed') rmSync(dir, {recursive: true});
    else {
      renameSync(dir, `${dir}-old`);
      (await openState({dir, clock})).close();
    }
    expect(() => state.append('r1', {type: 'gate', step: null, data: null})).toThrow(
      expect.objectContaining({code: 'state-gone', exit: 73}),
    );
    expect(() => lease.check()).toThrow(expect.objectContaining({code: 'lease-lost', exit: 75}));
    expect(() => lease.release()).not.toThrow();
  });

  it('a full disk (needs root for a small tmpfs)', async (test) => {
    const disk = await tinyDisk();
    if (disk === null) return test.skip('no small file system can be mounted here');
    try {
      const state = await openState({dir: disk, clock});
      state.createRun('r1', 'lab', plan);
      const write = () => {
        for (let i = 0; i < 2000; i++) state.append('r1', {type: 'gate', step: null, data: 'x'.repeat(4000)});
      };
      expect(write).toThrow(expect.objectContaining({code: 'state-full', exit: 73, message: expect.stringContaining(disk)}));
      const kept = state.events('r1');
      expect(kept.map((event) => event.seq)).toEqual(kept.map((_, i) => i + 1));
      state.close();
    } finally {
      await promisify(execFile)('umount', [disk]);
      rmSync(disk, {recursive: true});
    }
    expect(existsSync(disk)).toBe(false);
  });
});

/** A tmpfs of 1 MiB, or null where it cannot be mounted. */
async function tinyDisk(): Promise<string | null> {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-full-'));
  try {
    await promisify(execFile)('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]);
    return dir;
  } catch {
    rmSync(dir, {recursive: true});
    return null;
  }
}

async function child([script = '', ...args]: string[], options: {uid?: number} = {}): Promise<unknown> {
  const file = join(import.meta.dirname, 'children', script);
  const {stdout} = await promisify(execFile)(process.execPath, [file, ...args], options);
  return JSON.parse(stdout);
}

/** Whether a child of another user can read these sources and the Node that runs them. */
function nobodyCanRead(): boolean {
  const parts = [process.execPath, import.meta.filename].flatMap((path) =>
    path.split('/').map((_, i, all) => all.slice(0, i + 1).join('/') || '/'),
  );
  return parts.every((path) => (statSync(path).mode & 0o005) >= (statSync(path).isDirectory() ? 0o005 : 0o004));
}

async function failure(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
}
