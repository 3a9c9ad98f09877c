import {z} from 'zod';
import {refused} from '../errors.ts';
import type {Action, Answer, Check} from '../plan/action.ts';
import type {Clock} from '../ports/clock.ts';
import type {Cell} from '../snapshot/cell.ts';
import type {RegionHealth} from '../snapshot/snapshot.ts';
import {type DrillArguments, named, type SteadyCheck, steadyCheck} from './arguments.ts';

/** How the steady state is looked at. `except`: regions that are left out. */
export type SteadyDeps = {
  /** Every region of the fleet. */
  readonly regions: readonly string[];
  /** Whether the service accepts a write, asked where clients enter. */
  writable(signal: AbortSignal): Promise<Answer>;
  /** The largest replay lag in ms of any standby. */
  lagMs(except: readonly string[], signal: AbortSignal): Promise<Cell<number>>;
};

type Deps = {
  readonly steady: SteadyDeps;
  readonly clock: Clock;
  sampleHealth(region: string, signal: AbortSignal): Promise<Cell<RegionHealth>>;
};
type Said = {readonly check: string; readonly holds: boolean | null; readonly says: string};

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

const wanted = z.object({checks: z.array(steadyCheck), except: z.array(z.string())});

type Seen = {readonly met: boolean; readonly checks: readonly Said[]; readonly says: string};

async function look(deps: Deps, want: z.infer<typeof wanted>, signal: AbortSignal): Promise<Seen> {
  const checks = (await Promise.all(want.checks.map((check) => ask(deps, check, want.except, signal)))).flat();
  const wrong = checks.filter(({holds}) => holds !== true);
  return {met: wrong.length === 0, checks, says: wrong.length === 0 ? 'steady' : wrong.map(({says}) => says).join('; ')};
}

function judge(must: boolean, seen: Seen): Seen {
  if (!must || seen.met) return seen;
  throw refused('not-steady', `the fleet is not in its steady state: ${seen.says}`, {
    suggestions: ['regionctl status shows what is wrong. A drill starts from a healthy fleet.'],
  });
}

async function ask(deps: Deps, check: SteadyCheck, except: readonly string[], signal: AbortSignal): Promise<Said[]> {
  if ('health' in check) {
    const regions = deps.steady.regions.filter((region) => !except.includes(region));
    return Promise.all(regions.map(async (region) => healthSaid(region, await deps.sampleHealth(region, signal))));
  }
  if ('writable' in check) {
    const {holds, says} = await deps.steady.writable(signal);
    return [{check: 'writable', holds, says}];
  }
  return [lagSaid(check.lagBelowMs, await deps.steady.lagMs(except, signal))];
}

function healthSaid(region: string, cell: Cell<RegionHealth>): Said {
  const check = `health of ${region}`;
  if (!cell.known) return {check, holds: null, says: `the state of ${region} is not known: ${cell.reason}`};
  return {check, holds: cell.value.verdict === 'healthy', says: `${region} is ${cell.value.verdict}: ${cell.value.reason}`};
}

function lagSaid(limitMs: number, cell: Cell<number>): Said {
  const check = `lag below ${limitMs} ms`;
  if (!cell.known) return {check, holds: null, says: `the lag is not known: ${cell.reason}`};
  return {check, holds: cell.value < limitMs, says: `the largest lag is ${Math.round(cell.value)} ms`};
}
