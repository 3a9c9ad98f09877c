import type {Fleet, RouteSpec, StoreSpec} from '../fleet/fleet.ts';
import type {Step} from '../plan/plan.ts';
import type {PrimaryFinding} from './find-primary.ts';

/** A store that moved: its former primary and its new one. */
export type Verified = {readonly spec: StoreSpec; readonly primary: PrimaryFinding; readonly target: string};

export function verifySteps(_fleet: Fleet, _moves: readonly Verified[], _routes: readonly RouteSpec[]): Step[] {
  return [];
}
