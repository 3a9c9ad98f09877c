import type {Config} from '@oclif/core';
import {isRegionctlError, messageOf, unavailable} from '../lib/errors.ts';
import {builtinProviders} from '../lib/providers/builtin.ts';
import type {Provider} from '../lib/providers/define.ts';

/** The event by which plugins give their providers: a hook that returns a list of them. */
export const PROVIDERS_EVENT = 'regionctl:providers';

const COLLECT_MS = 2000;

/** The built-in providers and those of every plugin. A plugin that fails or takes longer than two seconds is an error that names it. */
export async function collectProviders(config: Config): Promise<readonly Provider[]> {
  const hooked = [...config.plugins.values()].some((plugin) => plugin.hooks[PROVIDERS_EVENT] !== undefined);
  if (!hooked) return builtinProviders;
  const {successes, failures} = await config.runHook(PROVIDERS_EVENT as never, {} as never, COLLECT_MS, true);
  const failure = failures[0];
  if (failure !== undefined) {
    if (isRegionctlError(failure.error)) throw failure.error;
    throw unavailable('plugin-failed', `the plugin ${failure.plugin.name} could not give its providers: ${messageOf(failure.error)}`, {
      suggestions: [`update or remove the plugin ${failure.plugin.name}`],
    });
  }
  return [...builtinProviders, ...(successes as readonly {result: readonly Provider[]}[]).flatMap(({result}) => result)];
}
