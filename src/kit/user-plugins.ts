import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import type {Config, Interfaces} from '@oclif/core';
import {messageOf, type RegionctlError, unavailable} from '../lib/errors.ts';
import {inTime, LATE} from './in-time.ts';
import {hearWarnings, type NodeWarning} from './node-warnings.ts';
import {type Listed, troublesOf} from './plugin-troubles.ts';

/** For all plugins together. One with a manifest takes a few milliseconds; one without is imported. */
const LOAD_MS = 10_000;
const INIT_MS = 2000;

/** The command that takes a plugin of the user away, whatever state it is in. */
export function removalOf({name, type}: Listed): string {
  return `regionctl plugins ${type === 'link' ? 'unlink' : 'uninstall'} ${name}`;
}

/** Whether the user installed or linked it. */
export function isUsers({type}: {readonly type?: string | undefined}): boolean {
  return type === 'user' || type === 'link';
}

/**
 * Loads the program with the plugins of the user. What oclif prints as a warning of Node, or waits for without end, is said here on stderr,
 * with the command that removes the plugin: what cannot be loaded is left out, and an `init` hook that fails or takes longer than two seconds
 * holds nothing up. Plugins that are not there after ten seconds are an error (exit 69).
 */
export async function loadUserPlugins(config: Config, argv: readonly string[]): Promise<void> {
  const warnings = await hearWarnings(() => supervised(config.load(), () => importedOf(config)));
  for (const other of reportTroubles(config, warnings)) process.emit('warning', other as Error);
  await runInitHooks(config, argv);
  for (const plugin of config.plugins.values()) if (isUsers(plugin)) nameWithItsCommands(plugin);
}

/** Says on stderr what oclif has warned of, each with the command that mends it, and gives back what is not about plugins. */
export function reportTroubles(config: Config, warnings: readonly NodeWarning[]): readonly NodeWarning[] {
  if (warnings.length === 0) return [];
  const list = listOf(config);
  if (list === null) {
    say(`Plugins: ${listFile(config)}, which lists them, is no JSON`, ['regionctl plugins reset --hard']);
    return [];
  }
  const missing = list.filter(({name}) => !config.plugins.has(name));
  const {troubles, others} = troublesOf(warnings, list, missing);
  for (const {plugin, why} of troubles) complain(why, plugin === null ? missing : [plugin]);
  return others;
}

/** oclif runs these before any command, also `--help`, and waits for each of them. */
async function runInitHooks(config: Config, [id, ...argv]: readonly string[]): Promise<void> {
  const hooked = [...config.plugins.values()].filter((plugin) => isUsers(plugin) && plugin.hooks.init !== undefined);
  if (hooked.length === 0) return;
  const {failures} = await supervised(config.runHook('init', {id, argv}, INIT_MS, true), () => hooked);
  for (const {plugin, error} of failures) complain(`its init hook failed: ${messageOf(error)}`, [plugin]);
  for (const plugin of hooked) plugin.hooks = {...plugin.hooks, init: []};
}

/** The plugins that may be at fault are named when the process ends meanwhile, or `work` takes too long. */
async function supervised<T>(work: Promise<T>, suspects: () => readonly Listed[]): Promise<T> {
  const leaving = () => complain('it ended regionctl while it was loaded', suspects());
  process.on('exit', leaving);
  try {
    const result = await inTime(work, LOAD_MS);
    if (result === LATE) throw tooLate(suspects());
    return result;
  } finally {
    process.off('exit', leaving);
  }
}

/** A command that cannot be imported is its plugin's fault, and is said to be. */
function nameWithItsCommands(plugin: Interfaces.Plugin): void {
  for (const command of plugin.commands) {
    const load = command.load;
    command.load = () =>
      load().catch((error: unknown) => {
        const id = command.id.replaceAll(':', ' ');
        throw pluginFailed(`the plugin ${plugin.name} could not load its command "${id}": ${messageOf(error)}`, [plugin]);
      });
  }
}

/** Those of the list that have no manifest, and so were imported; all, when each has one. */
function importedOf(config: Config): readonly Listed[] {
  const list = listOf(config) ?? [];
  const root = ({name, root: linked}: Listed) => linked ?? join(config.dataDir, 'node_modules', name);
  const imported = list.filter((plugin) => !existsSync(join(root(plugin), 'oclif.manifest.json')));
  return imported.length > 0 ? imported : list;
}

/** null = there is a list, and it cannot be read. */
function listOf(config: Config): readonly Listed[] | null {
  if (!existsSync(listFile(config))) return [];
  try {
    const {oclif} = JSON.parse(readFileSync(listFile(config), 'utf8')) as {oclif?: {plugins?: readonly Listed[]}};
    return oclif?.plugins ?? [];
  } catch {
    return null;
  }
}

function listFile(config: Config): string {
  return join(config.dataDir, 'package.json');
}

function complain(why: string, plugins: readonly Listed[]): void {
  const names = plugins.map(({name}) => name).join(', ');
  say(plugins.length === 1 ? `Plugin ${names}: ${why}` : `Plugins, one of them (${names}): ${why}`, plugins.map(removalOf));
}

function say(message: string, tries: readonly string[]): void {
  process.stderr.write(`${[message, ...tries.map((each) => `  Try: ${each}`)].join('\n')}\n`);
}

function tooLate(plugins: readonly Listed[]): RegionctlError {
  const names = plugins.map(({name}) => name).join(', ');
  return pluginFailed(`plugins were not loaded within ${LOAD_MS / 1000} seconds: ${names}`, plugins);
}

function pluginFailed(message: string, plugins: readonly Listed[]): RegionctlError {
  return unavailable('plugin-failed', message, {suggestions: plugins.map(removalOf)});
}
