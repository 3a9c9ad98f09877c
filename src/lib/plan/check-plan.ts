import {messageOf} from '../errors.ts';
import type {Action, Check} from './action.ts';
import type {Call, Expectation, Plan, Step} from './plan.ts';

/** What is asked of the registries: `get` throws for what is not known. */
export type KnownActions = {get(name: string, v: number): Action};
export type KnownChecks = {get(name: string): Check};

/**
 * What is wrong with a plan, one sentence each, empty when it can be run. It is asked before every run, also of plans that were saved to a
 * file and edited: a plan is refused as a whole, never in the middle.
 */
export function checkPlan(plan: Plan, actions: KnownActions, checks: KnownChecks): readonly string[] {
  if (plan.version !== 1) return [`The plan has version ${String(plan.version)}; this regionctl runs version 1.`];
  const all = [...plan.steps, ...plan.always];
  return [
    ...repeatedIds(all),
    ...wrongOrder(plan.steps),
    ...wrongOrder(plan.always),
    ...wrongEnds(plan),
    ...all.flatMap((step) => stepProblems(step, actions)),
    ...plan.steps.flatMap((step) => effectProblems(step, actions)),
    ...pivotProblems(plan),
    ...unknownChecks(plan, checks),
  ];
}

function repeatedIds(steps: readonly Step[]): string[] {
  const seen = new Set<string>();
  return steps.flatMap(({id}) => {
    const again = seen.has(id);
    seen.add(id);
    return again ? [`Step id "${id}" is used twice.`] : [];
  });
}

/** Steps run in the order of the plan, so what a step comes after stands before it. That also rules out cycles. */
function wrongOrder(steps: readonly Step[]): string[] {
  const ids = new Set(steps.map((step) => step.id));
  const earlier = new Set<string>();
  return steps.flatMap((step) => {
    const wrong = step.after.filter((id) => !earlier.has(id));
    earlier.add(step.id);
    return wrong.map((id) =>
      ids.has(id)
        ? `Step "${step.id}" comes after "${id}", which does not stand before it.`
        : `Step "${step.id}" comes after "${id}", which is no step of the plan.`,
    );
  });
}

/** What something lasts until comes after it. */
function wrongEnds({steps, always}: Plan): string[] {
  const isWrong = ({until}: Step, later: readonly Step[]) => until !== undefined && !later.some(({id}) => id === until);
  const wrong = [...steps.filter((step, index) => isWrong(step, steps.slice(index + 1))), ...always.filter((step) => isWrong(step, []))];
  return wrong.map(({id, until}) => `Step "${id}" is to last until "${until}", which is no later step of the plan.`);
}

function stepProblems(step: Step, actions: KnownActions): string[] {
  const problems = [...callProblems(step, step.do, actions), ...(step.undo === null ? [] : callProblems(step, step.undo, actions))];
  if (!(Number.isFinite(step.deadlineMs) && step.deadlineMs > 0)) {
    problems.push(`Step "${step.id}" has a deadline of ${step.deadlineMs} ms; it must be above 0.`);
  }
  if (step.hold !== null && !(step.hold.everyMs > 0 && step.hold.forMs >= 0 && step.hold.minSamples >= 1)) {
    problems.push(
      `Step "${step.id}" holds with everyMs ${step.hold.everyMs} and minSamples ${step.hold.minSamples}; both must be above 0.`,
    );
  }
  if (step.approval !== null && !(step.approval.approvers >= 1 && step.approval.expiresMs > 0)) {
    problems.push(
      `Step "${step.id}" asks for ${step.approval.approvers} approvals within ${step.approval.expiresMs} ms; both must be above 0.`,
    );
  }
  return problems;
}

function callProblems(step: Step, call: Call, actions: KnownActions): string[] {
  try {
    actions.get(call.action, call.v).parse(call.args);
    return [];
  } catch (error) {
    return [`Step "${step.id}": ${messageOf(error)}`];
  }
}

/** An effect that nobody verifies could be reported as done without being done. */
function effectProblems(step: Step, actions: KnownActions): string[] {
  if (step.ensures.length > 0) return [];
  try {
    const {effect} = actions.get(step.do.action, step.do.v);
    return effect === 'none' ? [] : [`Step "${step.id}" has an effect (${effect}) but nothing that verifies it.`];
  } catch {
    return [];
  }
}

function pivotProblems(plan: Plan): string[] {
  const problems = plan.always.filter((step) => step.pivot).map((step) => `Step "${step.id}" always runs, so it cannot be a pivot.`);
  const pivots = new Map<string, string>();
  for (const step of plan.steps.filter((each) => each.pivot)) {
    const store = step.do.target.store;
    const other = store === undefined ? undefined : pivots.get(store);
    if (store === undefined) problems.push(`Step "${step.id}" is a pivot but names no store.`);
    else if (other !== undefined) problems.push(`Store "${store}" has two pivots: "${other}" and "${step.id}".`);
    else pivots.set(store, step.id);
  }
  return problems;
}

function unknownChecks(plan: Plan, checks: KnownChecks): string[] {
  const places: [string, readonly Expectation[]][] = [
    ['The plan expects', plan.expects],
    ['The plan stands on', plan.standsOn ?? []],
    ['The plan aborts', plan.abortIf],
    ...[...plan.steps, ...plan.always].map((step): [string, readonly Expectation[]] => [
      `Step "${step.id}"`,
      [...step.requires, ...step.ensures, ...(step.hold?.watch ?? [])],
    ]),
  ];
  return places.flatMap(([where, facts]) => facts.flatMap((fact) => checkProblem(where, fact, checks)));
}

function checkProblem(where: string, fact: Expectation, checks: KnownChecks): string[] {
  try {
    checks.get(fact.check);
    return [];
  } catch (error) {
    return [`${where}: ${messageOf(error)}`];
  }
}
