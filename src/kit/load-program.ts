import {existsSync} from 'node:fs';
import {readFile} from 'node:fs/promises';
import {homedir} from 'node:os';
import {join, resolve} from 'node:path';
import {Config, type Interfaces} from '@oclif/core';
import {isOclifs} from './oclif-plugins.ts';

/** Where commands of oclif's own plugins are needed, or shown. */
const OCLIF_WORDS = new Set(['plugins', 'autocomplete', 'help', 'version']);
/** Whoever removes a plugin must not have to load it first. */
const REMOVING = new Set(['uninstall', 'unlink', 'remove', 'reset']);

/**
 * What this command line needs to be loaded, for `run`. oclif's own plugins: for their commands, and where all commands are listed, as they
 * cost a start some ten milliseconds. Those of the user: always, except to remove one; one that cannot be loaded is named and left out.
 */
export async function loadProgram(root: string, argv: readonly string[]): Promise<Config | Interfaces.Options> {
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON;
  const withOclif = !isOwn(root, wordsOf(argv)[0]);
  const plugins = pjson.oclif.plugins?.filter((name) => withOclif || !isOclifs(name)) ?? [];
  const userPlugins = !removesPlugin(argv);
  const options = {root: resolve(root), pjson: {...pjson, oclif: {...pjson.oclif, plugins}}, userPlugins};
  // Nothing to watch over: it is loaded once, by `run`.
  if (!withOclif && !hasList()) return options;
  const config = new Config(options);
  if (userPlugins) await (await import('./user-plugins.ts')).loadUserPlugins(config, argv);
  else await config.load();
  if (withOclif) (await import('./oclif-commands.ts')).adoptOclif(config);
  // Completion would be made as if there was no plugin left at all: `refreshCompletion` does it afterwards.
  if (!userPlugins) for (const plugin of config.plugins.values()) if (isOclifs(plugin.name)) plugin.hooks = {};
  return config;
}

/** Whether the command line removes plugins. */
export function removesPlugin(argv: readonly string[]): boolean {
  const [topic, ...rest] = wordsOf(argv);
  return topic === 'plugins' && REMOVING.has(rest.find((word) => !word.startsWith('-')) ?? '');
}

/** Completion as it is without the plugins that were just removed, for whoever uses completion. `loaded`: without any. */
export async function refreshCompletion(loaded: Config | Interfaces.Options): Promise<void> {
  if (!('cacheDir' in loaded) || !existsSync(join(loaded.cacheDir, 'autocomplete'))) return;
  const config = await loadProgram(loaded.root, ['autocomplete']);
  if ('runCommand' in config) await config.runCommand('autocomplete:create');
}

/** oclif takes `plugins:uninstall x` as well as `plugins uninstall x`. */
function wordsOf([first = '', ...rest]: readonly string[]): readonly string[] {
  return [...first.split(':'), ...rest];
}

/** Whether oclif's list of plugins is there, which it makes when the first is installed or linked. */
function hasList(): boolean {
  const {REGIONCTL_DATA_DIR, XDG_DATA_HOME, LOCALAPPDATA, HOME} = process.env;
  const local = (process.platform === 'win32' && LOCALAPPDATA) || join(HOME || homedir(), '.local/share');
  return existsSync(join(REGIONCTL_DATA_DIR || join(XDG_DATA_HOME || local, 'regionctl'), 'package.json'));
}

function isOwn(root: string, word = ''): boolean {
  if (!/^[a-z][a-z-]*$/u.test(word) || OCLIF_WORDS.has(word)) return false;
  const path = join(root, 'dist/commands', word);
  return existsSync(path) || existsSync(`${path}.js`);
}
