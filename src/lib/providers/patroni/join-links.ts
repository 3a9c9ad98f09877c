import type {LinkCause, LinkReading} from '../../ports/store.ts';
import {broken, type Trouble} from '../postgres/physical-cause.ts';
import type {ClusterView, ListedMember} from './answers.ts';
import {disagreement, sharedView, type Views} from './ensemble.ts';
import {runs, stateTrouble} from './member-state.ts';

/**
 * What SQL says of the links, joined with what Patroni says of the members at the same moment. SQL saw the stream itself: Patroni's word explains a
 * link without one, and is noted beside any other. What SQL finds is never made better, but for a server that lets nobody in because Patroni is starting or making it.
 */
export function joinLinks(links: readonly LinkReading[], views: Views): readonly LinkReading[] {
  const view = sharedView(views);
  const primary = primaryOf(links, Object.keys(views));
  return links.map((link) => {
    if ((link.kind ?? 'physical') !== 'physical') return link;
    if (view === null) return noted(link, [`no Patroni tells the state of the cluster: ${saysOf(views, link.to)}`]);
    return joined(link, {views, view, primary});
  });
}

type Told = {readonly views: Views; readonly view: ClusterView; readonly primary: Root | null};

/** The member at which the stream begins, by SQL. `answers` = it is a primary; else it is only the one that others follow. */
type Root = {readonly name: string; readonly answers: boolean};

function primaryOf(links: readonly LinkReading[], members: readonly string[]): Root | null {
  const physical = links.filter(({kind}) => (kind ?? 'physical') === 'physical');
  const roots = physical.filter(({from}) => members.includes(from) && !physical.some(({to}) => to === from));
  const [first] = roots;
  if (first === undefined || roots.some(({from}) => from !== first.from)) return null;
  return {name: first.from, answers: roots.some(({senderRead}) => senderRead)};
}

function joined(link: LinkReading, told: Told): LinkReading {
  const {view, views} = told;
  const member = view.members.find(({name}) => name === link.to) ?? null;
  const found = [twoLeaders(link, told), stateOf(link, member, told)].flatMap((each) => (each === null ? [] : [each]));
  const [worst, ...others] = found.toSorted((one, other) => rank(other.cause) - rank(one.cause));
  const taken = worst !== undefined && rank(worst.cause) > rank(link.cause ?? null) ? worst : null;
  const beside = (taken === null ? found : others).flatMap(({trouble}) => (trouble === null ? [] : [trouble.replace(/\.$/, '')]));
  const notes = [...beside, ...clusterNotes(told), ...silenceNotes(link, views), ...memberNotes(link, member, view)];
  return noted(taken === null ? link : withTrouble(link, taken), [...new Set(notes)]);
}

const noted = (link: LinkReading, notes: readonly string[]): LinkReading => (notes.length === 0 ? link : {...link, notes});

/** What SQL said of it stays behind it. */
function withTrouble(link: LinkReading, {cause, trouble}: Trouble): LinkReading {
  const said = [trouble, link.trouble].filter((each) => each !== null && each !== '').join(' ');
  return cause === null ? link : {...link, cause, trouble: said};
}

const RANKS = {late: 1, stalled: 2, broken: 3} as const;
const rank = (cause: LinkCause | null): number => (cause === null ? 0 : RANKS[cause.state]);

/** What the primary sends that the leader of Patroni does not is no part of the cluster any more. */
function twoLeaders({from, to}: LinkReading, {view: {leader}, primary}: Told): Trouble | null {
  if (leader === null || primary === null || leader === primary.name) return null;
  if (from !== primary.name && to !== leader) return null;
  const says = `Patroni says that ${leader} is the leader, and ${primary.name}`;
  if (!primary.answers) return {cause: null, trouble: `${says}, which ${to} follows, does not answer.`};
  return broken('two-leaders', `${says} answers as the primary.`);
}

/** Patroni's word is as old as its last turn, so it counts only where neither end saw the stream, and what will pass only from a Patroni that lives. */
function stateOf({senderRead, senderState, receiverConnected, to}: LinkReading, member: ListedMember | null, told: Told): Trouble | null {
  const trouble = member === null ? null : stateTrouble(member, told.view.paused);
  if (trouble === null || member === null) return null;
  const isDark = senderState === null && receiverConnected === null;
  const counts = isDark && (trouble.cause?.state !== 'late' || (senderRead && told.views[to]?.ok === true));
  if (counts) return trouble;
  const seen = isDark ? '' : receiverConnected === null ? ', which its sender lists' : ', whose server answers';
  return {cause: null, trouble: `Patroni says "${member.state}" of ${to}${seen}`};
}

function clusterNotes({views, view}: Told): readonly string[] {
  const parted = disagreement(views);
  return [
    ...(parted === null ? [] : [`the Patronis do not agree who leads: ${parted}`]),
    ...(view.leader === null ? ['Patroni lists nobody with the leader key'] : []),
    ...(view.paused ? ['Patroni is paused, and moves nothing by itself'] : []),
  ];
}

function silenceNotes({from, to}: LinkReading, views: Views): readonly string[] {
  return [from, to].flatMap((name) => (views[name]?.ok === false ? [saysOf(views, name)] : []));
}

function saysOf(views: Views, name: string): string {
  const reading = views[name];
  return reading?.ok === false ? reading.says : `Patroni of ${name} was not asked`;
}

function memberNotes(link: LinkReading, member: ListedMember | null, {members, leader}: ClusterView): readonly string[] {
  const {to} = link;
  if (member === null) return [`Patroni does not list ${to}, so it does not promote it`];
  const {nofailover, noloadbalance, pendingRestart} = member;
  const isDark = link.receiverConnected === null;
  const ahead = members.find(({name}) => name === leader)?.timeline ?? null;
  return [
    ...(isDark && runs(member) ? [`Patroni lists ${to} as ${member.state}, which it was at its last turn`] : []),
    ...timelineNotes(link, member, ahead),
    ...syncNotes(link, member),
    ...(nofailover ? [`${to} is tagged nofailover`] : []),
    ...(noloadbalance ? [`${to} is tagged noloadbalance`] : []),
    ...(pendingRestart ? [`${to} waits for a restart to take its settings`] : []),
  ];
}

/** By the server itself where that was read; else all that is known is where Patroni has it beside its leader. */
function timelineNotes({to, receiverTimeline}: LinkReading, {timeline}: ListedMember, ahead: number | null): readonly string[] {
  if (timeline === null) return [];
  const own = receiverTimeline ?? null;
  if (own !== null) return own === timeline ? [] : [`Patroni has ${to} on timeline ${timeline}, and its server is on timeline ${own}`];
  return ahead === null || ahead === timeline ? [] : [`Patroni has ${to} on timeline ${timeline}, and its leader on timeline ${ahead}`];
}

/** One that Patroni calls synchronous is promoted as if it held every acknowledged write. */
function syncNotes({from, to, senderState, sync}: LinkReading, member: ListedMember): readonly string[] {
  if (senderState === null || sync === null) return [];
  const waits = sync === 'sync' || sync === 'quorum';
  if (member.sync && !waits) return [`Patroni counts ${to} as synchronous, and ${from} does not wait for it (${sync})`];
  return !member.sync && waits ? [`${from} waits for ${to} (${sync}), which Patroni does not count as synchronous`] : [];
}
