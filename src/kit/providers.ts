import type {Config} from '@oclif/core';
import {messageOf, type RegionctlError, unavailable} from '../lib/errors.ts';
import {builtinProviders} from '../lib/providers/builtin.ts';
import type {Provider} from '../lib/providers/define.ts';

/** The event by which plugins give their providers: a hook that returns a list of them. */
export const PROVIDERS_EVENT = 'regionctl:providers';

const COLLECT_MS = 2000;

type Given = {readonly plugin: {readonly name: string}; readonly result: unknown};

/**
 * The built-in providers and those of every plugin. A plugin that fails, takes longer than two seconds, gives something else, or claims a
 * kind that another has is an error (exit 69) that names it.
 */
export async function collectProviders(config: Config): Promise<readonly Provider[]> {
  const hooked = [...config.plugins.values()].some((plugin) => plugin.hooks[PROVIDERS_EVENT] !== undefined);
  if (!hooked) return builtinProviders;
  const {successes, failures} = await config.runHook(PROVIDERS_EVENT as never, {} as never, COLLECT_MS, true);
  const failure = failures[0];
  if (failure !== undefined) throw failed(failure.plugin.name, messageOf(failure.error));
  const owners = new Map(builtinProviders.map((provider) => [nameOf(provider), 'regionctl itself']));
  const given = (successes as readonly Given[]).flatMap(({plugin, result}) => checked(plugin.name, result, owners));
  return [...builtinProviders, ...given];
}

/** What a plugin's hook returned, if it is a list of providers of kinds that nobody else has. Adds them to the owners. */
function checked(plugin: string, result: unknown, owners: Map<string, string>): readonly Provider[] {
  if (!Array.isArray(result) || !result.every(isProvider))
    throw failed(plugin, `its hook ${PROVIDERS_EVENT} must return a list of providers`);
  for (const provider of result) {
    const name = nameOf(provider);
    const owner = owners.get(name);
    if (owner !== undefined)
      throw unavailable('provider-duplicate', `the plugin ${plugin} gives a ${name}, which ${owner} has, too`, {
        suggestions: [`update or remove the plugin ${plugin}`],
      });
    owners.set(name, `the plugin ${plugin}`);
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

function failed(plugin: string, why: string): RegionctlError {
  return unavailable('plugin-failed', `the plugin ${plugin} could not give its providers: ${why}`, {
    suggestions: [`update or remove the plugin ${plugin}`],
  });
}
