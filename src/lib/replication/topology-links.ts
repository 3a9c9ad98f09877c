import {reachedFrom} from './graph.ts';
import type {JudgedStore, TopologyFinding, TopologyLink, TopologyMember} from './topology-model.ts';
import {edgesOf} from './topology-shape.ts';
import {listed, sentence} from './topology-words.ts';

/** What is wrong with single links and members. Each link that is broken or unknown is told of once. */
export function linkFindings(store: JudgedStore): readonly TopologyFinding[] {
  const lost = store.members.flatMap((member) => lostSender(store, member));
  const told = new Set(lost.flatMap(({covers}) => covers));
  const cutOff = new Set(lost.flatMap(({about}) => about));
  const lonely = store.members.flatMap((member) => (cutOff.has(member.member) ? [] : orphan(store, member)));
  for (const {covers} of lonely) for (const link of covers) told.add(link);
  for (const {about} of lonely) for (const member of about) cutOff.add(member);
  const silent = store.members.filter(({role, member}) => role === 'unknown' && !cutOff.has(member));
  const quiet = new Set(store.members.filter(({role}) => role === 'unknown').map(({member}) => member));
  // Of a member that does not answer that is all there is to say.
  const left = store.links.filter((link) => !told.has(link) && !(link.state === 'unknown' && (quiet.has(link.from) || quiet.has(link.to))));
  return [
    ...lost.map(({finding}) => finding),
    ...lonely.map(({finding}) => finding),
    ...silent.map(unreadMember),
    ...pairFindings(store, left),
  ];
}

/** A finding with the links and members that need no other one. */
type Told = {readonly finding: TopologyFinding; readonly covers: readonly TopologyLink[]; readonly about: readonly string[]};

/** What the first of a shape is called. */
const PLACES: Readonly<Record<string, string>> = {
  star: 'the hub of the star',
  tree: 'the root of the tree',
  chain: 'the head of the chain',
};

/** A member that does not answer and that others get their changes from. */
function lostSender({members, links, shape}: JudgedStore, member: TopologyMember): readonly Told[] {
  if (member.role !== 'unknown' || member.liveLinks > 0) return [];
  const name = member.member;
  const names = members.map((each) => each.member);
  const below = reachedFrom([name], edgesOf(names, links));
  const apart = members.filter((each) => each.member !== name && below.has(each.member) && isCutOff(each));
  if (apart.length === 0) return [];
  const own = links.filter(({from, to}) => from === name || (to === name && !names.includes(from)));
  const surely = own.some(({from, state}) => from === name && state === 'broken');
  const head = member.depth === 0 || member.upstreams.every((each) => !names.includes(each));
  const place = head ? (PLACES[shape] ?? 'which the others get their changes from') : 'which passes changes on';
  const finding: TopologyFinding = {
    code: head ? 'hub-lost' : 'relay-lost',
    severity: surely ? 'error' : 'unknown',
    reason: `${name}, ${place}, does not answer: ${cutOffSays(apart, links)}. ${sentence(member.reason)}`,
    fix: head
      ? `Bring ${name} back, or see with \`regionctl failover plan --from ${member.region}\` what a failover would do.`
      : `Bring ${name} back, or let ${listed(namesOf(apart))} follow another member.`,
  };
  // That what comes to it from nobody knows where is broken is no matter of its silence.
  const covers = own.filter(({from, state}) => from === name || state !== 'broken');
  return [{finding, covers, about: [name, ...apart.filter((each) => isOnlyBelow(each, name, links)).map((each) => each.member)]}];
}

/** Who is cut off, and of whom it is not known. */
function cutOffSays(apart: readonly TopologyMember[], links: readonly TopologyLink[]): string {
  const cut = namesOf(apart.filter((each) => isSurelyCutOff(each, links)));
  const perhaps = namesOf(apart.filter((each) => !isSurelyCutOff(each, links)));
  return [
    ...(cut.length === 0 ? [] : [`${listed(cut)} ${cut.length === 1 ? 'is' : 'are'} cut off by that`]),
    ...(perhaps.length === 0 ? [] : [`whether ${listed(perhaps)} still get${perhaps.length === 1 ? 's' : ''} anything is not known`]),
  ].join('; ');
}

const namesOf = (members: readonly TopologyMember[]): readonly string[] => members.map(({member}) => member);

