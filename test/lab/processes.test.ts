import {spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {describe, expect, it, onTestFinished} from 'vitest';
import {stopLab} from '../../src/lab/down.ts';
import {type LabRecord, readRecord, writeRecord} from '../../src/lab/record.ts';
import {isRunning, markOf, processesIn, processTable, signalAll, treeOf, waitUntil} from '../../src/lib/processes.ts';

const IDLE = ['-e', 'setInterval(() => {}, 1000)'];
const PARENT = ['-e', `require('node:child_process').spawn(process.execPath, ${JSON.stringify(IDLE)}); setInterval(() => {}, 1000)`];

function start(args: readonly string[], cwd = '/'): number {
  const child = spawn(process.execPath, args, {stdio: 'ignore', cwd});
  const pid = child.pid;
  if (pid === undefined) throw new Error('not started');
  onTestFinished(() => signalAll(treeOf([markOf(pid)]), 'SIGKILL'));
  return pid;
}

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-lab-test-'));
  onTestFinished(() => rmSync(dir, {recursive: true, force: true}));
  return dir;
}

const recordOf = (dir: string, pid: number, startTime: string): LabRecord => ({
  ...{
    version: 1,
    dir,
    profile: 'fast',
    mode: 'quorum',
    postgres: '18.4',
    startedAt: '2026-01-01T00:00:00.000Z',
    control: null,
    frontDoor: null,
  },
  ...{supervisor: {pid, start: startTime}, dataRoot: join(dir, 'data'), regions: []},
});

describe('processes', () => {
  it('knows a process by its start time: a recycled pid is another one', () => {
    const pid = start(IDLE);
    const mark = markOf(pid);
    expect(isRunning(mark)).toBe(true);
    expect(isRunning({pid, start: '1'})).toBe(false);
    expect(treeOf([{pid, start: '1'}])).toEqual([]);
  });

  it('finds the whole tree, parents first', async () => {
    const pid = start(PARENT);
    await waitUntil(() => treeOf([markOf(pid)]).length === 2, 5000);
    const [root, child] = treeOf([markOf(pid)]);
    expect(root).toBe(pid);
    expect(processTable().get(child ?? 0)?.ppid).toBe(pid);
  });

  it('finds processes by their working directory', async () => {
    const dir = tempDir();
    const pid = start(IDLE, dir);
    await waitUntil(() => processesIn(dir).length === 1, 5000);
    expect(processesIn(dir)).toEqual([pid]);
    expect(processesIn(`${dir}x`)).toEqual([]);
  });
});

describe('stopLab', () => {
  it('never kills a process that has taken the pid of the supervisor', async () => {
    const dir = tempDir();
    const pid = start(IDLE);
    writeRecord(recordOf(dir, pid, '1'));
    expect(await stopLab(dir)).toMatchObject({outcome: 'forced'});
    expect(isRunning(markOf(pid))).toBe(true);
    expect(readRecord(dir)).toBeNull();
  });

  it('kills a supervisor that does not answer, also a stopped one', async () => {
    const dir = tempDir();
    const pid = start(IDLE);
    process.kill(pid, 'SIGSTOP');
    writeRecord(recordOf(dir, pid, markOf(pid)?.start ?? ''));
    expect(await stopLab(dir)).toMatchObject({outcome: 'forced'});
    expect(isRunning(markOf(pid))).toBe(false);
  });

  it('says that there is nothing, and touches nothing that is not a lab', async () => {
    const dir = tempDir();
    expect(await stopLab(join(dir, 'none'))).toMatchObject({outcome: 'nothing'});
    expect(await stopLab(dir)).toMatchObject({outcome: 'nothing'});
    writeFileSync(join(dir, 'mine'), '');
    await expect(stopLab(dir)).rejects.toMatchObject({code: 'not-a-lab', exit: 77});
  });

  it('refuses a lab that was moved, and a record that is none', async () => {
    const dir = tempDir();
    const record = {...recordOf(dir, 999_999_999, '1'), dir: join(dir, 'elsewhere')};
    writeFileSync(join(dir, 'lab.json'), JSON.stringify(record));
    await expect(stopLab(dir)).rejects.toMatchObject({code: 'not-a-lab', message: expect.stringContaining('was moved')});
    writeFileSync(join(dir, 'lab.json'), '{"version": 2}');
    await expect(stopLab(dir)).rejects.toMatchObject({code: 'not-a-lab'});
  });

  it('leaves files that the lab did not make', async () => {
    const dir = tempDir();
    writeRecord(recordOf(dir, 999_999_999, '1'));
    writeFileSync(join(dir, 'mine'), '');
    await stopLab(dir);
    expect(readRecord(dir)).toBeNull();
    await expect(stopLab(dir)).rejects.toMatchObject({code: 'not-a-lab'});
  });
});
