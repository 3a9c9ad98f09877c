import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Step} from '../plan/plan.ts';
import type {PrimaryFinding} from './find-primary.ts';
import {call, type StoreScope, step} from './steps.ts';

/** A store that moved: its former primary and its new one. */
export type Verified = {readonly spec: StoreSpec; readonly primary: PrimaryFinding; readonly target: string};

/**
 * The verification after a move, by other paths than those that acted. Whatever fails makes the run fail; the move itself stands. `rejected`
 * comes after a guard, where there is one: it may have had to close what came back.
 */
export function verifySteps(fleet: Fleet, moves: readonly Verified[], routes: readonly RouteSpec[]): {checks: Step[]; rejected: Step[]} {
  return {
    checks: [...fleet.checks.map(checkStep), ...routes.flatMap(latencyStep)],
    rejected: moves.map((move) => rejectedStep(move, moves.length)),
  };
}

function rejectedStep({spec, primary}: Verified, moves: number): Step {
  return step({
    id: `verify-rejected-${primary.member}${moves > 1 ? `:${spec.name}` : ''}`,
    phase: 'verify',
    title: `see that ${primary.member} takes no write`,
    do: call('verify.rejected', {store: spec.name, member: primary.member, region: primary.region}),
    onFailure: 'stop',
  });
}

function checkStep({name}: {readonly name: string}): Step {
  return step({
    id: `verify-check-${name}`,
    phase: 'verify',
    title: `check ${name}`,
    do: call('verify.check', {}, {name}),
    onFailure: 'stop',
    deadlineMs: 15_000,
  });
}

function latencyStep({name, url}: RouteSpec): Step[] {
  if (url === null) return [];
  return [
    step({
      id: `verify-latency-${name}`,
      phase: 'verify',
      title: `compare the p95 of ${name} with what it was`,
      do: call('verify.latency', {router: name}, {url}),
      onFailure: 'stop',
    }),
  ];
}

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
