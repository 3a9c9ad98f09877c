import {usageError} from '../../errors.ts';

/** How a load is served by replicas. Durations in ms. */
export type ScalingRule = {
  /** How much of the load one replica serves when it is fully used, in the unit of the series. */
  readonly perReplica: number;
  /** Safety margin: replicas for so many times the expected load; 2 = each is half used. At least 1. */
  readonly margin: number;
  /** A burst is so many times the load of its step; at least 1. */
  readonly burst: number;
  readonly burstMs: number;
  /** From the decision to scale up until new replicas serve. */
  readonly leadMs: number;
  /** How long after a fall the replicas stay: the autoscaler's stabilisation window. */
  readonly stabilisationMs: number;
  /** Never fewer; at least 1. */
  readonly least: number;
  /** Never more; null = no budget. */
  readonly most: number | null;
};

/** What one step needs: the load that is planned for, and the replicas that must serve from its first moment to its last. */
export type Need = {readonly at: number; readonly load: number; readonly replicas: number};

/** So many replicas run from `from` to `to` (epoch ms). */
export type Stretch = {readonly from: number; readonly to: number; readonly replicas: number};

export type Schedule = {
  readonly needs: readonly Need[];
  /** What runs, hour after hour: more from the lead time before it is needed, fewer from the stabilisation after it was. */
  readonly stretches: readonly Stretch[];
  /** The bounds for an autoscaler: the fewest and the most that run, and with it the room that a burst needs. */
  readonly min: number;
  readonly max: number;
  /** Steps for which the budget has fewer replicas than are needed. */
  readonly short: readonly Need[];
};

const HOUR_MS = 3_600_000;

/** Where the fleet file says nothing: half used, a burst of 2x for 10 min, 3 min until new replicas serve, 5 min of stabilisation (the default of Kubernetes). */
export const SCALING_DEFAULTS = {
  ...{margin: 2, burst: 2, burstMs: 10 * 60_000, leadMs: 3 * 60_000, stabilisationMs: 5 * 60_000, least: 1, most: null},
} as const;

/**
 * Replicas by step for a load. `load` = what is planned for at each step (the p90 of its forecast), `starts` = when each step begins, `stepMs` long.
 *
 * A step needs ceil(load * max(margin, burst) / perReplica): a burst begins faster than replicas start, so those that run have to carry it, fully used.
 * The autoscaler's upper bound is ceil(peak * burst * margin / perReplica) where a burst lasts longer than the lead time, since new replicas then come in
 * time to restore the margin; else what the busiest step needs.
 */
export function planReplicas(load: Float64Array, starts: Float64Array, stepMs: number, rule: ScalingRule): Schedule {
  checkRule(rule);
  const {least, most} = rule;
  const needs = Array.from(
    load,
    (value, step): Need => ({at: starts[step] ?? 0, load: value, replicas: Math.max(least, replicasFor(rule, value))}),
  );
  const capped = needs.map((need) => ({...need, replicas: Math.min(need.replicas, most ?? Number.POSITIVE_INFINITY)}));
  const stretches = stretchesOf(capped, stepMs, rule);
  const running = stretches.map(({replicas}) => replicas);
  const peak = load.reduce((highest, value) => Math.max(highest, value), 0);
  const room = rule.burstMs > rule.leadMs ? wholeReplicas((peak * rule.burst * rule.margin) / rule.perReplica) : 0;
  const highest = running.reduce((all, replicas) => Math.max(all, replicas), least);
  return {
    needs,
    stretches,
    min: running.reduce((all, replicas) => Math.min(all, replicas), highest),
    max: Math.min(Math.max(highest, room), most ?? Number.POSITIVE_INFINITY),
    short: needs.filter(({replicas}) => most !== null && replicas > most),
  };
}

function replicasFor({perReplica, margin, burst}: ScalingRule, load: number): number {
  return wholeReplicas((Math.max(0, load) * Math.max(margin, burst)) / perReplica);
}

/** Why a load cannot be served: it takes more replicas than anything can run; null = it can. `peak` = the highest load of a step. */
export function tooManyReplicas({perReplica, margin, burst}: ScalingRule, peak: number): string | null {
  const count = (peak * margin * burst) / perReplica;
  return count <= MOST_REPLICAS
    ? null
    : `it takes ${count.toPrecision(3)} replicas, more than anything can run: perReplica (${perReplica}) is too small for a load of ${peak.toPrecision(3)}`;
}

/** Rounded up, but for what the arithmetic of floating point adds: 100 * 1.1 * 2 / 11 is 20, and not 21. */
function wholeReplicas(count: number): number {
  const whole = Math.ceil(count - 1e-9 * Math.max(1, count));
  if (whole <= MOST_REPLICAS) return whole;
  throw usageError(`a load takes ${count.toPrecision(3)} replicas, more than anything can run: perReplica is too small for it`);
}

/** What Kubernetes can count: the largest int32. */
const MOST_REPLICAS = 2 ** 31 - 1;

/**
 * What runs when: each step's replicas are wanted from `lead` before its start to `stabilisation` after its end, and at any time the highest of what is wanted
 * runs. Between the first start and the last end.
 */
function stretchesOf(needs: readonly Need[], stepMs: number, {leadMs, stabilisationMs}: ScalingRule): readonly Stretch[] {
  const [first, last] = [needs[0], needs.at(-1)];
  if (first === undefined || last === undefined) return [];
  const end = last.at + stepMs;
  const wanted = needs.map(({at, replicas}) => ({from: at - leadMs, to: at + stepMs + stabilisationMs, replicas}));
  const edges = [...new Set([first.at, end, ...wanted.flatMap(({from, to}) => [from, to])])]
    .filter((at) => at >= first.at && at <= end)
    .toSorted((a, b) => a - b);
  // Both kinds of edges rise with the steps, so that two indexes tell which steps are wanted.
  let oldest = 0;
  let newest = 0;
  const pieces = edges.slice(0, -1).map((from, index): Stretch => {
    while ((wanted[oldest]?.to ?? end) <= from) oldest += 1;
    while (newest < wanted.length && (wanted[newest]?.from ?? end) <= from) newest += 1;
    const replicas = wanted.slice(oldest, newest).reduce((most, want) => Math.max(most, want.replicas), 0);
    return {from, to: edges[index + 1] ?? end, replicas};
  });
  const joined: Stretch[] = [];
  for (const piece of pieces) {
    const before = joined.at(-1);
    if (before?.replicas === piece.replicas) joined[joined.length - 1] = {...before, to: piece.to};
    else joined.push(piece);
  }
  return joined;
}

/** Replica hours of a schedule. */
export function replicaHours(stretches: readonly Stretch[]): number {
  return stretches.reduce((sum, {from, to, replicas}) => sum + (replicas * (to - from)) / HOUR_MS, 0);
}

/** Throws a usage error for a rule that cannot be: the fleet file checks the same, this is for flags. */
export function checkRule({perReplica, margin, burst, least, most}: ScalingRule): void {
  if (!(perReplica > 0)) throw usageError(`a replica must serve something: perReplica is ${perReplica}`);
  if (!(margin >= 1)) throw usageError(`--margin ${margin}: a safety margin is at least 1 (1 = replicas are fully used)`);
  if (!(burst >= 1)) throw usageError(`a burst is at least 1 times the load, not ${burst}`);
  if (most !== null && most < least) throw usageError(`at least ${least} and at most ${most} replicas cannot both be`);
}
