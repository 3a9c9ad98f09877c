import type {Config} from '@oclif/core';
import {messageOf, type RegionctlError, unavailable} from '../lib/errors.ts';
import {builtinProviders} from '../lib/providers/builtin.ts';
import type {Provider} from '../lib/providers/define.ts';
import {inTime, LATE} from './in-time.ts';
import {isUsers, removalOf} from './user-plugins.ts';

/** The event by which plugins give their providers: a hook that returns a list of them. */
export const PROVIDERS_EVENT = 'regionctl:providers';

const COLLECT_MS = 2000;
/** oclif's deadline begins when the hook's file has been imported: for what comes before, as long again. */
const IMPORT_MS = 2000;

type Plugin = {readonly name: string; readonly type?: string | undefined};
type Given = {readonly plugin: Plugin; readonly result: unknown};

/**
 * The built-in providers and those of every plugin. A plugin that fails, takes longer than two seconds, gives something else, or claims a
 * kind that another has is an error (exit 69) that names it.
 */
export async function collectProviders(config: Config): Promise<readonly Provider[]> {
  const hooked = [...config.plugins.values()].filter((plugin) => plugin.hooks[PROVIDERS_EVENT] !== undefined);
  if (hooked.length === 0) return builtinProviders;
  const given = await inTime(config.runHook(PROVIDERS_EVENT as never, {} as never, COLLECT_MS, true), IMPORT_MS + COLLECT_MS);
  if (given === LATE) throw failed(hooked, 'the hook was not imported in time');
  const failure = given.failures[0];
  if (failure !== undefined) throw failed([failure.plugin], messageOf(failure.error));
  const owners = new Map(builtinProviders.map((provider) => [nameOf(provider), 'regionctl itself']));
  const providers = (given.successes as readonly Given[]).flatMap(({plugin, result}) => checked(plugin, result, owners));
  return [...builtinProviders, ...providers];
}

/** What a plugin's hook returned, if it is a list of providers of kinds that nobody else has. Adds them to the owners. */
function checked(plugin: Plugin, result: unknown, owners: Map<string, string>): readonly Provider[] {
  if (!Array.isArray(result) || !result.every(isProvider))
    throw failed([plugin], `its hook ${PROVIDERS_EVENT} must return a list of providers`);
  for (const provider of result) {
    const name = nameOf(provider);
    const owner = owners.get(name);
    if (owner !== undefined)
      throw unavailable('provider-duplicate', `the plugin ${plugin.name} gives a ${name}, which ${owner} has, too`, {
        suggestions: [remedyOf(plugin)],
      });
    owners.set(name, `the plugin ${plugin.name}`);
  }
  return result;
}

function isProvider(value: unknown): value is Provider {
  if (typeof value !== 'object' || value === null) return false;
  const {port, kind, create} = value as Partial<Provider>;
  return typeof port === 'string' && typeof kind === 'string' && typeof create === 'function';
}

function nameOf({port, kind}: Provider): string {
  return `${port} of the kind "${kind}"`;
}

function failed(plugins: readonly Plugin[], why: string): RegionctlError {
  const names = plugins.map(({name}) => name).join(', ');
  const who = plugins.length === 1 ? `the plugin ${names}` : `one of the plugins ${names}`;
  return unavailable('plugin-failed', `${who} could not give its providers: ${why}`, {suggestions: plugins.map(remedyOf)});
}

function remedyOf(plugin: Plugin): string {
  return isUsers(plugin) ? removalOf(plugin) : `update or remove the plugin ${plugin.name}`;
}
