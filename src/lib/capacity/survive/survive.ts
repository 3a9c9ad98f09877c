import type {LoadRule, Loads, SurviveFacts} from './facts.ts';
import {type Flow, lossFlows} from './flows.ts';
import {judgeLoad, type LoadRow, type LoadVerdict} from './judge-load.ts';
import {leftOut} from './left-out.ts';
import {flowsNow, type Standing} from './now.ts';
import {placeLoad, type Taken} from './place-load.ts';

/** A part of a load that nobody takes. `law` = its data may not go where somebody stands ready; it does not count against the survivors. */
export type StrandedLoad = {
  readonly series: string;
  readonly region: string;
  /** Of all that the load is in the region, 0 to 1. */
  readonly share: number;
  readonly law: boolean;
  readonly reason: string;
};

/** What the loss of some regions, or another change of traffic, means for those that go on. */
export type Survival = {
  readonly lose: readonly string[];
  readonly verdict: LoadVerdict;
  /** One sentence: the limit that breaks first and when, or the least that is left. */
  readonly says: string;
  /** The row that decides: the limit that breaks first; else what is not known; else the one with the least left. null = nothing moves. */
  readonly first: LoadRow | null;
  readonly rows: readonly LoadRow[];
  readonly stranded: readonly StrandedLoad[];
  readonly notes: readonly string[];
};

/** Something seen to break is certain; what is not known may hide a break, so it outranks what is tight (as in health/verdict.ts). */
const WORST_FIRST: readonly LoadVerdict[] = ['breaks', 'unknown', 'tight', 'survives'];

/**
 * Whether those that are left can carry the load when `lose` is lost, over the failover window: for every load that moves and every region that takes some of
 * it the forecast p90 of the sum against its limit. Pure.
 */
export function survive(facts: SurviveFacts, loads: Loads, {lose}: {readonly lose: readonly string[]}): Survival {
  return surviveFlows(facts, loads, {lose, flows: lossFlows(facts, lose)});
}

/** The same as the fleet stands now: who is down or drained takes nothing, and what was moved before is counted with those that have it. */
export function surviveNow(standing: Standing, loads: Loads, {lose}: {readonly lose: readonly string[]}): Survival {
  const {facts, already, down} = standing;
  const found = surviveFlows(facts, loads, {lose: [...new Set([...lose, ...down])], flows: flowsNow(standing, lose), already});
  return {...found, lose};
}

/**
 * `home`: regions that have no traffic, and get no more of it back than they have in normal operation. `already`: the flows from normal operation to what is now,
 * before the change.
 */
export type TrafficChange = {
  readonly lose: readonly string[];
  readonly flows: readonly Flow[];
  readonly home?: readonly string[];
  readonly already?: readonly Flow[];
};

/** The same for any change of traffic: a failover to one region, an evacuation, a shift of weights. */
export function surviveFlows(facts: SurviveFacts, loads: Loads, change: TrafficChange): Survival {
  const {lose} = change;
  const moving = facts.loads.filter(({moves}) => moves);
  const all = moving.map((rule) => surviveLoad(facts, loads, rule, change));
  const rows = all.flatMap((each) => each.rows);
  const stranded = all.flatMap((each) => each.stranded);
  const notes = all.flatMap((each) => each.notes);
  if (moving.length === 0) {
    const says = 'the fleet file has no series in capacity.series that moves with traffic';
    return {lose, verdict: 'unknown', says, first: null, rows, stranded, notes};
  }
  const lost = stranded.find(({law}) => !law);
  const unmeasured = unmeasuredFlow(facts, moving, change.flows);
  const found = WORST_FIRST.find(
    (verdict) => rows.some((row) => row.verdict === verdict) || (verdict === 'unknown' && unmeasured !== null),
  );
  const worst = found ?? 'survives';
  const verdict = lost === undefined ? worst : 'breaks';
  // Where nobody takes a load, and no limit breaks, no row decides.
  const first = decisive(rows.filter((row) => row.verdict === verdict));
  const says = first?.says ?? (lost === undefined ? (unmeasured ?? nothingMoves(stranded)) : strandedText(lost));
  return {lose, verdict, says, first, rows, stranded, notes};
}

