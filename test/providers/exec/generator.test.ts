import {type ChildProcess, spawn} from 'node:child_process';
import {once} from 'node:events';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {afterEach, beforeEach, expect, it, vi} from 'vitest';
import {guardedGenerators} from '../../../src/lib/providers/exec/generator.ts';
import {isRunning} from './programs.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'generator-'));
});
afterEach(() => rm(dir, {recursive: true}));

const gone = (...pids: number[]) => vi.waitUntil(() => pids.every((pid) => !isRunning(pid)), {timeout: 10_000, interval: 10});

const run = async (script: string, more: {timeoutMs?: number; forceAfterMs?: number} = {}) => {
  const lines: string[] = [];
  const {timeoutMs = 60_000, forceAfterMs = 5000} = more;
  const start = guardedGenerators({cwd: dir, scrub: (text) => text.replaceAll('hunter2', '•••'), forceAfterMs});
  const generator = await start({
    command: [process.execPath, '-e', script],
    cwd: null,
    env: {REGIONCTL_RUN: 'run-1', REGIONCTL_DRILL: 'lost'},
    timeoutMs,
    onLine: (line) => lines.push(line),
  });
  const said = (count: number) => vi.waitUntil(() => lines.length >= count, {timeout: 10_000, interval: 5});
  return {generator, lines, said};
};

/* A program with a child of its own that heeds no SIGTERM; both tell their pid, and live for long. */
const family = `
  const child = require('node:child_process').spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); console.log(process.pid); setInterval(() => {}, 1000)"], {stdio: 'inherit'});
  console.log(process.pid);
  setInterval(() => {}, 1000);
`;

it('tells each line as it comes, with the run in the environment, in the folder of the fleet file', async () => {
  const {generator, lines, said} = await run(`
    const {REGIONCTL_RUN, REGIONCTL_DRILL} = process.env;
    process.stdout.write(REGIONCTL_RUN + ' ' + REGIONCTL_DRILL + '\\r\\n' + process.cwd() + '\\nhal');
    setTimeout(() => process.stdout.write('f\\n' + 'x'.repeat(9000) + '\\nlast'), 30);
  `);
  await said(5);
  expect(lines.slice(0, 3)).toEqual(['run-1 lost', dir, 'half']);
  expect(lines[3]).toBe('x'.repeat(4096));
  expect(lines[4]).toBe('last');
  expect(await generator.ended).toBe(`${process.execPath} ended with exit code 0`);
  await generator.stop();
});

it('ends with everything that it started: first asked, then by force', async () => {
  const {generator, lines, said} = await run(family, {forceAfterMs: 100});
  await said(2);
  const pids = lines.map(Number);
  expect(pids.every(isRunning)).toBe(true);
  await generator.stop();
  await gone(...pids);
  expect(await generator.ended).toBe(`${process.execPath} ended with SIGTERM`);
});

it('may say a last word when it is asked to end', async () => {
  const {generator, lines, said} = await run(
    "process.on('SIGTERM', () => { console.log('bye'); process.exit(3); }); console.log('here'); setInterval(() => {}, 1000)",
  );
  await said(1);
  await generator.stop();
  expect(lines).toEqual(['here', 'bye']);
  expect(await generator.ended).toContain('exit code 3');
});

it('that ends by itself is told of, with its last word but no secret, and leaves nothing running', async () => {
  const {generator, lines, said} = await run(
    `
    const child = require('node:child_process').spawn(process.execPath, ['-e', "setInterval(() => {}, 1000)"], {stdio: 'inherit'});
    console.log(child.pid);
    console.error('cannot log in with hunter2');
    setTimeout(() => process.exit(4), 20);
  `,
    {forceAfterMs: 200},
  );
  await said(1);
  expect(await generator.ended).toBe(`${process.execPath} ended with exit code 4; its last line: cannot log in with •••`);
  await gone(Number(lines[0]));
});

it('is ended when its time is over', async () => {
  const {generator} = await run('setInterval(() => {}, 1000)', {timeoutMs: 50});
  expect(await generator.ended).toBe(`${process.execPath} was ended after its 50 ms were over`);
});

it('that is not there says so', async () => {
  const start = guardedGenerators({cwd: dir, scrub: (text) => text});
  const spec = {command: ['./no-such-program', '--token=x'], cwd: null, env: {}, timeoutMs: 1000, onLine: () => undefined};
  await expect(start(spec)).rejects.toMatchObject({
    code: 'load-failed',
    exit: 69,
    message: 'the load could not be started: ./no-such-program could not be run (ENOENT)',
  });
});

it('ends when regionctl is killed (-9), with everything that it started', async () => {
  const regionctl = spawn(process.execPath, [join(import.meta.dirname, 'children', 'killed-load.ts'), family], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const pids = await twoPids(regionctl);
  expect(pids.every(isRunning)).toBe(true);
  regionctl.kill('SIGKILL');
  await once(regionctl, 'exit');
  await gone(...pids);
});

it('ends when its guard is killed (-9)', async () => {
  const {generator, said, lines} = await run("console.log(process.pid + ' ' + process.ppid); setInterval(() => {}, 1000)");
  await said(1);
  const [pid = 0, guard = 0] = (lines[0] ?? '').split(' ').map(Number);
  process.kill(guard, 'SIGKILL');
  expect(await generator.ended).toBe(`${process.execPath} was ended with its guard`);
  await gone(pid);
});

async function twoPids({stdout}: ChildProcess): Promise<number[]> {
  const pids: number[] = [];
  if (stdout === null) throw new Error('no output');
  for await (const line of createInterface({input: stdout})) {
    pids.push(Number(line));
    if (pids.length === 2) break;
  }
  return pids;
}
