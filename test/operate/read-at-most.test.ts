import {execFileSync, spawn} from 'node:child_process';
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it, onTestFinished} from 'vitest';
import {drillText} from '../../src/lib/drill/drill-text.ts';
import {readPlanText} from '../../src/lib/operate/plan-text.ts';
import {readAtMost} from '../../src/lib/read-at-most.ts';

const PATIENCE_MS = 200;
const MOST = 1000;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'regionctl-read-'));
});
afterEach(() => rmSync(dir, {recursive: true}));

function pipe(): string {
  const file = join(dir, 'pipe');
  execFileSync('mkfifo', [file]);
  return file;
}

/** A shell that writes into the pipe by itself. */
function write(file: string, script: string): void {
  const child = spawn('sh', ['-c', `exec >"$1"; ${script}`, 'sh', file], {stdio: 'ignore'});
  onTestFinished(() => void child.kill('SIGKILL'));
}

describe('a pipe in place of a file', () => {
  it('that nobody writes into is not waited for', async () => {
    const file = pipe();
    await expect(readAtMost(file, MOST, PATIENCE_MS)).rejects.toThrow('nobody wrote into it for 0.2 s');
    await expect(readPlanText(file, PATIENCE_MS)).rejects.toMatchObject({
      exit: 64,
      message: `${file} cannot be read: nobody wrote into it for 0.2 s`,
    });
    await expect(drillText(file, PATIENCE_MS)).rejects.toMatchObject({
      exit: 64,
      message: `the drill file ${file} cannot be read: nobody wrote into it for 0.2 s`,
    });
  });

  it('whose writer takes long is waited for: it may be planning, or asking somebody', async () => {
    const file = pipe();
    write(file, 'printf one; sleep 1.3; printf two');
    expect(String(await readAtMost(file, MOST, 1000))).toBe('onetwo');
  });

  it('is read to its end, also when it is written slowly or has nothing in it', async () => {
    const file = pipe();
    write(file, 'printf one; sleep 0.1; printf two');
    expect(String(await readAtMost(file, MOST, 5000))).toBe('onetwo');
    write(file, 'sleep 0.2');
    expect(String(await readAtMost(file, MOST, 5000))).toBe('');
  });

  it('that never ends is read as far as a file may be long', async () => {
    const file = pipe();
    write(file, 'cat /dev/zero');
    expect(await readAtMost(file, MOST, PATIENCE_MS)).toHaveLength(MOST);
    await expect(readPlanText('/dev/zero')).rejects.toMatchObject({exit: 64, message: expect.stringContaining('too many for a plan')});
  });
});

describe('what is no file', () => {
  it('is said to be a folder, a socket, or not to be there', async () => {
    const socket = join(dir, 'socket');
    const server = createServer().listen(socket);
    onTestFinished(() => void server.close());
    await expect(readAtMost(dir, MOST)).rejects.toThrow('it is a folder');
    await expect(readAtMost(socket, MOST)).rejects.toThrow('it is a socket, or a device that is not there');
    await expect(readAtMost(join(dir, 'none'), MOST)).rejects.toThrow('ENOENT');
  });

  it('leaves a file as it is', async () => {
    const file = join(dir, 'file');
    writeFileSync(file, 'x'.repeat(70_000));
    expect(await readAtMost(file, 100_000)).toHaveLength(70_000);
    expect(await readAtMost(file, 5)).toHaveLength(5);
  });
});
