import {unavailable} from '../errors.ts';
import type {Ctx} from '../plan/action.ts';
import type {HookPlace, Hooks} from '../ports/hook.ts';

const AGAIN_MS = 250;

/** Runs a hook and asks its `verify` until it holds, for as long as the step may take. Throws `hook-unproven` with what it said last. */
export async function runUntilItHolds(
  hooks: Hooks,
  hook: string,
  place: HookPlace,
  ctx: Ctx,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): Promise<string> {
  await hooks.run(hook, place, ctx);
  for (;;) {
    const {holds, says} = await hooks.verify(hook, place, ctx);
    if (holds === true) return says;
    if (ctx.now() + AGAIN_MS >= ctx.deadline)
      throw unavailable('hook-unproven', `the hook ${hook} ran, and its verify does not hold: ${says}`);
    await sleep(AGAIN_MS, ctx.signal);
  }
}
