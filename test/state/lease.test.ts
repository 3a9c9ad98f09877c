import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {hostname, userInfo} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import type {State} from '../../src/lib/ports/state.ts';
import {systemClock} from '../../src/lib/run/system-clock.ts';
import {leaseFileName} from '../../src/lib/state/files.ts';
import {openState} from '../../src/lib/state/sqlite.ts';
import {tempDir} from './temp-dir.ts';

const open = async (dir: string): Promise<State> => {
  const state = await openState({dir, clock: systemClock()});
  onTestFinished(() => state.close());
  return state;
};

describe('a lease', () => {
  it('is held once, also within one process, and can be taken again after it was given back', async () => {
    const dir = tempDir();
    const [a, b] = [await open(dir), await open(dir)];
    const lease = a.lease('lab', 'r1');
    lease.check();
    expect(() => b.lease('lab', 'r2')).toThrow(expect.objectContaining({code: 'lease-held', exit: 75}));
    expect(() => a.lease('lab', 'r1')).toThrow('is held by');
    lease.check();
    expect(b.holder('lab')).toMatchObject({token: lease.token, runId: 'r1', pid: process.pid});
    lease.check();
    lease.release();
    lease.release();
    expect(() => lease.check()).toThrow(expect.objectContaining({code: 'lease-lost', exit: 75}));
    expect(b.holder('lab')).toBeNull();
    const next = b.lease('lab', null);
    expect(Number.parseInt(next.token, 10)).toBe(Number.parseInt(lease.token, 10) + 1);
  });

  it('of another name is another lease', async () => {
    const state = await open(tempDir());
    state.lease('lab', null);
    state.lease('lab/../prod', null).check();
    expect(state.holder('nobody')).toBeNull();
  });

  it('names who holds it, for which run, and since when', async () => {
    const dir = tempDir();
    const before = Date.now();
    const holder = await holding(dir, 'lab', 'r7');
    const state = await open(dir);
    const info = state.holder('lab');
    expect(info).toMatchObject({pid: holder.pid, host: hostname(), user: userInfo().username, runId: 'r7'});
    const since = new Date(info?.since ?? 0).toISOString();
    expect(Date.parse(since)).toBeGreaterThanOrEqual(before);
    expect(() => state.lease('lab', 'r8')).toThrow(
      `The lease "lab" is held by ${userInfo().username}@${hostname()} (pid ${holder.pid}) for run r7 since ${since}.`,
    );
  });

  it('is gone at once with a process that is killed', async () => {
    const dir = tempDir();
    const holder = await holding(dir, 'lab', 'r7');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    const state = await open(dir);
    expect(state.holder('lab')).toBeNull();
    state.lease('lab', 'r8').check();
  });

  it('stays with a process that is stopped, and is still its own when it wakes', async () => {
    const dir = tempDir();
    const holder = await holding(dir, 'lab', 'r7');
    holder.kill('SIGSTOP');
    const state = await open(dir);
    for (let i = 0; i < 3; i++) expect(() => state.lease('lab', 'r8')).toThrow('is held by');
    holder.kill('SIGCONT');
    expect(state.holder('lab')).toMatchObject({pid: holder.pid});
    expect(holder.exitCode).toBeNull();
  });
});

describe('the file of a lease', () => {
  it.each([
    ['lab', 'lease-lab.db'],
    ['store_orders-1', 'lease-store_orders-1.db'],
  ])('%s is %s', (name, file) => expect(leaseFileName(name)).toBe(file));

  it('never leaves its directory, never is too long, and differs for names that differ', () => {
    const names = ['../x', 'a/b', 'a_b', 'A_B', '', 'ü', 'x'.repeat(500), 'x'.repeat(501), 'a b', 'a\0b'];
    const files = names.map(leaseFileName);
    for (const file of files) expect(file).toMatch(/^lease-[A-Za-z0-9_~-]{1,64}\.db$/);
    expect(new Set(files).size).toBe(names.length);
  });
});

/** A process of its own that holds the lease. */
async function holding(dir: string, name: string, runId: string): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'children', 'hold-lease.ts');
  const child = spawn(process.execPath, [script, dir, name, runId], {stdio: ['ignore', 'pipe', 'inherit']});
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  await once(child.stdout ?? child, 'data');
  return child;
}