/** A standby without changes that are known to come; who takes writes itself is cut off when nothing connects it. */
function isCutOff({role, copy, liveLinks}: TopologyMember): boolean {
  return role === 'standby' ? copy !== true : liveLinks === 0;
}

function isSurelyCutOff({member, role, copy}: TopologyMember, links: readonly TopologyLink[]): boolean {
  const own = links.filter(({from, to}) => from === member || to === member);
  return role === 'standby' ? copy === false : own.every(({state}) => state === 'broken');
}

/** Nothing else is to be said of a member whose every link is one from the lost sender. */
function isOnlyBelow({member, role}: TopologyMember, sender: string, links: readonly TopologyLink[]): boolean {
  return role !== 'unknown' && links.every(({from, to}) => (from !== member && to !== member) || from === sender || to === sender);
}

/** A member that no live link leads to or from, though it is not alone. */
function orphan({members, links, linksTrouble}: JudgedStore, member: TopologyMember): readonly Told[] {
  const {member: name, role, liveLinks} = member;
  if (members.length < 2 || liveLinks > 0 || linksTrouble !== null) return [];
  const own = links.filter(({from, to}) => from === name || to === name);
  // Broken, or held by both ends while nothing gets through.
  const dead = own.filter(({live}) => !live);
  // What could not be read may be live: it is said as such, of the member or of the link.
  if (own.some(({state}) => state === 'unknown') || (own.length === 0 && role === 'unknown')) return [];
  const why = dead.length === 0 ? 'it has no link at all.' : dead.map(({reason}) => sentence(reason)).join(' ');
  const finding: TopologyFinding = {
    code: role === 'primary' ? 'unreplicated' : 'orphan',
    severity: dead.length === 0 && role === 'peer' ? 'warning' : 'error',
    reason: `${name}${role === 'unknown' ? ' does not answer and' : ''} has no live link${role === 'primary' ? ', so that what is written there exists once' : ''}: ${why}`,
    fix: orphanFix(member, dead),
  };
  return [{finding, covers: dead, about: [name]}];
}

function orphanFix({member, role, links}: TopologyMember, dead: readonly TopologyLink[]): string {
  if (role === 'primary') return 'Mend its links; where another member has taken over, see `regionctl failback plan`.';
  if (links === 0) return `Link ${member} to another member, or take it out of the fleet file.`;
  if (dead.some(({code, to}) => code === 'other-name' && to === member))
    return `Set application_name=${member} in the primary_conninfo of ${member}, and reload it.`;
  return role === 'unknown' ? `Bring ${member} back, or build it anew.` : `Mend the link, or build ${member} anew.`;
}

function unreadMember({member, reason}: TopologyMember): TopologyFinding {
  return {
    code: 'member-unknown',
    severity: 'unknown',
    reason: `${member} could not be asked what it is: ${sentence(reason)}`,
    fix: 'Ask again; `regionctl doctor` looks for what is in the way.',
  };
}

const CODES = {broken: 'link-broken', stalled: 'link-stalled', unknown: 'link-unknown'} as const;
const SEVERITIES = {broken: 'error', stalled: 'warning', unknown: 'unknown'} as const;

/** One finding for all links of two members that are in the same state. */
function pairFindings({store, shape}: JudgedStore, links: readonly TopologyLink[]): readonly TopologyFinding[] {
  // An open ring is a finding of its own, with these reasons.
  const unwell = links.filter(({state}) => state === 'stalled' || (shape !== 'ring' && (state === 'broken' || state === 'unknown')));
  const pairs = Map.groupBy(unwell, ({from, to, state}) => JSON.stringify([state, ...[from, to].toSorted()]));
  return [...pairs.values()].map((pair): TopologyFinding => {
    const state = (pair[0]?.state ?? 'unknown') as keyof typeof CODES;
    const ways = listed(pair.map(({from, to, link}) => `${from} → ${to}${link === null ? '' : ` (${link})`}`));
    const are = pair.length === 1 ? 'is' : 'are';
    const why = [...new Set(pair.map(({reason}) => sentence(reason)))].join(' ');
    const says = {
      broken: `${ways} ${are} broken`,
      stalled: `${ways} ${are} connected, and nothing moves`,
      unknown: `Whether ${ways} carr${pair.length === 1 ? 'ies' : 'y'} anything is not known`,
    }[state];
    const fix = `\`regionctl replication lag --store ${store}\` has the figures.`;
    return {code: CODES[state], severity: SEVERITIES[state], reason: `${says}: ${why}`, fix};
  });
}
