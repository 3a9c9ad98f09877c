import type {Plan} from '../plan/plan.ts';
import type {LeaseHolder, State} from '../ports/state.ts';

/** Reactions that are carried out by another process: it needs the fleet's lease, so the drill that waits for it must not hold it. */
const BY_OTHERS: ReadonlySet<string> = new Set(['reaction.person', 'reaction.exec', 'reaction.command']);

/** The lease that a plan runs under: the fleet's, but for a drill whose reaction another process carries out. */
export function leaseName(fleet: string, plan: Pick<Plan, 'steps'>): string {
  return plan.steps.some(({do: {action}}) => BY_OTHERS.has(action)) ? drillLease(fleet) : fleet;
}

/** The lease of drills that leave the fleet's to others. Only one drill of a fleet runs at a time, so each takes care that nobody has it. */
export function drillLease(fleet: string): string {
  return `${fleet} drill`;
}

/** Who holds any lease of the fleet now. */
export function holdersOf(state: Pick<State, 'holder'>, fleet: string): readonly LeaseHolder[] {
  return [state.holder(fleet), state.holder(drillLease(fleet))].filter((holder) => holder !== null);
}

/** Whether a process carries the run now. */
export function isAlive(state: Pick<State, 'holder'>, fleet: string, runId: string): boolean {
  return holdersOf(state, fleet).some((holder) => holder.runId === runId);
}
