import {judged, ourselvesSane, routersReachable} from '../failover/gates.ts';
import {call, expect, step, verify} from '../failover/steps.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import type {Change, DrainDecision, Weights} from './read-drain.ts';

/** What a shift of one route is planned from. `weights` = what the route has now. */
export type DrainPlanInput = {
  readonly id: string;
  readonly snapshot: Snapshot;
  readonly route: string;
  readonly weights: Weights;
  readonly decision: Pick<DrainDecision, 'next' | 'hold' | 'giveBack'>;
};

/** Plans what a breaker does to a route: one step that sets its weights, if they are still those that were seen. Whoever runs it holds the lease. Pure. */
export function planDrain({id, snapshot, route, weights, decision}: DrainPlanInput): Plan {
  const {next, hold, giveBack} = decision;
  const serving = Object.keys(next).filter((region) => (next[region] ?? 0) > 0);
  return {
    version: 1,
    id,
    kind: 'shift',
    from: onlyOne(hold),
    to: onlyOne(giveBack),
    snapshot,
    expects: [],
    gates: [
      ourselvesSane(),
      routersReachable(snapshot, [route]),
      judged(`serving:${route}`, false, {
        verdict: serving.length > 0 ? 'pass' : 'refuse',
        says: serving.length > 0 ? `${route} goes on being served by ${serving.join(', ')}` : `nobody would serve ${route}`,
        measured: serving,
      }),
    ],
    overrides: [],
    steps: [shiftStep(route, weights, decision)],
    abortIf: [],
    always: [],
    files: [],
    objectives: [],
    expected: {gapMs: null, loss: []},
    remarks: [...hold, ...giveBack].map(({region, says}) => `${region}: ${says}`),
    drill: null,
  };
}

const onlyOne = ([first, ...others]: readonly Change[]): string | null => (others.length > 0 ? null : (first?.region ?? null));

/** A failover waits for it: a router that hangs must not keep one for longer. */
const STEP_MS = 3000;

function shiftStep(route: string, weights: Weights, {next, hold, giveBack}: DrainPlanInput['decision']): Step {
  const does = [
    ...hold.map(({region, weight}) => `hold ${region} off ${route} (${weight} → 0)`),
    ...giveBack.map(({region, weight}) => `give ${region} its share of ${route} back (${weights[region] ?? 0} → ${weight})`),
  ];
  const target = {router: route};
  return step({
    id: `shift-${route}`,
    phase: 'reroute',
    title: does.join(', '),
    do: call('route.weights', target, {weights: next, cut: false}),
    requires: [expect('route.weights', target, weights)],
    ensures: [verify('route.weights', target, next)],
    // No way back: by then another hand may have set what it would undo, and what came to pass is told by the weights.
    onFailure: 'stop',
    deadlineMs: STEP_MS,
  });
}
