import type {Loads, SurviveFacts} from '../capacity/survive/facts.ts';
import {changeFlows, type Flow, type Weights} from '../capacity/survive/flows.ts';
import {type Survival, surviveFlows} from '../capacity/survive/survive.ts';
import type {Fleet} from '../fleet/fleet.ts';
import type {Json} from '../plan/json.ts';
import type {Gate, Override, Step} from '../plan/plan.ts';
import type {Snapshot} from '../snapshot/snapshot.ts';
import {judged, resolveOverrides} from './gates.ts';
import {weightsNow} from './peers.ts';

/** What a plan judges by whether the others can carry the load. Only of fleets that have series that move with traffic. */
export type PlanCapacity = {readonly facts: SurviveFacts; readonly loads: Loads};

/** The gate that says whether those that go on can carry what moves to them. */
export const SURVIVORS_CAPACITY = 'survivors-capacity';

/** How a plan changes where traffic goes. */
export type LoadChange = {
  readonly fleet: Fleet;
  readonly snapshot: Snapshot;
  /** Steps that set weights: the last one of each route counts. */
  readonly steps: readonly Step[];
  /** The region that is left, and where what is homed there goes; none = the failover order says. */
  readonly from: string | null;
  readonly takers: readonly string[];
  /** Whether the region that is left is down, by a majority of those who look: then there is no choice to wait. */
  readonly isDown: boolean;
};

type Judged = {readonly gates: readonly Gate[]; readonly overrides: readonly Override[]; readonly remarks: readonly string[]};

/**
 * The gates of a plan with the one of capacity, its overrides resolved, and what else is to be said.
 *
 * A limit that breaks refuses. What is not known does not pass, as at every gate, while there is time to find out: in planned moves, and of a region that is
 * not seen to be down. Of one that is, often the metrics are gone with it, and a gate that shuts then would keep everybody down for fear of a few being slow:
 * there is no gate then, and the plan says that nothing is known (as an old breaker is no gate: gates.ts). Whoever passes it by name all the same is not
 * refused for that.
 */
export function withCapacity(
  input: {readonly capacity?: PlanCapacity | undefined; readonly overrides: readonly Override[]},
  gates: readonly Gate[],
  change: LoadChange,
): Judged {
  const {gate, isOpen, remarks} = capacityGate(input.capacity, change);
  const all = gate === null ? gates : [...gates, gate];
  const overrides = !isOpen ? input.overrides : input.overrides.filter((override) => override.gate !== SURVIVORS_CAPACITY);
  return {gates: all, overrides: resolveOverrides(all, overrides), remarks};
}

/** `isOpen`: nothing is known and nobody waits for it, so that there is no gate. */
type Found = {readonly gate: Gate | null; readonly isOpen: boolean; readonly remarks: readonly string[]};

function capacityGate(capacity: PlanCapacity | undefined, change: LoadChange): Found {
  const flows = capacity === undefined ? [] : flowsOf(change);
  if (capacity === undefined || !flows.some(({share}) => share > 0)) return {gate: null, isOpen: false, remarks: []};
  const lose = change.isDown && change.from !== null ? [change.from] : [];
  const found = surviveFlows(capacity.facts, capacity.loads, {lose, flows, home: comingHome(change), already: movedAlready(change)});
  if (found.verdict === 'unknown' && change.isDown) {
    const says = `whether the others can carry the load is not known, and nobody waits for it now: ${found.says}`;
    return {gate: null, isOpen: true, remarks: [says, ...found.notes]};
  }
  const verdict = found.verdict === 'breaks' ? 'refuse' : found.verdict === 'unknown' ? 'unknown' : 'pass';
  return {
    gate: judged(SURVIVORS_CAPACITY, true, {verdict, says: saysOf(found), measured: measuredOf(found)}),
    isOpen: false,
    remarks: found.notes,
  };
}

/** The traffic that the plan moves: by the weights that its steps set, compared with what the routers send now; and what is homed where it is left. */
function flowsOf({fleet, snapshot, steps, from, takers}: LoadChange): readonly Flow[] {
  const after = weightsSet(steps);
  const routed = fleet.routes.flatMap((route) => {
    const now = weightsNow(route, snapshot);
    // A route that is held sends nothing now, and normally what the fleet file says.
    const before = Object.values(now).some((weight) => weight > 0) ? now : route.weights;
    return changeFlows(route.name, before, after[route.name] ?? before);
  });
  if (from === null) return routed;
  return [...routed, {route: null, from, share: 1, takers: Object.fromEntries(takers.map((region) => [region, 1]))}];
}

/** Regions that no route sends anything to now, and that get no more from any than they have in normal operation: what comes back is what they had. */
function comingHome({fleet, snapshot, steps}: LoadChange): readonly string[] {
  const after = weightsSet(steps);
  const shareOf = (weights: Weights, region: string): number => {
    const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
    return sum > 0 ? (weights[region] ?? 0) / sum : 0;
  };
  const returns = (region: string): boolean =>
    fleet.routes.every((route) => {
      const now = weightsNow(route, snapshot);
      return shareOf(now, region) === 0 && shareOf(after[route.name] ?? now, region) <= shareOf(route.weights, region) + 1e-9;
    });
  return fleet.regions.map(({name}) => name).filter(returns);
}

/** What routers send elsewhere now than in normal operation. A route that is held sends nothing: what it had is with nobody. */
function movedAlready({fleet, snapshot}: LoadChange): readonly Flow[] {
  return fleet.routes.flatMap((route) => changeFlows(route.name, route.weights, weightsNow(route, snapshot)));
}

function weightsSet(steps: readonly Step[]): Readonly<Record<string, Weights>> {
  return Object.fromEntries(
    steps.flatMap(({do: {target, args}}) => {
      const weights = weightsIn(args);
      return target.router === undefined || weights === null ? [] : [[target.router, weights] as const];
    }),
  );
}

function weightsIn(args: Json): Weights | null {
  const weights = typeof args === 'object' && args !== null && 'weights' in args ? args.weights : null;
  if (typeof weights !== 'object' || weights === null) return null;
  return Object.fromEntries(Object.entries(weights).map(([region, weight]) => [region, Number(weight)]));
}

function saysOf({says, verdict, stranded}: Survival): string {
  const byLaw = stranded.filter(({law}) => law).map(({series, region}) => `${series} of ${region}`);
  return `${says}${verdict === 'tight' ? ' (tight)' : ''}${byLaw.length === 0 ? '' : `; ${byLaw.join(', ')} may not move`}`;
}

/** What is kept of it in the plan and in its journal. */
function measuredOf({verdict, first, rows}: Survival): Json {
  const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
  const {series = null, region = null, limit = null, p90 = null, peakAt = null, breaksAt = null} = first ?? {};
  return {
    verdict,
    series,
    region,
    limit,
    p90: p90 === null ? null : Number(p90.toPrecision(6)),
    peakAt: time(peakAt),
    breaksAt: time(breaksAt),
    judged: rows.length,
  };
}
