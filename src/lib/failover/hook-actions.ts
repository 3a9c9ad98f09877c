import {z} from 'zod';
import type {Action, Check} from '../plan/action.ts';
import type {Target} from '../plan/plan.ts';
import type {HookPlace, Hooks} from '../ports/hook.ts';
import {action} from './store-actions.ts';

const hookArguments = z.object({hook: z.string()});

/** Runs commands of the fleet file as steps of plans. */
export function hookActions(hooks: Hooks): readonly Action[] {
  return [
    action({
      name: 'hook.run',
      effect: 'none',
      schema: hookArguments,
      describe: (target, {hook}) => `run the hook ${hook}${target.region === undefined ? '' : ` for ${target.region}`}`,
      apply: async (ctx, target, {hook}) => {
        const {tail} = await hooks.run(hook, placeOf(target), ctx);
        const last = tail.trim().split('\n').at(-1) ?? '';
        return {says: last === '' ? `the hook ${hook} ended well` : `the hook ${hook} said: ${last}`};
      },
    }),
  ];
}

/** Whether what a hook is for holds, by its own `verify`. */
export function hookChecks(hooks: Hooks): readonly Check[] {
  return [
    {
      name: 'hook.holds',
      ask: async (ctx, target, want) => {
        const {holds, says} = await hooks.verify(hookArguments.parse(want).hook, placeOf(target), ctx);
        return {holds, measured: null, says};
      },
    },
  ];
}

function placeOf({region, store, member}: Target): HookPlace {
  return {region: region ?? null, store: store ?? null, member: member ?? null};
}
