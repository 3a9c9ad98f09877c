import type {Rival} from '../snapshot/rivals.ts';
import {articulationsOf, componentsOf, type Graph, partsWithout, reachedFrom} from './graph.ts';
import {chooseSuperNodes} from './super-nodes.ts';
import type {JudgedStore, TopologyFinding, TopologyLink, TopologyMember} from './topology-model.ts';
import {edgesOf} from './topology-shape.ts';
import {listed, sentence} from './topology-words.ts';

const namesOf = (members: readonly TopologyMember[]): readonly string[] => members.map(({member}) => member);

/** The members and those links between them that pass. */
function graphOf({members, links}: JudgedStore, may: (link: TopologyLink) => boolean): Graph {
  const nodes = namesOf(members);
  return {nodes, edges: edgesOf(nodes, links.filter(may))};
}

const isLive = ({live}: TopologyLink): boolean => live;
const mayBeLive = ({state}: TopologyLink): boolean => state !== 'broken';

/** Nobody who takes writes, or several who do and do not get one another's; and who only answers as a primary. */
export function primaryFindings(judged: JudgedStore): readonly TopologyFinding[] {
  const {members, inert} = judged;
  const primaries = namesOf(members.filter(({role, member}) => role === 'primary' && inert.every((rival) => rival.member !== member)));
  if (members.length > 0 && members.every(({role}) => role === 'standby')) {
    const fix = 'See with `regionctl failover plan` which one should be promoted.';
    return [{code: 'no-primary', severity: 'error', reason: 'Every member is a standby: none takes writes.', fix}];
  }
  const missing = missingWays(primaries, judged);
  return [...(missing.length === 0 ? [] : [twoPrimaries(missing, judged)]), ...inert.map(inertPrimary)];
}

/** No data grows apart there: whoever writes to it never hears that a write was kept. */
function inertPrimary({member, epoch, says, stale}: Rival): TopologyFinding {
  return {
    code: 'inert-primary',
    severity: 'warning',
    reason: `${member} answers as a primary (timeline ${epoch}) and can acknowledge nothing: it ${says}.`,
    fix: stale ? '`regionctl failback plan` shows how it is brought back.' : 'Stop it, or let it follow the other one.',
  };
}

type Way = readonly [from: string, to: string];

/** From which primary to which other one no live links lead. Who is on another side of a split is told of there. */
function missingWays(primaries: readonly string[], judged: JudgedStore): readonly Way[] {
  const live = graphOf(judged, isLive);
  const groups = groupsOf(judged, isLive);
  const sideOf = (name: string): number => (groups.length > 1 ? groups.findIndex((group) => group.includes(name)) : -1);
  const apart = (one: string, other: string): boolean => sideOf(one) >= 0 && sideOf(other) >= 0 && sideOf(one) !== sideOf(other);
  return primaries.flatMap((from) => {
    const reached = reachedFrom([from], live.edges);
    return primaries.filter((to) => !reached.has(to) && !apart(from, to)).map((to) => [from, to] as const);
  });
}

function twoPrimaries(missing: readonly Way[], judged: JudgedStore): TopologyFinding {
  const possible = graphOf(judged, mayBeLive).edges;
  const unsure = missing.every(([from, to]) => reachedFrom([from], possible).has(to));
  const who = namesOf(judged.members).filter((name) => missing.some((way) => way.includes(name)));
  const neither = who.length === 2 && missing.length === 2;
  const byGetter = [...Map.groupBy(missing, ([, to]) => to)].map(
    ([to, ways]) => `${to} ${unsure ? 'is not known to get' : 'does not get'} what is written at ${listed(ways.map(([from]) => from))}`,
  );
  const how = neither ? `neither ${unsure ? 'is known to get' : 'gets'} what is written at the other` : byGetter.join('; ');
  return {
    code: 'two-primaries',
    severity: unsure ? 'unknown' : 'error',
    reason: `${listed(who)} ${who.length === 2 ? 'both' : 'all'} take writes, and ${how}: their data ${unsure ? 'may grow' : 'grows'} apart.`,
    fix:
      who.length === 2
        ? 'Stop writing to one of them now; `regionctl failback plan` brings back a former primary.'
        : 'Mend the links between them, or stop writing where they do not lead.',
  };
}

/** What is connected by some links, without those members that are alone. */
function groupsOf(judged: JudgedStore, may: (link: TopologyLink) => boolean): readonly (readonly string[])[] {
  return componentsOf(graphOf(judged, may)).filter(({length}) => length > 1);
}

/** Groups of members that have live links among themselves and none to one another. */
export function splitFindings(judged: JudgedStore): readonly TopologyFinding[] {
  const groups = groupsOf(judged, isLive);
  if (groups.length < 2) return [];
  const perhaps = componentsOf(graphOf(judged, mayBeLive)).filter((each) =>
    groups.some(([first]) => first !== undefined && each.includes(first)),
  );
  const unsure = perhaps.length === 1;
  const writing = groups.filter((group) => judged.members.some(({member, role}) => role !== 'standby' && group.includes(member)));
  const writers = writing.length > 1 && !unsure ? '; what is written on one side is missing on the other' : '';
  const which = groups.map((group) => listed(group)).join(' | ');
  return [
    {
      code: 'split',
      severity: unsure ? 'unknown' : 'error',
      reason: `The live links leave ${groups.length} groups that ${unsure ? 'are not known to' : 'do not'} replicate from one another: ${which}${writers}.`,
      fix: 'Mend the links between the groups.',
    },
  ];
}

