import {call, type StoreScope, step} from '../failover/steps.ts';
import type {Step} from '../plan/plan.ts';

/** Counts the rows of every table on the new primary and on whoever stands by. A count that differs makes the run fail; the move stands. */
export function countsStep({store, suffix}: StoreScope, members: readonly string[], primary: string): Step {
  return step({
    id: `verify-counts${suffix}`,
    phase: 'verify',
    title: `count the rows of ${store} on ${[primary, ...members.filter((name) => name !== primary)].join(', ')}`,
    do: call('verify.counts', {store}, {members, primary}),
    onFailure: 'stop',
    deadlineMs: 60_000,
  });
}
