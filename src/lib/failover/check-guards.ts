import type {Plan, Step} from '../plan/plan.ts';

/** What every promotion must ask right before it happens, by the action that does it. A saved plan could have been edited. */
const GUARDS: Readonly<Record<string, readonly string[]>> = {
  'store.promote': ['store.claimed', 'store.fenced', 'store.sealed', 'store.most-advanced'],
  'store.handover': ['store.claimed'],
};

/** Guards that a plan has lost: one sentence each, empty when it may be run. */
export function missingGuards(plan: Plan): readonly string[] {
  return [...plan.steps, ...plan.always].flatMap((step) => [...lostChecks(step), ...wrongPivot(step)]);
}

function lostChecks(step: Step): string[] {
  const asked = new Set(step.requires.map(({check}) => check));
  const lost = (GUARDS[step.do.action] ?? []).filter((check) => !asked.has(check));
  return lost.length === 0 ? [] : [`step "${step.id}" (${step.do.action}) no longer asks for ${lost.join(', ')}`];
}

function wrongPivot(step: Step): string[] {
  return step.do.action in GUARDS && !step.pivot
    ? [`step "${step.id}" (${step.do.action}) is no longer marked as the point of no return`]
    : [];
}
