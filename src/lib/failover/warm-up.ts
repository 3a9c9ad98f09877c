import type {Fleet} from '../fleet/fleet.ts';
import type {Step} from '../plan/plan.ts';
import {call, expect, step} from './steps.ts';

/** Makes warm regions ready to serve before anything is held up: each by the hook that the fleet file gives it. */
export function warmUpSteps(fleet: Fleet, moves: readonly {readonly region: string}[], to: string): Step[] {
  const wanted = [...new Set([to, ...moves.map(({region}) => region)])];
  return wanted.flatMap((name) => {
    const region = fleet.regions.find((each) => each.name === name);
    const hook = region?.scaleUp == null ? undefined : fleet.hooks[region.scaleUp];
    if (region?.tier !== 'warm' || region.scaleUp === null || hook === undefined) return [];
    return [
      step({
        id: `warm-up-${name}`,
        phase: 'preflight',
        title: `make ${name} ready to serve (hook ${region.scaleUp})`,
        do: call('hook.run', {region: name}, {hook: region.scaleUp}),
        ensures: hook.verify === null ? [] : [expect('hook.holds', {region: name}, {hook: region.scaleUp})],
        deadlineMs: hook.timeoutMs,
      }),
    ];
  });
}
