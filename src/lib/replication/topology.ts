import {type Verdict, worstVerdict} from '../health/verdict.ts';
import type {Cell} from '../snapshot/cell.ts';
import {type Rival, rivalsOf} from '../snapshot/rivals.ts';
import type {Member} from '../snapshot/snapshot.ts';
import {reachedFrom} from './graph.ts';
import type {LinkState} from './lag.ts';
import {findingsOf} from './topology-findings.ts';
import type {
  LinkForTopology,
  PlacedMember,
  StoreForTopology,
  StoreTopology,
  TopologyDocument,
  TopologyFinding,
  TopologyLink,
  TopologyMember,
} from './topology-model.ts';
import {depthsOf, shapeOf} from './topology-shape.ts';

const LIVE: ReadonlySet<LinkState> = new Set<LinkState>(['streaming', 'catching-up', 'idle', 'stalled']);
const VERDICTS = {note: 'healthy', warning: 'degraded', error: 'unhealthy', unknown: 'unknown'} as const;
const ALL_WELL = 'Nothing is wrong.';

/** Draws and judges every store. `at` is ISO 8601. A fleet without stores is healthy: there is nothing to judge. */
export function judgeTopology(at: string, stores: readonly StoreForTopology[]): TopologyDocument {
  const judged = stores.map(judgeStore);
  const verdict = worstVerdict(['healthy', ...judged.map((store) => store.verdict)]);
  const worst = judged.find((store) => store.verdict === verdict);
  const well = judged.length === 0 ? 'There is no store to judge.' : ALL_WELL;
  return {at, verdict, reason: worst === undefined || verdict === 'healthy' ? well : `${worst.store}: ${worst.reason}`, stores: judged};
}

function judgeStore(input: StoreForTopology): StoreTopology {
  const links = input.links.filter((link) => !standsForNothing(link, input)).map((link) => toLink(link, input.members));
  const names = input.members.map(({name}) => name);
  const depths = depthsOf(names, links, sourcesOf(input));
  const shape = input.linksTrouble !== null && names.length > 1 ? 'unknown' : shapeOf(names, links, depths);
  const members = input.members.map((member) => toMember(member, input, {links, depths}));
  const {store, engine, classes, linksTrouble} = input;
  const tiers = Object.fromEntries(input.members.map(({region, tier}) => [region, tier]));
  const withCopies = markCopies(members, links, linksTrouble !== null);
  const findings = findingsOf({store, engine, shape, members: withCopies, links, classes, linksTrouble, tiers, inert: inertOf(input)});
  const verdict = verdictOf(findings);
  const reason = findings.find(({severity}) => VERDICTS[severity] === verdict && severity !== 'note')?.reason ?? ALL_WELL;
  return {store, engine, shape, verdict, reason, members: withCopies, links, findings};
}

/** Only beside one that may take writes: where nobody does, which of them should is not ours to say. */
function inertOf({seen}: StoreForTopology): readonly Rival[] {
  const rivals = rivalsOf({members: seen});
  return rivals.some(({takes}) => takes !== false) ? rivals.filter(({takes}) => takes === false) : [];
}

/** A member that does not answer has a row of lag from nobody who is known, in case it has a sender: no link was seen there. */
function standsForNothing({from, to, state}: LinkForTopology, {members, seen}: StoreForTopology): boolean {
  return state === 'unknown' && seen[to]?.known !== true && !members.some(({name}) => name === from);
}

const verdictOf = (findings: readonly TopologyFinding[]): Verdict =>
  worstVerdict(['healthy', ...findings.map((f) => VERDICTS[f.severity])]);

function toLink(link: LinkForTopology, members: readonly PlacedMember[]): TopologyLink {
  const lawOf = (name: string): string | undefined => members.find((member) => member.name === name)?.jurisdiction;
  const [out, into] = [lawOf(link.from), lawOf(link.to)];
  const {from, to, state, replayBytes, seconds, ageMs, code, reason} = link;
  return {
    from,
    to,
    link: link.link ?? null,
    kind: link.kind ?? (link.messages === undefined ? 'physical' : 'messages'),
    state,
    // Where the sender is silent nothing lives, though nobody has hung up yet.
    live: LIVE.has(state) && code !== 'sender-silent',
    crosses: out === undefined || into === undefined || out === into ? null : [out, into],
    replayBytes,
    seconds,
    ageMs,
    code,
    reason,
  };
}

/** Where changes begin: who says so itself. */
function sourcesOf({members, seen}: StoreForTopology): readonly string[] {
  const begins = (cell: Cell<Member> | undefined): boolean => cell?.known === true && cell.value.role !== 'standby';
  return members.filter(({name}) => begins(seen[name])).map(({name}) => name);
}

type Drawn = {readonly links: readonly TopologyLink[]; readonly depths: ReadonlyMap<string, number>};

function toMember(member: PlacedMember, {seen, at}: StoreForTopology, {links, depths}: Drawn): Omit<TopologyMember, 'copy'> {
  const {name, region, site, jurisdiction} = member;
  const cell = seen[name];
  const own = links.filter(({from, to}) => from === name || to === name);
  return {
    member: name,
    region,
    site,
    jurisdiction,
    ...standing(name, cell),
    ageMs: cell === undefined ? 0 : Math.max(0, at - cell.at),
    upstreams: [...new Set(own.filter(({to}) => to === name).map(({from}) => from))],
    depth: depths.get(name) ?? null,
    links: own.length,
    liveLinks: own.filter(({live}) => live).length,
  };
}

function standing(name: string, cell: Cell<Member> | undefined): Pick<TopologyMember, 'role' | 'code' | 'reason'> {
  if (cell === undefined) return {role: 'unknown', code: 'not-reported', reason: `The store's provider said nothing of ${name}.`};
  if (!cell.known) return {role: 'unknown', code: cell.code, reason: cell.reason};
  return {role: cell.value.role, code: 'ok', reason: `${name} answers as a ${cell.value.role}.`};
}

/** A copy counts when its member answered and live links lead to it from where changes begin. */
function markCopies(
  members: readonly Omit<TopologyMember, 'copy'>[],
  links: readonly TopologyLink[],
  blind: boolean,
): readonly TopologyMember[] {
  const edges = (may: (link: TopologyLink) => boolean) => links.filter(may).map(({from, to}) => [from, to] as const);
  const begin = members.filter(({role}) => role === 'primary' || role === 'peer').map(({member}) => member);
  // A silent member may be where changes begin.
  const perhaps = members.filter(({role}) => role !== 'standby').map(({member}) => member);
  const sure = reachedFrom(
    begin,
    edges(({live}) => live),
  );
  const possible = reachedFrom(
    perhaps,
    edges(({state}) => state !== 'broken'),
  );
  return members.map((member) => {
    const answered = member.role !== 'unknown';
    const copy = answered && sure.has(member.member) ? true : blind || !answered || possible.has(member.member) ? null : false;
    return {...member, copy};
  });
}
