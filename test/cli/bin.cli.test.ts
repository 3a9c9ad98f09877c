import {spawn} from 'node:child_process';
import {accessSync, constants, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {afterAll, describe, expect, it} from 'vitest';
import {BIN, ended, personalEnv, ROOT, regionctl, shown} from './program.ts';

const dir = mkdtempSync(join(tmpdir(), 'regionctl bin ')); // with spaces
afterAll(() => rmSync(dir, {recursive: true, force: true}));
const VERSION = /^regionctl\/\d+\.\d+\.\d+ /u;

describe('bin/regionctl', () => {
  it('works through symbolic links, from any folder, and with spaces in its path', async () => {
    const first = join(dir, 'first link');
    const second = join(dir, 'second link');
    symlinkSync(BIN, first);
    symlinkSync('./first link', second);
    const clone = join(dir, 'a clone');
    mkdirSync(clone);
    cpSync(join(ROOT, 'bin'), join(clone, 'bin'), {recursive: true});
    for (const name of ['dist', 'node_modules', 'package.json', 'oclif.manifest.json']) symlinkSync(join(ROOT, name), join(clone, name));
    for (const bin of [first, second, join(clone, 'bin/regionctl')]) {
      const [version, unknown] = [await regionctl(['--version'], {bin, cwd: '/'}), await regionctl(['nope'], {bin, cwd: dir})];
      expect(version.stdout, shown(version)).toMatch(VERSION);
      expect(unknown, shown(unknown)).toMatchObject({status: 64, stderr: expect.stringContaining('unknown command "nope"')});
    }
  });

  it('is found through PATH, and by its bare name in its own folder', async () => {
    const path = {PATH: `${join(ROOT, 'bin')}${delimiter}${process.env.PATH}`};
    const found = await ended('sh', ['-c', 'regionctl --version'], {cwd: dir, env: personalEnv(path)});
    expect(found.stdout, shown(found)).toMatch(VERSION);
    const bare = await ended('sh', ['regionctl', '--version'], {cwd: join(ROOT, 'bin'), env: personalEnv()});
    expect(bare.stdout, shown(bare)).toMatch(VERSION);
  });

  it('passes arguments on as they are', async () => {
    const result = await regionctl(['a b', '$HOME', '*', '']);
    expect(result.stderr, shown(result)).toContain('unknown command "a b');
    expect(result.stderr).toContain('$HOME');
  });

  it('says what to install where there is no Node at all', async () => {
    const alone = join(dir, 'alone');
    mkdirSync(join(alone, 'bin'), {recursive: true});
    cpSync(BIN, join(alone, 'bin/regionctl'));
    const result = await ended('/bin/sh', [join(alone, 'bin/regionctl'), '--version'], {env: {PATH: dir}});
    expect(result, shown(result)).toMatchObject({status: 69, stdout: '', stderr: expect.stringContaining('needs Node.js 24 or newer')});
  });
});

it('--version needs nothing but the package file', async () => {
  const bare = join(dir, 'bare');
  mkdirSync(join(bare, 'bin'), {recursive: true});
  for (const name of ['bin/run.js', 'package.json']) cpSync(join(ROOT, name), join(bare, name));
  const result = await ended(join(ROOT, 'node_modules/.bin/node'), [join(bare, 'bin/run.js'), '--version'], {env: personalEnv()});
  expect(result.stdout, shown(result)).toMatch(VERSION);
});

describe('a Node that is too old', () => {
  const old = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .filter(executable);

  it('is told apart from one that is new enough', async ({skip}) => {
    const versions = await Promise.all(old.map(async (node) => ({node, version: (await ended(node, ['--version'], {})).stdout.trim()})));
    const tooOld = versions.find(({version}) => /^v(1\d|2[0-3])\./u.test(version));
    if (tooOld === undefined) return skip('this machine has no Node older than 24 on its PATH');
    for (const args of [['--version'], ['health', 'check', '--json']]) {
      const result = await ended(tooOld.node, [join(ROOT, 'bin/run.js'), ...args], {env: personalEnv()});
      expect(result, shown(result)).toMatchObject({status: 69, stdout: ''});
      expect(result.stderr).toContain(`needs Node.js 24 or newer; this is ${tooOld.version.slice(1)}`);
      expect(result.stderr).toContain('npm ci');
    }
  });
});

describe('one process', () => {
  const hanging = join(dir, 'hanging.yaml');
  const pidOf = async (args: readonly string[]) => {
    const child = spawn(BIN, args, {env: personalEnv(), stdio: ['ignore', 'pipe', 'pipe']});
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (chunk) => (stderr += chunk));
    const ending = new Promise<{status: number | null; signal: string | null; stderr: string}>((resolve) =>
      child.on('close', (status, signal) => resolve({status, signal, stderr})),
    );
    await expect.poll(() => commandLine(child.pid), {timeout: 5000, interval: 10}).toContain('run.js');
    return {pid: child.pid ?? 0, ending};
  };
  // An exec secret that never answers: the program waits in the middle of a command.
  writeFileSync(
    hanging,
    `version: 1
fleet: x
regions:
  a: {jurisdiction: US, tier: hot, endpoints: {db: {probe: postgres, host: 127.0.0.1, port: 1, user: u, password: "\${exec:sleep 20}", database: d}}}
`,
  );

  it('has the pid that the shell sees, so that kill -9 ends it', async () => {
    const {pid, ending} = await pidOf(['health', 'check', '--fleet', hanging]);
    process.kill(pid, 'SIGKILL');
    expect(await ending).toMatchObject({signal: 'SIGKILL'});
  });
});

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function commandLine(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
