import {isRecord} from '../plan/json.ts';
import type {Plan, Step} from '../plan/plan.ts';

/** What every promotion, and whoever takes a region out of the traffic, must ask right before it happens, by the action that does it. A saved plan could have been edited. */
const GUARDS: Readonly<Record<string, readonly string[]>> = {
  'store.promote': ['store.claimed', 'store.fenced', 'store.sealed', 'store.most-advanced'],
  'store.handover': ['store.claimed'],
  'route.leave': ['store.claimed', 'regions.any-well'],
};

/** Of these, what there is no way back from. */
const PIVOTS: ReadonlySet<string> = new Set(['store.promote', 'store.handover']);

/** Guards that a plan has lost: one sentence each, empty when it may be run. */
export function missingGuards(plan: Plan): readonly string[] {
  return [...[...plan.steps, ...plan.always].flatMap((step) => [...lostChecks(step), ...wrongPivot(step)]), ...lostAudits(plan)];
}

/** A region of peers gets no traffic before each of its stores was audited, and a finding is passed only where somebody did that by name. */
function lostAudits({kind, steps, overrides}: Plan): string[] {
  if (kind !== 'readmission') return [];
  const given = steps.findIndex(({do: {action}}) => action === 'route.weights');
  const audits = steps.filter(({do: {action}}, index) => action === 'verify.audit' && index < given);
  const claimed = steps.flatMap(({do: {action, target}}) => (action === 'store.claim' ? [target.store ?? ''] : []));
  const without = claimed.filter((store) => !audits.some(({do: {target}}) => target.store === store));
  const passed = audits.filter(({do: {target, args}}) => {
    const accepts = isRecord(args) && args.accept === true;
    return accepts && !overrides.some(({gate}) => gate === `audit:${target.store}`);
  });
  return [
    ...without.map((store) => `it gives traffic back without an audit of ${store}`),
    ...passed.map(({id}) => `step "${id}" accepts what the audit finds, and nobody passed that by name`),
  ];
}

function lostChecks(step: Step): string[] {
  const asked = new Set(step.requires.map(({check}) => check));
  const lost = (GUARDS[step.do.action] ?? []).filter((check) => !asked.has(check));
  return lost.length === 0 ? [] : [`step "${step.id}" (${step.do.action}) no longer asks for ${lost.join(', ')}`];
}

function wrongPivot(step: Step): string[] {
  return PIVOTS.has(step.do.action) && !step.pivot
    ? [`step "${step.id}" (${step.do.action}) is no longer marked as the point of no return`]
    : [];
}