/** A sentence for the first traffic that moves and that no load can be of: nobody knows how much that is. null = there is none. */
function unmeasuredFlow(facts: SurviveFacts, moving: readonly LoadRule[], flows: readonly Flow[]): string | null {
  const isOf = (rule: LoadRule, route: string): boolean => rule.routes === null || rule.routes.includes(route);
  const blind = flows.find(
    ({route, from, share}) => route !== null && share > 0 && !moving.some((rule) => isOf(rule, route) && mayBeIn(facts, rule, from)),
  );
  return blind === undefined ? null : `no series measures the traffic of ${blind.from} on ${blind.route}`;
}

function surviveLoad(facts: SurviveFacts, loads: Loads, rule: LoadRule, {lose, flows, home = [], already = []}: TrafficChange) {
  const own = flows.filter(({route, from}) => mayBeIn(facts, rule, from) && (route !== null || rule.regions.includes(from)));
  const {taken, stranded, notes} = placeLoad(facts, rule, own, lose);
  const moved = movedBefore(facts, rule, already);
  const takers = [...new Set(taken.map(({to}) => to))];
  const gone = (region: string): number => [...taken, ...stranded].reduce((sum, {from, share}) => sum + (from === region ? share : 0), 0);
  return {
    rows: takers.map((region) => {
      const gets = taken.filter(({to}) => to === region);
      const isHome = home.includes(region) && gets.every(({from}) => isRouted(rule, own, from));
      return judgeLoad(facts, loads, {rule, region, taken: gets, keeps: Math.max(0, 1 - gone(region)), isHome, moved});
    }),
    stranded: stranded.map(({from, share, law, reason}) => ({series: rule.name, region: from, share, law, reason})),
    notes: [...notes, ...leftOut(loads, rule, {taken, moved})],
  };
}

/** Where the load of regions is that have less traffic of it than in normal operation, or none. */
function movedBefore(facts: SurviveFacts, rule: LoadRule, already: readonly Flow[]): readonly Taken[] {
  const {taken} = placeLoad(
    // Who has it took it before it was away.
    {...facts, away: []},
    rule,
    already.filter(({from}) => rule.regions.includes(from)),
    [],
  );
  return taken.filter(({share}) => share > 0);
}

/** Whether what a load has in a region comes by routes, and not because it is homed there. */
function isRouted({routes}: LoadRule, flows: readonly Flow[], region: string): boolean {
  return flows.some(({route, from}) => from === region && route !== null && (routes === null || routes.includes(route)));
}

/**
 * Whether there may be any of a load in a region that it has no series in. Its data may not be there: there is none. Else traffic that goes there is a load that
 * is not known, and what is homed there is none.
 */
function mayBeIn({regions, dataClasses}: SurviveFacts, {dataClass, regions: own}: LoadRule, region: string): boolean {
  const allowed = dataClasses.find(({name}) => name === dataClass)?.allowed ?? null;
  const jurisdiction = regions.find(({name}) => name === region)?.jurisdiction ?? '';
  return own.includes(region) || allowed === null || allowed.includes(jurisdiction);
}

/** Of rows with one verdict: the limit that breaks first, or the one with the least left. */
function decisive(rows: readonly LoadRow[]): LoadRow | null {
  const rank = ({breaksAt, headroom}: LoadRow): readonly [number, number] => [breaksAt ?? 0, headroom ?? 0];
  const [first] = rows.toSorted((a, b) => rank(a)[0] - rank(b)[0] || rank(a)[1] - rank(b)[1]);
  return first ?? null;
}

const strandedText = ({series, region, reason}: StrandedLoad): string => `nobody takes ${series} of ${region}: ${reason}`;

function nothingMoves(stranded: readonly StrandedLoad[]): string {
  const [first] = stranded;
  return first === undefined ? 'nothing that is measured moves' : `nothing moves: ${first.reason}`;
}
