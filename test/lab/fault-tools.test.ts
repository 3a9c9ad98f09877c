import {spawn} from 'node:child_process';
import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, describe, expect, it, onTestFinished, vi} from 'vitest';
import {findFaketime, skewedEnv} from '../../src/lab/clock-skew.ts';
import {FaultDesk} from '../../src/lab/fault-desk.ts';
import {parseFault} from '../../src/lab/fault-request.ts';
import type {RunAs} from '../../src/lab/postgres-binaries.ts';
import {makeRoomInLog, settleWriteLimit, whyNoWriteLimit} from '../../src/lab/write-limit.ts';
import {markOf, treeOf} from '../../src/lib/processes.ts';

const NOBODY = 65_534;
const root = process.getuid?.() === 0;

/** Whose tree, what its processes are started with, and by which means they are changed. */
type Tree = [string, {uid?: number; gid?: number}, RunAs];

function tempDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'regionctl-fault-tools-'));
  onTestFinished(() => rmSync(dir, {recursive: true, force: true}));
  return dir;
}

describe('what some faults need', () => {
  afterEach(() => void vi.unstubAllEnvs());

  it('finds prlimit where it is, and says what is missing', async () => {
    const dir = tempDir();
    expect(await whyNoWriteLimit(`/nonexistent:${dir}`, 'linux')).toBe(
      'disk-full needs the program prlimit (of util-linux), which is not on the PATH of the lab',
    );
    writeFileSync(join(dir, 'prlimit'), '');
    chmodSync(join(dir, 'prlimit'), 0o755);
    expect(await whyNoWriteLimit(`/nonexistent:${dir}`, 'linux')).toBeNull();
    expect(await whyNoWriteLimit(dir, 'darwin')).toContain('needs Linux');
  });

  it('takes no library for libfaketime that does not turn the clock', async () => {
    const dir = tempDir();
    expect(await findFaketime([dir], 'linux')).toBe("skew needs libfaketime (Debian's package faketime), which is not installed");
    mkdirSync(join(dir, 'other-arch'));
    for (const name of ['libfaketime.so.1', 'libfaketimeMT.so.1']) writeFileSync(join(dir, 'other-arch', name), 'not a library');
    expect(await findFaketime([join(dir, '*')], 'linux')).toBe(
      `skew needs libfaketime, and ${dir}/other-arch/libfaketime.so.1 does not work here`,
    );
    expect(await findFaketime([dir], 'darwin')).toContain('needs Linux');
  });

  it('writes an offset to the millisecond, in both directions', () => {
    expect(skewedEnv('lib', -90_250).FAKETIME).toBe('-90.250');
    expect(skewedEnv('lib', 1).FAKETIME).toBe('+0.001');
  });

  it('refuses a fault whose tool is missing, says why, and leaves nothing', async () => {
    vi.stubEnv('PATH', '/nonexistent');
    const desk = new FaultDesk({machines: new Map(), paths: () => null, door: () => null});
    onTestFinished(() => desk.close());
    const {kinds, unavailable} = await desk.kinds();
    const fault = parseFault({region: 'ap', kind: 'disk-full'}, ['ap'], 0);
    await expect(desk.inject(fault)).rejects.toMatchObject({code: 'fault-unavailable', exit: 77, message: unavailable['disk-full']});
    expect([desk.all, unavailable['disk-full'], Object.keys(kinds).includes('disk-full')]).toEqual([
      [],
      expect.stringContaining('prlimit'),
      true,
    ]);
  });
});

describe.skipIf((await whyNoWriteLimit()) !== null)('settleWriteLimit', () => {
  const own: Tree = ['of this user', {}, {kind: 'direct'}];
  const others: Tree = ['of another user', {uid: NOBODY, gid: NOBODY}, {kind: 'uid', uid: NOBODY, gid: NOBODY}];

  it.each(root ? [own, others] : [own])('limits a tree %s that goes on forking, and lifts the limit again', async (_, ids, runAs) => {
    const child = spawn('perl', ['-e', 'while (1) { if (!fork) { sleep 5; exit } select undef, undef, undef, 0.02 }'], {cwd: '/', ...ids});
    const pids = () => treeOf([markOf(child.pid ?? 0)]);
    onTestFinished(() => {
      process.kill(child.pid ?? 0, 'SIGSTOP');
      for (const pid of pids()) process.kill(pid, 'SIGKILL');
    });
    await vi.waitUntil(() => pids().length > 3);
    const limits = () =>
      new Set(
        pids().map((pid) =>
          /Max file size +(\S+) +(\S+)/
            .exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))
            ?.slice(1)
            .join(),
        ),
      );
    let full = true;
    await settleWriteLimit(pids, () => full, runAs);
    await vi.waitUntil(() => pids().length > 8);
    expect(limits()).toEqual(new Set(['8192,unlimited']));
    full = false;
    await settleWriteLimit(pids, () => full, runAs);
    expect(limits()).toEqual(new Set(['unlimited,unlimited']));
  });

  it.skipIf(!root)('says what is in the way (not as an ordinary user: nobody else can be asked)', async () => {
    await expect(
      settleWriteLimit(
        () => [process.pid],
        () => true,
        {kind: 'uid', uid: NOBODY, gid: NOBODY},
      ),
    ).rejects.toMatchObject({
      code: 'limit-failed',
    });
  });
});

describe('makeRoomInLog', () => {
  it('keeps what was in the log beside it, and lets who has it open go on at its beginning', async () => {
    const log = join(tempDir(), 'a.log');
    await makeRoomInLog(log);
    writeFileSync(log, 'one\n');
    await makeRoomInLog(log);
    writeFileSync(log, 'two\n', {flag: 'a'});
    await makeRoomInLog(log);
    expect([readFileSync(log, 'utf8'), readFileSync(`${log}.1`, 'utf8')]).toEqual(['', 'one\ntwo\n']);
  });
});
