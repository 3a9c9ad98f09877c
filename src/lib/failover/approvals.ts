import type {ApprovalSpec} from '../fleet/fleet.ts';
import type {Step} from '../plan/plan.ts';

/** Lets the first step of each phase that the fleet file names wait for people. null = nobody is asked. */
export function withApprovals(steps: readonly Step[], spec: ApprovalSpec | null): readonly Step[] {
  if (spec === null) return steps;
  const {before, approvers, expiresMs} = spec;
  const firsts = new Set(before.map((phase) => steps.findIndex((step) => step.phase === phase)));
  return steps.map((step, index) => (firsts.has(index) ? {...step, approval: {approvers, expiresMs}} : step));
}
