import {call} from '../failover/steps.ts';
import type {Fleet, WitnessSpec} from '../fleet/fleet.ts';
import type {Json} from '../plan/json.ts';
import type {Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import type {DrillAction, DrillArguments, SteadyCheck} from './arguments.ts';
import type {Drill} from './drill-file.ts';
import type {FaultLimits} from './fault-limits.ts';

/** What the composing of every part of a drill shares. `places`: each place of a fault once. `region`: the one that the drill is about; null = none. */
export type Part = {
  readonly drill: Drill;
  readonly fleet: Fleet;
  readonly witness: WitnessSpec;
  readonly snapshot: Snapshot;
  /** The region that held the primary; '' = none did, and nothing speaks of it. */
  readonly primary: string;
  readonly primaries: Readonly<Record<string, string>>;
  readonly places: readonly string[];
  readonly region: string | null;
  readonly limits: FaultLimits;
};

/** Every place that a fault of the drill is at, once, in the order of the file. */
export function placesOf({faults}: Drill, primary: string): readonly string[] {
  return [...new Set(faults.map(({region}) => (region === 'primary' ? primary : region)))];
}

/** A check with `primary` in its place; `unmoved` becomes one check for each store. */
export function resolvedChecks(checks: readonly SteadyCheck[], part: Part): SteadyCheck[] {
  return checks.flatMap((check): SteadyCheck[] =>
    'primary' in check && check.primary === 'unmoved' ? unmoved(part, check.store) : [resolved(check, part)],
  );
}

/** The same for one check that is not `unmoved`. */
export function resolved(check: SteadyCheck, {primary}: Part): SteadyCheck {
  if ('primary' in check) return check.primary === 'primary' ? {...check, primary} : check;
  return 'region' in check && check.region === 'primary' ? {...check, region: primary} : check;
}

/** Each store's primary is where it was. */
export function unmoved({primaries}: Part, store: string | null = null): SteadyCheck[] {
  return Object.entries(primaries)
    .filter(([name]) => store === null || name === store)
    .map(([name, region]) => ({primary: region, store: name}));
}

/** A call of one of the drill's own actions. */
export function drillCall<A extends DrillAction>(action: A, target: Step['do']['target'], args: DrillArguments[A]) {
  return call(action, target, args as Json);
}
