import {componentsOf, reachedFrom} from './graph.ts';
import type {JudgedStore, PlacedClass, TopologyFinding, TopologyLink, TopologyMember} from './topology-model.ts';
import {edgesOf} from './topology-shape.ts';
import {listed, sentence} from './topology-words.ts';

/** Fewer copies than this do not outlive the loss of two members. */
const WANTED = 3;
/** More links than this are counted, not named. */
const FEW = 4;

/** How many copies are live, and whether one place holds them all. A store that only passes messages on keeps none. */
export function copyFindings(judged: JudgedStore): readonly TopologyFinding[] {
  const {members, links} = judged;
  const keeps = members.some(({role}) => role === 'primary' || role === 'standby') || links.some(({kind}) => kind !== 'messages');
  const nobodyAnswers = members.every(({role}) => role === 'unknown');
  if (!keeps || nobodyAnswers) return [];
  const live = largestGroup(judged);
  return [...countFindings(live, members), ...togetherFindings(live, judged)];
}

/** Copies that live links connect: what has grown apart, such as a former primary, is no copy of the rest. */
function largestGroup({members, links}: JudgedStore): readonly TopologyMember[] {
  const copies = members.filter(({copy}) => copy === true);
  const nodes = copies.map(({member}) => member);
  const groups = componentsOf({
    nodes,
    edges: edgesOf(
      nodes,
      links.filter(({live}) => live),
    ),
  });
  const [largest = []] = groups.toSorted((a, b) => b.length - a.length);
  return copies.filter(({member}) => largest.includes(member));
}

function countFindings(live: readonly TopologyMember[], members: readonly TopologyMember[]): readonly TopologyFinding[] {
  const unsure = members.filter(({copy}) => copy === null).map(({member}) => member);
  const regions = new Set(live.map(({region}) => region)).size;
  // Without any, something graver has been found already.
  if (live.length === 0) return [];
  const about = unsure.length === 0 ? '' : `; of ${listed(unsure)} it is not known`;
  const where = `${live.length} live ${live.length === 1 ? 'copy' : 'copies'} in ${regions} ${regions === 1 ? 'region' : 'regions'}`;
  if (live.length < WANTED) {
    const reason = `There ${live.length === 1 ? 'is' : 'are'} ${where} (${listed(live.map(({member}) => member))})${about}: fewer than three do not outlive the loss of two members.`;
    const fix = members.length < WANTED ? 'Add a member, in a region of its own if there is one.' : 'Bring the other members back.';
    return [{code: 'few-copies', severity: 'warning', reason, fix}];
  }
  if (regions !== 2) return [];
  return [{code: 'few-regions', severity: 'note', reason: `There are ${where}: the loss of two regions is the loss of all.`, fix: null}];
}

/** All copies in one region or in one site of it; or all that a primary sends to in its own site. */
function togetherFindings(live: readonly TopologyMember[], {members, links}: JudgedStore): readonly TopologyFinding[] {
  const [first] = live;
  if (first === undefined) return [];
  const fix = 'Put a member elsewhere.';
  if (live.length > 1 && live.every((each) => sameSite(each, first)))
    return [
      {
        code: 'one-site',
        severity: 'warning',
        reason: `All live copies stand in the site ${placeOf(first)}: its loss is the loss of all.`,
        fix,
      },
    ];
  if (live.length > 1 && live.every(({region}) => region === first.region))
    return [
      {
        code: 'one-region',
        severity: 'warning',
        reason: `All live copies stand in the region ${first.region}: its loss is the loss of all.`,
        fix,
      },
    ];
  const edges = edgesOf(
    members.map(({member}) => member),
    links.filter((link) => link.live),
  );
  return live
    .filter(({role}) => role === 'primary')
    .flatMap((primary) => {
      const below = reachedFrom([primary.member], edges);
      const standbys = live.filter(({member, role}) => role === 'standby' && below.has(member));
      if (standbys.length === 0 || !standbys.every((each) => sameSite(each, primary))) return [];
      const reason = `Every live standby of ${primary.member} (${listed(standbys.map(({member}) => member))}) stands in its own site, ${placeOf(primary)}.`;
      return [{code: 'same-site', severity: 'warning' as const, reason, fix}];
    });
}

const sameSite = (a: TopologyMember, b: TopologyMember): boolean => a.site !== null && a.site === b.site && a.region === b.region;
const placeOf = ({region, site}: TopologyMember): string => (site === null ? region : `${region}/${site}`);

/** Links from one jurisdiction to another: a note where the data classes allow it, an error for each that does not. */
export function jurisdictionFindings({members, links, classes, store}: JudgedStore): readonly TopologyFinding[] {
  const forbidden = classes.flatMap((one) => forbiddenPlaces(one, {members, links, store}));
  const crossing = Map.groupBy(
    links.filter(({crosses}) => crosses !== null),
    ({crosses}) => crosses?.join(' → ') ?? '',
  );
  if (crossing.size === 0) return forbidden;
  const count = [...crossing.values()].flat().length;
  const ways = [...crossing].map(([way, each]) => (count <= FEW ? `${way} (${waysOf(each).join(', ')})` : `${way}: ${each.length}`));
  const rule = classes.some(({allowed}) => allowed !== null)
    ? forbidden.length === 0
      ? 'every data class of the store allows it'
      : 'not every data class of the store allows it'
    : 'no data class of the store says where it may be';
  const reason = `${count} ${count === 1 ? 'link crosses' : 'links cross'} from one jurisdiction to another, ${ways.join(', ')}; ${rule}.`;
  return [...forbidden, {code: 'crosses-jurisdiction', severity: 'note', reason, fix: null}];
}

/** Each way once, though it may have several links. */
function waysOf(links: readonly TopologyLink[]): readonly string[] {
  return [...new Set(links.map(({from, to}) => `${from} → ${to}`))];
}

function forbiddenPlaces(
  {name, allowed}: PlacedClass,
  {members, links, store}: Pick<JudgedStore, 'members' | 'links' | 'store'>,
): readonly TopologyFinding[] {
  if (allowed === null) return [];
  const outside = Map.groupBy(
    members.filter(({jurisdiction}) => !allowed.includes(jurisdiction)),
    ({jurisdiction}) => jurisdiction,
  );
  return [...outside].map(([law, there]) => {
    const names = there.map(({member}) => member);
    const ways = [
      ...new Set(links.filter(({to, crosses}) => crosses !== null && names.includes(to)).map(({from, to}) => `${from} → ${to}`)),
    ];
    const carried = ways.length === 0 ? 'no link leads there' : `${listed(ways)} ${ways.length === 1 ? 'carries' : 'carry'} it there`;
    return {
      code: 'forbidden-jurisdiction',
      severity: 'error' as const,
      reason: sentence(
        `${store} keeps the data class ${name}, which may be in ${allowed.join(', ')} only; ${listed(names)} ${names.length === 1 ? 'is' : 'are'} in ${law}, and ${carried}`,
      ),
      fix: `Cut the link and take the member out, or allow ${law} in dataClasses.${name}.allowed.`,
    };
  });
}
