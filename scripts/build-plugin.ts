// Builds a plugin of this repo into its dist/: `node scripts/build-plugin.ts FOLDER`. What it depends on stays outside, the kit above all: the host
// gives it. Its oclif manifest comes last.
import {existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {Plugin} from '@oclif/core';
import {rolldown} from 'rolldown';

type Package = {readonly name: string; readonly dependencies?: Readonly<Record<string, string>>};

/** The folders of all plugins of this repo. */
export function pluginFolders(root: string): readonly string[] {
  return globSync('plugins/*/package.json', {cwd: root}).map((file) => join(root, file, '..'));
}

/** One bundle, with an entry for each command and each hook, and a chunk for what is imported when it is first used. */
export async function buildPlugin(folder: string): Promise<void> {
  const {dependencies = {}} = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Package;
  const next = join(folder, `dist-next-${process.pid}`);
  rmSync(next, {recursive: true, force: true});
  const build = await rolldown({
    input: Object.fromEntries([...entriesOf(folder, 'commands'), ...entriesOf(folder, 'hooks')]),
    cwd: folder,
    platform: 'node',
    external: (id) => ['regionctl', ...Object.keys(dependencies)].some((name) => id === name || id.startsWith(`${name}/`)),
    onLog(level, log, handler) {
      if (level === 'warn') handler('error', log);
    },
  });
  await build.write({dir: next, format: 'esm', minify: true, entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js'});
  await build.close();
  swap(join(folder, 'dist'), next);
  await writeManifest(folder);
}

/** The old build stays whole until the new one is. */
export function swap(dist: string, next: string): void {
  const old = `${next}-old`;
  rmSync(old, {recursive: true, force: true});
  if (existsSync(dist)) renameSync(dist, old);
  renameSync(next, dist);
  rmSync(old, {recursive: true, force: true});
}

/** Without a manifest every command of the host pays for looking at the plugin's files. */
async function writeManifest(folder: string): Promise<void> {
  process.env.NODE_ENV = 'production';
  const plugin = new Plugin({root: folder, ignoreManifest: true});
  await plugin.load();
  writeFileSync(join(folder, 'oclif.manifest.json'), `${JSON.stringify(plugin.manifest, null, 1)}\n`);
}

function entriesOf(folder: string, kind: string): readonly (readonly [string, string])[] {
  return globSync(`src/${kind}/**/*.ts`, {cwd: folder}).map((file) => [file.slice('src/'.length, -'.ts'.length), file] as const);
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined) throw new Error('name the folder of the plugin');
  await buildPlugin(resolve(folder));
}
