// Builds dist/: one rolldown run, the kit's types, and the command manifest last (it stores paths of built files). Then the plugins.
import {execFileSync} from 'node:child_process';
import {globSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {rolldown} from 'rolldown';
import {manifestOf} from '../src/kit/manifest.ts';
import {buildPlugin, pluginFolders, swap} from './build-plugin.ts';
import {lightWidth} from './light-width.ts';

const root = join(import.meta.dirname, '..');
const entries = {
  main: 'src/main.ts',
  kit: 'src/kit/index.ts',
  'kit/command': 'src/kit/command.ts',
  'kit/testing': 'src/kit/testing.ts',
  'kit/help': 'src/kit/help.ts',
  'lab/supervisor': 'src/lab/supervisor-main.ts',
  'lab/service': 'src/lab/service-main.ts',
  'witness/worker': 'src/lib/witness/worker.ts',
  'drill/reaper': 'src/kit/reaper-main.ts',
  'witness/load-worker': 'src/lib/witness/load-worker.ts',
  'exec/guard': 'src/lib/providers/exec/guard-main.ts',
  ...filesUnder('src/commands'),
  ...filesUnder('src/hooks'),
};

/** oclif sorts the ids of commands by the language of the reader at every start: 10 ms to load what knows of languages, for names in ASCII. */
const BY_LANGUAGE = '.sort((a, b) => a.id.localeCompare(b.id))';
const plainOrder = {
  name: 'plain-order',
  transform(code: string, id: string): string | null {
    if (!id.endsWith('@oclif/core/lib/config/plugin.js')) return null;
    // A newer oclif may do otherwise: then this is to be looked at, not to be lost.
    if (!code.includes(BY_LANGUAGE)) throw new Error(`${id} has no ${BY_LANGUAGE} any more`);
    return code.replaceAll(BY_LANGUAGE, '.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))');
  },
};
const lightText = {
  name: 'light-text',
  transform: (code: string, id: string): string | null =>
    id === join(root, 'node_modules/string-width/index.js') ? lightWidth(code, id) : null,
};
const next = join(root, `dist-next-${process.pid}`);

await build();

async function build(): Promise<void> {
  rmSync(next, {recursive: true, force: true});
  await bundle();
  execFileSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.kit.json', '--outDir', join(next, 'types')],
    {
      cwd: root,
      stdio: 'inherit',
    },
  );
  // A command that starts meanwhile finds one build or the other.
  swap(join(root, 'dist'), next);
  await writeManifest();
  for (const folder of pluginFolders(root)) await buildPlugin(folder);
}

async function bundle(): Promise<void> {
  const build = await rolldown({
    input: entries,
    cwd: root,
    platform: 'node',
    // Optional parts of dependencies that are never used here.
    external: ['react-devtools-core', 'tsx', 'ts-node', 'typescript', 'pg-native', 'pg-cloudflare', 'cloudflare:sockets'],
    plugins: [plainOrder, lightText],
    transform: {define: {'process.env.NODE_ENV': '"production"', 'process.env.DEV': '"false"'}},
    onLog(level, log, handler) {
      if (level === 'warn') handler('error', log);
    },
  });
  await build.write({
    dir: next,
    format: 'esm',
    minify: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await build.close();
}

async function writeManifest(): Promise<void> {
  process.env.NODE_ENV = 'production';
  writeFileSync(join(root, 'oclif.manifest.json'), `${JSON.stringify(await manifestOf(root), null, 1)}\n`);
}

function filesUnder(folder: string): Record<string, string> {
  return Object.fromEntries(globSync(`${folder}/**/*.ts`, {cwd: root}).map((file) => [file.slice('src/'.length, -'.ts'.length), file]));
}
