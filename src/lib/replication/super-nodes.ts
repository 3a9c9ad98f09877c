import type {TopologyMember} from './topology-model.ts';

/** The regions that would pass on for the others, with the rule by which they were chosen. */
export type SuperNodes = {readonly chosen: readonly string[]; readonly rule: string};

type Candidate = {readonly region: string; readonly law: string; readonly live: number; readonly tier: number; readonly order: number};

/**
 * One region for each jurisdiction: the one with the most live links; then hot before warm before cold, then the order of the fleet file. Where that
 * would be more than half of all regions it saves too little: then so many regions as the square root of their number, by the same order.
 */
export function chooseSuperNodes(members: readonly TopologyMember[], tiers: Readonly<Record<string, number>>): SuperNodes {
  const byRegion = Map.groupBy(members, ({region}) => region);
  const candidates = [...byRegion].map(([region, there], order): Candidate => {
    const live = there.reduce((sum, {liveLinks}) => sum + liveLinks, 0);
    return {region, law: there[0]?.jurisdiction ?? '', live, tier: tiers[region] ?? 0, order};
  });
  const ranked = candidates.toSorted((a, b) => b.live - a.live || a.tier - b.tier || a.order - b.order);
  const first = ranked.filter(({law}, index) => ranked.findIndex((each) => each.law === law) === index);
  const enough = Math.ceil(Math.sqrt(candidates.length));
  const byLaw = first.length > 1 && first.length <= candidates.length / 2;
  const chosen = byLaw ? first : ranked.slice(0, enough);
  return {
    chosen: chosen.toSorted((a, b) => a.order - b.order).map(({region}) => region),
    rule: byLaw ? 'one for each jurisdiction, the one with the most live links' : `the ${enough} with the most live links`,
  };
}
