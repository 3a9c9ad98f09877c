import {z} from 'zod';
import {RegionctlError, refused} from '../errors.ts';
import {EXIT} from '../exit-codes.ts';
import {formatMs} from '../output/units.ts';
import type {Action, Check} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import {type DrillArguments, named, steadyCheck} from './arguments.ts';
import {askCheck, type Said, type Senses} from './senses.ts';

type Deps = {readonly senses: Senses; readonly clock: Clock};

const AGAIN_MS = 250;

/** `drill.steady`: whether the fleet is as it should be. What cannot be told does not hold. */
export function steadyAction(deps: Deps): Action<DrillArguments['drill.steady']> {
  return {
    ...named('drill.steady', 'none'),
    describe: (_target, {except}) =>
      except.length === 0
        ? 'see that the fleet is in its steady state'
        : `see that the fleet without ${except.join(', ')} is in its steady state`,
    look: async () => 'before',
    async apply(ctx, _target, args) {
      const until = deps.clock.now() + args.withinMs;
      for (;;) {
        const seen = await look(deps, args, ctx.signal);
        if (seen.met || deps.clock.now() + AGAIN_MS >= until) return judge(args.must, seen);
        await deps.clock.sleep(AGAIN_MS, ctx.signal);
      }
    },
  };
}

/** `drill.await`: waits until every check holds. What does not within its time fails the step, with what was seen last. */
export function awaitAction(deps: Deps): Action<DrillArguments['drill.await']> {
  return {
    ...named('drill.await', 'none'),
    describe: (_target, {what}) => what,
    look: async () => 'before',
    async apply(ctx, _target, {checks, everyMs, withinMs, what}) {
      const began = deps.clock.now();
      for (let samples = 1; ; samples += 1) {
        const asked = deps.clock.now();
        const seen = await look(deps, {checks, except: []}, ctx.signal);
        const afterMs = Math.round(deps.clock.now() - began);
        if (seen.met)
          return {samples, afterMs, checks: seen.checks, says: `after ${afterMs} ms: ${seen.checks.map(({says}) => says).join('; ')}`};
        if (afterMs >= withinMs)
          throw new RegionctlError('not-detected', EXIT.critical, `${what}: not within ${formatMs(withinMs)}: ${seen.says}`);
        await deps.clock.sleep(Math.max(0, everyMs - (deps.clock.now() - asked)), ctx.signal);
      }
    },
  };
}

/** `drill.wait`: lets time pass, so that what follows can be seen. */
export function waitAction({clock}: Deps): Action<DrillArguments['drill.wait']> {
  return {
    ...named('drill.wait', 'none'),
    describe: (_target, {forMs}) => `look on for ${formatMs(forMs)}`,
    look: async () => 'before',
    async apply(ctx, _target, {forMs}) {
      await clock.sleep(forMs, ctx.signal);
      // A step that only asks its `requires` waits for nothing.
      return {says: forMs === 0 ? 'it is so' : `looked on for ${formatMs(forMs)}`};
    },
  };
}

/** `fleet.steady`: the same question as a check; `want` is `{checks, except}`. */
export function steadyCheckOf(deps: Deps): Check {
  return {
    name: 'fleet.steady',
    async ask({signal}, _target, want) {
      const {checks, says, met} = await look(deps, wanted.parse(want), signal);
      const unsure = checks.every(({holds}) => holds !== false);
      return {holds: met ? true : unsure ? null : false, measured: checks.map(({check, holds}) => ({check, holds})), says};
    },
  };
}

/** `drill.abort`: an abort condition; `want` is one check. Holds = the drill is to go back. */
export function abortCheckOf(deps: Deps): Check {
  return {
    name: 'drill.abort',
    async ask({signal}, _target, want) {
      const checks = await askCheck(deps.senses, steadyCheck.parse(want), [], signal);
      const hit = checks.find(({holds}) => holds === true);
      const unsure = checks.some(({holds}) => holds === null);
      const says = hit?.says ?? checks.map(({says}) => says).join('; ');
      return {holds: hit !== undefined ? true : unsure ? null : false, measured: null, says};
    },
  };
}

const wanted = z.object({checks: z.array(steadyCheck), except: z.array(z.string())});

type Seen = {readonly met: boolean; readonly checks: readonly Said[]; readonly says: string};

async function look(deps: Deps, want: z.infer<typeof wanted>, signal: AbortSignal): Promise<Seen> {
  const checks = (await Promise.all(want.checks.map((check) => askCheck(deps.senses, check, want.except, signal)))).flat();
  const wrong = checks.filter(({holds}) => holds !== true);
  return {met: wrong.length === 0, checks, says: wrong.length === 0 ? 'steady' : wrong.map(({says}) => says).join('; ')};
}

function judge(must: boolean, seen: Seen): Seen {
  if (!must || seen.met) return seen;
  throw refused('not-steady', `the fleet is not in its steady state: ${seen.says}`, {
    suggestions: ['regionctl status shows what is wrong. A drill starts from a healthy fleet.'],
  });
}
