import type {Json} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';
import type {RunDocument} from '../run/document.ts';
import {type Progress, stepProgress} from '../run/progress.ts';

/**
 * What a run that is over has left held, and the commands that let it go; null = no route is held by it. A run that failed at its point of no return
 * goes neither on nor back by itself, also when every fault is healed. Pure, by the journal.
 */
export function heldTraffic({runId, outcome}: Pick<RunDocument, 'runId' | 'outcome'>, plan: Plan, progress: Progress): string | null {
  if (outcome === 'succeeded' || outcome === 'undone' || outcome === 'running' || outcome === 'paused') return null;
  const routes = [...new Set(plan.steps.flatMap(({do: {action, target}}) => (action === 'route.weights' ? (target.router ?? []) : [])))];
  const held = routes.filter((route) => isHeld(plan.steps, progress, route));
  if (held.length === 0) return null;
  const back =
    plan.from === null
      ? ''
      : `, or \`regionctl failback run --to ${plan.from}\` gives up the move, brings the other members back under ${plan.from} and sends traffic there`;
  return `traffic is still held at ${held.join(' and ')}: no region gets any. \`regionctl runs resume ${runId}\` goes on with the move once its cause is mended${back}`;
}

/** The last thing that the run did to the route and did not take back was to give every region nothing. */
function isHeld(steps: readonly Step[], progress: Progress, route: string): boolean {
  const last = steps.findLast((step) => {
    const {intended, status} = stepProgress(progress, step);
    return step.do.action === 'route.weights' && step.do.target.router === route && intended && status !== 'undone';
  });
  const weights = last === undefined ? [] : weightsOf(last.do.args);
  return weights.length > 0 && weights.every((weight) => weight === 0);
}

function weightsOf(args: Json): readonly Json[] {
  const weights = typeof args === 'object' && args !== null && 'weights' in args ? args.weights : null;
  return typeof weights === 'object' && weights !== null ? Object.values(weights) : [];
}
