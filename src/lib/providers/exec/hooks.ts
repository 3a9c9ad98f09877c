import {dirname} from 'node:path';
import {usageError} from '../../errors.ts';
import type {Fleet, HookSpec} from '../../fleet/fleet.ts';
import type {Ctx} from '../../plan/action.ts';
import type {HookPlace, Hooks} from '../../ports/hook.ts';
import {askHook, type HookRun, runHook, verifyHook} from './run-hook.ts';

/** The hooks of a fleet file. They run in its folder. */
export function createHooks({hooks, file, secrets}: Pick<Fleet, 'hooks' | 'file' | 'secrets'>): Hooks {
  const has = (name: string): boolean => Object.hasOwn(hooks, name);
  const find = (name: string): HookSpec => {
    const hook = has(name) ? hooks[name] : undefined;
    if (hook === undefined) throw usageError(`the fleet file has no hook called "${name}"`);
    return hook;
  };
  const how = (place: HookPlace, {runId, signal, now, deadline}: Ctx): HookRun => ({
    env: placeEnv({runId, ...place}),
    ...{signal, timeoutMs: deadline - now(), cwd: dirname(file), scrub: secrets.scrub},
  });
  return {
    has,
    run: async (name, place, ctx) => runHook(find(name), how(place, ctx)),
    ask: async (name, place, input, ctx) => askHook(find(name), {...how(place, ctx), input}),
    verify: async (name, place, ctx) => verifyHook(find(name), how(place, ctx)),
  };
}

/** The place in the environment. What is not known is taken out of it: a value that an outer run has left would name another place. */
export function placeEnv(place: HookPlace & {readonly runId: string}): Readonly<Record<string, string | undefined>> {
  return {
    REGIONCTL_RUN_ID: place.runId,
    REGIONCTL_REGION: place.region ?? undefined,
    REGIONCTL_STORE: place.store ?? undefined,
    REGIONCTL_MEMBER: place.member ?? undefined,
    REGIONCTL_FROM: place.from ?? undefined,
    REGIONCTL_TO: place.to ?? undefined,
  };
}
