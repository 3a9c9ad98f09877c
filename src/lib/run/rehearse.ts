import {messageOf} from '../errors.ts';
import type {Answer, Ctx, Standing} from '../plan/action.ts';
import type {Expectation, Plan, Step} from '../plan/plan.ts';
import type {ActionRegistry, CheckRegistry} from './registry.ts';

/** What a dry run found of one step: done already, ready, or what it would wait for. Nothing was written. */
export type Rehearsed = {
  readonly id: string;
  readonly says: string;
  readonly standing: 'already-done' | 'would-run' | 'waits-for-earlier-steps' | 'target-unknown' | 'target-elsewhere';
  readonly detail: string;
};

/**
 * Goes through a plan without any effect: every step's facts are asked and its action looks at its target. What a step requires can depend on
 * the steps before it, so a fact that does not hold yet is told and is no failure.
 */
export async function rehearse(plan: Plan, actions: ActionRegistry, checks: CheckRegistry, ctx: Ctx): Promise<readonly Rehearsed[]> {
  return Promise.all([...plan.steps, ...plan.always].map((step) => rehearseStep(step, actions, checks, ctx)));
}

async function rehearseStep(step: Step, actions: ActionRegistry, checks: CheckRegistry, ctx: Ctx): Promise<Rehearsed> {
  const call = actions.bind(step.do);
  const row = {id: step.id, says: call.says};
  const ensures = await askAll(step.ensures, checks, ctx);
  if (ensures.length > 0 && ensures.every(({holds}) => holds === true))
    return {...row, standing: 'already-done', detail: ensures.map(({says}) => says).join('; ')};
  const standing = await call.look(ctx).catch((): Standing => 'unknown');
  if (standing === 'unknown' || standing === 'elsewhere')
    return {
      ...row,
      standing: `target-${standing}`,
      detail: `its target ${standing === 'unknown' ? 'could not be read' : 'is somewhere unexpected'}`,
    };
  const open = (await askAll(step.requires, checks, ctx)).filter(({holds}) => holds !== true);
  if (open.length > 0) return {...row, standing: 'waits-for-earlier-steps', detail: open.map(({says}) => says).join('; ')};
  return {...row, standing: 'would-run', detail: ''};
}

function askAll(facts: readonly Expectation[], checks: CheckRegistry, ctx: Ctx): Promise<readonly Answer[]> {
  return Promise.all(facts.map((fact) => ask(fact, checks, ctx)));
}

async function ask({check, target, want, via}: Expectation, checks: CheckRegistry, ctx: Ctx): Promise<Answer> {
  try {
    return await checks.get(check).ask(ctx, target, want, via);
  } catch (error) {
    return {holds: null, measured: null, says: `it could not be told: ${messageOf(error)}`};
  }
}
