import type {CostRules} from '../capacity/cost/cost.ts';
import type {HpaTarget} from '../capacity/scaling/hpa.ts';
import type {ScalingRule} from '../capacity/scaling/schedule.ts';

/** How it is judged whether the others can carry what a region has. `headroom` in percent of a limit; `routes` by series, absent = all. */
export type FailoverLoadSpec = {
  readonly windowMs: number;
  readonly headroom: number;
  readonly routes: Readonly<Record<string, readonly string[]>>;
};

/** How the load of a series is served. `perInstance` = how many replicas an instance of the price file holds; `target` null = no autoscaler is printed. */
export type ScalingSpec = {
  readonly series: string;
  readonly rule: ScalingRule;
  readonly perInstance: number;
  readonly target: HpaTarget | null;
};

/** What capacity costs. `prices` = absolute path of the price file. */
export type CostSpec = {readonly prices: string; readonly rules: CostRules};

/** What is planned for, of the part `capacity` of the fleet file. `cost` null = nothing is priced. */
export type CapacityPlanSpec = {
  readonly failover: FailoverLoadSpec;
  readonly scaling: readonly ScalingSpec[];
  readonly cost: CostSpec | null;
};