/** A ring that is open, or that goes one way only; and in a store where both ends write, links without their counterpart. */
export function ringFindings(judged: JudgedStore): readonly TopologyFinding[] {
  const {shape, links, members} = judged;
  const all = graphOf(judged, () => true).edges;
  const has = (from: string, to: string): boolean => all.some(([a, b]) => a === from && b === to);
  const single = all.filter(([from, to]) => !has(to, from));
  if (shape === 'ring') {
    const open = links.filter(({live}) => !live);
    const oneWay = single.length === all.length;
    return [...(open.length === 0 ? [] : [openRing(open, members.length)]), ...(oneWay ? [oneWayRing()] : [])];
  }
  const isStandby = (name: string): boolean => members.find(({member}) => member === name)?.role === 'standby';
  const gaps = single.filter(([from, to]) => !isStandby(from) && !isStandby(to));
  if (gaps.length === 0 || !(shape === 'mesh' || shape === 'partial-mesh')) return [];
  const ways = gaps.map(([from, to]) => `${from} → ${to}`);
  const [only] = gaps;
  const missing =
    gaps.length === 1
      ? `what is written at ${only?.[1]} does not get to ${only?.[0]} directly`
      : 'what is written where they end does not get to where they begin directly';
  return [
    {
      code: 'one-way',
      severity: 'warning',
      reason: `${listed(ways)} ${ways.length === 1 ? 'has' : 'have'} no link the other way: ${missing}.`,
      fix: `Add ${listed(gaps.map(([from, to]) => `${to} → ${from}`))}, or leave it out on purpose.`,
    },
  ];
}

function openRing(open: readonly TopologyLink[], size: number): TopologyFinding {
  const ways = listed(open.map(({from, to}) => `${from} → ${to}`));
  const broken = open.some(({state}) => state === 'broken');
  const why = [...new Set(open.map(({reason}) => sentence(reason)))].join(' ');
  return {
    code: 'ring-broken',
    severity: broken ? 'error' : 'unknown',
    reason: `The ring of ${size} ${broken ? 'is' : 'may be'} open at ${ways}: changes ${broken ? 'do' : 'may'} not get all the way round. ${why}`,
    fix: 'Mend that link.',
  };
}

const oneWayRing = (): TopologyFinding => ({
  code: 'one-way-ring',
  severity: 'warning',
  reason: 'The ring goes one way only: the loss of any one member stops changes from getting round.',
  fix: 'Add links the other way, or one across.',
});

/** Members and regions whose loss cuts others off from one another. That a lone primary is one is what failover is for, so it is a note. */
export function singlePointFindings(judged: JudgedStore): readonly TopologyFinding[] {
  const {members} = judged;
  const live = graphOf(judged, isLive);
  const cuts = articulationsOf(live);
  const byMember = cuts.map((name) => singlePoint(name, [name], partsWithout(live, new Set([name])), members));
  const regions = Map.groupBy(members, ({region}) => region);
  const byRegion = [...regions].flatMap(([region, there]) => {
    const names = namesOf(there);
    const parts = partsWithout(live, new Set(names));
    const said = names.some((name) => cuts.includes(name));
    return parts.length === 0 || names.length < 2 || said ? [] : [singlePoint(`the region ${region}`, names, parts, members)];
  });
  return [...byMember, ...byRegion];
}

function singlePoint(
  what: string,
  gone: readonly string[],
  parts: readonly (readonly string[])[],
  members: readonly TopologyMember[],
): TopologyFinding {
  const primaries = members.filter(({role}) => role === 'primary');
  const takesPrimary = primaries.length === 1 && gone.includes(primaries[0]?.member ?? '');
  const begins = (name: string): boolean => members.some(({member, role}) => member === name && role === 'primary');
  const cut = parts.filter((part) => !part.some(begins)).flat();
  const head = `The loss of ${what}`;
  if (takesPrimary) {
    const reason = `${head} leaves ${listed(parts.flat())} without changes until one of them is promoted.`;
    return {code: 'single-point', severity: 'note', reason, fix: null};
  }
  const apart =
    primaries.length === 0 || cut.length === 0
      ? `leaves ${parts.map(listed).join(' | ')} apart from one another`
      : `cuts off ${listed(cut)}`;
  return {
    code: 'single-point',
    severity: 'warning',
    reason: `${head} ${apart}.`,
    fix: 'Let those behind it follow another member, or add a link that goes round it.',
  };
}

/** Up to so many regions everybody can be linked with everybody. */
const MESHED = 5;

/** A mesh that has outgrown itself: which regions could pass on for the others. */
export function meshFindings({shape, members, tiers}: JudgedStore): readonly TopologyFinding[] {
  const regions = [...new Set(members.map(({region}) => region))];
  if (shape !== 'mesh' || regions.length <= MESHED) return [];
  const n = regions.length;
  const {chosen, rule} = chooseSuperNodes(members, tiers);
  const k = chosen.length;
  const remain = (k * (k - 1)) / 2 + (n - k);
  return [
    {
      code: 'large-mesh',
      severity: 'note',
      reason: `${n} regions, each linked with each other one, are ${(n * (n - 1)) / 2} links to keep alive, and each further region adds ${n}.`,
      fix: `With ${listed(chosen)} as super-nodes (${rule}), each other region linked with one of them, ${remain} links remain.`,
    },
  ];
}
