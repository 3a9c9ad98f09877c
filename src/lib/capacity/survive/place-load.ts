import type {LoadRule, SurviveFacts} from './facts.ts';
import type {Flow, Weights} from './flows.ts';

/** A part of a region's load that another one takes. `share` = of all that the load is in `from`, 0 to 1. */
export type Taken = {readonly from: string; readonly to: string; readonly share: number};

/** A part of a region's load that nobody takes. `law` = by residency; else because nobody is there to take it. */
export type Stranded = {readonly from: string; readonly share: number; readonly law: boolean; readonly reason: string};

export type Placed = {
  readonly taken: readonly Taken[];
  readonly stranded: readonly Stranded[];
  /** What was assumed, in sentences for people. */
  readonly notes: readonly string[];
};

/**
 * Where a load goes. What a region has on several routes is not told apart by its series: it is split evenly over them, and that is said. A data class that
 * may not be with a taker goes to those takers that may have it; where there is none, to the first of the failover order that may; else it stays down.
 */
export function placeLoad(facts: SurviveFacts, rule: LoadRule, flows: readonly Flow[], lose: readonly string[]): Placed {
  const byRegion = Map.groupBy(flows, ({from}) => from);
  const taken: Taken[] = [];
  const stranded: Stranded[] = [];
  const notes: string[] = [];
  for (const [from, all] of byRegion) {
    const own = relevantTo(rule, all);
    if (own.length > 1 && own.some(({share}) => share > 0))
      notes.push(
        `${rule.name} of ${from} is split evenly over ${own.map(({route}) => route).join(', ')}: name its route in capacity.failover.routes`,
      );
    for (const flow of own) {
      const share = flow.share / own.length;
      if (share === 0) continue;
      const takers = takersOf(facts, rule, flow, lose);
      if (typeof takers === 'string') stranded.push({from, share, ...lawOf(facts, rule, flow, lose), reason: takers});
      else taken.push(...split(takers).map(([to, part]) => ({from, to, share: share * part})));
    }
  }
  return {taken: merged(taken), stranded, notes};
}

/** The flows of one region that carry the load: those of its routes; where none of them leads there, what is homed there. */
function relevantTo({routes}: LoadRule, flows: readonly Flow[]): readonly Flow[] {
  const routed = flows.filter(({route}) => route !== null && (routes === null || routes.includes(route)));
  return routed.length > 0 ? routed : flows.filter(({route}) => route === null);
}

/** Who takes a flow of this load, by weight; a sentence when nobody does. */
function takersOf(facts: SurviveFacts, rule: LoadRule, {from, takers, route}: Flow, lose: readonly string[]): Weights | string {
  const obstacle = (region: string): string | null => obstacleOf(facts, rule, region, lose) ?? absenceOf(facts, region, route);
  const able = Object.fromEntries(Object.entries(takers).filter(([region]) => obstacle(region) === null));
  if (Object.keys(able).length > 0) return able;
  const order = orderOf(facts, from);
  const next = order.find((region) => obstacle(region) === null);
  if (next !== undefined) return {[next]: 1};
  if (mayGoNowhere(facts, rule, from)) return `${rule.dataClass} may be in no other region`;
  const asked = [...new Set([...Object.keys(takers), ...order])];
  const why = asked.flatMap((region) => obstacle(region) ?? []);
  return why.length === 0 ? `no route and no failoverOrder of ${from} leads to another region` : why.join('; ');
}

/** Whether the law is what strands a flow: its data may be in no other region at all, or somebody stands ready and may not have it. */
function lawOf(facts: SurviveFacts, rule: LoadRule, {from, takers, route}: Flow, lose: readonly string[]): {readonly law: boolean} {
  const anywhere = {...rule, dataClass: null};
  const ready = [...Object.keys(takers), ...orderOf(facts, from)].some(
    (region) => obstacleOf(facts, anywhere, region, lose) === null && absenceOf(facts, region, route) === null,
  );
  return {law: ready || mayGoNowhere(facts, rule, from)};
}

/** Whether no other region that runs may have the data. */
function mayGoNowhere(facts: SurviveFacts, rule: LoadRule, from: string): boolean {
  return rule.dataClass !== null && facts.regions.every(({name}) => name === from || obstacleOf(facts, rule, name, []) !== null);
}

const orderOf = ({regions}: SurviveFacts, region: string): readonly string[] =>
  regions.find(({name}) => name === region)?.failoverOrder ?? [];

/** Why a region cannot take a load; null = it can. */
function obstacleOf({regions, dataClasses}: SurviveFacts, {dataClass}: LoadRule, name: string, lose: readonly string[]): string | null {
  const region = regions.find((each) => each.name === name);
  if (region === undefined) return `the fleet file has no region ${name}`;
  if (lose.includes(name)) return `${name} is lost too`;
  if (region.tier === 'cold') return `${name} is cold`;
  const allowed = dataClasses.find((each) => each.name === dataClass)?.allowed ?? null;
  if (allowed !== null && !allowed.includes(region.jurisdiction)) return `${dataClass} may not be in ${name} (${region.jurisdiction})`;
  return null;
}

/** Why a region that could take what a route sends takes nothing now; null = it takes it. */
function absenceOf({away = []}: SurviveFacts, name: string, route: string | null): string | null {
  const found = away.find((each) => each.region === name && (each.route === null || each.route === route));
  return found === undefined ? null : `${name} takes nothing: ${found.reason}`;
}

function split(weights: Weights): readonly (readonly [string, number])[] {
  const sum = Object.values(weights).reduce((all, weight) => all + weight, 0);
  return Object.entries(weights).map(([region, weight]) => [region, weight / sum]);
}

/** One entry for each way, whichever routes it came by. */
function merged(taken: readonly Taken[]): readonly Taken[] {
  const ways = Map.groupBy(taken, ({from, to}) => JSON.stringify([from, to]));
  return [...ways.values()].flatMap((all) => {
    const [first] = all;
    return first === undefined ? [] : [{...first, share: all.reduce((sum, {share}) => sum + share, 0)}];
  });
}
