import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {join, resolve} from 'node:path';
import {Config, type Interfaces} from '@oclif/core';
import {adoptOclif, isOclifs} from './oclif-commands.ts';
import {loadUserPlugins} from './user-plugins.ts';

/** Where commands of oclif's own plugins are needed, or shown. */
const OCLIF_WORDS = new Set(['plugins', 'autocomplete', 'help']);
/** Whoever removes a plugin must not have to load it first. */
const REMOVING = new Set(['uninstall', 'unlink', 'remove', 'reset']);

/**
 * The program with the plugins that this command line needs. oclif's own: for their commands, and where all commands are listed, as each
 * costs a start some milliseconds. Those of the user: always, except to remove one; one that cannot be loaded is named and left out.
 */
export async function loadProgram(root: string, argv: readonly string[]): Promise<Config> {
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON;
  const withOclif = !isOwn(root, wordsOf(argv)[0]);
  const plugins = pjson.oclif.plugins?.filter((name) => withOclif || !isOclifs(name)) ?? [];
  const userPlugins = !removesPlugin(argv);
  const config = new Config({root: resolve(root), pjson: {...pjson, oclif: {...pjson.oclif, plugins}}, userPlugins});
  await (userPlugins ? loadUserPlugins(config, argv) : config.load());
  if (withOclif) adoptOclif(config);
  // Completion would be made as if there was no plugin left at all: `refreshCompletion` does it afterwards.
  if (!userPlugins) for (const plugin of config.plugins.values()) if (isOclifs(plugin.name)) plugin.hooks = {};
  return config;
}

/** Whether the command line removes plugins. */
export function removesPlugin(argv: readonly string[]): boolean {
  const [topic, ...rest] = wordsOf(argv);
  return topic === 'plugins' && REMOVING.has(rest.find((word) => !word.startsWith('-')) ?? '');
}

/** Completion as it is without the plugins that were just removed, for whoever uses completion. `config` was loaded without any. */
export async function refreshCompletion({root, cacheDir}: Config): Promise<void> {
  if (!existsSync(join(cacheDir, 'autocomplete'))) return;
  const config = await loadProgram(root, ['autocomplete']);
  await config.runCommand('autocomplete:create');
}

/** oclif takes `plugins:uninstall x` as well as `plugins uninstall x`. */
function wordsOf([first = '', ...rest]: readonly string[]): readonly string[] {
  return [...first.split(':'), ...rest];
}

function isOwn(root: string, word = ''): boolean {
  if (!/^[a-z][a-z-]*$/u.test(word) || OCLIF_WORDS.has(word)) return false;
  const path = join(root, 'dist/commands', word);
  return existsSync(path) || existsSync(`${path}.js`);
}
